"""The memory as one SQLite file: opened durably, with transactions that say so.

Durability (https://www.sqlite.org/pragma.html#pragma_synchronous): in WAL mode only
``synchronous=FULL`` syncs the log at every commit, so that what was committed survives a power
cut; ``NORMAL`` may roll it back. macOS needs ``fullfsync`` to reach the medium.
"""

import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, Self

from briefmail.errors import StoreError, UsageError
from briefmail.store.database import Database, Migrations
from briefmail.store.files import sync, sync_folder

APPLICATION_ID = 0x62726D6C
"""Says in the file's header whose it is (https://www.sqlite.org/pragma.html#pragma_application_id):
"brml" in ASCII."""
THOROUGH = 100_000_000
"""Up to this many bytes a check reads the indexes too: some 350,000 people in a second or two."""


class SQLite(Database):
    """An open SQLite database; ``path`` is None for one that goes when it closes."""

    def __init__(self, connection: sqlite3.Connection, path: Path | None) -> None:
        self.path = path
        self.name = str(path or "the temporary database")
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

    def _refuse_foreign(self) -> None:
        """Look before anything is written: already the change to WAL would alter the file."""
        (owner,) = self.one("PRAGMA application_id")
        tables = self.tables()
        # The first release of the file did not say whose it is.
        if "rooms" in tables and owner in {0, APPLICATION_ID}:
            return
        if tables or owner:
            raise StoreError(
                f"{self.path} is not briefmail's: another program made it",
                hint="move it away, and put briefmail's own file back if there was one",
            )

    def tables(self) -> list[str]:
        sql = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY rowid"
        return [name for (name,) in self.rows(sql)]

    def columns(self, table: str) -> list[str]:
        """Return the names of a table's columns, without the ``rowid``."""
        return [name for (name,) in self.rows("SELECT name FROM pragma_table_info(?)", table)]

    def number_on(self, table: str) -> None:
        """SQLite sees to it by itself."""

    def _sign(self) -> None:
        self._connection.execute(f"PRAGMA application_id={APPLICATION_ID}")

    def _define(self, statement: str) -> None:
        self._connection.execute(statement)

    def close(self) -> None:
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

    def hold_checkpoints(self) -> None:
        self.one("PRAGMA wal_autocheckpoint = 0")

    def checkpoint(self) -> None:
        # Passive: it waits for nobody. What a reader holds back is done the next time.
        self.one("PRAGMA wal_checkpoint(PASSIVE)")

    def session(self) -> str:
        return ""

    def sessions(self) -> set[str]:
        return set()

    def server_time(self) -> float:
        return time.time()

    def exclusively(self, name: str) -> AbstractContextManager[None]:
        return nullcontext()

    @contextmanager
    def transaction(self) -> Iterator[None]:
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
        with _as_store_error(self.path):
            self._connection.execute("BEGIN")
            try:
                yield
            finally:
                self._connection.execute("ROLLBACK")

    def execute(self, sql: str, *values: Any) -> int:
        with _as_store_error(self.path):
            return self._connection.execute(sql, values).rowcount

    def changes(self, statements: Iterable[tuple[str, Sequence[Any]]]) -> list[int]:
        with _as_store_error(self.path):
            execute = self._connection.execute
            return [execute(sql, values).rowcount for sql, values in statements]

    def insert(self, sql: str, rows: Iterable[Sequence[Any]]) -> int:
        with _as_store_error(self.path):
            return self._connection.executemany(sql, rows).rowcount

    def one(self, sql: str, *values: Any) -> Any:
        with _as_store_error(self.path):
            return self._connection.execute(sql, values).fetchone()

    def rows(self, sql: str, *values: Any) -> Iterator[Any]:
        with _as_store_error(self.path):
            yield from self._connection.execute(sql, values)


def open_scratch(rooms: Mapping[str, Migrations]) -> SQLite:
    """Open a database for the length of a run: on disk when it is large, gone when it closes.

    Several threads may use it, one at a time. Its SQL knows ``casefold(text)``, for searching.
    """
    connection = sqlite3.connect("", isolation_level=None, check_same_thread=False)
    connection.create_function("casefold", 1, str.casefold, deterministic=True)
    connection.execute("PRAGMA synchronous=OFF")
    database = SQLite(connection, None)
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
