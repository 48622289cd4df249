"""Which text a file is: its encoding, found by reading all its bytes once and holding none.

A guess from the first lines is not enough: one name with an accent on the last line decides.
"""

import codecs
import re
from collections.abc import Iterator
from pathlib import Path

from briefmail.errors import ListError, Problem

CHUNK = 1 << 20

# The byte order marks (Unicode standard, section 23.8). The order matters: the UTF-32 mark
# begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NOT_TEXT = (
    (b"PK\x03\x04", "a spreadsheet (or another zip file)"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook"),
    (b"\x1f\x8b", "a compressed file"),
    (b"%PDF", "a PDF"),
)
_NAMES = {
    "utf-8-sig": "not UTF-8, though it begins with its mark",
    "utf-16": "not UTF-16, though it begins with its mark",
    "utf-32": "not UTF-32, though it begins with its mark",
    "cp1252": "neither UTF-8 nor Windows-1252",
}
# Letters as UTF-8 writes them. Text in Windows-1252 hardly ever has such a pair.
_UTF8_LETTER = re.compile(
    rb"[\xc3-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}"
)
_SAVE_AS = "open it in the spreadsheet and save it as 'CSV UTF-8'"


def detect_encoding(path: Path) -> str:
    """Name the codec that reads the whole file: UTF-8 or UTF-16 if it says so, else cp1252.

    Raises :class:`ListError` if there is none or if the file is no text at all, and OSError if
    it cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(200)
    for signature, kind in _NOT_TEXT:
        if head.startswith(signature):
            raise _error(path, None, f"is {kind}, not a CSV file")
    for mark, codec in _MARKS:
        if head.startswith(mark):
            return _require(path, codec)
    if head.count(0) > len(head) // 4:
        raise _error(path, None, "looks like UTF-16, but lacks the mark that says so")
    bad = _first_bad_byte(path, "utf-8")
    if bad is None:
        return "utf-8"
    if any(_UTF8_LETTER.search(chunk) for chunk in _chunks(path)):
        # Read as Windows-1252, every good name would become mojibake without a word.
        raise _error(path, bad, "is not UTF-8, but other lines of the file are")
    return _require(path, "cp1252")


def _require(path: Path, codec: str) -> str:
    bad = _first_bad_byte(path, codec)
    if bad is not None:
        raise _error(path, bad, f"is {_NAMES[codec]}: its letters cannot be told")
    return codec


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk


def _first_bad_byte(path: Path, codec: str) -> int | None:
    """Find the offset, to within a character, at which the file stops being ``codec``."""
    decoder = codecs.getincrementaldecoder(codec)()
    offset = 0
    try:
        for chunk in _chunks(path):
            decoder.decode(chunk)
            offset += len(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        return offset + error.start
    return None


def _error(path: Path, offset: int | None, text: str) -> ListError:
    line = None if offset is None else _line_at(path, offset)
    return ListError([Problem(path, line, text)], hint=_SAVE_AS)


def _line_at(path: Path, offset: int) -> int:
    feeds = returns = 0
    for chunk in _chunks(path):
        before = chunk[: max(0, offset)]
        feeds += before.count(b"\n")
        returns += before.count(b"\r")
        offset -= len(chunk)
    return (feeds or returns) + 1
