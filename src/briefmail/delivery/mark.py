"""How far the ledger had come, so that one which has forgotten something is not sent from.

Two numbers stand in the ledger and in a file beside it. *settled* is how many people, of all
editions, have ever been settled. *generation* counts how often the file was written, and
is the sharper one: it is written to the database right after a checkpoint, so that until the next
one it stands in the write-ahead log only. If the log is removed, the database falls back behind
the file, however few people were settled since.

On a server the numbers are those of all machines, and each folder has a file of its own: the
server's own log makes the ledger durable, and what is noticed is one put back from an older copy.

What is done with the numbers is in docs/ledger.md, with what they cannot see.
"""

from briefmail.errors import StoreError
from briefmail.store import Database, HighWater

EVERY = 2048
"""After so many outcomes the mark rises during a run; the disk is asked to wait each time."""


class LedgerMark:
    """The mark of one database. Whoever uses it holds the folder's lock."""

    def __init__(self, database: Database, file: HighWater) -> None:
        self._database = database
        self._file = file
        self._settled: int | None = None  # as last counted
        self._since = 0  # told of since then
        self._outcomes = 0  # since the last rise

    def check(self) -> None:
        """Raise :class:`StoreError` if the ledger knows less than it once did."""
        known = self._file.read()
        have = {"generation": self._generation(), "settled": self._count()}
        if all(have.get(name, 0) >= number for name, number in known.items()):
            return
        lost = known.get("settled", 0) - have["settled"]
        who = f" {lost} people whom it had settled are not in it." if lost > 0 else ""
        if self._database.shared:
            raise StoreError(
                f"{self._database.name} has less in it than this folder has seen.{who} It is"
                " another one, or was put back from an older copy",
                hint="if what is in .briefmail/store.sqlite3 belongs there, 'briefmail migrate-to'"
                " copies it; else put the latest copy of the database back. If there is none,"
                f" delete {self._file.path}, and nobody knows who has had which issue",
            )
        raise StoreError(
            f"{self._file.path.parent} has forgotten what it once knew.{who} store.sqlite3, or the"
            " -wal file beside it, was deleted, or put back from an older copy",
            hint="put the latest copy back, with its -wal file if there is one. If there is none,"
            f" delete {self._file.path}: an issue with a receipt in sent/ will still stop, but"
            " nobody then knows who has had which",
        )

    def begin(self) -> None:
        """Begin a run: from here on checkpoints are made only by :meth:`rise`.

        Whoever takes people out of being settled, because they were asked to, does it before.
        """
        self._database.hold_checkpoints()
        self._count()
        self.rise()

    def count(self, *, settled: bool) -> None:
        """Count an outcome of the run, and the person if ``settled``; now and then the mark rises.

        Who is deferred counts too: the write-ahead log grows with each outcome, and goes on to do
        so until the mark rises.
        """
        self._outcomes += 1
        self._since += settled
        if self._outcomes >= EVERY:
            self.rise()

    def rise(self) -> None:
        """Take the mark to where the ledger stands. Raises :class:`StoreError` if it cannot be.

        The rows are not counted again: it is where they stood, and those told of since.
        """
        self._settled = (self._count() if self._settled is None else self._settled) + self._since
        self._since = self._outcomes = 0
        self._database.checkpoint()
        self._database.execute("UPDATE mark SET generation = generation + 1")
        # The database first: a crash in between leaves it ahead of the file, which is no loss.
        self._file.write({"generation": self._generation(), "settled": self._settled})

    def _generation(self) -> int:
        return int(self._database.one("SELECT generation FROM mark")[0])

    def _count(self) -> int:
        # Who was settled and is taken up again still counts: the number never falls by itself.
        (self._settled,) = self._database.one(
            "SELECT (SELECT count(*) FROM delivery"
            " WHERE state IN ('sent', 'refused', 'uncertain', 'expired', 'by_hand'))"
            " + (SELECT coalesce(sum(reopened), 0) FROM edition)"
        )
        self._since = 0
        return self._settled
