"""The memory on a PostgreSQL server, where several machines may work in it at the same time.

Durability (https://www.postgresql.org/docs/current/runtime-config-wal.html): a commit has reached
the server's disk when it returns, because ``synchronous_commit`` is switched on for this connection
where the server has it off. ``fsync=off`` is the server's own, and is warned of.

It has to be a connection to the server itself: a pooler that changes the session between two
transactions would lose the locks (PgBouncer's *session* mode keeps them).
"""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import count, islice
from pathlib import Path
from typing import Any, NoReturn, Self

import psycopg
from psycopg.conninfo import conninfo_to_dict

from briefmail.errors import StoreError, UsageError
from briefmail.store.database import Database, Migrations
from briefmail.store.dialect import definition, statement

# What it logs while a connection breaks is raised as well.
logging.getLogger("psycopg").addHandler(logging.NullHandler())

LOCK = 0x62726D6C
"""The first half of our advisory locks, so that those of other programs are not ours."""
BATCH = 1000
"""Rows that are on their way to the server at a time."""
# Process numbers come again. Who asks under another role than the session's is not told its moment:
# then every such session seems to have ended, so all machines have to use one role.
_SESSION = "pid || ' since ' || backend_start FROM pg_stat_activity"
# A server that is gone is noticed within half a minute, not when the system gives up.
_PATIENCE: Mapping[str, int | str] = {
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 4,
    "tcp_user_timeout": 30_000,
    "application_name": "briefmail",
}


class PostgreSQL(Database):
    """An open connection to a PostgreSQL database."""

    shared = True
    skip_locked = "FOR UPDATE OF delivery SKIP LOCKED"

    def __init__(self, connection: psycopg.Connection[Any], name: str) -> None:
        self.name = name
        self._connection = connection
        self._cursors = count()

    @classmethod
    def open(cls, url: str, rooms: Mapping[str, Migrations]) -> Self:
        """Connect, and create the tables of ``rooms`` or bring them up to date.

        Raises :class:`StoreError` if the server cannot be reached, or the database is another
        program's or a newer briefmail's; then nothing in it is changed.
        """
        return cls._connected(url, lambda database: database._make_ready(rooms))

    @classmethod
    def open_read_only(cls, url: str, rooms: Mapping[str, Migrations]) -> Self:
        """Connect to read only; what an older version wrote is not brought up to date."""
        return cls._connected(url, lambda database: database._only_read(rooms))

    @classmethod
    def _connected(cls, url: str, prepare: Any) -> Self:
        name = _name(url)
        with _as_store_error(name):
            settings = {**_PATIENCE, **conninfo_to_dict(url)}
            connection = psycopg.connect(autocommit=True, **settings)  # type: ignore[arg-type]
        database = cls(connection, name)
        try:
            prepare(database)
        except BaseException:
            connection.close()
            raise
        return database

    def _make_ready(self, rooms: Mapping[str, Migrations]) -> None:
        tables = self.tables()
        if tables and "rooms" not in tables:
            raise StoreError(
                f"{self.name} is not briefmail's: it has tables of another program",
                hint="make a database of its own for the newsletter, with 'createdb'",
            )
        if self._setting("synchronous_commit") == "off":
            self.one("SELECT set_config('synchronous_commit', 'on', false)")
        self._migrate(rooms)

    def _only_read(self, rooms: Mapping[str, Migrations]) -> None:
        self.one("SELECT set_config('default_transaction_read_only', 'on', false)")
        if self.tables():
            self._refuse_newer(rooms)

    def tables(self) -> list[str]:
        sql = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = ?::regnamespace"
        schema = self.one("SELECT quote_ident(current_schema())")[0]
        return [name for (name,) in self.rows(f"{sql} ORDER BY oid", schema)]

    def number_on(self, table: str) -> None:
        self.one(
            f"SELECT setval(pg_get_serial_sequence(?, 'rowid'), max(rowid)) FROM {table}",  # noqa: S608
            table,
        )

    def _sign(self) -> None:
        self.one("SELECT pg_advisory_xact_lock(?, 0)", LOCK)

    def _define(self, statement: str) -> None:
        if translated := definition(statement):
            self.execute(translated)

    # --- the whole --------------------------------------------------------------------------------

    def close(self) -> None:
        self._connection.close()

    def check(self) -> None:
        """See that the server answers. What is damaged on its disk it finds out by itself."""
        self.one("SELECT 1")

    def warning(self) -> str | None:
        """Look whether the server itself is told to lose data with the power."""
        off = [name for name in ("fsync", "full_page_writes") if self._setting(name) == "off"]
        if not off:
            return None
        return (
            f"{self.name} runs with {off[0]}=off: after a power cut there nobody can know who has"
            " had what; switch it on in postgresql.conf"
        )

    def _setting(self, name: str) -> str:
        return str(self.one("SELECT current_setting(?)", name)[0])

    def backup_to(self, path: Path) -> None:
        raise UsageError(
            f"the memory of this newsletter is {self.name}, not a file",
            hint=f"'pg_dump --file {path}' with the same address makes a copy of it",
        )

    def hold_checkpoints(self) -> None:
        """The server has a log of its own, and sees to it."""

    def checkpoint(self) -> None:
        """As :meth:`hold_checkpoints`."""

    def session(self) -> str:
        return str(self.one(f"SELECT {_SESSION} WHERE pid = pg_backend_pid()")[0])

    def sessions(self) -> set[str]:
        return {name for (name,) in self.rows(f"SELECT {_SESSION}")}

    def server_time(self) -> float:
        return float(self.one("SELECT extract(epoch FROM clock_timestamp())")[0])

    @contextmanager
    def exclusively(self, name: str) -> Iterator[None]:
        self.one("SELECT pg_advisory_lock(?, hashtext(?))", LOCK, name)
        try:
            yield
        finally:
            # With the connection the lock is gone, too.
            with suppress(StoreError):
                self.one("SELECT pg_advisory_unlock(?, hashtext(?))", LOCK, name)

    # --- statements -------------------------------------------------------------------------------

    @contextmanager
    def transaction(self) -> Iterator[None]:
        with _as_store_error(self.name), self._connection.transaction():
            yield

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        with _as_store_error(self.name), self._connection.transaction(force_rollback=True):
            self._connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            yield

    def execute(self, sql: str, *values: Any) -> int:
        with _as_store_error(self.name):
            return self._connection.execute(statement(sql).encode(), values or None).rowcount

    def changes(self, statements: Iterable[tuple[str, Sequence[Any]]]) -> list[int]:
        with _as_store_error(self.name):
            with self._connection.pipeline():
                cursors = [
                    self._connection.execute(statement(sql).encode(), values)
                    for sql, values in statements
                ]
            return [cursor.rowcount for cursor in cursors]

    def insert(self, sql: str, rows: Iterable[Sequence[Any]]) -> int:
        changed, rest = 0, iter(rows)
        with _as_store_error(self.name), self._connection.cursor() as cursor:
            while batch := [*islice(rest, BATCH)]:
                cursor.executemany(statement(sql).encode(), batch)
                changed += cursor.rowcount
        return changed

    def one(self, sql: str, *values: Any) -> Any:
        with _as_store_error(self.name):
            return self._connection.execute(statement(sql).encode(), values or None).fetchone()

    def rows(self, sql: str, *values: Any) -> Iterator[Any]:
        translated = statement(sql).encode()
        with _as_store_error(self.name):
            if not sql.lstrip().startswith("SELECT"):  # few rows, which a change returns
                yield from self._connection.execute(translated, values or None).fetchall()
                return
            name = f"rows_{next(self._cursors)}"
            with self._connection.cursor(name, withhold=True) as cursor:
                yield from cursor.execute(translated, values or None)


def _name(url: str) -> str:
    """How the editor knows the database; without the password."""
    try:
        parts = conninfo_to_dict(url)
    except psycopg.Error as error:
        _refuse(f"BRIEFMAIL_DATABASE_URL is not understood: {error}", error)
    return f"the PostgreSQL database {parts.get('dbname', '')} on {parts.get('host', 'localhost')}"


@contextmanager
def _as_store_error(name: str) -> Iterator[None]:
    try:
        yield
    except psycopg.Error as error:
        _refuse(f"{name}: {' '.join(str(error).split())}", error)


def _refuse(text: str, error: psycopg.Error) -> NoReturn:
    raise StoreError(
        text,
        hint="is the server up and reachable from here? What was written down before is safe, and"
        " the same command goes on",
    ) from error
