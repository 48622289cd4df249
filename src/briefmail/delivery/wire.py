"""What may go over the wire, and in which form: message data and paths (RFC 5321, RFC 6531)."""

import re
from io import IncrementalNewlineDecoder

from briefmail.errors import BriefmailError

LINE_LIMIT = 998  # section 4.5.3.1.6: 1,000 octets with CRLF
PATH_LIMIT = 254  # section 4.5.3.1.3: 256 octets with the angle brackets
# Printable ASCII without what could end the path or the line; a quoted local part may hold spaces.
# RFC 6531 section 3.3: a local part may also hold what is beyond ASCII, here without its controls.
_ADDR_SPEC = re.compile(r'(?:[!-;=?-~\xa0-\ud7ff\ue000-\U0010ffff]+|"[ -;=?-~]+")@[!-;=?-~]+')
_TO = re.compile(rb"^To:[^\r\n]*(?:\r\n[ \t][^\r\n]*)*", re.MULTILINE)


def wire_data(data: bytes, recipient: str) -> bytes:
    """Return message data as it goes over the wire, dot-stuffed (RFC 5321 section 4.5.2).

    The final dot is not part of it. Raises :class:`BriefmailError` for what would let a message be
    read as two (a CR or LF alone, section 2.3.8), for a line over 998 octets, and for octets
    beyond 7 bit, which need 8BITMIME (RFC 6152), anywhere but in the address of ``recipient`` in
    ``To``, which needs SMTPUTF8 instead (RFC 6531).

    Every message of a run passes here, so each look at it is one pass at the speed of C: about
    20 microseconds for 32 kB.
    """
    if not (data.isascii() or _is_ascii_but_for(recipient, data)) or b"\0" in data:
        raise BriefmailError("the message has octets that are not 7-bit text")
    if not data.endswith(b"\r\n"):
        data += b"\r\n"
    if _line_ends(data) != "\r\n":
        raise BriefmailError("the message has a CR or LF that is not part of a line end")
    if _has_long_line(data):
        raise BriefmailError(f"the message has a line of more than {LINE_LIMIT} octets")
    # From the right, because that search is several times faster, and most messages need none.
    if data.rfind(b"\r\n.") >= 0:
        data = data.replace(b"\r\n.", b"\r\n..")
    return b"." + data if data.startswith(b".") else data


def _is_ascii_but_for(recipient: str, data: bytes) -> bool:
    """Whether nothing but the address in ``To``, once, is beyond ASCII."""
    address = recipient.encode()
    head, _, body = data.partition(b"\r\n\r\n")
    rest = _TO.sub(lambda field: field[0].replace(address, b"", 1), head, count=1)
    return rest.isascii() and body.isascii()


def _line_ends(data: bytes) -> str | tuple[str, ...] | None:
    r"""Name the kinds of line end in ASCII or UTF-8: ``\r\n`` if there are no others."""
    decoder = IncrementalNewlineDecoder(None, translate=False)
    # An octet is a character here; in UTF-8, too, those of CR and LF are never part of another.
    decoder.decode(data.decode("latin-1"), final=True)
    return decoder.newlines


def _has_long_line(data: bytes) -> bool:
    """Go by steps of as many lines as fit into one of the largest size."""
    start, end = 0, len(data)
    while end - start > LINE_LIMIT + 2:
        line_end = data.rfind(b"\n", start, start + LINE_LIMIT + 2)
        if line_end < 0:
            return True
        start = line_end + 1
    return False


def is_path(address: str) -> bool:
    """Whether an addr-spec may stand between the angle brackets of MAIL or RCPT."""
    return bool(_ADDR_SPEC.fullmatch(address)) and len(address.encode()) <= PATH_LIMIT
