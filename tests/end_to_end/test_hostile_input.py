"""Whatever a list or an issue file holds: no traceback, no extra header, no extra recipient."""

import csv
import json
import re
from email import message_from_bytes
from email.header import decode_header, make_header
from email.utils import parseaddr
from html import unescape
from pathlib import Path

import pytest
from command import Command, Result, outbox, parse, part, recipients
from lxml import html

NASTY = json.loads((Path(__file__).parents[1] / "data" / "blns.json").read_text("utf-8"))
NAME_LIMIT = 200
BLANK = " \t\xa0\u200b\u2060\u3000\ufeff"
CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]")
HEADERS = {
    "return-path",
    "delivered-to",
    "from",
    "to",
    "subject",
    "date",
    "message-id",
    "list-id",
    "list-unsubscribe",
    "mime-version",
    "content-type",
}
ISSUE = """\
---
subject: News for {{ first_name | default("you") }}
date: 2016-08-24
---

Dear {{ first_name | default("friend") }}, *{{ first_name | default("friend") }}*,

[a link](https://example.org/?who={{ first_name | default("nobody") }})
"""


@pytest.fixture
def issue(starter: Path) -> Path:
    path = starter / "issues" / "hostile.md"
    path.write_text(ISSUE, encoding="utf-8")
    return path.relative_to(starter)


def write_list(folder: Path, names: dict[str, str]) -> None:
    """Write a list as a spreadsheet would: address -> first name."""
    with (folder / "recipients.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("email", "first_name"), *names.items()])


def spaced(text: str) -> str:
    return " ".join(text.split())


def assert_clean(result: Result, *, status: int, lines: int) -> None:
    """Assert that an error is at most so many lines, besides the hint, and no traceback."""
    assert result.status == status, result
    shown = [line for line in result.err.splitlines() if not line.startswith("hint: ")]
    assert 1 <= len(shown) <= lines, result
    assert "Traceback" not in result.err
    assert max(map(len, shown)) < 400
    assert not CONTROL.search(result.err.replace("\n", "")), result


# --- names ----------------------------------------------------------------------------------------

NAMES = {
    "comma@example.org": "Ann, Bob",
    "quote@example.org": 'Ann "the boss" O\'Neil',
    "angle@example.org": "Ann <evil@example.net>",
    "list@example.org": "a@example.net, b@example.net",
    "backslash@example.org": 'Ann\\" <evil@example.net>',
    "encoded@example.org": "=?utf-8?q?Ann=0D=0ABcc:_evil=40example.net?=",
    "merge@example.org": "{{ 7*7 }}{% for x in y %}{# no #}",
    "token@example.org": "bm00000000e0x",
    "html@example.org": "<script>alert(1)</script><b>bold</b>&amp;",
    "attribute@example.org": '"><img src=x onerror=alert(1)>',
    "semicolon@example.org": "group:evil@example.net;",
    "percent@example.org": "100%41&x=y#z?",
    "dot@example.org": ".",
    "rtl@example.org": "\u0645\u0631\u062d\u0628\u0627 \u202eevil",
    "long@example.org": "Ann " * 49 + "Lee",
    "wide@example.org": "N" * 200,
    "emoji@example.org": "👩‍👩‍👧 Zoë",
}
CONTROLS = {
    "crlf@example.org": "Ann\r\nBcc: evil@example.net",
    "lf@example.org": "Ann\nevil@example.net,Eve",
    "cr@example.org": "Ann\revil@example.net,Eve",
    "nul@example.org": "Ann\0",
    "escape@example.org": "Ann\x1b[31m",
    "nel@example.org": "Ann\x85Bcc: evil@example.net",
    "ls@example.org": "Ann\u2028Bcc: evil@example.net",
    "ps@example.org": "Ann\u2029Bcc: evil@example.net",
}


def to_name(data: bytes) -> str:
    """Return the display name of To.

    The parser of Python 3.11 leaves blanks between the encoded words of a long name, which RFC
    2047 section 6.2 takes out; the older one does not.
    """
    name, _ = parseaddr(message_from_bytes(data)["To"])
    return str(make_header(decode_header(name)))


def assert_honest(folder: Path, names: dict[str, str]) -> None:
    """Assert that the messages in the outbox are for these people, with these values as data."""
    assert sorted(recipients(folder)) == sorted(names)
    for data, address in zip(outbox(folder), recipients(folder), strict=True):
        name = names[address]
        assert re.search(rb"(?<!\r)\n|\r(?!\n)|\0", data) is None
        message = parse(data)
        assert {header.lower() for header in message} <= HEADERS, address
        assert len({header.lower() for header in message}) == len(message.keys())
        assert [one.addr_spec for one in message["To"].addresses] == [address]
        shown = spaced(name.strip(BLANK))
        assert spaced(to_name(data)) == shown
        assert spaced(message["Subject"]) == f"News for {shown or 'you'}"
        words = spaced(part(message, "plain"))
        assert f"Dear {shown or 'friend'}," in words
        page = html.fromstring(part(message, "html"))
        assert f"Dear {shown or 'friend'}, {shown or 'friend'}," in spaced(page.text_content())
        assert not page.xpath("//script | //b | //*[@onerror] | //img | //title[.='x']")
        (link,) = page.xpath("//a[starts-with(@href, 'https://example.org/?who=')]/@href")
        assert not re.search(r"[\s<>\"&#{}]", unescape(link)), link


def test_a_name_is_data_wherever_it_lands(briefmail: Command, starter: Path, issue: Path) -> None:
    write_list(starter, NAMES)
    result = briefmail("send", issue, "--yes")
    assert result.totals == {"rows in the list": len(NAMES), "sent": len(NAMES)}
    assert_honest(starter, NAMES)


@pytest.mark.parametrize(("address", "name"), CONTROLS.items(), ids=list(CONTROLS))
def test_a_row_with_control_characters_is_named_and_left_out(
    briefmail: Command, starter: Path, issue: Path, address: str, name: str
) -> None:
    """It does not become two people either, nor hide the one after it."""
    write_list(starter, {"a@example.org": "Ada", address: name, "b@example.org": "Bea"})
    result = briefmail("send", issue, "--yes", "--json")
    assert json.loads(result.out)["totals"]["invalid"] == 1
    assert [line.partition(" ")[0] for line in json.loads(result.out)["problems"]] == [
        f"{starter / 'recipients.csv'}:3:"
    ]
    assert_honest(starter, {"a@example.org": "Ada", "b@example.org": "Bea"})


def test_515_nasty_strings_as_names_come_out_as_they_went_in(
    briefmail: Command, starter: Path, issue: Path
) -> None:
    """Those with control characters, or longer than any name, are named and left out."""
    names = {f"p{number}@example.org": text for number, text in enumerate(NASTY)}
    write_list(starter, names)
    result = briefmail("send", issue, "--yes", "--json")
    assert result.status == 0
    assert "Traceback" not in result.err
    totals = json.loads(result.out)["totals"]
    sent = dict.fromkeys(recipients(starter), "")
    left_out = {name for address, name in names.items() if address not in sent}
    assert totals["rows"] == len(NASTY) == totals["sent"] + totals["invalid"]
    assert [n for n in left_out if not CONTROL.search(n) and len(n) <= NAME_LIMIT] == []
    assert_honest(starter, {a: n for a, n in names.items() if n not in left_out})


# --- lists ----------------------------------------------------------------------------------------

LISTS = {
    "an unclosed quote": b'email,first_name\na@example.org,"Ann\n' + b"b@example.org,Bob\n" * 300,
    "an unclosed quote at the end": b'email,first_name\na@example.org,A\nb@example.org,"Bob\n',
    "no rows": b"email,first_name\n",
    "nothing": b"",
    "blank lines": b"\n\n \n",
    "no header": b"a@example.org,Ann\nb@example.org,Bob\n",
    "no address column": b"who,where\nAnn,Fife\n",
    "a picture": b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40,
    "one endless line": b"email,first_name\na@example.org," + b"x" * 1_100_000,
}


@pytest.mark.parametrize("content", LISTS.values(), ids=list(LISTS))
def test_a_list_that_cannot_be_read_to_its_end_sends_nothing(
    briefmail: Command, starter: Path, issue: Path, content: bytes
) -> None:
    (starter / "recipients.csv").write_bytes(content)
    result = briefmail("send", issue, "--yes")
    assert_clean(result, status=65, lines=1)
    assert result.err.startswith("recipients.csv")
    assert result.out == ""
    assert not (starter / "outbox").exists()


@pytest.mark.parametrize(
    ("cell", "invalid"),
    [
        (b"Ann\0", 1),
        (b'"' + b"x" * 200_000 + b'"', None),
        (b'say "hello"', None),
        (b"\xff\xfe", None),
    ],
    ids=["NUL", "200 kB", "a stray quote", "no UTF-8"],
)
def test_a_bad_cell_harms_nobody_else(
    briefmail: Command, starter: Path, issue: Path, cell: bytes, invalid: int | None
) -> None:
    rows = b"email,first_name\na@example.org,Ada\nx@example.org,%s\nb@example.org,Bea\n"
    (starter / "recipients.csv").write_bytes(rows % cell)
    result = briefmail("send", issue, "--yes", "--json")
    assert result.status == 0, result
    assert "Traceback" not in result.err
    totals = json.loads(result.out)["totals"]
    assert totals["rows"] == 3 == totals["sent"] + totals["invalid"]
    assert totals["invalid"] == (invalid if invalid is not None else totals["invalid"])
    got = recipients(starter)
    assert (got[0], got[-1]) == ("a@example.org", "b@example.org")


# --- issues ---------------------------------------------------------------------------------------

ISSUES = {
    "unclosed front matter": (
        b"---\nsubject: Hello\ndate: 2016-08-24\n\nHello.\n",
        ":1: the front matter is not closed",
    ),
    "a tab in the front matter": (
        b"---\nsubject: Hello\n\tdate: 2016-08-24\n---\n\nHello.\n",
        ":3: a tab cannot indent YAML",
    ),
    "a YAML tag": (
        b"---\nsubject: !!python/object/apply:os.system ['id']\n---\n\nHello.\n",
        ":2: the YAML tag !!python/object/apply:os.system is not allowed",
    ),
    "a YAML bomb": (
        b"---\na: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
        b"c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nsubject: *c\n---\n\nHello.\n",
        "alias",
    ),
    "10 MB": (b"# Hello\n\n" + b"All work and no play. " * 480_000, "10.6 MB"),
    "not UTF-8": ("# Fàilte\n\nHello.\n".encode("latin-1"), ":1: is not UTF-8 (it looks like "),
    "UTF-16": ("# Hello\n\nHello.\n".encode("utf-16"), "it looks like UTF-16"),
    "NUL": (b"# Hello\n\nHel\0lo.\n", ":3: holds a NUL character"),
    "empty": (b"", "subject"),
    "an unclosed tag": (b"# Hello\n\nDear {{ first_name,\n", ":3: a merge tag is not closed"),
    "code in a tag": (b"# Hello\n\n{{ ''.__class__.__mro__ }}\n", ":3: {{ ''.__class__.__mro__ }}"),
    "a loop": (b"# Hello\n\n{% for x in y %}x{% endfor %}\n", ":3: {% for x in y %}"),
    "a wrong status": (b"---\nsubject: Hi\nstatus: redy\n---\n\nHello.\n", ":3: status"),
    "a header in the subject": (
        b'---\nsubject: "Hi\\r\\nBcc: x@example.net"\n---\n\nHello.\n',
        ":2: subject",
    ),
    "half a character in the subject": (
        b'---\nsubject: "Hi \\ud83d"\n---\n\nHello.\n',
        ":2: subject",
    ),
    "half a character in the sender": (
        b'---\nsubject: Hi\nfrom: "\\ud83d <news@example.org>"\n---\n\nHello.\n',
        ":3: from",
    ),
    "a script link": (b"# Hello\n\n[x](javascript:alert(1))\n", ":3: a javascript: link"),
}


@pytest.mark.parametrize(("content", "words"), ISSUES.values(), ids=list(ISSUES))
@pytest.mark.parametrize("command", [("send", "--yes"), ("preview",)], ids=["send", "preview"])
def test_an_issue_that_cannot_be_sent_says_why(
    briefmail: Command, starter: Path, command: tuple[str], content: bytes, words: str
) -> None:
    path = Path("issues") / "hostile.md"
    path.write_bytes(content)
    result = briefmail(*command, path)
    assert_clean(result, status=65, lines=2)
    assert words in result.err
    assert all(line.startswith((f"{path}:", "hint: ")) for line in result.err.splitlines())
    assert result.out == ""
    assert not (starter / "outbox").exists()


def test_raw_html_in_an_issue_is_cleaned(briefmail: Command, starter: Path) -> None:
    path = Path("issues") / "hostile.md"
    path.write_text(
        "# Hello\n\nHi <b onclick=x()>there</b>"
        "<script>alert(1)</script><iframe src=//example.net></iframe>\n"
    )
    assert briefmail("send", path, "--yes", "--limit", "1").status == 0
    page = part(parse(outbox(starter)[0]), "html")
    assert not re.search(r"<script|<iframe|onclick", page)
