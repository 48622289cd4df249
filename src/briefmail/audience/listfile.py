"""A recipient list as a file: CSV (RFC 4180) in whatever shape a spreadsheet gave it.

The file is read as a stream, a record at a time. What can be put right is put right (encoding,
delimiter, line ends, blanks); a record that cannot be read is handed on with the reason; and a
file of which nobody can say where its records end is refused as a whole, never read in part
without a word.
"""

import csv
import re
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TextIO

from briefmail.audience.address import Address, parse_address
from briefmail.audience.encoding import detect_encoding
from briefmail.audience.exports import Layout, layout_of
from briefmail.errors import ListError, Problem

DELIMITERS = (",", ";", "\t", "|")
# A delimiter that no line has: a list of one column is read a line at a time, commas and all.
NO_DELIMITER = "\x1f"
LINE_LIMIT = 1_000_000  # characters
# A quoted value may have line breaks in it. One that is longer than this has lost its closing
# quote and is swallowing the people after it.
VALUE_LINES = 100
VALUE_SIZE = 200_000  # characters
# A carriage return within a line would be the end of a record for the csv module, and so a name
# could put a person on the list. It becomes this, which no name and no address may have either.
STRAY_LINE_END = "\v"

# What Excel reads, and some exports write, before the header.
_SEPARATOR_LINE = re.compile(r'"?sep=(.)"?[ \r\n]', re.IGNORECASE)
_QUOTED = re.compile(r'"[^"]*"')
_EXAMPLE = "the first line names the columns, for example: email,first_name,last_name"
_MISSING = "make one with a header line such as 'email,name' and a line for each person"
_CLOSE_IT = "close the quote, or write a quote within a value twice"


class Record(NamedTuple):
    """The cells of one row, as they were written. ``fault`` says why they cannot be trusted."""

    line: int
    cells: Sequence[str]
    fault: str = ""


@dataclass(frozen=True, slots=True)
class ListFile:
    """A list that has been looked at: how it is read and what its columns are.

    Make one with :meth:`open`; :meth:`records` then reads it, as often as it is called.
    """

    path: Path
    layout: Layout
    header: Record
    delimiter: str
    _text: "_Text"

    @classmethod
    def open(cls, path: Path) -> "ListFile":
        """Find out how to read the list at ``path``.

        Raises :class:`ListError` if it is missing, is no text, or has no header line with a
        column for the address.
        """
        with _as_list_error(path):
            if path.exists() and not path.is_file():
                raise _error(path, None, "is not an ordinary file", _MISSING)
            text = _Text.look_at(path)
            delimiter, header = _find_header(text)
        layout = layout_of(header.cells)
        if layout is None:
            raise _no_address_column(path, header)
        return cls(path, layout, header, delimiter, text)

    def records(self) -> Iterator[Record]:
        """Yield the rows under the header; blank lines and repeated headers are not rows.

        Raises :class:`ListError` if there are none, or where the file cannot be read on.
        """
        empty = True
        with _as_list_error(self.path):
            records = self._text.records(self.delimiter)
            header = next(records)
            for record in records:
                if record.cells == header.cells:
                    continue
                empty = False
                yield record
        if empty:
            raise _error(self.path, None, "has a header line but nobody under it", _MISSING)


@dataclass(frozen=True, slots=True)
class _Text:
    """A file as text: its encoding, what ends its lines, and what Excel says of its delimiter."""

    path: Path
    encoding: str
    line_end: str
    separator: str

    @classmethod
    def look_at(cls, path: Path) -> "_Text":
        encoding = detect_encoding(path)
        with path.open(encoding=encoding, newline="") as file:
            head = file.read(65536)
        # Old spreadsheets on the Mac end lines with a bare carriage return.
        first = re.search(r"\r\n|\r|\n", _QUOTED.sub("", head))
        line_end = "\r" if first and first[0] == "\r" else "\n"
        separator = _SEPARATOR_LINE.match(head)
        return cls(path, encoding, line_end, separator[1] if separator else "")

    def records(self, delimiter: str) -> Generator[Record, None, None]:
        """Yield all that is not blank, the header first."""
        csv.field_size_limit(max(csv.field_size_limit(), LINE_LIMIT + VALUE_SIZE))
        with self.path.open(encoding=self.encoding, newline=self.line_end) as file:
            if self.separator:
                file.readline(LINE_LIMIT)
            lines = _Lines(self.path, file, before=1 if self.separator else 0)
            # Strict, because only then does the module say that a quote was never closed.
            reader = csv.reader(lines, delimiter=delimiter, strict=True, skipinitialspace=True)
            while True:
                lines.begin_record()
                try:
                    cells = next(reader)
                except StopIteration:
                    return
                except csv.Error:
                    yield lines.unreadable(whole_line=delimiter == NO_DELIMITER)
                    continue
                if any(map(str.strip, cells)):
                    yield Record(lines.start, cells)


class _Lines:
    """The lines of a file as the csv module wants them: counted, bounded, with one line end."""

    def __init__(self, path: Path, file: TextIO, before: int) -> None:
        self._path = path
        self._file = file
        self._number = before
        self._size = 0
        self._line = ""
        self._ended = False
        # The last line with a quote in it that can open a value, and the one before that.
        self._opened = self._opened_before = 0
        self.start = before + 1

    def begin_record(self) -> None:
        """Take the next line for the first of a record."""
        self.start = self._number + 1
        self._size = 0

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._file.readline(LINE_LIMIT)
        if not line:
            self._ended = True
            raise StopIteration
        self._number += 1
        self._size += len(line)
        self._check_size(line)
        text = line.rstrip("\r\n")
        if "\r" in text or "\n" in text:
            text = text.replace("\r", STRAY_LINE_END).replace("\n", STRAY_LINE_END)
        if '"' in text:
            self._opened_before = self._opened
            if '"' in text.replace('""', ""):
                self._opened = self._number
        self._line = text
        return text + "\n"

    def _check_size(self, line: str) -> None:
        if len(line) >= LINE_LIMIT:
            text = f"is a line of more than {LINE_LIMIT:,} characters"
            raise _error(self._path, self._number, text, "is this a CSV file?")
        continued = self._number - self.start
        if continued >= VALUE_LINES or (continued and self._size > VALUE_SIZE):
            raise self._never_closed(self._opened)

    def unreadable(self, *, whole_line: bool) -> Record:
        """Hand on a record with its quotes in disorder; ListError if it is not just one line."""
        if self._ended:
            raise self._never_closed(self._opened)
        if self._number > self.start:
            raise self._never_closed(self._opened_before or self.start)
        if whole_line:
            return Record(self.start, [self._line])
        return Record(self.start, [self._line], "has a quote in the wrong place")

    def _never_closed(self, line: int) -> ListError:
        text = "opens a quote that is not closed: it cannot be told where this person ends"
        return _error(self._path, line, text, _CLOSE_IT)


def _find_header(text: _Text) -> tuple[str, Record]:
    """Choose the delimiter that makes most of the header, and read the header with it."""
    found: list[tuple[bool, int, str, Record]] = []
    refused: ListError | None = None
    for delimiter in (text.separator,) if text.separator else DELIMITERS:
        try:
            with closing(text.records(delimiter)) as records:
                header = next(records, None)
        except ListError as error:
            refused = error
            continue
        if header is None:
            raise _error(text.path, None, "is empty", _MISSING)
        has_address = not header.fault and layout_of(header.cells) is not None
        found.append((has_address, len(header.cells), delimiter, header))
    best = max(found, key=lambda candidate: candidate[:2], default=None)
    if refused and not (best and best[0]):
        raise refused
    assert best is not None
    _, columns, delimiter, header = best
    return (delimiter if columns > 1 else NO_DELIMITER), header


def _no_address_column(path: Path, header: Record) -> ListError:
    if any(isinstance(parse_address(cell), Address) for cell in header.cells):
        text = "is already a person: the list has no header line"
    else:
        columns = ", ".join(f"'{shown(cell.strip())}'" for cell in header.cells[:10])
        text = f"has no column called 'email' or the like, only: {columns}"
    return _error(path, header.line, text, _EXAMPLE)


def shown(text: str, limit: int = 60) -> str:
    """Text from a list as it can be printed: one line, no control characters, not too long."""
    if len(text) > limit:
        text = text[: limit - 3] + "..."
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)


@contextmanager
def _as_list_error(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise _error(path, None, "does not exist", _MISSING) from None
    except OSError as error:
        raise _error(path, None, f"cannot be read: {error.strerror}", None) from error
    except UnicodeDecodeError:
        raise _error(path, None, "was changed while it was read", "try again") from None


def _error(path: Path, line: int | None, text: str, hint: str | None) -> ListError:
    return ListError([Problem(path, line, text)], hint=hint)
