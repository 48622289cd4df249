"""What comes out: both issues of the repository's own newsletter, each message read again.

They are sent once, by the very command of the README; then two independent parsers read them. The
list has one more person than the repository's, whose address is not ASCII.
"""

import csv
import re
from dataclasses import dataclass
from email import message_from_string
from email.errors import NonASCIILocalPartDefect
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from urllib.parse import quote

import mailparser
import pytest
from command import FIRST, ROOT, SECOND, Result, copy_own, outbox, part, start
from lxml import html

STORY = Path(__file__).with_name("story.txt")
BROKEN, AGAIN = "isla.example.org", "Zoe.Adeyemi@Example.org"
OUTSIDE_ASCII = "用户.mòr@example.org"
ONCE = ("To", "From", "Subject", "Date", "Message-ID", "MIME-Version", "List-Unsubscribe")


@dataclass(frozen=True)
class Sent:
    """One run of the sandbox."""

    issue: str
    result: Result
    messages: list[bytes]


@pytest.fixture(scope="module", params=[FIRST, SECOND])
def sent(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Sent:
    folder = copy_own(tmp_path_factory.mktemp("outbox") / "own")
    with (folder / "recipients.csv").open("a", encoding="utf-8", newline="") as file:
        file.write(f"{OUTSIDE_ASCII},Mòr,NicLeòid,,Fife\r\n")
    result = start(folder, "send", request.param, "--yes")
    return Sent(request.param, result, outbox(folder))


def readers() -> list[dict[str, str]]:
    """Return the people who are to get mail, as the csv module of Python reads them."""
    with (ROOT / "recipients.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["email"] not in (BROKEN, AGAIN)]
    values = [OUTSIDE_ASCII, "Mòr", "NicLeòid", "", "Fife"]
    return [*rows, dict(zip(rows[0], values, strict=True))]


def parse(data: bytes) -> EmailMessage:
    """Read a message with the standard library, which knows RFC 6532 only in text."""
    message = message_from_string(data.decode(), policy=default)
    assert isinstance(message, EmailMessage)
    return message


def words(text: str) -> str:
    return " ".join(text.split())


def text_of(page: str) -> str:
    """Return the words of an HTML page."""
    return words(html.fromstring(page).text_content())


def test_the_command_succeeds_and_its_totals_add_up(sent: Sent) -> None:
    assert sent.result.status == 0, sent.result
    assert sent.result.totals == {
        "rows in the list": 27,
        "sent": 25,
        "duplicate": 1,
        "invalid": 1,
    }
    assert "recipients.csv:19: 'isla.example.org' is not an address" in sent.result.err


def test_each_valid_person_has_one_message_in_the_order_of_the_list(sent: Sent) -> None:
    assert [str(parse(data)["Delivered-To"]) for data in sent.messages] == [
        row["email"] for row in readers()
    ]


def test_every_line_is_legal_on_the_wire(sent: Sent) -> None:
    """CRLF only, ASCII only, at most 998 octets (RFC 5322 section 2.1.1); no line of headers > 78.

    A header field may be longer where it cannot be folded: one address or link. The one address
    that is not ASCII stands in To, and in what the sandbox adds (RFC 6532).
    """
    for row, data in zip(readers(), sent.messages, strict=True):
        if not data.isascii():
            assert row["email"] == OUTSIDE_ASCII
            assert data.replace(OUTSIDE_ASCII.encode(), b"", 2).isascii()
        assert b"\0" not in data
        assert re.search(rb"(?<!\r)\n|\r(?!\n)", data) is None
        assert max(map(len, data.split(b"\r\n"))) <= 998
        head = data.partition(b"\r\n\r\n")[0].decode().split("\r\n")
        assert [line for line in head if len(line) > 78 and " " in line.strip()[:-1]] == [
            line for line in head if len(line) > 78 and line.startswith("List-Unsubscribe:")
        ]


def test_the_standard_library_finds_no_defect_and_each_header_once(sent: Sent) -> None:
    for data in sent.messages:
        message = parse(data)
        assert [defect for found in message.walk() for defect in found.defects] == []
        assert {name: len(message.get_all(name, [])) for name in ONCE} == dict.fromkeys(ONCE, 1)
        defects = [defect for value in message.values() for defect in value.defects]
        assert list(map(type, defects)) == ([] if data.isascii() else [NonASCIILocalPartDefect])
        assert not {"cc", "bcc", "x-test"} & {name.lower() for name in message}


def test_each_message_is_addressed_to_one_person_by_name(sent: Sent) -> None:
    for row, data in zip(readers(), sent.messages, strict=True):
        (to,) = parse(data)["To"].addresses
        name = f"{row['first_name']} {row['last_name']}".strip()
        assert (to.display_name, to.addr_spec) == (name, row["email"])


def test_an_independent_parser_agrees(sent: Sent) -> None:
    """The package mail-parser shares no code with us."""
    for row, data in zip(readers(), sent.messages, strict=True):
        mail = mailparser.parse_from_bytes(data)
        assert (mail.has_defects, mail.defects) == (False, [])
        assert [address for _, address in mail.to] == [row["email"]]
        assert (len(mail.text_plain), len(mail.text_html)) == (1, 1)
        assert mail.subject == parse(data)["Subject"]
        assert words(mail.text_plain[0]) == words(part(parse(data), "plain"))


def test_the_way_to_leave_is_a_plain_address_and_never_an_encoded_word(sent: Sent) -> None:
    for row, data in zip(readers(), sent.messages, strict=True):
        (field,) = re.findall(rb"(?im)^List-Unsubscribe:[^\r]*(?:\r\n[ \t][^\r]*)*", data)
        who = quote(row["email"], safe="@")
        link = f"mailto:unsubscribe@example.org?subject=Unsubscribe%20{who}"
        assert field.decode() == f"List-Unsubscribe: <{link}>"
        assert link in part(parse(data), "plain")
        assert html.fromstring(part(parse(data), "html")).xpath("//a[@href=$link]", link=link)


def test_no_merge_tag_is_left_over(sent: Sent) -> None:
    """But in the second issue one stands in code, where it is meant literally."""
    literal = ["{{ first_name }}"] if sent.issue == SECOND else []
    for data in sent.messages:
        for subtype in ("plain", "html"):
            text = part(parse(data), subtype)
            assert re.findall(r"\{\{.*?\}\}|\{%.*?%\}", text) == literal
            assert re.search(r"bm[0-9a-z]{6,}e\d+x", text) is None


def test_no_two_messages_have_the_same_id(sent: Sent) -> None:
    assert len({parse(data)["Message-ID"] for data in sent.messages}) == 25


@pytest.mark.parametrize("sent", [SECOND], indirect=True)
def test_text_and_html_have_the_recipients_own_values(sent: Sent) -> None:
    for row, data in zip(readers(), sent.messages, strict=True):
        about = [row["email"], row["organisation"], row["region"]]
        known = ", ".join(value for value in about if value)
        # The theme's typography is that of the text around a value, never of the value itself.
        expected = [
            f"Dear {row['first_name'] or 'friend'},",
            f"all that I have about you is this: {known}.",
        ]
        message = parse(data)
        for text in (words(part(message, "plain")), text_of(part(message, "html"))):
            assert [phrase for phrase in expected if phrase not in text] == []
            assert ("Only in Fife: bring something blunt" in text) == (row["region"] == "Fife")


@pytest.mark.parametrize("sent", [FIRST], indirect=True)
def test_every_word_of_the_story_is_in_the_first_issue(sent: Sent) -> None:
    """All 3,800 characters; only the date is written the other way round, and a quote curls."""
    story = STORY.read_text("utf-8").replace("August 24, 2016", "24 August 2016")
    paragraphs = [words(text) for text in story.replace("'", "’").split("\n\n") if text.strip()]
    for data in sent.messages:
        for text in (
            words(part(parse(data), "plain")),
            text_of(part(parse(data), "html")),
        ):
            assert [paragraph for paragraph in paragraphs if paragraph not in text] == []


@pytest.mark.parametrize("sent", [SECOND], indirect=True)
def test_pictures_travel_in_the_message_and_are_referred_to(sent: Sent) -> None:
    message = parse(sent.messages[0])
    ids = {p["Content-ID"].strip("<>") for p in message.walk() if p["Content-ID"]}
    used = set(re.findall(r'src="cid:([^"]+)"', part(message, "html")))
    assert len(ids) == 3
    assert used == ids
