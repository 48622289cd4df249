"""One SQLite database: opened durably, migrated by room, with transactions that say so.

Durability (https://www.sqlite.org/pragma.html#pragma_synchronous): in WAL mode only
``synchronous=FULL`` syncs the log at every commit, so that what was committed survives a power
cut; ``NORMAL`` may roll it back. macOS needs ``fullfsync`` to reach the medium.
"""

import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from briefmail.errors import StoreError, UsageError
from briefmail.store.files import sync, sync_folder

Migrations = Sequence[str]
"""SQL scripts, oldest first. A script that has been released is never changed, only followed."""

APPLICATION_ID = 0x62726D6C
"""Says in the file's header whose it is (https://www.sqlite.org/pragma.html#pragma_application_id):
"brml" in ASCII."""
THOROUGH = 100_000_000
"""Up to this many bytes a check reads the indexes too: some 350,000 people in a second or two."""

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
        """Open or create the database at ``path`` and bring the tables of ``rooms`` up to date.

        Raises :class:`StoreError` for a file of another program, of a newer briefmail, or one
        whose header or schema is damaged; such a file is not changed. A new one survives a power
        cut from here on.
        """
        with _as_store_error(path):
            new = not path.exists()
            _refuse_cut_off(path)
            connection = sqlite3.connect(path, isolation_level=None, timeout=30)
            database = cls(connection, path)
            try:
                database._refuse_foreign()
                connection.execute("PRAGMA journal_mode=WAL")
                connection.execute("PRAGMA synchronous=FULL")
                connection.execute("PRAGMA fullfsync=ON")
                database._migrate(rooms)
            except BaseException:
                connection.close()
                raise
        if new:
            sync_folder(path.parent)
        return database

    @classmethod
    def open_read_only(cls, path: Path, rooms: Mapping[str, Migrations]) -> Self:
        """Open an existing database to read from it, also while a run writes to it.

        Nothing in it changes, so tables that an older version wrote are not brought up to date:
        read only columns that every version had, and of rooms that it :meth:`has`: none, if a power
        cut came before the first of them. Raises :class:`StoreError` if there is no database, or a
        newer version or another program wrote it.
        """
        with _as_store_error(path):
            connection = sqlite3.connect(
                f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None, timeout=30
            )
            database = cls(connection, path)
            try:
                database._refuse_foreign()
                database._refuse_newer(rooms)
            except BaseException:
                connection.close()
                raise
        return database

    def _refuse_newer(self, rooms: Mapping[str, Migrations]) -> None:
        # A disk that failed while the file was made leaves one with nothing in it.
        for room, version in self._versions().items():
            if room in rooms and version > len(rooms[room]):
                raise StoreError(
                    f"{self.path} was written by a newer briefmail", hint="update briefmail"
                )

    def _refuse_foreign(self) -> None:
        """Look before anything is written: already the change to WAL would alter the file."""
        (owner,) = self.one("PRAGMA application_id")
        tables = {name for (name,) in self.rows("SELECT name FROM sqlite_master")}
        # The first release of the file did not say whose it is.
        if "rooms" in tables and owner in {0, APPLICATION_ID}:
            return
        if tables or owner:
            raise StoreError(
                f"{self.path} is not briefmail's: another program made it",
                hint="move it away, and put briefmail's own file back if there was one",
            )

    def _migrate(self, rooms: Mapping[str, Migrations]) -> None:
        versions = self._versions()
        if all(versions.get(room) == len(scripts) for room, scripts in rooms.items()):
            return
        with self.transaction():
            self._connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
            self._connection.execute(_ROOMS)
            versions = self._versions()  # under the lock: another process may have been first
            for room, scripts in rooms.items():
                self._migrate_room(room, scripts, versions.get(room, 0))

    def _versions(self) -> dict[str, int]:
        if not self.one("SELECT 1 FROM sqlite_master WHERE name = 'rooms'"):
            return {}
        return dict(self.rows("SELECT room, version FROM rooms"))

    def _migrate_room(self, room: str, scripts: Migrations, version: int) -> None:
        if version > len(scripts):
            raise StoreError(
                f"{self.path} was written by a newer briefmail",
                hint="update briefmail; nothing was changed",
            )
        for script in scripts[version:]:
            for statement in script.split(";"):
                self._connection.execute(statement)
        self._connection.execute(
            "INSERT INTO rooms VALUES (?, ?)"
            " ON CONFLICT (room) DO UPDATE SET version = excluded.version",
            (room, len(scripts)),
        )

    def has(self, room: str) -> bool:
        """Whether a room's tables are there: to be asked of one that was opened to read only."""
        return room in self._versions()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; what was not committed is rolled back."""
        self._connection.close()

    def check(self) -> None:
        """Read the whole file and raise :class:`StoreError` if it is damaged.

        A small file is checked with its indexes; in a large one only the order of its pages and
        the rows (about a second for a million people, where all of it takes four).
        """
        pragma = "integrity_check" if self._size() <= THOROUGH else "quick_check"
        (found,) = self.one(f"PRAGMA {pragma}(1)")
        if found != "ok":
            raise StoreError(f"{self.path} is damaged: {found}", hint=DAMAGED)

    def _size(self) -> int:
        return int(self.one("PRAGMA page_count")[0]) * int(self.one("PRAGMA page_size")[0])

    def backup_to(self, path: Path) -> None:
        """Copy the database to a new file, as it is at one moment, also while others write to it.

        On return the copy is durable. Raises :class:`UsageError` if ``path`` exists, and
        :class:`StoreError` if it cannot be written; then nothing is left there.
        """
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        except FileExistsError:
            raise UsageError(
                f"{path} is there already; nothing was written", hint="name a new file"
            ) from None
        except OSError as error:
            raise StoreError(f"{path} cannot be written: {error.strerror}") from error
        try:
            with _as_store_error(path):
                self._copy_to(path)
        except BaseException:
            path.unlink(missing_ok=True)
            raise

    def _copy_to(self, path: Path) -> None:
        copy = sqlite3.connect(path, isolation_level=None)
        try:
            self._connection.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")  # one file, complete by itself
        finally:
            copy.close()
        sync(path)
        sync_folder(path.parent)

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
    """Open a database for the length of a run: on disk when it is large, gone when it closes.

    Several threads may use it, one at a time. Its SQL knows ``casefold(text)``, for searching.
    """
    connection = sqlite3.connect("", isolation_level=None, check_same_thread=False)
    connection.create_function("casefold", 1, str.casefold, deterministic=True)
    connection.execute("PRAGMA synchronous=OFF")
    database = Database(connection, None)
    database._migrate(rooms)
    return database


DAMAGED = (
    "keep the file as it is, and put the latest backup in its place ('briefmail backup FILE' makes"
    " one); the receipts in sent/ say which issues have gone out"
)
"""What to do about a database that is not what it was, as a hint."""
_HINTS = {
    "SQLITE_CORRUPT": DAMAGED,
    "SQLITE_NOTADB": DAMAGED,
    "SQLITE_FULL": "make room on the disk; what was written down before is safe, and the same"
    " command goes on",
    "SQLITE_IOERR": "the disk fails or is full: look after it before you send again",
    "SQLITE_READONLY": "briefmail keeps its memory there; give it a folder that it may write to",
    "SQLITE_CANTOPEN": "briefmail keeps its memory there; give it a folder that it may write to",
    "SQLITE_BUSY": "another program has the file open: close it and try again",
}
_ELSE = (
    "is the disk full or read-only, or the file damaged? Keep a copy before you change anything:"
    " it knows who has had which issue"
)


def _refuse_cut_off(path: Path) -> None:
    """Refuse what SQLite takes for an empty file or fills up with zeros: one cut off in a page.

    While there is a write-ahead log, the file may rightly be incomplete: a checkpoint that broke
    off is repeated from the log.
    """
    size, log = _size_of(path), _size_of(path.with_name(path.name + "-wal"))
    if log and not size:  # SQLite would delete the log, and with it the last of what was known
        raise StoreError(f"{path} is gone, and its write-ahead log is not", hint=DAMAGED)
    if log or not size:
        return
    with path.open("rb") as file:
        header = file.read(100)
    page_size = int.from_bytes(header[16:18], "big")  # https://www.sqlite.org/fileformat.html
    page_size = 65536 if page_size == 1 else page_size
    if len(header) < 100 or size % max(page_size, 512):
        raise StoreError(f"{path} is damaged: it is not whole, or not a database", hint=DAMAGED)


def _size_of(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


@contextmanager
def _as_store_error(path: Path | None) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        # The extended name is the plain one and more: SQLITE_IOERR_FSYNC.
        name = "_".join(getattr(error, "sqlite_errorname", "").split("_")[:2])
        raise StoreError(
            f"{path or 'the temporary database'}: {error}", hint=_HINTS.get(name, _ELSE)
        ) from error
