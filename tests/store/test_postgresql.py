"""The memory on a server: the same promises as those of a file, and who may use it."""

import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from briefmail.errors import StoreError, UsageError
from briefmail.store.postgresql import PostgreSQL
from private_postgresql import PrivatePostgreSQL

pytestmark = pytest.mark.postgresql
ROOMS = {
    "room": (
        "CREATE TABLE person (name TEXT PRIMARY KEY, age INTEGER) STRICT; -- whoever there is\n"
        "CREATE INDEX person_age ON person (age) WHERE age IS NOT NULL",
    )
}


@pytest.fixture
def url(postgresql: PrivatePostgreSQL) -> str:
    return postgresql.empty()


@pytest.fixture
def database(url: str) -> Iterator[PostgreSQL]:
    with PostgreSQL.open(url, ROOMS) as database:
        yield database


def enter(database: PostgreSQL, *names: str) -> int:
    return database.insert("INSERT INTO person VALUES (?, ?)", ((name, 40) for name in names))


def names(database: PostgreSQL) -> list[str]:
    return [name for (name,) in database.rows("SELECT name FROM person ORDER BY rowid")]


def test_what_was_written_is_there_for_the_next(url: str, database: PostgreSQL) -> None:
    everybody = [f"reader {number}" for number in range(2500)]
    assert enter(database, *everybody) == 2500
    with PostgreSQL.open(url, ROOMS) as another:
        assert names(another) == everybody


def test_a_transaction_that_breaks_off_changes_nothing(database: PostgreSQL) -> None:
    def broken() -> Iterator[tuple[str, int]]:
        yield ("Ailsa", 40)
        raise KeyError

    with pytest.raises(KeyError), database.transaction():
        database.insert("INSERT INTO person VALUES (?, ?)", broken())
    assert names(database) == []


def test_each_of_many_statements_says_what_it_changed(database: PostgreSQL) -> None:
    enter(database, "Ailsa", "Bruce")
    sql = "UPDATE person SET age = ? WHERE name = ?"
    assert database.changes([(sql, (1, "Ailsa")), (sql, (2, "nobody"))]) == [1, 0]
    assert database.changes([]) == []


def test_texts_are_in_the_order_of_their_octets_as_in_a_file(database: PostgreSQL) -> None:
    enter(database, "b", "a", "B", "é", "_")
    ordered = database.rows("SELECT name FROM person ORDER BY name")
    assert [name for (name,) in ordered] == ["B", "_", "a", "b", "é"]


def test_a_reader_may_ask_while_it_reads_and_sees_one_moment(
    url: str, database: PostgreSQL
) -> None:
    enter(database, "Ailsa", "Bruce")
    with PostgreSQL.open_read_only(url, ROOMS) as reader, reader.snapshot():
        found = []
        for (name,) in reader.rows("SELECT name FROM person ORDER BY rowid"):
            enter(database, f"{name}'s child")
            found.append((name, reader.one("SELECT count(*) FROM person")[0]))
    assert found == [("Ailsa", 2), ("Bruce", 2)]


def test_who_only_reads_changes_nothing(url: str, database: PostgreSQL) -> None:
    with PostgreSQL.open_read_only(url, ROOMS) as reader, pytest.raises(StoreError, match="read-"):
        enter(reader, "Ailsa")
    assert names(database) == []


def test_a_database_of_another_program_is_left_alone(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as other:
        other.execute("CREATE TABLE bookmarks (url TEXT)")
    with pytest.raises(StoreError, match="tables of another program"):
        PostgreSQL.open(url, ROOMS)
    with psycopg.connect(url) as other:
        tables = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
        assert other.execute(tables).fetchall() == [("bookmarks",)]


def test_what_a_newer_version_wrote_is_refused(url: str) -> None:
    PostgreSQL.open(url, {"room": [*ROOMS["room"], "CREATE TABLE more (x TEXT) STRICT"]}).close()
    for attempt in (PostgreSQL.open, PostgreSQL.open_read_only):
        with pytest.raises(StoreError, match="newer briefmail"):
            attempt(url, ROOMS)


def test_tables_are_made_once_however_many_begin_together(url: str) -> None:
    faults: list[Exception] = []

    def begin() -> None:
        try:
            PostgreSQL.open(url, ROOMS).close()
        except StoreError as error:
            faults.append(error)

    threads = [threading.Thread(target=begin) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []


def test_one_at_a_time_does_what_is_exclusive(url: str, database: PostgreSQL) -> None:
    order = []

    def other() -> None:
        with PostgreSQL.open(url, ROOMS) as another, another.exclusively("land"):
            order.append("other")

    with database.exclusively("land"):
        thread = threading.Thread(target=other)
        thread.start()
        with database.exclusively("sea"):  # another name is nobody's business
            thread.join(0.2)
        order.append("first")
    thread.join()
    assert order == ["first", "other"]


def test_a_server_that_is_not_there_is_named_without_the_password() -> None:
    with pytest.raises(StoreError) as raised:
        PostgreSQL.open("postgresql://me:hush@127.0.0.1:1/letters", ROOMS)
    assert raised.value.message.startswith("the PostgreSQL database letters on 127.0.0.1: ")
    assert "hush" not in raised.value.message


def test_a_server_that_does_not_sync_is_warned_of(database: PostgreSQL) -> None:
    """The tests' own is one."""
    assert "fsync=off" in (database.warning() or "")


def test_commits_are_waited_for_where_the_server_would_not(url: str) -> None:
    with PostgreSQL.open(f"{url}%20-csynchronous_commit%3Doff", ROOMS) as database:
        assert database.one("SHOW synchronous_commit") == ("on",)


def test_a_backup_is_the_servers_business(database: PostgreSQL, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not a file"):
        database.backup_to(tmp_path / "copy")
