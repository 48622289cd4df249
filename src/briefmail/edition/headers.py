"""Header fields, written as bytes that every reader takes the same way.

RFC 5322 (fields, folding), RFC 2047 (encoded words), RFC 2369 and 2919 (lists), RFC 8058
(one-click), RFC 6532 (an address outside ASCII, which nothing can encode). The standard library's
policies fold ``Subject`` and ``List-Unsubscribe`` wrongly, and its :class:`email.header.Header`
takes longer than all the rest of a message, so fields are written here.
"""

import re
from base64 import b64encode

from briefmail.errors import BriefmailError

MAX_LINE = 78  # RFC 5322 section 2.1.1, should
MAX_WORD_LINE = 76  # RFC 2047 section 2, for a line with an encoded word
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
# RFC 5322 section 3.2.3: atext and blanks need no quotes.
_PHRASE = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")


def unstructured(name: str, text: str) -> bytes:
    """Write a field of free text, such as ``Subject``."""
    _refuse_control(name, text)
    if _needs_encoding(text):
        return f"{name}: {_encoded_words(name, text)}\r\n".encode("ascii")
    return _fold(f"{name}: {text}").encode("ascii")


def mailbox(name: str, display_name: str, address: str) -> bytes:
    """Write a field with one mailbox, such as ``To``; the display name cannot become another.

    Only the address can put octets outside ASCII into it, as UTF-8 (RFC 6532 section 3.2).
    """
    _refuse_control(name, display_name + address)
    if not display_name:
        return f"{name}: {address}\r\n".encode()
    phrase = _phrase(name, display_name)
    last = phrase.rpartition("\r\n")[2]
    room = MAX_WORD_LINE - (len(name) + 2 if last == phrase else 0)
    gap = " " if len(last) + len(address) + 3 <= room else "\r\n "
    return f"{name}: {phrase}{gap}<{address}>\r\n".encode()


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
    if name.isascii() and "=?" not in name:
        escaped = name.replace("\\", "\\\\").replace('"', '\\"')
        if len(escaped) + len(field) + 2 <= MAX_LINE - 2:
            return name if _PHRASE.fullmatch(name) else f'"{escaped}"'
    return _encoded_words(field, name)


def _encoded_words(field: str, text: str) -> str:
    """Encode text as words of whole characters, each on a line of its own (RFC 2047 section 5)."""
    words = [b""]
    room = _octets(MAX_WORD_LINE - len(field) - 2)
    for character in text:
        octets = character.encode()
        if len(words[-1]) + len(octets) > room:
            words.append(b"")
            room = _octets(MAX_WORD_LINE - 1)
        words[-1] += octets
    return "\r\n ".join(f"=?utf-8?b?{b64encode(word).decode()}?=" for word in words)


def _octets(width: int) -> int:
    """How many octets an encoded word of this width can carry."""
    return (width - len("=?utf-8?b??=")) // 4 * 3


def _needs_encoding(text: str) -> bool:
    # Blanks at an edge or side by side would be lost; a word beyond the limit cannot be folded.
    words = text.split(" ")
    unsafe = "=?" in text or (text and "" in words)
    return not text.isascii() or unsafe or max(map(len, words)) > MAX_LINE - 12


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
