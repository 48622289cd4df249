"""Header fields: one recipient, no field that we did not write, whatever a name is."""

import json
import re
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from functools import cache
from pathlib import Path

import mailparser
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from press import opened, person, print_edition

from briefmail.edition import Edition, headers
from briefmail.errors import BriefmailError, MergeError

NAUGHTY: list[str] = json.loads(
    (Path(__file__).parents[1] / "data" / "blns.json").read_text("utf-8")
)
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
FIELDS = [
    "From", "To", "Subject", "Date", "Message-ID", "List-Id", "List-Unsubscribe", "MIME-Version",
    "Content-Type",
]  # fmt: skip
NAME = st.text(
    st.one_of(
        st.sampled_from(" \"\\'<>@,;:()[].=?_é😀a\u202e"),
        st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\u2028\u2029"),
    ),
    max_size=200,
)


def check_field(field: bytes, *, words: int = 75) -> str:
    """Hold one field against RFC 5322 and RFC 2047, and return its unfolded value."""
    assert field.endswith(b"\r\n")
    lines = field.decode("ascii")[:-2].split("\r\n")
    for line in lines:
        assert "\n" not in line
        assert "\r" not in line
        assert line.strip()
        encoded = re.findall(r"=\?[^?]*\?[bq]\?[^?]*\?=", line, re.IGNORECASE)
        assert all(len(word) <= words for word in encoded)
        assert len(line) <= (76 if encoded else 78) or " " not in line.strip()
    assert all(line.startswith(" ") for line in lines[1:])
    return "".join(lines).partition(": ")[2]


# --- free text ------------------------------------------------------------------------------------


@given(NAME)
@example("")
@example(" ")
@example("a  b")
@example(" a")
@example("=?utf-8?q?x?=")
@example("a" * 100)
@example("word " * 40 + "word")
@example("é" * 200)
@example("Tha e " + "fìor " * 30 + "£12, “really”")
@settings(max_examples=400)
def test_any_subject_comes_back(text: str) -> None:
    """Read by both parsers; never folded in the middle of a character or a word."""
    field = headers.unstructured("Subject", text)
    if not text.strip():
        assert message_from_bytes(field + b"\r\n")["Subject"].strip() in {
            "",
            *field.decode().split(),
        }
        return
    value = check_field(field)
    assert str(make_header(decode_header(value))) == text
    assert message_from_bytes(field + b"\r\nx", policy=policy.default)["Subject"] == text


def test_a_subject_that_can_stand_as_it_is_does() -> None:
    """A plain line for plain people; folded at a blank when it is long."""
    assert headers.unstructured("Subject", "A plain one") == b"Subject: A plain one\r\n"
    assert headers.unstructured("Subject", "seven letters " * 10 + "end") == (
        b"Subject: seven letters seven letters seven letters seven letters seven\r\n"
        b" letters seven letters seven letters seven letters seven letters seven letters\r\n"
        b" end\r\n"
    )


# --- mailboxes ------------------------------------------------------------------------------------


@given(NAME)
@example("Né, evil@example.com")
@example('"')
@example("\\" * 60)
@example('a" <b@example.org>, "c')
@example("=?utf-8?q?x?=")
@example("x" * 200)
@example("é" * 200)
@settings(max_examples=400)
def test_any_display_name_leaves_one_mailbox(name: str) -> None:
    """The same name, and nobody else, by both parsers."""
    field = headers.mailbox("To", name, "ada@example.org")
    check_field(field)
    parsed = message_from_bytes(field + b"\r\nx", policy=policy.default)["To"]
    assert [address.addr_spec for address in parsed.addresses] == ["ada@example.org"]
    assert [address for _, address in mailparser.parse_from_bytes(field + b"\r\nx").to] == [
        "ada@example.org"
    ]
    phrase = str(make_header(decode_header(field.decode()[4:].rpartition("<")[0].rstrip())))
    if name.strip():
        assert unquoted(phrase) == name


def unquoted(phrase: str) -> str:
    if phrase.startswith('"') and phrase.endswith('"') and len(phrase) > 1:
        return re.sub(r"\\(.)", r"\1", phrase[1:-1])
    return phrase


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("", b"To: ada@example.org\r\n"),
        ("Ada Lovelace", b"To: Ada Lovelace <ada@example.org>\r\n"),
        ("Lovelace, Ada", b'To: "Lovelace, Ada" <ada@example.org>\r\n'),
        ("J. R. Hartley", b'To: "J. R. Hartley" <ada@example.org>\r\n'),
        ('A "b" \\', b'To: "A \\"b\\" \\\\" <ada@example.org>\r\n'),
        ("Mòrag", b"To: =?utf-8?b?TcOycmFn?= <ada@example.org>\r\n"),
        ("=?x?=", b"To: =?utf-8?b?PT94Pz0=?= <ada@example.org>\r\n"),
    ],
)
def test_a_mailbox_is_written_as_people_know_it(name: str, field: bytes) -> None:
    """Bare, quoted or encoded: the plainest form that is safe."""
    assert headers.mailbox("To", name, "ada@example.org") == field


def test_an_identifier_is_a_phrase_and_a_name() -> None:
    """RFC 2919 section 2."""
    field = headers.identifier("List-Id", "Briefing, the", "briefing.example.org")
    assert field == b'List-Id: "Briefing, the" <briefing.example.org>\r\n'


@pytest.mark.parametrize("control", ["\r", "\n", "\r\nBcc: x@example.org", "\0", "\t", "\x0b",
                                     "\x1b", "\x7f", "\x85", "\u2028", "\u2029"])  # fmt: skip
def test_a_control_character_is_refused_in_every_field(control: str) -> None:
    """With the field's name and what stood in it."""
    with pytest.raises(BriefmailError, match="Subject: control characters in 'a"):
        headers.unstructured("Subject", f"a{control}b")
    with pytest.raises(BriefmailError, match="To: control characters in 'a"):
        headers.mailbox("To", f"a{control}b", "ada@example.org")
    with pytest.raises(BriefmailError, match="To: control characters in"):
        headers.mailbox("To", "", f"a{control}b@example.org")
    with pytest.raises(BriefmailError, match=r"List-Unsubscribe: .* cannot stand in a header"):
        headers.addresses("List-Unsubscribe", [f"mailto:a{control}b@example.org"])


# --- addresses to leave by ------------------------------------------------------------------------


def test_addresses_are_folded_between_and_never_encoded() -> None:
    """An encoded one is no button: RFC 2369 section 2."""
    links = [f"https://example.org/leave?t={'x' * 300}", "mailto:leave@example.org?subject=x"]
    field = headers.addresses("List-Unsubscribe", links)
    assert field == (f"List-Unsubscribe: <{links[0]}>,\r\n <{links[1]}>\r\n".encode())
    assert message_from_bytes(field + b"\r\n")["List-Unsubscribe"] == (
        f"<{links[0]}>,\r\n <{links[1]}>"
    )


@pytest.mark.parametrize("link", ["mailto:é@example.org", "https://x/ y", "https://x/>", "x" * 901])
def test_an_address_that_cannot_stand_in_a_header_is_refused(link: str) -> None:
    """It would end the field or the line, or be encoded on the way."""
    with pytest.raises(BriefmailError, match="cannot stand in a header"):
        headers.addresses("List-Unsubscribe", [link])


# --- the whole message ----------------------------------------------------------------------------


@cache
def naughty_edition(root: Path) -> Edition:
    body = (
        "Hello {{ v }}, [l](https://example.org/?q={{ v }})"
        " [m](mailto:e@example.org?subject={{ v }}) ![{{ v }}](https://example.org/a.png)\n"
    )
    return print_edition(root, body, head="subject: 'To {{ v }}.'\ndate: 2016-09-07\n")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("naughty")


def test_all_the_naughty_strings_are_there() -> None:
    """The list is what it says."""
    assert len(NAUGHTY) == 515


@pytest.mark.parametrize("text", NAUGHTY, ids=range(len(NAUGHTY)))
def test_a_naughty_string_is_a_name_and_a_value_like_any_other(root: Path, text: str) -> None:
    """As display name, in subject, text, attribute and address: it is itself, or refused."""
    edition = naughty_edition(root)
    name = text.strip()
    if CONTROL.search(text):
        with pytest.raises(MergeError, match="holds control characters"):
            edition.message_for(person(v=text))
        if CONTROL.search(name):
            with pytest.raises(BriefmailError, match="To: control characters in"):
                edition.message_for(person(name, v="x"))
        return
    letter = opened(edition.message_for(person(name, v=text or "x")))
    value = text or "x"
    assert letter.message.keys() == FIELDS
    assert [a.addr_spec for a in letter.message["To"].addresses] == ["ada@example.org"]
    assert letter.message["Subject"] == f"To {value}."
    link = letter.page.xpath("//a/@href")[0]
    assert re.fullmatch(r"https://example\.org/\?q=[\w.~%@-]*", link, re.ASCII)
    assert letter.page.xpath("//img/@alt") == [value]
    assert f"Hello {value}, l" in letter.text
