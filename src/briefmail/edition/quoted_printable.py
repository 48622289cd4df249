"""Quoted-printable (RFC 2045 section 6.7), for text that is put together from pieces.

The standard library's encoder cannot be used for pieces of a Jinja template: constants need
``{`` encoded too, and every piece must be legal wherever a line happens to break.
"""

import re

SOFT_BREAK = "=\r\n"
MAX_LINE = 76  # including the "=" of a soft break
_PLAIN = re.compile(
    r"[A-Za-z0-9,;:!?()/'\"&#+@_<>*%$^|~\[\]`-][A-Za-z0-9 .,;:!?()/'\"&#+@_<>*%$^|~\[\]`-]{0,73}"
)

# "{" is encoded so that no constant can be taken for a tag of the template it becomes part of.
_CODES = [
    chr(byte)
    if chr(byte) in "\t " or (33 <= byte <= 126 and chr(byte) not in "={")
    else f"={byte:02X}"
    for byte in range(256)
]
# Nearly every line: nothing to encode but "=".
_ASCII = re.compile(r"[\t -z|}~]*")


def encode(text: str) -> str:
    """Encode ``text`` (LF line ends) from the beginning of a line; the result has CRLF.

    Every line is at most 76 long, none ends in a blank and none begins with a dot, so that the
    dot-stuffing of RFC 5321 section 4.5.2 finds nothing to do in it.
    """
    return "\r\n".join(_encode_line(line) for line in text.split("\n"))


def encode_slot(value: str) -> str:
    """Encode a recipient's value, which begins a line, and end the line with a soft break."""
    # Nearly every value is a short plain word.
    if not value or (_PLAIN.fullmatch(value) and value[-1] != " "):
        return value + SOFT_BREAK
    return encode(value) + SOFT_BREAK


def _encode_line(line: str) -> str:
    if _ASCII.fullmatch(line):
        encoded = line.replace("=", "=3D")
    else:  # each octet as the character of the same number, so that one pass in C is enough
        encoded = line.encode("utf-8").decode("latin-1").translate(_CODES)
    if encoded[-1:] in {" ", "\t"}:
        encoded = f"{encoded[:-1]}={ord(encoded[-1]):02X}"
    lines: list[str] = []
    start = 0
    while True:
        dot = encoded[start : start + 1] == "."
        end = start + MAX_LINE - (3 if dot else 1)
        if end < len(encoded):
            # A code of three characters is not split.
            end -= 1 if encoded[end - 1] == "=" else 2 if encoded[end - 2] == "=" else 0
        lines.append(f"=2E{encoded[start + 1 : end]}" if dot else encoded[start:end])
        if end >= len(encoded):
            return SOFT_BREAK.join(lines)
        start = end
