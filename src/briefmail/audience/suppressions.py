"""Suppressions: who is never written to again, whatever a list says, with reason and date.

This is how an editor honours "please take me off". An entry stays until it is removed.
"""

from collections.abc import Container, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from briefmail.audience.address import Address
from briefmail.store import Database, Migrations

MIGRATIONS: Migrations = (
    """
    CREATE TABLE suppressions (
        key TEXT PRIMARY KEY,
        address TEXT NOT NULL,
        reason TEXT NOT NULL,
        at TEXT NOT NULL
    ) STRICT
    """,
)

IN_MEMORY = 100_000
"""So many keys are some 15 MB."""


@dataclass(frozen=True, slots=True)
class Suppression:
    """One entry: ``key`` is the ledger's, ``at`` is in UTC, ``reason`` may be ""."""

    address: str
    key: str
    reason: str
    at: datetime


class Suppressions:
    """The suppressions kept in ``database``; ``key in suppressions`` asks for one.

    The database has to be opened with this room's :data:`MIGRATIONS`.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, address: Address, reason: str, at: datetime) -> bool:
        """Suppress ``address``, durably. False if it was already: the first entry stays."""
        with self._database.transaction():
            added = self._database.execute(
                "INSERT INTO suppressions (key, address, reason, at) VALUES (?, ?, ?, ?)"
                " ON CONFLICT (key) DO NOTHING",
                address.key,
                address.address,
                reason,
                at.astimezone(UTC).isoformat(timespec="seconds"),
            )
        return added == 1

    def remove(self, address: Address) -> bool:
        """Take ``address`` off again; False if it was not suppressed."""
        with self._database.transaction():
            removed = self._database.execute("DELETE FROM suppressions WHERE key = ?", address.key)
        return removed == 1

    def at_hand(self) -> Container[str]:
        """Return something that can be asked about everybody on a list, at no cost for each.

        It is of this moment, and in memory, unless there are more than :data:`IN_MEMORY`.
        """
        rows = self._database.rows("SELECT key FROM suppressions LIMIT ?", IN_MEMORY + 1)
        found = frozenset(key for (key,) in rows)
        return found if len(found) <= IN_MEMORY else self

    def __contains__(self, key: object) -> bool:
        return self._database.one("SELECT 1 FROM suppressions WHERE key = ?", key) is not None

    def find(self, key: str) -> Suppression | None:
        """Return the entry of one ledger key, None if it is not suppressed."""
        row = self._database.one(
            "SELECT address, key, reason, at FROM suppressions WHERE key = ?", key
        )
        if row is None:
            return None
        address, key, reason, at = row
        return Suppression(address, key, reason, datetime.fromisoformat(at))

    def entries(self) -> Iterator[Suppression]:
        """Yield all entries, the oldest first."""
        for address, key, reason, at in self._database.rows(
            "SELECT address, key, reason, at FROM suppressions ORDER BY at, key"
        ):
            yield Suppression(address, key, reason, datetime.fromisoformat(at))
