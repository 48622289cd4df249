"""Workers: the runs that send one edition together, each from a machine of its own.

A worker stands in the ledger's database from when it begins until it ends. It is dead if it has
not ended and its session with the server has, as after ``kill -9``, or if its lease has lapsed, as
on a machine that was cut off. Whoever notices that ends it, which happens once, and settles whom it
had in hand.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from briefmail.store import Database

ALONE = 0
"""The worker of a run that has the ledger to itself."""


@dataclass(frozen=True, slots=True)
class Worker:
    """One worker, by its ``number``. ``name`` says which machine and folder it is.

    ``whom`` is for whom its send is, as the editor put it. ``state`` is ``at work``, ``ended`` or
    ``lost``: dead, and nobody has noticed yet.
    """

    number: int
    name: str
    whom: str
    began_at: str
    state: str


class Workers:
    """The workers in an open database. Where it is a file there are none: a run is alone."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    def enlist(self, edition_id: str, name: str, whom: str, length: float) -> int:
        """Begin to be a worker on an edition, on a lease of ``length`` seconds; its number."""
        until = self._database.server_time() + length
        (number,) = self._database.one(
            "INSERT INTO worker (edition, name, whom, began_at, lease_until, session)"
            " VALUES (?, ?, ?, ?, ?, ?) RETURNING rowid",
            *(edition_id, name, whom, self._now(), until, self._database.session()),
        )
        return int(number)

    def renew(self, number: int, length: float) -> bool:
        """Let the lease of a worker last ``length`` seconds from now; False if it was ended."""
        until = self._database.server_time() + length
        sql = "UPDATE worker SET lease_until = ? WHERE rowid = ? AND ended_at IS NULL"
        return self._database.execute(sql, until, number) == 1

    def end(self, number: int) -> bool:
        """End a worker; False if that has been done: then whom it had in hand is settled, too."""
        sql = "UPDATE worker SET ended_at = ? WHERE rowid = ? AND ended_at IS NULL"
        return self._database.execute(sql, self._now(), number) == 1

    def all(self, edition_id: str) -> list[Worker]:
        """Return everybody who ever worked on an edition, in the order in which they began."""
        if not self._database.shared:
            return []
        found = list(
            self._database.rows(
                "SELECT rowid, name, whom, began_at, ended_at, lease_until, session FROM worker"
                " WHERE edition = ? ORDER BY rowid",
                edition_id,
            )
        )
        # In this order: who began in between must not look as if their session had ended.
        now, sessions = self._database.server_time(), self._database.sessions()
        workers = []
        for number, name, whom, began_at, ended_at, until, session in found:
            alive = until > now and session in sessions
            state = "ended" if ended_at else "at work" if alive else "lost"
            workers.append(Worker(number, name, whom, began_at, state))
        return workers

    def at_work(self, edition_id: str) -> list[Worker]:
        """Return those who are at work on an edition."""
        return [worker for worker in self.all(edition_id) if worker.state == "at work"]

    def lost(self, edition_id: str) -> list[Worker]:
        """Return those who are dead, and whom nobody has ended yet."""
        return [worker for worker in self.all(edition_id) if worker.state == "lost"]

    def _now(self) -> str:
        return self._clock().astimezone(UTC).isoformat(timespec="milliseconds")
