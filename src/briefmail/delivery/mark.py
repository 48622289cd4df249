"""How far the ledger had come, so that one which has forgotten something is not sent from.

Two numbers stand in the ledger and in a file beside it. *settled* is how many people, of all
editions, are sent, refused or uncertain. *generation* counts how often the file was written, and
is the sharper one: it is written to the database right after a checkpoint, so that until the next
one it stands in the write-ahead log only. If the log is removed, the database falls back behind
the file, however few people were settled since.

What is done with the numbers is in docs/ledger.md, with what they cannot see.
"""

from briefmail.errors import StoreError
from briefmail.store import Database, HighWater

EVERY = 4096
"""After so many settled people the mark rises during a run; the disk is asked to wait each time."""


class LedgerMark:
    """The mark of one database. Whoever uses it holds the folder's lock."""

    def __init__(self, database: Database, file: HighWater) -> None:
        self._database = database
        self._file = file
        self._settled = self._since = 0

    def check(self) -> None:
        """Raise :class:`StoreError` if the ledger knows less than it once did."""
        known = self._file.read()
        have = self._numbers()
        if all(have.get(name, 0) >= number for name, number in known.items()):
            return
        lost = known.get("settled", 0) - have["settled"]
        who = f" ({lost} people who are settled are missing)" if lost > 0 else ""
        raise StoreError(
            f"{self._database.path} has forgotten what it once knew{who}: it, or its -wal file,"
            " was deleted, or put back from an older copy",
            hint="put the latest copy back, with the -wal file if there is one. If there is none,"
            f" delete {self._file.path}: issues with a receipt in sent/ still stop, and whoever"
            " had another one would get it again",
        )

    def begin(self) -> None:
        """Begin a run: from here on checkpoints are made only by :meth:`rise`."""
        self._database.one("PRAGMA wal_autocheckpoint = 0")
        self.rise()

    def count(self, settled: int) -> None:
        """Count people settled in the run; every few thousand the mark rises."""
        self._since += settled
        if self._since >= EVERY:
            self._rise_to(self._settled + self._since)

    def rise(self) -> None:
        """Take the mark to where the ledger stands. Raises :class:`StoreError` if it cannot be."""
        self._rise_to(self._numbers()["settled"])

    def _rise_to(self, settled: int) -> None:
        self._settled, self._since = settled, 0
        # Passive: it waits for nobody. What a reader holds back is done the next time.
        self._database.one("PRAGMA wal_checkpoint(PASSIVE)")
        self._database.execute("UPDATE mark SET generation = generation + 1")
        # The database first: a crash in between leaves it ahead of the file, which is no loss.
        (generation,) = self._database.one("SELECT generation FROM mark")
        self._file.write({"generation": generation, "settled": settled})

    def _numbers(self) -> dict[str, int]:
        (generation,) = self._database.one("SELECT generation FROM mark")
        (settled,) = self._database.one(
            "SELECT count(*) FROM delivery WHERE state IN ('sent', 'refused', 'uncertain')"
        )
        return {"generation": generation, "settled": settled}
