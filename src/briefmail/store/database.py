"""What the rooms see of the program's memory, wherever it lives.

It is a file (:mod:`briefmail.store.sqlite`) or, when several machines share it, a PostgreSQL server
(:mod:`briefmail.store.postgresql`). The rooms write their SQL once, in what both understand; the
few differences have a name here. SQL has ``?`` where a value goes, and no ``?`` or ``%`` beside.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Self

from briefmail.errors import StoreError

Migrations = Sequence[str]
"""SQL scripts, oldest first. A script that has been released is never changed, only followed.

They are written as SQLite has them (https://www.sqlite.org/stricttables.html), and every table has
a ``rowid``, a number that grows with each new row.
"""

_ROOMS = "CREATE TABLE IF NOT EXISTS rooms (room TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT"


class Database(ABC):
    """An open database. Use it as a context manager; it closes itself at the end.

    Every failure of the database below is raised as :class:`StoreError`. ``name`` is how it is
    called when the editor is told of it.
    """

    shared = False
    """Whether other machines may be at work in it at the same time."""
    skip_locked = ""
    """What a SELECT from ``delivery`` ends with, so that no two runs reserve the same rows."""
    name: str

    # --- opening ----------------------------------------------------------------------------------

    def _migrate(self, rooms: Mapping[str, Migrations]) -> None:
        versions = self.versions()
        if all(versions.get(room) == len(scripts) for room, scripts in rooms.items()):
            return
        with self.transaction():
            self._sign()
            self._define(_ROOMS)
            versions = self.versions()  # under the lock: another process may have been first
            for room, scripts in rooms.items():
                self._migrate_room(room, scripts, versions.get(room, 0))

    def _migrate_room(self, room: str, scripts: Migrations, version: int) -> None:
        if version > len(scripts):
            raise StoreError(
                f"{self.name} was written by a newer briefmail",
                hint="update briefmail; nothing was changed",
            )
        for script in scripts[version:]:
            for statement in script.split(";"):
                self._define(statement)
        self.execute(
            "INSERT INTO rooms (room, version) VALUES (?, ?)"
            " ON CONFLICT (room) DO UPDATE SET version = excluded.version",
            *(room, len(scripts)),
        )

    def _refuse_newer(self, rooms: Mapping[str, Migrations]) -> None:
        # A disk that failed while the file was made leaves one with nothing in it.
        for room, version in self.versions().items():
            if room in rooms and version > len(rooms[room]):
                raise StoreError(
                    f"{self.name} was written by a newer briefmail", hint="update briefmail"
                )

    def versions(self) -> dict[str, int]:
        """How many scripts of each room have been run; nothing in a database that is empty."""
        if "rooms" not in self.tables():
            return {}
        return dict(self.rows("SELECT room, version FROM rooms"))

    @abstractmethod
    def tables(self) -> list[str]:
        """The names of all tables there are, whoever made them, in the order of their making."""

    @abstractmethod
    def number_on(self, table: str) -> None:
        """Let the next ``rowid`` be beyond all that are in the table."""

    @abstractmethod
    def _sign(self) -> None:
        """Say whose the database is, and keep others from migrating it at the same time."""

    @abstractmethod
    def _define(self, statement: str) -> None:
        """Run one statement of a migration."""

    # --- the whole --------------------------------------------------------------------------------

    def has(self, room: str, version: int = 1) -> bool:
        """Whether a room's tables are there, as its first ``version`` scripts make them.

        To be asked of one that was opened to read only.
        """
        return self.versions().get(room, 0) >= version

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    @abstractmethod
    def close(self) -> None:
        """Close the connection; what was not committed is rolled back."""

    @abstractmethod
    def check(self) -> None:
        """Raise :class:`StoreError` if the database is damaged, as far as can be seen from here."""

    def warning(self) -> str | None:
        """Say in one sentence why what is committed may not be safe; None if nothing is known."""
        return None

    @abstractmethod
    def backup_to(self, path: Path) -> None:
        """Copy the database to a new file, as it is at one moment, also while others write to it.

        On return the copy is durable. Raises :class:`~briefmail.errors.UsageError` if ``path``
        exists or the database is no file, and :class:`StoreError` if it cannot be written; then
        nothing is left there.
        """

    @abstractmethod
    def hold_checkpoints(self) -> None:
        """From here on let only :meth:`checkpoint` bring the log into the database file."""

    @abstractmethod
    def checkpoint(self) -> None:
        """Bring the log into the database file, as far as nobody reads from before it."""

    @abstractmethod
    def exclusively(self, name: str) -> AbstractContextManager[None]:
        """Let one machine at a time do what is inside, for each ``name``; the others wait.

        A file needs no such thing: whoever sends holds the folder's lock.
        """

    @abstractmethod
    def session(self) -> str:
        """The name of this connection on the server, which no other has or will have."""

    @abstractmethod
    def sessions(self) -> set[str]:
        """The names of all connections that there are at this moment."""

    @abstractmethod
    def server_time(self) -> float:
        """The seconds since 1970 by the clock that all who use the database have in common."""

    # --- statements -------------------------------------------------------------------------------

    @abstractmethod
    def transaction(self) -> AbstractContextManager[None]:
        """Make what happens inside durable as one, or undo it if an exception leaves it."""

    @abstractmethod
    def snapshot(self) -> AbstractContextManager[None]:
        """Make all reads inside see one moment, whatever a run commits meanwhile."""

    @abstractmethod
    def execute(self, sql: str, *values: Any) -> int:
        """Run one statement and return the number of rows that it changed."""

    @abstractmethod
    def changes(self, statements: Iterable[tuple[str, Sequence[Any]]]) -> list[int]:
        """Run many statements with their values; return how many rows each of them changed."""

    @abstractmethod
    def insert(self, sql: str, rows: Iterable[Sequence[Any]]) -> int:
        """Run one statement for each of ``rows`` and return the number of rows changed."""

    @abstractmethod
    def one(self, sql: str, *values: Any) -> Any:
        """Return the first row of a query, or None."""

    @abstractmethod
    def rows(self, sql: str, *values: Any) -> Iterator[Any]:
        """Yield the rows of a query, without holding them all."""
