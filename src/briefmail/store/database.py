"""One SQLite database: opened durably, migrated by room, with transactions that say so.

Durability (https://www.sqlite.org/pragma.html#pragma_synchronous): in WAL mode only
``synchronous=FULL`` syncs the log at every commit, so that what was committed survives a power
cut; ``NORMAL`` may roll it back. macOS needs ``fullfsync`` to reach the medium.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from briefmail.errors import StoreError

Migrations = Sequence[str]
"""SQL scripts, oldest first. A script that has been released is never changed, only followed."""

_ROOMS = "CREATE TABLE IF NOT EXISTS rooms (room TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT"


class Database:
    """An open database. Use it as a context manager; it closes itself at the end.

    Every failure of the database below is raised as :class:`StoreError`.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path | None) -> None:
        self.path = path
        self._connection = connection

    @classmethod
    def open(cls, path: Path, rooms: Mapping[str, Migrations]) -> Self:
        """Open or create the database at ``path`` and bring the tables of ``rooms`` up to date."""
        with _as_store_error(path):
            connection = sqlite3.connect(path, isolation_level=None, timeout=30)
            database = cls(connection, path)
            try:
                connection.execute("PRAGMA journal_mode=WAL")
                connection.execute("PRAGMA synchronous=FULL")
                connection.execute("PRAGMA fullfsync=ON")
                database._migrate(rooms)
            except BaseException:
                connection.close()
                raise
        return database

    @classmethod
    def open_read_only(cls, path: Path, rooms: Mapping[str, Migrations]) -> Self:
        """Open an existing database to read from it, also while a run writes to it.

        Nothing in it changes, so tables that an older version wrote are not brought up to date:
        read only columns that every version had. Raises :class:`StoreError` if there is no
        database, or a newer version wrote it.
        """
        with _as_store_error(path):
            connection = sqlite3.connect(
                f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None, timeout=30
            )
            database = cls(connection, path)
            try:
                database._refuse_newer(rooms)
            except BaseException:
                connection.close()
                raise
        return database

    def _refuse_newer(self, rooms: Mapping[str, Migrations]) -> None:
        for room, version in self.rows("SELECT room, version FROM rooms"):
            if room in rooms and version > len(rooms[room]):
                raise StoreError(
                    f"{self.path} was written by a newer briefmail", hint="update briefmail"
                )

    def _migrate(self, rooms: Mapping[str, Migrations]) -> None:
        with self.transaction():
            self._connection.execute(_ROOMS)
            for room, migrations in rooms.items():
                row = self.one("SELECT version FROM rooms WHERE room = ?", room)
                version = row[0] if row else 0
                if version > len(migrations):
                    raise StoreError(
                        f"{self.path} was written by a newer briefmail",
                        hint="update briefmail; nothing was changed",
                    )
                for script in migrations[version:]:
                    for statement in script.split(";"):
                        self._connection.execute(statement)
                self._connection.execute(
                    "INSERT INTO rooms VALUES (?, ?)"
                    " ON CONFLICT (room) DO UPDATE SET version = excluded.version",
                    (room, len(migrations)),
                )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; what was not committed is rolled back."""
        self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make what happens inside durable as one, or undo it if an exception leaves it."""
        with _as_store_error(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Make all reads inside see one moment, whatever a run commits meanwhile."""
        with _as_store_error(self.path):
            self._connection.execute("BEGIN")
            try:
                yield
            finally:
                self._connection.execute("ROLLBACK")

    def execute(self, sql: str, *values: Any) -> int:
        """Run one statement and return the number of rows that it changed."""
        with _as_store_error(self.path):
            return self._connection.execute(sql, values).rowcount

    def changes(self, statements: Iterable[tuple[str, Sequence[Any]]]) -> list[int]:
        """Run many statements with their values; return how many rows each of them changed."""
        with _as_store_error(self.path):
            execute = self._connection.execute
            return [execute(sql, values).rowcount for sql, values in statements]

    def insert(self, sql: str, rows: Iterable[Sequence[Any]]) -> int:
        """Run one statement for each of ``rows`` and return the number of rows changed."""
        with _as_store_error(self.path):
            return self._connection.executemany(sql, rows).rowcount

    def one(self, sql: str, *values: Any) -> Any:
        """Return the first row of a query, or None."""
        with _as_store_error(self.path):
            return self._connection.execute(sql, values).fetchone()

    def rows(self, sql: str, *values: Any) -> Iterator[Any]:
        """Yield the rows of a query, without holding them all."""
        with _as_store_error(self.path):
            yield from self._connection.execute(sql, values)


def open_scratch(rooms: Mapping[str, Migrations]) -> Database:
    """Open a database for the length of a run: on disk when it is large, gone when it closes."""
    connection = sqlite3.connect("", isolation_level=None)
    connection.execute("PRAGMA synchronous=OFF")
    database = Database(connection, None)
    database._migrate(rooms)
    return database


@contextmanager
def _as_store_error(path: Path | None) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        place = path or "the temporary database"
        raise StoreError(
            f"{place}: {error}",
            hint="is the disk full or read-only, or the file damaged? Keep a copy before you"
            " change anything: it knows who has had which issue",
        ) from error
