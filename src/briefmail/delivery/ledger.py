"""Who got what: one durable row for each person of each edition.

A row moves only along these lines, each move is one conditional statement, and where that changes
no row the move did not happen and nothing may be sent:

========= ========= ============================================================ ================
from      to        when                                                         by
========= ========= ============================================================ ================
(none)    pending   a roll call names the person for the first time              ``enrol``
pending   reserved  a run takes the person in hand; nothing has been sent        ``next_batch``
deferred  reserved  a later run does                                             ``next_batch``
deferred  reserved  the run that deferred the person tries again, after a wait   ``take_due``
reserved  claimed   the relay waits for the message; durable before its dot      ``advance``
claimed   reserved  the run knows that no octet of the dot has left              ``advance``
reserved  deferred  4yz, or a fault of the connection, before the message        ``advance``
reserved  refused   5yz before the message                                       ``advance``
reserved  pending   untried after all (deferred, if it was that before)          ``recover``
claimed   sent      2yz to the dot                                               ``advance``
claimed   deferred  4yz to the dot, or a fault before any octet of it has left   ``advance``
claimed   refused   5yz to the dot                                               ``advance``
claimed   uncertain no reply to the dot                                          ``advance``
claimed   uncertain the run that claimed it is dead                              ``recover``
deferred  refused   its own run had to see first that others are accepted        ``advance``
uncertain pending   the editor asks that it be sent again (``--resend-uncertain``)    ``reopen``
refused   pending   the editor asks that it be tried again (``--retry-refused``)  ``reopen``
pending   by_hand   the editor says that it went out by other means (``settle``) ``settle_by_hand``
deferred  by_hand   the same                                                     ``settle_by_hand``
pending   expired   the edition has been open for too long                       ``expire_open``
deferred  expired   the same                                                     ``expire_open``
expired   pending   the editor asks for it nevertheless (``--force given-up``)   ``reopen``
========= ========= ============================================================ ================

*sent*, *refused*, *uncertain*, *expired* and *by_hand* are settled: a run takes nobody out of them,
and only ``reopen`` takes people out of three of them, those whom it is given. *by_hand* is a state
of its own because *sent* means that a relay answered 250.

**Roll calls.** Each pass over the list is one: it has a number, and marks every row that the list
names. A run takes only people whom the latest roll call named. So whoever was suppressed, opted
out or was taken off the list since the last run is not sent to, although an open row is there;
such rows are counted as *withdrawn*. They keep their state, and are open again if a later roll
call names the person. Name and fields of an open row are those of the latest roll call. Whoever is
suppressed while a run is at work is withdrawn at once (``withdraw``).

An edition closes when the latest roll call left nobody open. Names and fields are personal data
and needed no longer, so they go then; addresses stay, because they say who has had it.

**Workers.** Where several machines send an edition together, a row that is in hand, or waits for
another try, is in the name of one of them (:mod:`briefmail.delivery.workers`), and every move but
a roll call asks for that name: whoever was taken for dead can move nobody any more.

What survives: whatever a method has done when it returns (SQLite in WAL mode, synchronous=FULL; or
PostgreSQL with ``synchronous_commit`` and its own ``fsync``).
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Literal

from briefmail.audience import Recipient
from briefmail.delivery.outcome import Delivery, State
from briefmail.delivery.reply import Reply
from briefmail.delivery.workers import ALONE, Worker, Workers
from briefmail.errors import StoreError
from briefmail.store import Database

_OPEN = "delivery.state IN ('pending', 'deferred')"
_NAME = f"""
    INSERT INTO delivery (edition, key, address, name, fields, line, roll, updated_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (edition, key) DO UPDATE SET
        roll = excluded.roll,
        address = CASE WHEN {_OPEN} THEN excluded.address ELSE delivery.address END,
        name = CASE WHEN {_OPEN} THEN excluded.name ELSE delivery.name END,
        fields = CASE WHEN {_OPEN} THEN excluded.fields ELSE delivery.fields END,
        line = CASE WHEN {_OPEN} THEN excluded.line ELSE delivery.line END
"""  # noqa: S608
# The rows are chosen first, once and for all: what is locked by another run is passed over.
_RESERVE = """
    WITH chosen AS MATERIALIZED (
        SELECT key FROM delivery
        WHERE edition = ? AND state = ? AND state IN ('pending', 'deferred')
            AND roll = (SELECT roll FROM edition WHERE id = ?)
            AND tried < (SELECT roll FROM edition WHERE id = ?)
        ORDER BY tried, rowid LIMIT ? {skip_locked})
    UPDATE delivery SET state = 'reserved', worker = ?, due = NULL, updated_at = ?
    WHERE edition = ? AND key IN (SELECT key FROM chosen) AND state = ?
    RETURNING tried, rowid, address, key, name, fields, line
"""
_TAKE_DUE = """
    WITH chosen AS MATERIALIZED (
        SELECT key FROM delivery
        WHERE edition = ? AND state = 'deferred' AND worker = ?
            AND tried = (SELECT roll FROM edition WHERE id = ?) AND roll = tried AND due <= ?
        ORDER BY due LIMIT ?)
    UPDATE delivery SET state = 'reserved', due = NULL, updated_at = ?
    WHERE edition = ? AND key IN (SELECT key FROM chosen) AND state = 'deferred'
    RETURNING waits_since, rowid, address, key, name, fields, line
"""
_NEXT_DUE = """
    SELECT min(due) FROM delivery
    WHERE edition = ? AND state = 'deferred' AND due IS NOT NULL AND worker = ?
        AND tried = (SELECT roll FROM edition WHERE id = ?) AND roll = tried
"""
_WAIT = """
    UPDATE delivery SET waits_since = ?, due = ?
    WHERE edition = ? AND key = ? AND worker = ? AND state = 'deferred'
"""
_CLAIM = """
    UPDATE delivery SET state = 'claimed', message_id = ?, updated_at = ?
    WHERE edition = ? AND key = ? AND worker = ? AND state = 'reserved'
"""
_UNCLAIM = """
    UPDATE delivery SET state = 'reserved', updated_at = ?
    WHERE edition = ? AND key = ? AND worker = ? AND state = 'claimed'
"""
_RECORD = """
    UPDATE delivery SET state = '{state}', code = ?, status = ?, text = ?, reason = ?,
        updated_at = ?, tried = ?
    WHERE edition = ? AND key = ? AND worker = ? AND state IN ({before})
"""
_REOPEN = """
    UPDATE delivery SET state = 'pending', code = NULL, status = '', text = '', reason = '',
        updated_at = ?
    WHERE edition = ? AND key = ? AND state = ?
"""
_COMES_FROM: dict[State, str] = {
    "sent": "'claimed'",
    "deferred": "'reserved', 'claimed'",
    "refused": "'reserved', 'claimed', 'deferred'",
    "uncertain": "'claimed'",
}
_RECORDS = {
    state: _RECORD.format(state=state, before=before) for state, before in _COMES_FROM.items()
}

Reopened = Literal["refused", "uncertain", "expired"]
"""Settled states that the editor may ask to be taken up again."""


def utc_now() -> datetime:
    """Return the present moment, with its time zone."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Try:
    """Another try for somebody who was deferred, in the same run and on its clock.

    ``since`` is the moment of the first try that was deferred, ``due`` that of the next.
    """

    key: str
    since: float
    due: float


@dataclass(frozen=True, slots=True)
class EditionRecord:
    """What the ledger knows of an edition. Moments are UTC in ISO 8601."""

    id: str
    subject: str
    issue_date: date | None
    fingerprint: str
    opened_at: str
    closed_at: str | None


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What a roll call found.

    The list named open + sent + refused + uncertain + expired + by_hand people.

    ``open`` are those whom the run may try, ``new`` among them those never seen before, and
    ``withdrawn`` those who are still open from earlier runs and whom the list no longer names.
    """

    new: int
    open: int
    sent: int
    refused: int
    uncertain: int
    withdrawn: int
    by_hand: int = 0
    expired: int = 0


@dataclass(frozen=True, slots=True)
class Totals:
    """Where an edition stands. The parts add up to ``audience``: everybody ever enrolled.

    ``pending`` and ``deferred`` are people whom the latest roll call named, ``withdrawn`` those
    whom it did not. While a run is at work, people in hand count as what they would become if it
    died now.
    """

    sent: int = 0
    refused: int = 0
    deferred: int = 0
    uncertain: int = 0
    pending: int = 0
    withdrawn: int = 0
    by_hand: int = 0
    expired: int = 0

    @property
    def audience(self) -> int:
        """The number of people."""
        settled = self.sent + self.refused + self.uncertain + self.by_hand + self.expired
        return settled + self.deferred + self.pending + self.withdrawn


@dataclass(frozen=True, slots=True)
class Entry:
    """One row, for naming people. ``reply`` is None if none decided."""

    address: str
    line: int
    state: str
    reply: Reply | None
    reason: str
    message_id: str
    updated_at: str


class Ledger:
    """The ledger in an open database.

    Where that is a file one run at a time may use it; the folder's lock sees to that. On a server
    several may, each once it is a worker (:meth:`enlist`).

    Every method raises :class:`StoreError` if the database fails; what it was to change is then
    unchanged.
    """

    def __init__(self, database: Database, clock: Callable[[], datetime] = utc_now) -> None:
        self.worker = ALONE
        """The worker in whose name rows are taken in hand."""
        self._database = database
        self._clock = clock
        self._workers = Workers(database, clock)
        self._reserve = _RESERVE.format(skip_locked=database.skip_locked)

    # --- editions ---------------------------------------------------------------------------------

    def open_edition(
        self, edition_id: str, *, subject: str, issue_date: date | None, fingerprint: str
    ) -> EditionRecord:
        """Return the record of an edition, writing it if there is none yet.

        An existing record is returned as it is: whoever calls holds it against the issue.
        """
        issued = issue_date.isoformat() if issue_date else None
        now = self._now()
        self._database.execute(
            "INSERT INTO edition (id, subject, issue_date, fingerprint, opened_at, open_since)"
            " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
            *(edition_id, subject, issued, fingerprint, now, now),
        )
        record = self.edition(edition_id)
        assert record is not None
        return record

    def edition(self, edition_id: str) -> EditionRecord | None:
        """Return the record of an edition, or None if it was never opened."""
        row = self._database.one(
            "SELECT subject, issue_date, fingerprint, opened_at, closed_at"
            " FROM edition WHERE id = ?",
            edition_id,
        )
        if row is None:
            return None
        subject, issued, fingerprint, opened_at, closed_at = row
        issue_date = date.fromisoformat(issued) if issued else None
        return EditionRecord(edition_id, subject, issue_date, fingerprint, opened_at, closed_at)

    def open_since(self, edition_id: str) -> datetime | None:
        """Return when an edition was opened last, None if it is closed or never was."""
        row = self._database.one(
            "SELECT open_since FROM edition WHERE id = ? AND closed_at IS NULL", edition_id
        )
        return datetime.fromisoformat(row[0]) if row else None

    def close_if_settled(self, edition_id: str) -> bool:
        """Close the edition if nobody is open, and forget names and fields. True if it is closed.

        Withdrawn people do not keep it open. A later roll call that finds somebody opens it again.
        """
        with self._database.transaction():
            # A roll call changes this row, too: so none is going on from here to the end.
            self._database.execute("UPDATE edition SET roll = roll WHERE id = ?", edition_id)
            totals = self.totals(edition_id)
            if totals.pending or totals.deferred:
                return False
            self._close(edition_id)
        return True

    def expire_open(self, edition_id: str) -> int:
        """Give up on everybody whom the latest roll call left open, and close the edition.

        Returns how many there were. What the relay said to them last is kept.
        """
        with self._database.transaction():
            count = self._database.execute(
                "UPDATE delivery SET state = 'expired', updated_at = ?,"
                " reason = coalesce(nullif(reason, ''), 'given up before it was tried')"
                " WHERE edition = ? AND state IN ('pending', 'deferred')"
                " AND roll = (SELECT roll FROM edition WHERE id = delivery.edition)",
                *(self._now(), edition_id),
            )
            self._close(edition_id)
        return count

    def _close(self, edition_id: str) -> None:
        self._database.execute(
            "UPDATE edition SET closed_at = ? WHERE id = ? AND closed_at IS NULL",
            *(self._now(), edition_id),
        )
        self._database.execute(
            "UPDATE delivery SET name = '', fields = '{}' WHERE edition = ?", edition_id
        )

    # --- a run ------------------------------------------------------------------------------------

    def enrol(self, edition_id: str, recipients: Iterable[Recipient]) -> Enrolled:
        """Call the roll of an open edition: the beginning of every run, durable as one.

        ``recipients`` is the present list after suppression; it is streamed. If it raises, nothing
        has changed. Settles first what a dead run has left (see :meth:`recover`).
        """
        now = self._now()
        with self._database.transaction():
            self._recover(edition_id)
            self._database.execute("UPDATE edition SET roll = roll + 1 WHERE id = ?", edition_id)
            roll, before = self._database.one(
                "SELECT roll, (SELECT count(*) FROM delivery WHERE edition = id)"
                " FROM edition WHERE id = ?",
                edition_id,
            )
            self._database.insert(
                _NAME,
                (
                    (edition_id, r.key, r.address, r.name, _json(r), r.line, roll, now)
                    for r in recipients
                ),
            )
            enrolled = self._enrolled(edition_id, roll, before)
            if enrolled.open:
                self._database.execute(
                    "UPDATE edition SET open_since = ?, closed_at = NULL"
                    " WHERE id = ? AND closed_at IS NOT NULL",
                    *(now, edition_id),
                )
        return enrolled

    def _enrolled(self, edition_id: str, roll: int, before: int) -> Enrolled:
        named: Counter[str] = Counter()
        total = withdrawn = 0
        for state, row_roll, count in self._counts(edition_id):
            total += count
            if row_roll == roll:
                named[state] += count
            elif state in {"pending", "deferred"}:
                withdrawn += count
        return Enrolled(
            new=total - before,
            open=named["pending"] + named["deferred"],
            sent=named["sent"],
            refused=named["refused"],
            uncertain=named["uncertain"],
            withdrawn=withdrawn,
            by_hand=named["by_hand"],
            expired=named["expired"],
        )

    def next_batch(self, edition_id: str, size: int) -> list[Recipient]:
        """Reserve at most ``size`` open people of the latest roll call and return them.

        Those never tried come first, in the order of the list, then those deferred by earlier
        runs, the least recently tried first. An empty list means that nobody is left to try.
        """
        rows: list[Any] = []
        with self._database.transaction():
            for state in ("pending", "deferred"):
                chosen = (edition_id, state, edition_id, edition_id, size - len(rows))
                values = (*chosen, self.worker, self._now(), edition_id, state)
                rows += sorted(self._database.rows(self._reserve, *values))
        return [
            Recipient(address, key, name, json.loads(fields), line)
            for _, _, address, key, name, fields, line in rows
        ]

    def take_due(self, edition_id: str, now: float, size: int) -> list[tuple[Recipient, float]]:
        """Reserve at most ``size`` of those whose next :class:`Try` is due, the earliest first.

        Each is returned with the moment since which it has been deferred.
        """
        with self._database.transaction():
            chosen = (edition_id, self.worker, edition_id, now, size)
            rows = [*self._database.rows(_TAKE_DUE, *chosen, self._now(), edition_id)]
        return [
            (Recipient(address, key, name, json.loads(fields), line), since)
            for since, _, address, key, name, fields, line in sorted(rows)
        ]

    def next_due(self, edition_id: str) -> float | None:
        """Return when the next :class:`Try` is due, None if nobody waits for one."""
        due: float | None = self._database.one(_NEXT_DUE, edition_id, self.worker, edition_id)[0]
        return due

    def advance(
        self,
        edition_id: str,
        results: Sequence[tuple[str, Delivery]] = (),
        claims: Sequence[tuple[str, str]] = (),
        unclaims: Sequence[str] = (),
        tries: Sequence[Try] = (),
    ) -> set[str]:
        """Write down all that one turn of a run has brought, durably and as one.

        ``results`` are outcomes by key, in their order; ``claims`` are the keys of people for whom
        the relay waits, each with its Message-ID; ``unclaims`` are keys of people whose claim was
        not used; ``tries`` are those to come for people whom ``results`` defer. Returns the keys
        that are claimed now: for nobody else may a dot be sent.

        Raises :class:`StoreError`, and nothing is changed, if the row of a result is not where it
        can have that outcome: then somebody else is at work on the same ledger, and the run must
        stop.
        """
        now = self._now()
        with self._database.transaction():
            done = self._database.changes(
                [
                    *((_UNCLAIM, (now, edition_id, key, self.worker)) for key in unclaims),
                    *self._records(edition_id, results, now),
                    *(
                        (_WAIT, (each.since, each.due, edition_id, each.key, self.worker))
                        for each in tries
                    ),
                ]
            )
            if not all(done):
                raise StoreError(
                    f"the ledger of {edition_id} was changed by somebody else during the run",
                    hint="let only one briefmail at a time use this folder",
                )
            claimed = self._database.changes(
                (_CLAIM, (message_id, now, edition_id, key, self.worker))
                for key, message_id in claims
            )
        return {key for (key, _), count in zip(claims, claimed, strict=True) if count}

    def _records(
        self, edition_id: str, results: Sequence[tuple[str, Delivery]], now: str
    ) -> Iterator[tuple[str, Sequence[Any]]]:
        if not results:
            return
        (roll,) = self._database.one("SELECT roll FROM edition WHERE id = ?", edition_id)
        for key, delivery in results:
            reply = delivery.reply
            parts = (reply.code, reply.status, reply.text) if reply else (None, "", "")
            values = (*parts, delivery.reason, now, roll, edition_id, key, self.worker)
            yield _RECORDS[delivery.state], values

    def recover(self, edition_id: str) -> int:
        """Settle what is in nobody's hand: at the end of a run, or when the run is known dead.

        People who are claimed become uncertain, and those reserved are given back. Returns the
        number of the former. A worker is none any more after that, and what other workers who are
        dead had in hand is settled, too.
        """
        with self._database.transaction():
            return self._recover(edition_id)

    def recover_lost(self, edition_id: str) -> bool:
        """Settle what other workers had in hand who are dead; False if there are none."""
        with self._database.transaction():
            return self._recover_lost(edition_id) is not None

    def _recover(self, edition_id: str) -> int:
        number, self.worker = self.worker, ALONE
        ended = number == ALONE or self._workers.end(number)
        uncertain = self._settle(edition_id, number) if ended else 0
        return uncertain + (self._recover_lost(edition_id) or 0)

    def _recover_lost(self, edition_id: str) -> int | None:
        lost = [each.number for each in self._workers.lost(edition_id)]
        found = [self._settle(edition_id, number) for number in lost if self._workers.end(number)]
        return sum(found) if found else None

    def _settle(self, edition_id: str, worker: int) -> int:
        """Settle whom a worker has in hand."""
        reason = "the run ended between the end of the message and the reply; the relay may have it"
        now = self._now()
        # A row that has been tried before has a reason; it goes back to being deferred.
        self._database.execute(
            "UPDATE delivery SET state = CASE WHEN reason = '' THEN 'pending' ELSE 'deferred' END,"
            " updated_at = ? WHERE edition = ? AND state = 'reserved' AND worker = ?",
            *(now, edition_id, worker),
        )
        return self._database.execute(
            "UPDATE delivery SET state = 'uncertain', reason = ?, code = NULL, status = '',"
            " text = '', updated_at = ? WHERE edition = ? AND state = 'claimed' AND worker = ?",
            *(reason, now, edition_id, worker),
        )

    # --- several machines -------------------------------------------------------------------------

    @property
    def is_shared(self) -> bool:
        """Whether other machines may be at work in the ledger at the same time."""
        return self._database.shared

    def at_work(self, edition_id: str) -> list[Worker]:
        """Return who else is sending an edition at this moment."""
        return [each for each in self._workers.at_work(edition_id) if each.number != self.worker]

    def enlist(self, edition_id: str, name: str, whom: str, length: float) -> None:
        """Become a worker, on a lease of ``length`` seconds, until :meth:`recover`."""
        self.worker = self._workers.enlist(edition_id, name, whom, length)

    def exclusively(self, edition_id: str) -> AbstractContextManager[None]:
        """Let one machine at a time begin, end or settle an edition; the others wait."""
        return self._database.exclusively(edition_id)

    # --- reading ----------------------------------------------------------------------------------

    def totals(self, edition_id: str) -> Totals:
        """Return where an edition stands; all zero if it was never opened."""
        latest = self._database.one("SELECT roll FROM edition WHERE id = ?", edition_id)
        counts: Counter[str] = Counter()
        for state, roll, count in self._counts(edition_id):
            if state in {"pending", "deferred"} and roll != latest[0]:
                counts["withdrawn"] += count
            else:
                counts[{"reserved": "pending", "claimed": "uncertain"}.get(state, state)] += count
        return Totals(**counts)

    def entries(self, edition_id: str, state: str) -> Iterator[Entry]:
        """Yield the people of one state in the order of their enrolment, to name them."""
        for address, line, code, status, text, reason, message_id, moment in self._database.rows(
            "SELECT address, line, code, status, text, reason, message_id, updated_at"
            " FROM delivery WHERE edition = ? AND state = ? ORDER BY rowid",
            *(edition_id, state),
        ):
            reply = Reply(code, status, text) if code is not None else None
            yield Entry(address, line, state, reply, reason, message_id, moment)

    def handed_over(self, since: datetime, at_most: int) -> list[datetime]:
        """Return when messages of any edition may have gone out after ``since``, in order.

        That are all who are sent, claimed or uncertain, each at the moment that the ledger last
        learned something of them, so never too early. Of more than ``at_most`` the latest ones.
        """
        rows = self._database.rows(
            "SELECT updated_at FROM delivery WHERE state IN ('sent', 'claimed', 'uncertain')"
            " AND updated_at > ? ORDER BY updated_at DESC LIMIT ?",
            *(_stamp(since), at_most),
        )
        return sorted(datetime.fromisoformat(moment) for (moment,) in rows)

    def state_of(self, edition_id: str, key: str) -> str | None:
        """Return the state of one person, or None if the edition never named them."""
        row = self._database.one(
            "SELECT state FROM delivery WHERE edition = ? AND key = ?", edition_id, key
        )
        return str(row[0]) if row else None

    def _counts(self, edition_id: str) -> Iterator[tuple[str, int, int]]:
        return self._database.rows(
            "SELECT state, roll, count(*) FROM delivery WHERE edition = ? GROUP BY state, roll",
            edition_id,
        )

    def _now(self) -> str:
        return _stamp(self._clock())

    # --- what the editor decides ------------------------------------------------------------------

    def reopen(self, edition_id: str, state: Reopened, keys: Iterable[str]) -> int:
        """Let people who are refused, uncertain or expired be sent to again; durable as one.

        To be called before the roll call of the run that is to take them, which gives them their
        names and fields back. ``keys`` is streamed; whoever of them is not in ``state`` stays
        where they are. Returns how many were reopened. What the relay said is forgotten.
        """
        now = self._now()
        with self._database.transaction():
            count = self._database.insert(_REOPEN, ((now, edition_id, key, state) for key in keys))
            self._database.execute(
                "UPDATE edition SET reopened = reopened + ? WHERE id = ?", *(count, edition_id)
            )
        return count

    def withdraw(self, key: str) -> None:
        """Let a person no longer be named by any latest roll call: they are never to be mailed.

        May be called while a run is at work, which then does not take them in hand, nor again if
        they wait for another try. Whom it has in hand already is not taken out of it.
        """
        self._database.execute(
            "UPDATE delivery SET roll = 0 WHERE edition IN (SELECT id FROM edition)"
            " AND key = ? AND state IN ('pending', 'deferred')",
            key,
        )

    def settle_by_hand(self, edition_id: str) -> int:
        """Settle everybody whom the latest roll call left open: the issue reached them otherwise.

        Returns how many there were.
        """
        return self._database.execute(
            "UPDATE delivery SET state = 'by_hand', reason = 'settled by hand', code = NULL,"
            " status = '', text = '', updated_at = ?"
            " WHERE edition = ? AND state IN ('pending', 'deferred')"
            " AND roll = (SELECT roll FROM edition WHERE id = delivery.edition)",
            *(self._now(), edition_id),
        )

    def editor_has_copy(self, edition_id: str) -> bool:
        """Whether :meth:`note_copy` was called for the edition."""
        row = self._database.one("SELECT copied_at FROM edition WHERE id = ?", edition_id)
        return bool(row and row[0])

    def note_copy(self, edition_id: str) -> None:
        """Remember that the editor's copy of an edition was handed over: it goes once."""
        self._database.execute(
            "UPDATE edition SET copied_at = ? WHERE id = ?", *(self._now(), edition_id)
        )


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")


def _json(recipient: Recipient) -> str:
    return json.dumps(dict(recipient.fields), ensure_ascii=False)
