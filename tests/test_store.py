"""The program's memory: durable, migrated once, locked, and honest about damage."""

import os
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from briefmail.errors import LockHeld, StoreError
from briefmail.store import Database, open_scratch, open_store, run_lock, store_path

FIRST = "CREATE TABLE person (name TEXT PRIMARY KEY) STRICT; INSERT INTO person VALUES ('Ada')"
SECOND = "ALTER TABLE person ADD COLUMN town TEXT; UPDATE person SET town = 'Orravay'"
posix_only = pytest.mark.skipif(os.name != "posix", reason="file modes are those of POSIX")


# --- durability -----------------------------------------------------------------------------------


def test_the_store_is_opened_so_that_a_commit_survives_a_power_cut(tmp_path: Path) -> None:
    """In WAL mode only FULL (2) syncs the log at each commit."""
    with open_store(tmp_path, {}) as store:
        pragmas = ("journal_mode", "synchronous", "fullfsync")
        found = {name: store.one(f"PRAGMA {name}")[0] for name in pragmas}
    assert found == {"journal_mode": "wal", "synchronous": 2, "fullfsync": 1}


def test_a_transaction_is_kept_whole_or_not_at_all(tmp_path: Path) -> None:
    """An exception on the way out undoes all of it, and is not swallowed."""
    with open_store(tmp_path, {"people": [FIRST]}) as store:
        with pytest.raises(ZeroDivisionError), store.transaction():
            assert store.execute("INSERT INTO person VALUES ('Bel')") / 0
        with store.transaction():
            assert store.execute("INSERT INTO person VALUES ('Cal')") == 1
            assert store.insert("INSERT INTO person VALUES (?)", [("Dot",), ("Eve",)]) == 2
    with open_store(tmp_path, {"people": [FIRST]}) as store:
        assert list(store.rows("SELECT name FROM person")) == [
            ("Ada",),
            ("Cal",),
            ("Dot",),
            ("Eve",),
        ]


def test_what_was_not_committed_is_gone_when_the_store_closes(tmp_path: Path) -> None:
    """As after a crash."""
    store = open_store(tmp_path, {"people": [FIRST]})
    store.execute("BEGIN")
    store.execute("DELETE FROM person")
    store.close()
    with open_store(tmp_path, {"people": [FIRST]}) as store:
        assert store.one("SELECT name FROM person") == ("Ada",)


def test_a_statement_that_fails_is_a_store_error_that_names_the_file(tmp_path: Path) -> None:
    """Whatever SQLite says becomes the one error that the rest of the program knows."""
    with open_store(tmp_path, {"people": [FIRST]}) as store:
        with pytest.raises(StoreError) as caught:
            store.execute("INSERT INTO person VALUES ('Ada')")
        assert str(caught.value) == f"{store_path(tmp_path)}: UNIQUE constraint failed: person.name"


def test_a_scratch_database_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the program's paper for one run."""
    monkeypatch.chdir(tmp_path)
    with open_scratch({"people": [FIRST, SECOND]}) as scratch:
        assert scratch.one("SELECT * FROM person") == ("Ada", "Orravay")
        with pytest.raises(StoreError, match="the temporary database: no such table: nobody"):
            scratch.one("SELECT * FROM nobody")
    assert list(tmp_path.iterdir()) == []


# --- migrations -----------------------------------------------------------------------------------


def test_migrations_run_once_and_in_order(tmp_path: Path) -> None:
    """Each room has its own, and a new one finds the tables of the older ones."""
    with open_store(tmp_path, {"people": [FIRST]}):
        pass
    for _ in range(2):  # a second time nothing is left to do
        with open_store(
            tmp_path, {"people": [FIRST, SECOND], "other": [FIRST.replace("person", "p2")]}
        ) as s:
            assert list(s.rows("SELECT * FROM person")) == [("Ada", "Orravay")]
            assert list(s.rows("SELECT * FROM p2")) == [("Ada",)]
            assert list(s.rows("SELECT * FROM rooms ORDER BY room")) == [
                ("other", 1),
                ("people", 2),
            ]


def test_a_migration_that_fails_changes_nothing(tmp_path: Path) -> None:
    """The next version, with the mistake mended, starts from where the last good one was."""
    with open_store(tmp_path, {"people": [FIRST]}):
        pass
    with pytest.raises(StoreError, match="no such table: town"):
        open_store(tmp_path, {"people": [FIRST, f"{SECOND}; INSERT INTO town VALUES (1)"]})
    with open_store(tmp_path, {"people": [FIRST, SECOND]}) as store:
        assert list(store.rows("SELECT * FROM person")) == [("Ada", "Orravay")]


def test_a_store_of_a_newer_briefmail_is_left_alone(tmp_path: Path) -> None:
    """An old program does not know what the new tables mean."""
    with open_store(tmp_path, {"people": [FIRST, SECOND]}):
        pass
    with pytest.raises(StoreError) as caught:
        open_store(tmp_path, {"more": [FIRST.replace("person", "p2")], "people": [FIRST]})
    assert caught.value.exit_status == 74
    assert str(caught.value) == f"{store_path(tmp_path)} was written by a newer briefmail"
    assert caught.value.hint == "update briefmail; nothing was changed"
    with open_store(tmp_path, {"people": [FIRST, SECOND]}) as store:
        assert list(store.rows("SELECT * FROM rooms")) == [("people", 2)]


# --- damage ---------------------------------------------------------------------------------------


def test_a_file_that_is_no_database_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    """It may still be mended from, so the hint says to keep a copy."""
    with open_store(tmp_path, {}):
        pass
    store_path(tmp_path).write_bytes(b"not a database" * 100)
    with pytest.raises(StoreError) as caught:
        open_store(tmp_path, {"people": [FIRST]})
    assert caught.value.exit_status == 74
    assert str(caught.value) == (
        f"{store_path(tmp_path)} is damaged: it is not whole, or not a database"
    )
    assert caught.value.hint is not None
    assert "keep the file as it is" in caught.value.hint
    assert store_path(tmp_path).read_bytes() == b"not a database" * 100


def test_a_damaged_page_is_a_store_error(tmp_path: Path) -> None:
    """The head is whole, so it opens; the table behind it is not."""
    rows = [(f"name {number:05}",) for number in range(5_000)]
    with open_store(tmp_path, {"people": [FIRST]}) as store, store.transaction():
        store.insert("INSERT INTO person VALUES (?)", rows)
    data = bytearray(store_path(tmp_path).read_bytes())
    data[8192:] = b"\xa5" * (len(data) - 8192)
    store_path(tmp_path).write_bytes(data)
    with pytest.raises(StoreError) as caught, open_store(tmp_path, {"people": [FIRST]}) as store:
        list(store.rows("SELECT * FROM person ORDER BY name"))
    assert "malformed" in str(caught.value)


def test_a_disk_that_is_full_is_a_store_error(tmp_path: Path) -> None:
    """Stood in for by the limit that SQLite has for it; what was committed stays."""
    with open_store(tmp_path, {"people": [FIRST]}) as store:
        pages = store.one("PRAGMA page_count")[0]
        store.one(f"PRAGMA max_page_count={pages}")
        with pytest.raises(StoreError, match="full"), store.transaction():
            store.insert("INSERT INTO person VALUES (?)", ((str(n) * 99,) for n in range(1_000)))
        assert list(store.rows("SELECT name FROM person")) == [("Ada",)]


# --- the folder -----------------------------------------------------------------------------------


@posix_only
def test_the_folder_is_for_its_owner_only_and_says_what_it_is(tmp_path: Path) -> None:
    """It holds addresses; whoever finds it should know not to delete it."""
    with open_store(tmp_path, {}):
        pass
    folder = tmp_path / ".briefmail"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert "This folder is briefmail's memory" in (folder / "README").read_text(encoding="utf-8")


def test_a_file_in_the_place_of_the_folder_is_a_store_error(tmp_path: Path) -> None:
    """Nothing is written over."""
    (tmp_path / ".briefmail").write_text("mine")
    with pytest.raises(StoreError, match="cannot be created") as caught:
        open_store(tmp_path, {})
    assert caught.value.exit_status == 74
    assert (tmp_path / ".briefmail").read_text() == "mine"


def test_two_runs_can_create_the_folder_at_the_same_time(tmp_path: Path) -> None:
    """Neither takes the other's folder for an obstacle."""
    errors: list[BaseException] = []
    start = threading.Barrier(8)

    def open_one() -> None:
        start.wait()
        try:
            open_store(tmp_path, {"people": [FIRST]}).close()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=open_one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


def test_a_folder_that_cannot_be_written_to_is_a_store_error(tmp_path: Path) -> None:
    """For the memory and for its lock; a file where a folder should be stops root too."""
    root = tmp_path / "taken"
    root.write_text("not a folder")
    for open_it in (lambda: open_store(root, {}), lambda: run_lock(root).__enter__()):
        with pytest.raises(StoreError, match="cannot be created"):
            open_it()


# --- the lock -------------------------------------------------------------------------------------

HOLDER = """
import sys, time
from pathlib import Path
from briefmail.store import run_lock
with run_lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@contextmanager
def another_run(root: Path) -> Iterator[subprocess.Popen[str]]:
    """Run another process that holds the lock of ``root``."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(root)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def test_one_run_at_a_time_holds_the_lock(tmp_path: Path) -> None:
    """The other is told to wait, and told that this is safe."""
    with another_run(tmp_path), pytest.raises(LockHeld) as caught, run_lock(tmp_path):
        pass
    assert caught.value.exit_status == 75
    assert str(caught.value) == f"another briefmail is sending from {tmp_path}"


def test_the_lock_ends_with_a_killed_process(tmp_path: Path) -> None:
    """A lock file that is left behind is no obstacle."""
    with another_run(tmp_path) as process:
        process.send_signal(signal.SIGKILL if os.name == "posix" else signal.SIGTERM)
        process.wait()
        with run_lock(tmp_path):
            pass


def test_the_lock_is_free_again_after_a_run_and_after_a_failed_one(tmp_path: Path) -> None:
    """Also in the same process, and also while it is held there."""
    with pytest.raises(ZeroDivisionError), run_lock(tmp_path):
        raise ZeroDivisionError
    with run_lock(tmp_path), pytest.raises(LockHeld), run_lock(tmp_path):
        pass
    with run_lock(tmp_path):
        pass


def test_the_lock_does_not_keep_others_from_the_memory(tmp_path: Path) -> None:
    """A suppression can be noted while a send is at work."""
    with another_run(tmp_path), open_store(tmp_path, {"people": [FIRST]}) as store:
        assert store.execute("INSERT INTO person VALUES ('Bel')") == 1


def test_a_lock_that_cannot_be_made_is_a_store_error(tmp_path: Path) -> None:
    """A folder of that name, or a disk that has no room for it."""
    (tmp_path / ".briefmail" / "lock").mkdir(parents=True)
    with pytest.raises(StoreError, match="cannot be locked"), run_lock(tmp_path):
        pass


def test_a_reader_waits_for_a_writer(tmp_path: Path) -> None:
    """Two processes share the memory; a short wait is no error."""
    with open_store(tmp_path, {"people": [FIRST]}) as store:
        other = sqlite3.connect(store_path(tmp_path), isolation_level=None, check_same_thread=False)
        other.execute("BEGIN IMMEDIATE")
        timer = threading.Timer(0.2, lambda: other.execute("COMMIT"))
        timer.start()
        with store.transaction():
            store.execute("INSERT INTO person VALUES ('Bel')")
        timer.join()
        other.close()
        assert isinstance(store, Database)
        assert store.one("SELECT count(*) FROM person") == (2,)
