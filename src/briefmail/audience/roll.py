"""The roll: a whole list read once, every row in its place and every person once.

It stands in a scratch database on disk, never in memory: a list may have millions of rows.
"""

from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Self

from briefmail.audience.address import Address, Invalid
from briefmail.audience.census import Census
from briefmail.audience.exports import COLUMNS
from briefmail.audience.listfile import ListFile, Record
from briefmail.audience.recipient import Recipient
from briefmail.audience.rows import OptedOut, read_row
from briefmail.errors import Problem
from briefmail.store import Database, open_scratch

PROBLEMS_KEPT = 1000
BATCH = 5000
# Keys come in no order, so the index is written all over; this much of it stays in memory.
CACHE_KIB = 16_000

# No value has a control character in it, so this one can stand between them.
_SEPARATOR = "\x1f"
_SCRATCH = (
    """
    CREATE TABLE people (
        line INTEGER PRIMARY KEY,
        key TEXT NOT NULL UNIQUE,
        disposition TEXT NOT NULL,
        address TEXT NOT NULL,
        name TEXT NOT NULL,
        fields TEXT NOT NULL,
        again INTEGER
    ) STRICT
    """,
)
# The first row of a person counts, but "no more mail" counts wherever it stands. ``again`` is the
# line of the second one.
_ENTER = """
    INSERT INTO people (line, key, disposition, address, name, fields) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (key) DO UPDATE SET again = coalesce(again, excluded.line),
    disposition = iif(excluded.disposition = 'opted_out', 'opted_out', disposition)
"""
_Row = tuple[int, str, str, str, str, str]
_READ = "SELECT address, key, name, fields, line FROM people"


@dataclass(frozen=True, slots=True)
class Counts:
    """How many rows went where. ``rows`` is always the sum of all the others.

    ``send`` are people to write to. Each person is counted once, and their further rows are
    ``duplicate``. ``opted_out`` are marked so by the list itself, ``suppressed`` by the editor,
    ``filtered`` do not match ``only``. ``invalid`` rows have a problem each.
    """

    rows: int
    send: int
    duplicate: int
    invalid: int
    opted_out: int
    suppressed: int
    filtered: int


class Roll:
    """A list that has been read to its end. A context manager: its scratch database goes with it.

    ``problems`` has the first thousand of what is wrong, one to a row; ``counts.invalid`` says
    how many there are. ``columns`` has the name of every merge field there can be: the list's
    own, and those that each list may have by convention (email, name, first and last name).
    """

    def __init__(
        self,
        database: Database,
        fields: tuple[str, ...],
        counts: Counts,
        problems: tuple[Problem, ...],
    ) -> None:
        self.counts = counts
        self.problems = problems
        self.columns = frozenset(COLUMNS) | frozenset(fields)
        self._database = database
        self._fields = fields

    @classmethod
    def read(
        cls,
        source: ListFile | Path,
        *,
        suppressed: Container[str],
        only: Callable[[Mapping[str, str]], bool] | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> Self:
        """Read a list from its first row to its last.

        ``suppressed`` has ledger keys. ``only`` is asked about the fields of each person who
        would be sent to, and what it raises is passed on. ``progress`` is told every few
        thousand rows how many have been read.

        Raises :class:`~briefmail.errors.ListError` if the list cannot be read to its end.
        """
        listing = source if isinstance(source, ListFile) else ListFile.open(source)
        database = open_scratch({"roll": _SCRATCH})
        try:
            database.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
            reading = _Reading(listing, database, suppressed, only)
            reading.run(progress)
            return cls(database, reading.fields, reading.counts(), tuple(reading.problems))
        except BaseException:
            database.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the scratch database back; after that only the numbers and problems are left."""
        self._database.close()

    def recipients(self) -> Iterator[Recipient]:
        """Yield the people to write to in the order of the list, without holding them all."""
        return map(
            self._recipient,
            self._database.rows(f"{_READ} WHERE disposition = 'send' ORDER BY line"),
        )

    def census(self) -> Census:
        """What can be asked of everybody at once."""
        return Census(self._database)

    def first(self) -> Recipient | None:
        """Return the first person to write to."""
        return next(self.recipients(), None)

    def find(self, address: Address) -> Recipient | None:
        """Return somebody on the list, written to or not; None if no valid row is theirs."""
        row = self._database.one(f"{_READ} WHERE key = ?", address.key)
        return self._recipient(row) if row else None

    def with_key(self, key: str) -> Recipient | None:
        """Return whom to write to by ledger key."""
        row = self._database.one(f"{_READ} WHERE key = ? AND disposition = 'send'", key)
        return self._recipient(row) if row else None

    def search(self, words: str, at_most: int) -> list[Recipient]:
        """Return the first people to write to whose name or address holds ``words``."""
        rows = self._database.rows(
            f"{_READ} WHERE disposition = 'send'"
            " AND instr(casefold(name || ' ' || address), ?) ORDER BY line LIMIT ?",
            *(words.casefold(), at_most),
        )
        return [self._recipient(row) for row in rows]

    def _recipient(self, row: Any) -> Recipient:
        address, key, name, values, line = row
        filled = zip(self._fields, values.split(_SEPARATOR), strict=False)
        fields = {"email": address, **{field: value for field, value in filled if value}}
        return Recipient(address, key, name, fields, line)


class _Reading:
    """One pass over a list: where each row goes."""

    def __init__(
        self,
        listing: ListFile,
        database: Database,
        suppressed: Container[str],
        only: Callable[[Mapping[str, str]], bool] | None,
    ) -> None:
        self._listing = listing
        self._database = database
        self._suppressed = suppressed
        self._only = only
        self._rows = self._invalid = self._left_unknown = 0
        self.problems: list[Problem] = []
        columns = (*listing.layout.fields, "name")
        self.fields = tuple(dict.fromkeys(name for name in columns if name))

    def run(self, progress: Callable[[int], None] | None) -> None:
        """Read all rows; they go into the database one by one as they are read."""
        records = self._listing.records()
        done = -1
        while done < self._rows:
            done = self._rows
            with self._database.transaction():
                self._database.insert(_ENTER, self._placed(islice(records, BATCH)))
            if progress and done < self._rows:
                progress(self._rows)

    def _placed(self, records: Iterator[Record]) -> Iterator[_Row]:
        for record in records:
            self._rows += 1
            if row := self._place(record):
                yield row

    def counts(self) -> Counts:
        """Count what was entered; what is valid and was not is somebody's further row."""
        entered = dict(
            self._database.rows("SELECT disposition, count(*) FROM people GROUP BY disposition")
        )
        return Counts(
            rows=self._rows,
            send=entered.get("send", 0),
            duplicate=self._rows - self._invalid - self._left_unknown - sum(entered.values()),
            invalid=self._invalid,
            opted_out=entered.get("opted_out", 0) + self._left_unknown,
            suppressed=entered.get("suppressed", 0),
            filtered=entered.get("filtered", 0),
        )

    def _place(self, record: Record) -> _Row | None:
        person = read_row(self._listing.layout, record)
        match person:
            case Recipient():
                return self._row(person, self._disposition(person))
            case OptedOut(address=Address() as left):
                return (record.line, left.key, "opted_out", left.address, "", "")
            case OptedOut():
                self._left_unknown += 1
            case Invalid(reason=reason):
                self._invalid += 1
                if len(self.problems) < PROBLEMS_KEPT:
                    self.problems.append(Problem(self._listing.path, record.line, reason))
        return None

    def _disposition(self, person: Recipient) -> str:
        if person.key in self._suppressed:
            return "suppressed"
        if self._only and not self._only(person.fields):
            return "filtered"
        return "send"

    def _row(self, person: Recipient, disposition: str) -> _Row:
        values = _SEPARATOR.join([person.fields.get(name, "") for name in self.fields])
        return (person.line, person.key, disposition, person.address, person.name, values)
