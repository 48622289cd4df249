"""What may go over the wire, and in which form: message data and paths (RFC 5321)."""

import re

from briefmail.errors import BriefmailError

LINE_LIMIT = 998  # section 4.5.3.1.6: 1,000 octets with CRLF
PATH_LIMIT = 254  # section 4.5.3.1.3: 256 octets with the angle brackets
# Printable ASCII without what could end the path or the line; a quoted local part may hold spaces.
_ADDR_SPEC = re.compile(r'(?:[!-;=?-~]+|"[ -;=?-~]+")@[!-;=?-~]+')


def wire_data(data: bytes) -> bytes:
    """Return message data as it goes over the wire, dot-stuffed (RFC 5321 section 4.5.2).

    The final dot is not part of it. Raises :class:`BriefmailError` for what would let a message be
    read as two (a CR or LF alone, section 2.3.8), for a line over 998 octets, and for octets
    beyond 7 bit, which need 8BITMIME (RFC 6152).
    """
    breaks = data.count(b"\r\n")
    if not breaks == data.count(b"\r") == data.count(b"\n"):
        raise BriefmailError("the message has a CR or LF that is not part of a line end")
    if b"\0" in data or not data.isascii():
        raise BriefmailError("the message has octets that are not 7-bit text")
    if max(map(len, data.split(b"\r\n"))) > LINE_LIMIT:
        raise BriefmailError(f"the message has a line of more than {LINE_LIMIT} octets")
    if not data.endswith(b"\r\n"):
        data += b"\r\n"
    stuffed = data.replace(b"\r\n.", b"\r\n..")
    return b"." + stuffed if stuffed.startswith(b".") else stuffed


def is_path(address: str) -> bool:
    """Whether an addr-spec may stand between the angle brackets of MAIL or RCPT."""
    return len(address) <= PATH_LIMIT and bool(_ADDR_SPEC.fullmatch(address))
