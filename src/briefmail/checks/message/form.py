"""The form of a message: lines, fields and encodings, held against the RFCs octet by octet."""

import re
from binascii import Error as Base64Error
from binascii import a2b_base64, a2b_qp
from collections import Counter
from collections.abc import Iterator

from briefmail.checks.letter import Field
from briefmail.checks.proof import Proof
from briefmail.checks.rule import Found, rule

OURS = "this is a fault of briefmail, not of the issue: please report it with the issue"
"""The cure of what an editor cannot have done."""

LINE_MUST = 998
LINE_SHOULD = 78
ENCODED_LINE = 76
ENCODED_WORD = 75
ONCE = ("To", "Cc", "Bcc", "Subject", "Message-ID", "Reply-To", "Sender", "In-Reply-To")
EXACTLY_ONCE = ("Date", "From", "MIME-Version")
# RFC 2047 section 5: where free text or a phrase stands; in any other field it must not be.
WITH_WORDS = {"subject", "comments", "from", "to", "cc", "reply-to", "sender", "list-id"}
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_MESSAGE_ID = re.compile(rf"<{_ATOM}(?:\.{_ATOM})*@{_ATOM}(?:\.{_ATOM})*>")
_WORD = re.compile(rb"=\?([^?\s]+)\?([BbQq])\?([^?\s]*)\?=")
_PARAMETER = re.compile(r";\s*([^\s=;*]+)(?:\*(\d+))?(\*)?=")


@rule(
    "line-length",
    "error",
    cure=OURS,
    source="RFC 5322 section 2.1.1 (998 must, 78 should), RFC 5321 section 4.5.3.1.6",
)
def line_length(proof: Proof) -> Iterator[Found]:
    """A line that is longer than mail allows.

    A server may cut it, and with it a link or a character. Over 78 octets it only deserves a look,
    and only where the line has a blank to be folded at: a link for leaving has none.
    """
    for number, line in enumerate(proof.specimen.letter.data.split(b"\r\n"), 1):
        if len(line) > LINE_MUST:
            yield Found(f"line {number} of the message has {len(line)} octets")
    for field in proof.specimen.letter.fields:
        for line in field.lines:
            if (
                len(line) > LINE_SHOULD
                and b" " in line.removeprefix(field.name.encode() + b":")[1:]
            ):
                text = f"{field.name} has a line of {len(line)} octets that could be folded"
                yield Found(text, severity="warning")


@rule("line-end", "error", cure=OURS, source="RFC 5321 sections 2.3.8 and 4.1.1.4")
def line_end(proof: Proof) -> Iterator[Found]:
    """A carriage return or a line feed alone, or an octet that is zero.

    Two servers that read it differently can be made to see two messages in one (SMTP smuggling).
    """
    data = proof.specimen.letter.data
    for name, pattern in (
        ("a carriage return without a line feed", rb"\r(?!\n)"),
        ("a line feed without a carriage return", rb"(?<!\r)\n"),
        ("a zero octet", rb"\0"),
    ):
        if match := re.search(pattern, data):
            yield Found(f"octet {match.start() + 1} of the message is {name}")


@rule("header-count", "error", cure=OURS, source="RFC 5322 section 3.6, RFC 2045 section 4")
def header_count(proof: Proof) -> Iterator[Found]:
    """A header field that is missing, or that stands there twice.

    Filters refuse such a message; with two From fields a reader may be shown the wrong one.
    """
    counts = Counter(field.name.lower() for field in proof.specimen.letter.fields)
    for name in EXACTLY_ONCE:
        if counts[name.lower()] != 1:
            yield Found(f"the message has {counts[name.lower()]} {name} fields, and needs one")
    for name in ONCE:
        if counts[name.lower()] > 1:
            yield Found(f"the message has {counts[name.lower()]} {name} fields; one is allowed")


@rule("message-id", "error", cure=OURS, source="RFC 5322 section 3.6.4")
def message_id(proof: Proof) -> Iterator[Found]:
    """A message without a well-formed name of its own.

    By its Message-ID a copy that arrives a second time is known for one.
    """
    value = proof.specimen.letter.one("Message-ID")
    if not _MESSAGE_ID.fullmatch(value):
        yield Found(f"Message-ID is {value!r}, which is not <name@domain>")


@rule(
    "header-octets",
    "error",
    cure=OURS,
    source="RFC 5322 section 2.2; RFC 6532 section 3.2 for a recipient's address",
)
def header_octets(proof: Proof) -> Iterator[Found]:
    """A header field with a control character, or with letters that are not encoded.

    Only the address of a recipient who has such letters in it may stand in To as it is.
    """
    own = proof.specimen.message.recipient.encode()
    for field in proof.specimen.letter.fields:
        text = b"".join(field.lines)
        if field.name.lower() == "to":
            text = text.replace(own, b"", 1)
        if match := re.search(rb"[^\t\x20-\x7e]", text):
            yield Found(f"{field.name} holds the octet 0x{match[0][0]:02x}")


@rule("address-length", "error", cure=OURS, source="RFC 5321 sections 4.5.3.1.1 to 4.5.3.1.3")
def address_length(proof: Proof) -> Iterator[Found]:
    """An envelope address that is longer than SMTP allows: 64 octets, @, 255; 256 with brackets."""
    message = proof.specimen.message
    for what, address in (("recipient", message.recipient), ("sender", message.reverse_path)):
        local, _, domain = address.rpartition("@")
        sizes = (len(local.encode()), len(domain.encode()), len(address.encode()) + 2)
        if sizes[0] > 64 or sizes[1] > 255 or sizes[2] > 256:
            yield Found(
                f"the envelope's {what} has {sizes[0]} octets before the @, {sizes[1]} after"
            )


@rule("encoded-body", "error", cure=OURS, source="RFC 2045 sections 6.7 and 6.8")
def encoded_body(proof: Proof) -> Iterator[Found]:
    """A part whose encoding is broken: a line over 76 octets, or what it cannot be decoded from."""
    for number, part in enumerate(proof.specimen.letter.parts, 1):
        encoding = part.value("Content-Transfer-Encoding").lower() or "7bit"
        if encoding in {"quoted-printable", "base64"}:
            longest = max(map(len, part.lines), default=0)
            if longest > ENCODED_LINE:
                yield Found(f"part {number} has a line of {longest} octets in {encoding}")
        elif any(not line.isascii() for line in part.lines):
            yield Found(f"part {number} has octets beyond 7 bit, and says {encoding}")
        if fault := _fault_in(encoding, b"\r\n".join(part.lines)):
            yield Found(f"part {number} is not {encoding}: {fault}")


def _fault_in(encoding: str, body: bytes) -> str:
    if encoding == "quoted-printable":
        if wrong := re.search(rb"=(?![0-9A-F]{2}|[ \t]*(?:\r\n|\Z))", body):
            return f"an = that begins nothing at octet {wrong.start() + 1}"
        return _not_utf8(a2b_qp(body))
    if encoding == "base64":
        try:
            a2b_base64(re.sub(rb"\s", b"", body), strict_mode=True)
        except Base64Error as error:
            return str(error)
    return ""


def _not_utf8(text: bytes) -> str:
    try:
        text.decode("utf-8")
    except UnicodeDecodeError as error:
        return f"octet {error.start + 1} of the text is not UTF-8"
    return ""


@rule("encoded-word", "error", cure=OURS, source="RFC 2047 sections 2 and 5")
def encoded_word(proof: Proof) -> Iterator[Found]:
    """An encoded word that is too long, cuts a letter in two, or stands where none may.

    A mail client then shows the reader the encoding, or ignores the field: List-Unsubscribe with
    an encoded word in it has no effect.
    """
    for field in proof.specimen.letter.fields:
        yield from _word_faults(field)


def _word_faults(field: Field) -> Iterator[Found]:
    for line in field.lines:
        words = list(_WORD.finditer(line))
        if words and field.name.lower() not in WITH_WORDS:
            yield Found(f"{field.name} has an encoded word, which is not allowed there")
        elif words and len(line) > ENCODED_LINE:
            yield Found(f"{field.name} has a line of {len(line)} octets with an encoded word")
        for word in words:
            if len(word[0]) > ENCODED_WORD:
                yield Found(f"{field.name} has an encoded word of {len(word[0])} octets")
            elif not _is_text(*word.groups()):
                yield Found(f"{field.name} has an encoded word that is not whole letters")


def _is_text(charset: bytes, encoding: bytes, data: bytes) -> bool:
    try:
        octets = a2b_base64(data) if encoding in b"Bb" else a2b_qp(data, header=True)
        octets.decode(charset.decode("ascii"))
    except (ValueError, LookupError):
        return False
    return bool(data)


@rule("parameter", "error", cure=OURS, source="RFC 2231 sections 3 and 4")
def parameter(proof: Proof) -> Iterator[Found]:
    """A file name or another MIME parameter in pieces that do not follow each other from 0."""
    for number, part in enumerate(proof.specimen.letter.parts, 1):
        for field in part.fields:
            pieces: dict[str, list[int]] = {}
            for name, index, _ in _PARAMETER.findall(field.value):
                if index:
                    pieces.setdefault(name, []).append(int(index))
            for name, found in pieces.items():
                if found != list(range(len(found))):
                    told = ", ".join(map(str, found))
                    yield Found(f"{name} in {field.name} of part {number} has the pieces {told}")
