"""A newsletter's folder with one issue in it, and its messages read back by two parsers."""

import datetime as dt
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import mailparser
from lxml import html

from briefmail import config
from briefmail.audience import Recipient
from briefmail.edition import Edition, Message, build_edition
from briefmail.issue import read_issue

NOW = dt.datetime(2016, 9, 7, 9, 0, tzinfo=dt.UTC)
HEAD = "subject: Hello\ndate: 2016-09-07\n"
FIRST_LINE = HEAD.count("\n") + 3
"""The line of the issue file on which the body begins."""


def print_edition(
    root: Path,
    body: str,
    *,
    head: str = HEAD,
    toml: str = "",
    environ: Mapping[str, str] | None = None,
    now: dt.datetime = NOW,
    name: str = "2016-09-07",
) -> Edition:
    """Write an issue and its settings into ``root`` and build the edition."""
    path = root / "issues" / f"{name}.md"
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"---\n{head}---\n{body}", "utf-8", newline="")
    (root / "briefmail.toml").write_text(toml, "utf-8")
    return build_edition(read_issue(path), config.load(root, environ or {}), now)


def person(name: str = "", address: str = "ada@example.org", **fields: str) -> Recipient:
    """Return a recipient with these fields; an empty one is left out, as by the list."""
    filled = {key: value for key, value in {"email": address, **fields}.items() if value}
    return Recipient(address, address.lower(), name, filled, 2)


@dataclass(frozen=True)
class Letter:
    """A message as a reader's program sees it."""

    message: EmailMessage
    text: str
    html: str

    @property
    def page(self) -> html.HtmlElement:
        """The HTML part as a tree."""
        return html.document_fromstring(self.html)


def opened(message: Message) -> Letter:
    """Read a message with the standard library and with mail-parser, which must agree."""
    check_lines(message.data)
    parsed = message_from_bytes(message.data, policy=policy.default)
    assert isinstance(parsed, EmailMessage)
    assert not [part.defects for part in parsed.walk() if part.defects]
    letter = Letter(parsed, _content(parsed, "plain"), _content(parsed, "html"))
    other = mailparser.parse_from_bytes(message.data)
    assert not other.defects
    both = (other.text_plain[0], other.text_html[0])
    assert [same(part) for part in both] == [same(letter.text), same(letter.html)]
    return letter


def same(text: str) -> str:
    """Return text as mail-parser gives it: composed, and without the line ends at its end."""
    return unicodedata.normalize("NFC", _lf(text)).rstrip()


def check_lines(data: bytes) -> None:
    """Hold a message against RFC 5322 section 2.1.1 and RFC 2045 section 6.7."""
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", data)
    head, _, body = data.partition(b"\r\n\r\n")
    assert head.isascii()
    assert body.isascii()
    for line in head.split(b"\r\n"):
        # What stands between blanks cannot be folded; a field that begins with a fold is legal,
        # but has cost people their unsubscribe button.
        whole = line.removeprefix(b"List-Unsubscribe: ").strip()
        assert len(line) <= 78 or b" " not in whole, line
        assert len(line) <= 998
        assert line.strip()
    for line in body.split(b"\r\n"):
        assert len(line) <= (78 if line.startswith(b" filename") else 76), line
        assert not line.startswith(b"."), line
        assert not line.endswith((b" ", b"\t")), line


def _content(message: EmailMessage, subtype: str) -> str:
    part = message.get_body((subtype,))
    assert isinstance(part, EmailMessage)
    assert part["Content-Transfer-Encoding"] == "quoted-printable"
    return _lf(part.get_payload(decode=True).decode("utf-8"))


def _lf(text: str) -> str:
    return text.replace("\r\n", "\n")
