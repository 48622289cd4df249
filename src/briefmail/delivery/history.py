"""What became of an edition, and of a person: questions to the ledger that change nothing.

They may be asked while a send is at work. Each answer is of one moment, so that its numbers add up.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from briefmail.delivery.ledger import EditionRecord, Entry, Ledger, Totals, utc_now
from briefmail.delivery.reply import Reply
from briefmail.delivery.workers import Worker, Workers
from briefmail.store import Database

_ENTRY = "address, line, state, code, status, text, reason, message_id, updated_at"
_NEWEST_FIRST = (
    "ORDER BY coalesce(issue_date, substr(opened_at, 1, 10)) DESC, opened_at DESC, id DESC"
)
# A run that is at work has some people in hand; they count as what they would be if it died now.
_AT_REST = {"reserved": "pending", "claimed": "uncertain"}
_ADDRESS = re.compile(r"<?[^\s<>()\[\],;:\"']+@[\w.-]*\w>?")
# Queue identifiers and the like: a word, or its parts between dots and hyphens, with a digit in it.
_IDENTIFIER = re.compile(r"(?<![\w.])(?=[\w-]*\d)(?=[\w-]*[A-Za-z])[\w-]{8,}(?:\.[\w-]+)*")


@dataclass(frozen=True, slots=True)
class EditionStatus:
    """Where an edition stands."""

    record: EditionRecord
    totals: Totals


@dataclass(frozen=True, slots=True)
class ReplyGroup:
    """People of one ``state`` to whom the relay gave the same answer.

    ``text`` is the reply's without what is different for each person (addresses, queue
    identifiers); where the relay gave no answer ``code`` is None and it says what happened.
    ``example`` is one of the addresses.
    """

    state: str
    code: int | None
    status: str
    text: str
    count: int
    example: str


@dataclass(frozen=True, slots=True)
class Issued:
    """What became of one edition for one address."""

    edition: str
    subject: str
    issue_date: date | None
    entry: Entry


@dataclass(frozen=True, slots=True)
class Failure:
    """Somebody of whom it is not known that they have an edition.

    ``fields`` are those of the list they were enrolled from; empty once the edition has closed.
    """

    key: str
    entry: Entry
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class WorkerStatus:
    """Where one of several machines stands: to how many it has ``sent``, and has ``in_hand``."""

    worker: Worker
    sent: int
    in_hand: int


class History:
    """The ledger in an open database, to be read. Raises :class:`StoreError` if that fails."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._ledger = Ledger(database)

    def editions(self) -> list[EditionStatus]:
        """Return every edition, the newest first: by the date of its issue, else of its send."""
        with self._database.snapshot():
            names = self._database.rows(
                f"SELECT id FROM edition {_NEWEST_FIRST}"  # noqa: S608
            )
            return [status for (name,) in names if (status := self._status(name))]

    def records(self) -> list[EditionRecord]:
        """Return what the ledger knows of every edition as such, without counting people."""
        names = self._database.rows("SELECT id FROM edition")
        return [record for (name,) in names if (record := self._ledger.edition(name))]

    def knows(self, edition_id: str) -> bool:
        """Whether an edition was ever opened."""
        return self._ledger.edition(edition_id) is not None

    def edition(self, edition_id: str) -> EditionStatus | None:
        """Return where one edition stands, None if it was never opened."""
        with self._database.snapshot():
            return self._status(edition_id)

    def _status(self, edition_id: str) -> EditionStatus | None:
        record = self._ledger.edition(edition_id)
        return EditionStatus(record, self._ledger.totals(edition_id)) if record else None

    def latest(self) -> datetime | None:
        """Return the last moment at which the ledger learned anything of anybody."""
        (moment,) = self._database.one("SELECT max(updated_at) FROM delivery")
        return datetime.fromisoformat(moment) if moment else None

    def state_of(self, edition_id: str, key: str) -> str | None:
        """Return the state of one person, None if the edition never named them."""
        state = self._ledger.state_of(edition_id, key)
        return _AT_REST.get(state, state) if state else None

    def entry(self, edition_id: str, key: str) -> Entry | None:
        """Return one person's row, None if the edition never named them."""
        row = self._database.one(
            f"SELECT {_ENTRY} FROM delivery WHERE edition = ? AND key = ?",  # noqa: S608
            *(edition_id, key),
        )
        return _entry(row) if row else None

    def workers(self, edition_id: str) -> list[WorkerStatus]:
        """Return who sends, or has sent, an edition together, in the order in which they began."""
        workers = Workers(self._database, utc_now).all(edition_id)
        if not workers:
            return []
        sent: Counter[int] = Counter()
        in_hand: Counter[int] = Counter()
        for number, state, count in self._database.rows(
            "SELECT worker, state, count(*) FROM delivery WHERE edition = ?"
            " AND state IN ('sent', 'reserved', 'claimed') GROUP BY worker, state",
            edition_id,
        ):
            (sent if state == "sent" else in_hand)[number] += count
        return [
            WorkerStatus(worker, sent[worker.number], in_hand[worker.number]) for worker in workers
        ]

    def groups(self, edition_id: str) -> list[ReplyGroup]:
        """Group what the relay answered to those who did not get it, the most first."""
        counts: Counter[tuple[str, int | None, str, str]] = Counter()
        examples: dict[tuple[str, int | None, str, str], str] = {}
        for state, code, status, text, reason, count, address in self._database.rows(
            "SELECT state, code, status, text, reason, count(*), min(address) FROM delivery"
            " WHERE edition = ? AND state IN ('refused', 'deferred', 'expired')"
            " GROUP BY state, code, status, text, reason",
            edition_id,
        ):
            said = reason if code is None else without_names(text)
            group = (state, code, status, said)
            counts[group] += count
            examples.setdefault(group, address)
        return [ReplyGroup(*group, count, examples[group]) for group, count in counts.most_common()]

    def uncertain(self, edition_id: str) -> Iterator[Entry]:
        """Yield everybody of whom it is not known whether the relay has their message."""
        yield from map(
            _entry,
            self._database.rows(
                f"SELECT {_ENTRY} FROM delivery"  # noqa: S608
                " WHERE edition = ? AND state IN ('uncertain', 'claimed') ORDER BY rowid",
                edition_id,
            ),
        )

    def failures(self, edition_id: str) -> Iterator[Failure]:
        """Yield everybody whom the latest roll call named or who was tried, and who may lack it.

        Those still open whom the list no longer names are not among them: they left it.
        """
        for key, fields, *row in self._database.rows(
            f"SELECT delivery.key, fields, {_ENTRY} FROM delivery"  # noqa: S608
            " JOIN edition ON edition.id = delivery.edition WHERE edition.id = ?"
            " AND (state IN ('refused', 'uncertain', 'claimed', 'expired') OR"
            " state IN ('pending', 'deferred', 'reserved') AND delivery.roll = edition.roll)"
            " ORDER BY delivery.rowid",
            edition_id,
        ):
            yield Failure(key, _entry(row), json.loads(fields))

    def of(self, key: str) -> list[Issued]:
        """Return what became of each edition that ever named a person, the newest first."""
        found = self._database.rows(
            f"SELECT edition.id, subject, issue_date, {_ENTRY} FROM edition"  # noqa: S608
            f" JOIN delivery ON delivery.edition = edition.id AND delivery.key = ? {_NEWEST_FIRST}",
            key,
        )
        return [
            Issued(name, subject, date.fromisoformat(issued) if issued else None, _entry(row))
            for name, subject, issued, *row in found
        ]


def _entry(row: Any) -> Entry:
    address, line, state, code, status, text, reason, message_id, moment = row
    reply = Reply(code, status, text) if code is not None else None
    return Entry(address, line, _AT_REST.get(state, state), reply, reason, message_id, moment)


def without_names(text: str) -> str:
    """Take addresses and queue identifiers out of a reply, so that equal ones look equal."""
    return _IDENTIFIER.sub("…", _ADDRESS.sub("…", text))
