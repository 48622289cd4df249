"""Header fields, written as bytes that every reader takes the same way.

RFC 5322 (fields, folding), RFC 2047 (encoded words), RFC 2369 and 2919 (lists), RFC 8058
(one-click). The standard library's policies fold ``Subject`` and ``List-Unsubscribe`` wrongly,
so fields are written here, with its :class:`email.header.Header` for encoded words.
"""

import re
from base64 import b64encode
from email.header import Header

from briefmail.errors import BriefmailError

MAX_LINE = 78  # RFC 5322 section 2.1.1, should
MAX_WORD_LINE = 76  # RFC 2047 section 2, for a line with an encoded word
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
# RFC 5322 section 3.2.3: atext and blanks need no quotes.
_PHRASE = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")


def unstructured(name: str, text: str) -> bytes:
    """Write a field of free text, such as ``Subject``."""
    _refuse_control(name, text)
    if _needs_encoding(text):
        value = Header(text, "utf-8", maxlinelen=76, header_name=name).encode(linesep="\r\n")
        return f"{name}: {value}\r\n".encode("ascii")
    return _fold(f"{name}: {text}").encode("ascii")


def mailbox(name: str, display_name: str, address: str) -> bytes:
    """Write a field with one mailbox, such as ``To``; the display name cannot become another."""
    _refuse_control(name, display_name + address)
    if not display_name:
        return f"{name}: {address}\r\n".encode("ascii")
    phrase = _phrase(name, display_name)
    last = phrase.rpartition("\r\n")[2]
    room = MAX_LINE - (len(name) + 2 if last == phrase else 0)
    gap = " " if len(last) + len(address) + 3 <= room else "\r\n "
    return f"{name}: {phrase}{gap}<{address}>\r\n".encode("ascii")


def identifier(name: str, display_name: str, value: str) -> bytes:
    """Write ``List-Id: phrase <value>`` (RFC 2919 section 2)."""
    return mailbox(name, display_name, value)


def addresses(name: str, links: list[str]) -> bytes:
    """Write a field of angle-bracketed addresses (RFC 2369 section 2), folded only between them.

    An address must never become an encoded word: a field that does not start with ``<`` is
    ignored, and the unsubscribe button is gone.
    """
    for link in links:
        if not link.isascii() or re.search(r"[\x00-\x20<>\x7f]", link) or len(link) > 900:
            raise BriefmailError(f"{name}: {link[:80]!r} cannot stand in a header")
    value = ",\r\n ".join(f"<{link}>" for link in links)
    return f"{name}: {value}\r\n".encode("ascii")


def verbatim(name: str, value: str) -> bytes:
    """Write a field whose value is ours and short."""
    return f"{name}: {value}\r\n".encode("ascii")


def _phrase(field: str, name: str) -> str:
    fits = len(name) + len(field) + 2 <= MAX_LINE - 2
    if fits and _PHRASE.fullmatch(name) and "=?" not in name:
        return name
    if fits and name.isascii() and "=?" not in name:
        quoted = name.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{quoted}"'
    word = f"=?utf-8?b?{b64encode(name.encode()).decode()}?="
    if len(word) + len(field) + 2 <= MAX_WORD_LINE:
        return word  # nearly every name; the general way takes twenty times as long
    return Header(name, "utf-8", maxlinelen=76, header_name=field).encode(linesep="\r\n")


def _needs_encoding(text: str) -> bool:
    # An edge blank would be lost; a word beyond the hard limit cannot be folded.
    longest = max(map(len, text.split(" ")), default=0)
    return not text.isascii() or "=?" in text or text != text.strip() or longest > MAX_LINE - 12


def _fold(line: str) -> str:
    lines = [""]
    for word in line.split(" "):
        if lines[-1].strip() and len(lines[-1]) + len(word) >= MAX_LINE:
            lines.append("")
        lines[-1] += f"{word} "
    return "\r\n ".join(part[:-1] for part in lines) + "\r\n"


def _refuse_control(name: str, text: str) -> None:
    if _CONTROL.search(text):
        raise BriefmailError(f"{name}: control characters in {text[:80]!r}")
