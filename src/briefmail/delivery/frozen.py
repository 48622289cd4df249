"""What went out under an edition's name: kept from its first real send on.

Each version that was sent from is kept, with its rendered source, so that a changed issue can be
held against it; the ledger's record of the edition has the fingerprint of the latest.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime

from briefmail.delivery.ledger import utc_now
from briefmail.store import Database


@dataclass(frozen=True, slots=True)
class Frozen:
    """One version of an edition, as it was when a send began.

    ``subject``, ``html`` and ``text`` have merge tags as the editor wrote them. ``relay`` is the
    host it went to. ``audience`` is how many people the whole default list had then, None if
    another list or a part of it was sent to.
    """

    edition: str
    fingerprint: str
    relay: str
    subject: str
    html: str
    text: str
    audience: int | None = None


@dataclass(frozen=True, slots=True)
class Past:
    """An issue that went out, or may have: its name, date and the fingerprint of each version."""

    name: str
    issue_date: date | None
    fingerprints: frozenset[str]


class FrozenEditions:
    """The versions that an open database keeps. :class:`StoreError` if the database fails."""

    def __init__(self, database: Database, clock: Callable[[], datetime] = utc_now) -> None:
        self._database = database
        self._clock = clock

    def keep(self, frozen: Frozen, issue_date: date | None, *, corrects: str | None = None) -> None:
        """Write down what is about to be sent; the edition has been opened before.

        A version that is there already keeps its moment and gets the present relay and audience.
        ``corrects`` is the issue whose readers alone it is for. An edition that was begun for
        everybody stays that, and one that was not can become it.
        """
        now = self._clock().astimezone(UTC).isoformat(timespec="milliseconds")
        with self._database.transaction():
            self._database.execute(
                "UPDATE edition SET corrects = ? WHERE id = ? AND (corrects IS NOT NULL OR"
                " NOT EXISTS (SELECT 1 FROM frozen WHERE frozen.edition = edition.id))",
                *(corrects, frozen.edition),
            )
            self._database.execute(
                "INSERT INTO frozen VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (edition, fingerprint) DO UPDATE SET relay = excluded.relay,"
                " audience = coalesce(excluded.audience, frozen.audience),"
                " sent_at = excluded.sent_at",
                *(frozen.edition, frozen.fingerprint, frozen.relay, frozen.subject, frozen.html),
                *(frozen.text, frozen.audience, now),
            )
            self._database.execute(
                "UPDATE edition SET fingerprint = ?, subject = ?, issue_date = ? WHERE id = ?",
                *(frozen.fingerprint, frozen.subject),
                *(issue_date.isoformat() if issue_date else None, frozen.edition),
            )

    def latest(self, edition: str) -> Frozen | None:
        """Return the version that was sent from last, None if the edition was never sent."""
        row = self._database.one(
            "SELECT edition, frozen.fingerprint, relay, frozen.subject, html, text, audience"
            " FROM frozen JOIN edition ON (edition.id, edition.fingerprint)"
            " = (frozen.edition, frozen.fingerprint) WHERE edition.id = ?",
            edition,
        )
        return Frozen(*row) if row else None

    def corrects(self, edition: str) -> str | None:
        """Return the issue whose readers alone an edition was begun for, None if for everybody."""
        row = self._database.one("SELECT corrects FROM edition WHERE id = ?", edition)
        return row[0] if row else None

    def last_audience(self) -> int | None:
        """Return how many people the default list had when it was last sent to as a whole."""
        row = self._database.one(
            "SELECT audience FROM frozen WHERE audience IS NOT NULL"
            " ORDER BY sent_at DESC, rowid DESC LIMIT 1"
        )
        return int(row[0]) if row else None

    def others(self, edition: str) -> tuple[Past, ...]:
        """Return every other edition that somebody has had, or may have."""
        found: dict[str, Past] = {}
        for name, day, latest, earlier in self._database.rows(
            "SELECT id, issue_date, edition.fingerprint, frozen.fingerprint"
            " FROM edition LEFT JOIN frozen ON frozen.edition = id"
            " WHERE id != ? AND EXISTS (SELECT 1 FROM delivery"
            " WHERE delivery.edition = id AND state IN ('sent', 'uncertain', 'claimed', 'by_hand'))"
            " ORDER BY opened_at",
            edition,
        ):
            before = found[name].fingerprints if name in found else frozenset[str]()
            prints = before | {latest} | ({earlier} if earlier else set())
            found[name] = Past(name, date.fromisoformat(day) if day else None, prints)
        return tuple(found.values())
