"""``status --failed-to``: the rows of those who may lack an issue, as a list to be sent to.

The rows are those of the present ``recipients.csv``, cell for cell. Whoever it no longer has gets
what the ledger keeps. Two columns are added: ``state``, and ``reason``, what the relay said.
"""

import csv
import json
from collections.abc import Container, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from briefmail.audience import NO_DELIMITER, Address, ListFile, Roll
from briefmail.config import Config
from briefmail.delivery import Entry, Failure, History
from briefmail.errors import StoreError, UsageError
from briefmail.newsletter.lists import suppressed
from briefmail.newsletter.status import edition_named, reading
from briefmail.store import Database, open_scratch

# ASVS 5.0, 1.2.10: what a spreadsheet may take for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\0", "\r")
_NAMES = {"name", "first_name", "last_name"}
_SCRATCH = (
    """
    CREATE TABLE failure (
        id INTEGER PRIMARY KEY,
        key TEXT NOT NULL UNIQUE,
        address TEXT NOT NULL,
        fields TEXT NOT NULL,
        state TEXT NOT NULL,
        reason TEXT NOT NULL,
        line INTEGER                -- in the present list, if it may be sent to
    ) STRICT;
    CREATE INDEX failure_line ON failure (line)
    """,
)


@dataclass(frozen=True, slots=True)
class FailuresWritten:
    """What was written: ``rows`` in all, ``from_ledger`` of them people whom the list lacks.

    ``left_out`` people have left or are suppressed by now. With no rows there is no file.
    """

    path: Path
    rows: int
    from_ledger: int
    left_out: int


def write_failures(config: Config, issue: Path | str, target: Path) -> FailuresWritten:
    """Write everybody who may lack an issue to ``target``, which must not be there yet.

    Raises :class:`UsageError` if it is, or if the issue was never sent, and
    :class:`~briefmail.errors.ListError` if there is a list that cannot be read.
    """
    name, _ = edition_named(config, issue)
    if target.exists():
        raise _is_there(target)
    with ExitStack() as stack:
        store = stack.enter_context(reading(config))
        if store is None or History(store).edition(name) is None:
            raise UsageError(
                f"{name} has not been sent from here, so nobody can lack it",
                hint="'briefmail status' shows what has been",
            )
        scratch = stack.enter_context(open_scratch({"failures": _SCRATCH}))
        out = suppressed(store)
        listing = ListFile.open(config.recipients) if config.recipients.exists() else None
        roll = stack.enter_context(Roll.read(listing, suppressed=out)) if listing else None
        _collect(scratch, History(store).failures(name), roll)
        left_out = _leave_out(scratch, roll, out)
        rows, from_ledger = _count(scratch)
        if rows:
            with _created(target) as file:
                _write(scratch, listing, file)
    return FailuresWritten(target, rows, from_ledger, left_out)


def _collect(scratch: Database, failures: Iterator[Failure], roll: Roll | None) -> None:
    """Note who may lack it, and where each of them stands in the present list."""
    with scratch.transaction():
        scratch.insert(
            "INSERT INTO failure (key, address, fields, state, reason) VALUES (?, ?, ?, ?, ?)",
            (
                (f.key, f.entry.address, json.dumps(f.fields), f.entry.state, reason_of(f.entry))
                for f in failures
            ),
        )
        if roll:
            scratch.insert(
                "UPDATE failure SET line = ? WHERE key = ?",
                ((recipient.line, recipient.key) for recipient in roll.recipients()),
            )


def _leave_out(scratch: Database, roll: Roll | None, out: Container[str]) -> int:
    """Take those out who have left: suppressed, or marked so in the list. Return how many."""
    unlisted = list(scratch.rows("SELECT key, address FROM failure WHERE line IS NULL"))
    gone = [
        (key,)
        for key, address in unlisted
        if key in out or (roll and roll.find(Address(address, key)))
    ]
    return scratch.insert("DELETE FROM failure WHERE key = ?", gone)


def _count(scratch: Database) -> tuple[int, int]:
    rows, listed = scratch.one("SELECT count(*), count(line) FROM failure")
    return rows, rows - listed


def _write(scratch: Database, listing: ListFile | None, file: TextIO) -> None:
    kept = [
        name
        for (name,) in scratch.rows(
            "SELECT DISTINCT field.key FROM failure, json_each(fields) AS field WHERE line IS NULL"
            " ORDER BY field.key"
        )
    ]
    columns = _Columns.of(listing, kept)
    writer = csv.writer(file, delimiter=columns.delimiter)
    writer.writerow(columns.header)
    for record in listing.records() if listing else ():
        if row := scratch.one("SELECT state, reason FROM failure WHERE line = ?", record.line):
            writer.writerow([*columns.fitted(record.cells), *row])
    for address, fields, *row in scratch.rows(
        "SELECT address, fields, state, reason FROM failure WHERE line IS NULL ORDER BY id"
    ):
        writer.writerow([*columns.filled({**json.loads(fields), "email": address}), *row])


@dataclass(frozen=True, slots=True)
class _Columns:
    """The columns of the file: those of the list, further fields of the ledger, our two."""

    delimiter: str
    header: Sequence[str]
    fields: Sequence[str]

    @classmethod
    def of(cls, listing: ListFile | None, kept: Sequence[str]) -> "_Columns":
        cells, names = ["email"], ["email"]
        if listing:
            cells = list(listing.header.cells)
            names = list(listing.layout.fields)
            names[listing.layout.address] = "email"
        known = {*names, "email", *(_NAMES if _NAMES & set(names) else ())}
        more = [name for name in kept if name not in known]
        taken = {*names, *more}
        ours = [f"briefmail_{name}" if name in taken else name for name in ("state", "reason")]
        delimiter = listing.delimiter if listing else ","
        return cls(
            "," if delimiter == NO_DELIMITER else delimiter,
            [*cells, *more, *ours],
            [*names, *more],
        )

    def fitted(self, cells: Sequence[str]) -> list[str]:
        """A row of the list, as wide as the header."""
        width = len(self.fields)
        return [*cells[:width], *[""] * (width - len(cells))]

    def filled(self, fields: dict[str, str]) -> list[str]:
        """A row from what the ledger keeps."""
        return [fields.get(name, "") for name in self.fields]


def reason_of(entry: Entry) -> str:
    """What stood in the way, as a cell that no spreadsheet takes for a formula."""
    said = str(entry.reply) if entry.reply else entry.reason or "not tried yet"
    return f"'{said}" if said.startswith(_FORMULA) else said


@contextmanager
def _created(target: Path) -> Iterator[TextIO]:
    """Make a file that spreadsheets read as UTF-8; what cannot be finished is taken away."""
    try:
        file = target.open("x", encoding="utf-8-sig", newline="")
    except FileExistsError:
        raise _is_there(target) from None
    except OSError as error:
        raise StoreError(f"{target} cannot be written: {error.strerror}") from error
    try:
        with file:
            yield file
    except BaseException:
        target.unlink(missing_ok=True)
        raise


def _is_there(target: Path) -> UsageError:
    return UsageError(f"{target} is there already; nothing was written", hint="name another file")
