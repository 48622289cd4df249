r"""Hostile issues for hostile recipients: what goes over the wire is one message for one person.

Usage: ``python tests/faults/hostile_messages.py --count 1000000 [--seed 7]``

Issue files, settings, names, fields and addresses are put together from what has broken mailers
before: line ends of all kinds, lone dots, ``\r\n.\r\n`` with SMTP commands behind it (smuggling),
NUL and other controls, U+2028, templates, quotes, encoded words, bidirectional marks, characters of
four bytes, and thousands of characters without a blank. Each message is taken through a channel,
written in pieces of random size, and read again as a relay does.

An issue or a recipient may be refused with a reason; that is counted and is no fault. Prints a line
for every 20,000 messages and the verdict; leaves with 1 at the first message that is not as it
should be. A core does about 1,700 messages a second.
"""

import argparse
import json
import random
import re
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_string, policy
from email.utils import getaddresses
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "src"))

from briefmail import config
from briefmail.audience import Address, Recipient, parse_address
from briefmail.delivery.channel import Channel, ClaimWanted, Facts
from briefmail.edition import Edition, build_edition
from briefmail.edition.message import Message
from briefmail.errors import BriefmailError
from briefmail.issue import read_issue

NOW = datetime(2016, 8, 24, 9, 0, tzinfo=UTC)
PER_ISSUE = 1000
CUTS = [50, 1000, 8000, 65_536, 1_000_000]
"""How many octets a write may take."""
SMUGGLED = (
    "MAIL FROM:<evil@example.net>\r\nRCPT TO:<victim@example.net>\r\nDATA\r\nFrom: x\r\n\r\nx"
)
CONTROLS = [
    *("\r\n", "\n", "\r", "\n\r", "\r\r\n", "\r\n.\r\n", "\n.\n", "\r.\r", "\n.\r\n", "\r\n.\n"),
    *(f"{end}{SMUGGLED}\r\n.\r\n" for end in ("\r\n.\r\n", "\n.\n", "\n.\r\n", "\r.\r\n")),
    *("\r\nBcc: victim@example.net", "\nTo: victim@example.net", "\r\n\r\n", "\r\n ", "\r\n\t"),
    *("\0", "\x01", "\x07", "\x08", "\x0b", "\x0c", "\x1a", "\x1b[31m", "\x1f", "\x7f", "\x80"),
    *("\x85", "\x9b", "\x9f", "\u2028", "\u2029", "\ud800", "\udfff", "\t"),
]
PIECES = [
    *(".", "..", "...", ". ", " .", ".\\r\\n", "=0D=0A.=0D=0A", "=0d=0a", "=\\n", "=", "=3D", "=_"),
    *("Ann", "a", "é", "ß", "😀", "𝔘", "e\u0301", "日本語", "\u202e", "\u200f", "\u2066", "\u200b"),
    *("\ufeff", "\xa0", "\u3000", "\ufffe", "\U0010ffff", "👩‍👩‍👧", " ", "  ", "    "),
    *('"', "'", "\\", '\\"', "<", ">", "<victim@example.net>", ", victim@example.net", ";", ":"),
    *("(", ")", "[", "]", "@", ",", "|", "`", "*", "_", "#", "&", "&amp;", "<b>", "</a>", "-->"),
    *("{{ 7*7 }}", "{{ email }}", "{% if x %}", "{% endif %}", "{# x #}", "{{", "}}", "%}", "{%"),
    *("=?utf-8?q?=0D=0ABcc:_v=40example.net?=", "=?utf-8?b?DQouDQo=?=", "=?", "?="),
    *("--", "----", "--=_", "From ", ">From ", "Bcc: victim@example.net", "group:a@b.example;"),
    *("javascript:alert(1)", "https://example.org/?a=b&c", "mailto:v@example.net", "%0d%0a.%0d%0a"),
    *("bm00000000e0000x", "bm00000000s0001x", "<script>", "<style>", "</p>", "<!--", "]]>"),
]
LONG = ["x", "é", "😀", "=", ".", "{", '"', "\u202e", "ab ", "\\", "&", "-"]
ADDRESSES = [
    *('"a b"@example.org', '"a\\"b"@example.org', '".."@example.org', ".@example.org"),
    *("a@example.org> SIZE=1", "a@example.org\r\nRCPT TO:<v@example.net>", "a@b@example.org"),
    *("é@example.org", "пример@example.org", "e\u0301@example.org", "\u202ee@example.org"),
    *(
        "a\x85@example.org",
        "a\u2028b@example.org",
        "😀@éx.example",
        "a@éx.example",
        "\ufeffa@b.org",
    ),
    *("a@[127.0.0.1]", "<a@example.org>", "a b@example.org"),
    *("a@example.org, v@example.net", '"a\r\n.\r\n"@example.org', '"a\0"@example.org', ""),
    *(
        "O'Neil+tag@example.org",
        "%0d%0a@example.org",
        "a,b@example.org",
        "{{email}}@example.org",
        "a" * 300 + "@example.org",
    ),
]
FRONT_MATTER = ["preheader", "from", "reply_to", "tagline"]
SELDOM_LEGAL = ["lang", "slug", "date", "status", "attachments"]


class Hostile:
    """A source of hostile text; the same ``seed`` gives the same texts."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def text(self, *, controls: float) -> str:
        """Some pieces in a row; ``controls`` is how likely there are control characters."""
        choice = self.random.choice
        pieces = [choice(PIECES) for _ in range(self.random.randint(0, 6))]
        if self.random.random() < 0.02:
            pieces.append(choice(LONG) * self.random.choice([76, 998, 999, 1000, 5000]))
        if self.random.random() < controls:
            pieces.append(choice(CONTROLS))
        self.random.shuffle(pieces)
        return "".join(pieces)

    def issue(self) -> str:
        """An issue file, with fields of the recipient in its subject and its text."""
        keys = self.random.sample(FRONT_MATTER, self.random.randint(0, 3))
        if self.random.random() < 0.05:
            keys.append(self.random.choice(SELDOM_LEGAL))
        values = {key: self.text(controls=0.05) for key in keys}
        for key in {"from", "reply_to"} & values.keys():
            values[key] = f"{quoted(values[key])} <news@example.org>"
        values["subject"] = f"{self.prose()} {{{{ v0 | default('-') }}}} {self.prose()}"
        head = "".join(f"{key}: {quoted(value)}\n" for key, value in values.items())
        blocks = [
            self.prose(),
            f"{self.prose()}{{{{ v1 | default('-') }}}}{self.prose()}",
            ".{{ v2 | default('.') }}\n.\n{{ v3 | default('.') }}\n",
            f"```\n.\n{self.prose()}\n.\n{SMUGGLED}\n.\n```",
            "[a link](https://example.org/?q={{ v1 | default('') }})",
            f"## {self.prose()} {{{{ v3 | default('-') }}}}",
        ]
        self.random.shuffle(blocks)
        return f"---\n{head}---\n" + "\n\n".join(blocks) + "\n"

    def prose(self) -> str:
        """Text for an issue: what would only be a mistyped tag is left out, and most controls."""
        return re.sub(r"\{[{%#]|[%#}]\}", "{ ", self.text(controls=0.02))

    def settings(self) -> str:
        """A briefmail.toml."""
        # The word that stands for a merge tag is refused in an issue; settings are trusted not to
        # have it.
        name, postal = (re.sub(r"bm\d{8}", "bm", self.text(controls=0.02)) for _ in range(2))
        lines = ["[newsletter]", f"name = {quoted(name)}"]
        lines += [f"postal_address = {quoted(postal)}", "from = 'News <news@example.org>'"]
        if self.random.random() < 0.3:
            lines += ["[mail]", "unsubscribe_url = 'https://example.org/leave'"]
        return "\n".join(lines) + "\n"

    def recipient(self, number: int) -> Recipient | None:
        """Somebody, or None if the address is none.

        A list lets no control characters through, but values have some here nevertheless.
        """
        written = f"reader{number}@example.org"
        if self.random.random() < 0.05:
            written = self.random.choice(ADDRESSES)
        match parse_address(written):
            case Address(address, key):
                fields = {f"v{n}": self.text(controls=0.02) for n in range(4)}
                filled = {key: value for key, value in fields.items() if value}
                name = self.text(controls=0.02)
                return Recipient(address, key, name, {"email": address, **filled}, number)
        return None


def quoted(text: str) -> str:
    """Write text in the quotes of JSON, which are those of YAML and of TOML, too."""
    return json.dumps(text, ensure_ascii=False)


# --- the wire -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Wire:
    """What goes over the wire for one message: the commands, and everything behind DATA."""

    commands: bytes
    data: bytes


def on_the_wire(message: Message, cuts: Iterator[int]) -> Wire | None:
    """Take a message through a channel, written in pieces as long as ``cuts`` says.

    None if the channel will not have its recipient.
    """
    channel: Channel[None] = Channel(Facts("relay", pipelining=True, smtputf8=True))
    if channel.preclude(message):
        return None
    channel.begin(None, message)
    commands = written(channel, cuts)
    channel.receive(b"250 ok\r\n250 ok\r\n354 go\r\n")
    assert channel.ask() == [ClaimWanted(None)]
    channel.grant()
    return Wire(commands, written(channel, cuts))


def written(channel: Channel[None], cuts: Iterator[int]) -> bytes:
    """Write all that a channel has to say."""
    pieces = []
    while output := channel.output:
        piece = bytes(output[: next(cuts)])
        channel.wrote(len(piece))
        pieces.append(piece)
    return b"".join(pieces)


def unstuffed(data: bytes) -> bytes:
    """Read message data as a relay does (RFC 5321 section 4.5.2), up to the dot."""
    lines = []
    for line in data.split(b"\r\n"):
        if line == b".":
            break
        lines.append(line[1:] if line[:1] == b"." else line)
    return b"".join(line + b"\r\n" for line in lines)


# --- what has to be true --------------------------------------------------------------------------

_ATOMS = rb"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+"
_QUOTED = rb'"(?:[^"\\\x00-\x1f\x7f-\xff]|\\[\x20-\x7e])*"'
_ENCODED = rb"=\?utf-8\?b\?[A-Za-z0-9+/=]+\?=(?: =\?utf-8\?b\?[A-Za-z0-9+/=]+\?=)*"
_MAILBOX = re.compile(
    rb"(?:(?:%b|%b|%b) <([^<>]+)>|([^<> ]+|\"[^<>]+))" % (_ATOMS, _QUOTED, _ENCODED)
)


def field_names(*, reply_to: bool, one_click: bool) -> list[bytes]:
    """Name the header fields that we write, in their order."""
    names = ["From", "To", *(["Reply-To"] if reply_to else []), "Subject", "Date", "Message-ID"]
    names += ["List-Id", "List-Unsubscribe", *(["List-Unsubscribe-Post"] if one_click else [])]
    return [name.encode() for name in [*names, "MIME-Version", "Content-Type"]]


def faults(wire: Wire, message: Message, names: Sequence[bytes]) -> list[str]:
    """Name all that is wrong with a message on the wire; ``names`` are the fields it may have."""
    found = []
    to = message.recipient
    utf8 = "" if to.isascii() else " SMTPUTF8"
    expected = f"MAIL FROM:<{message.reverse_path}>{utf8}\r\nRCPT TO:<{to}>\r\nDATA\r\n"
    if wire.commands != expected.encode() or wire.commands.count(b"\r\n") != 3:
        found.append("the commands are not MAIL, one RCPT and DATA")
    data = wire.data
    if not data.count(b"\r\n") == data.count(b"\r") == data.count(b"\n"):
        found.append("a bare CR or LF")
    # RFC 6531: an address that cannot be written otherwise, in To; nothing else.
    rest = data if to.isascii() else data.replace(to.encode(), b"", 1)
    if not rest.isascii() or b"\0" in data:
        found.append("octets that are not 7-bit text")
    lines = data.split(b"\r\n")
    if max(map(len, lines)) > 998 + 1:  # section 4.5.3.1.6: the transparency dot is not counted
        found.append("a line over 998 octets")
    if lines[-2:] != [b".", b""] or lines.count(b".") != 1:
        found.append("it does not end with its one lone dot")
    if unstuffed(data) != message.data:
        found.append("a relay would read another message")
    return found + header_faults(message, names)


def header_faults(message: Message, names: Sequence[bytes]) -> list[str]:
    """Name what is wrong with the header: another field, or another person in one."""
    head = message.data.partition(b"\r\n\r\n")[0]
    fields = [field.partition(b":") for field in re.split(rb"\r\n(?![ \t])", head)]
    found = []
    if [name for name, _, _ in fields] != [*names]:
        found.append("header fields that we did not write, or not once")
    for name, _, value in fields:
        if name in {b"From", b"To", b"Reply-To"}:
            match = _MAILBOX.fullmatch(value.replace(b"\r\n", b"").strip())
            address = match and (match[1] or match[2])
            if not address or (name == b"To" and address != message.recipient.encode()):
                found.append(f"{name.decode()} is not the one mailbox")
    return found


def read_faults(message: Message, recipient: Recipient) -> list[str]:
    """Name what a mail program would see that is not so; it takes too long to do it every time."""
    read = message_from_string(message.data.decode(), policy=policy.default)
    found = []
    people = read["To"].addresses
    if [person.addr_spec for person in people] != [recipient.address] or len(
        getaddresses([str(read["From"])])
    ) != 1:
        found.append("a mail program sees other people in it")
    kinds = [part.get_content_type() for part in read.walk()]
    if kinds != ["multipart/alternative", "text/plain", "text/html"]:
        found.append(f"a mail program sees {kinds}")
    return found


# --- a run ----------------------------------------------------------------------------------------


@dataclass
class Count:
    """What has come out so far. ``wrong`` are the faults of the first message that has any."""

    messages: int = 0
    recipients_refused: int = 0
    issues: int = 0
    issues_refused: int = 0
    wrong: tuple[str, ...] = ()

    def __str__(self) -> str:
        return (
            f"{self.messages} messages of {self.issues} issues; refused with a reason:"
            f" {self.recipients_refused} recipients, {self.issues_refused} issues"
        )


def editions(hostile: Hostile, folder: Path, count: Count) -> Iterator[tuple[Edition, list[bytes]]]:
    """Yield hostile editions for ever, each with the header fields that it should have."""
    path = folder / "issues" / "hostile.md"
    path.parent.mkdir()
    while True:
        text, toml = hostile.issue(), hostile.settings()
        path.write_text(text, "utf-8", errors="replace", newline="")
        (folder / "briefmail.toml").write_text(toml, "utf-8", errors="replace", newline="")
        try:
            settings = config.load(folder, {"BRIEFMAIL_SECRET": "a secret of some length" * 2})
            edition = build_edition(read_issue(path), settings, NOW)
        except BriefmailError:
            count.issues_refused += 1
            continue
        count.issues += 1
        one_click = bool(settings.mail.unsubscribe_url)
        yield edition, field_names(reply_to="\nreply_to:" in text, one_click=one_click)


def run(number: int, seed: int, per_issue: int = PER_ISSUE, every: int = 20_000) -> Count:
    """Write ``number`` messages, or fewer if one is wrong."""
    hostile, count, start = Hostile(seed), Count(), time.perf_counter()
    cuts = iter(lambda: hostile.random.choice(CUTS), 0)
    with tempfile.TemporaryDirectory() as folder:
        for edition, names in editions(hostile, Path(folder), count):
            for line in range(per_issue):
                if count.messages >= number:
                    return count
                recipient = hostile.recipient(line)
                try:
                    message = recipient and edition.message_for(recipient)
                except BriefmailError:
                    message = None
                wire = message and on_the_wire(message, cuts)
                if not (recipient and message and wire):
                    count.recipients_refused += 1
                    continue
                count.messages += 1
                found = faults(wire, message, names)
                if count.messages % 50 == 0:
                    found += read_faults(message, recipient)
                if found:
                    count.wrong = (*found, repr(recipient), repr(message.data[:3000]))
                    return count
                if count.messages % every == 0:
                    rate = count.messages / (time.perf_counter() - start)
                    print(f"{count} ({rate:.0f} messages a second)", flush=True)
    raise AssertionError("there are always more editions")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    count = run(options.count, options.seed)
    print(f"{count} (seed {options.seed}): {'WRONG' if count.wrong else 'nothing wrong'}")
    for line in count.wrong:
        print(line)
    return int(bool(count.wrong))


if __name__ == "__main__":
    sys.exit(main())
