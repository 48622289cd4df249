"""A memory that moves from its file to a server: every row, held against the original."""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from briefmail.errors import StoreError, UsageError
from briefmail.store.database import Database, Migrations
from briefmail.store.sqlite import open_scratch


def copy_all(
    source: Database, target: Database, rooms: Mapping[str, Migrations]
) -> Mapping[str, int]:
    """Copy every row of every room; return how many rows each table has.

    Both were opened with ``rooms``. The copy is durable as one when this returns. Raises
    :class:`UsageError` if there is anything in the target, and :class:`StoreError` if the copy is
    not the same as the original; then the target is as it was. The source is never changed.
    """
    with source.snapshot(), target.transaction(), open_scratch(rooms) as fresh:
        # In the order of their making: what is referred to is there before what refers to it.
        tables = {name: fresh.columns(name) for name in fresh.tables() if name != "rooms"}
        for table, columns in tables.items():
            if _digest(target, table, columns) != _digest(fresh, table, columns):
                raise UsageError(
                    f"{target.name} is not empty: it has a {table} already",
                    hint="nothing was copied; name a new database, as 'createdb' makes it",
                )
        return {table: _copy(source, target, table, names) for table, names in tables.items()}


def _copy(source: Database, target: Database, table: str, columns: list[str]) -> int:
    names = ", ".join(["rowid", *columns])
    places = ", ".join("?" * (len(columns) + 1))
    target.execute(f"DELETE FROM {table}")  # noqa: S608 -- what a new database has in it
    target.insert(
        f"INSERT INTO {table} ({names}) VALUES ({places})",  # noqa: S608
        _rows(source, table, columns),
    )
    target.number_on(table)
    count, checksum = _digest(source, table, columns)
    if _digest(target, table, columns) != (count, checksum):
        raise StoreError(
            f"{table} is not the same on {target.name} as in {source.name}",
            hint="nothing was copied, and the file is as it was; go on with that",
        )
    return count


def _digest(database: Database, table: str, columns: list[str]) -> tuple[int, str]:
    """Count the rows of a table, and sum up all that is in them and their order."""
    count, checksum = 0, hashlib.sha256()
    for row in _rows(database, table, columns):
        count += 1
        checksum.update(repr(tuple(row)).encode())
    return count, checksum.hexdigest()


def _rows(database: Database, table: str, columns: list[str]) -> Iterator[Any]:
    names = ", ".join(["rowid", *columns])
    return database.rows(f"SELECT {names} FROM {table} ORDER BY rowid")  # noqa: S608
