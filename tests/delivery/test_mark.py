"""The high-water mark: a ledger that has forgotten something is never sent from."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from scene import EDITION, people

from briefmail.delivery import MIGRATIONS, Ledger
from briefmail.delivery.mark import EVERY, LedgerMark
from briefmail.errors import StoreError
from briefmail.store import HighWater, SQLite


@contextmanager
def opened(folder: Path) -> Iterator[tuple[Ledger, LedgerMark]]:
    with SQLite.open(folder / "store.sqlite3", {"delivery": MIGRATIONS}) as database:
        yield Ledger(database), LedgerMark(database, HighWater(folder / "settled"))


def send(ledger: Ledger, mark: LedgerMark, number: int) -> None:
    """Settle ``number`` people, each in a commit of its own, as a slow relay would have it."""
    database = ledger._database
    pending = list(database.rows("SELECT rowid FROM delivery WHERE state = 'pending'"))
    for (row,) in pending[:number]:
        database.execute("UPDATE delivery SET state = 'sent' WHERE rowid = ?", row)
        mark.count(settled=True)


def begin(ledger: Ledger, mark: LedgerMark, number: int) -> None:
    ledger.open_edition(EDITION, subject="", issue_date=None, fingerprint="f1")
    ledger.enrol(EDITION, people(1, number))
    mark.begin()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where ten people have been sent to, and all is closed."""
    with opened(tmp_path) as (ledger, mark):
        mark.check()
        begin(ledger, mark, 10)
        send(ledger, mark, 10)
        mark.rise()
    return tmp_path


def crashed_copy(folder: Path, sent: int) -> Path:
    """Copy the folder as a crash in the middle of a run would leave it."""
    copy = folder / "crashed"
    copy.mkdir()
    with opened(folder) as (ledger, mark):
        begin(ledger, mark, 10 + sent + 1)
        send(ledger, mark, sent)
        for path in folder.glob("s*"):
            shutil.copy(path, copy)
    return copy


def check(folder: Path) -> None:
    with opened(folder) as (_, mark):
        mark.check()


def refused(folder: Path) -> StoreError:
    with pytest.raises(StoreError, match="has forgotten") as caught:
        check(folder)
    assert caught.value.exit_status == 74
    assert caught.value.hint
    assert str(folder / "settled") in caught.value.hint
    return caught.value


def test_an_untouched_ledger_passes_after_a_run_and_after_a_crash(folder: Path) -> None:
    check(folder)
    check(crashed_copy(folder, 3))


def test_a_deleted_ledger_is_refused(folder: Path) -> None:
    (folder / "store.sqlite3").unlink()
    assert "10 people whom it had settled are not in it" in refused(folder).message


def test_an_emptied_ledger_is_refused(folder: Path) -> None:
    (folder / "store.sqlite3").write_bytes(b"")
    refused(folder)


def test_yesterdays_ledger_is_refused(folder: Path) -> None:
    shutil.copy(folder / "store.sqlite3", folder / "yesterday")
    with opened(folder) as (ledger, mark):
        begin(ledger, mark, 12)
        send(ledger, mark, 2)
        mark.rise()
    (folder / "yesterday").replace(folder / "store.sqlite3")
    assert "2 people whom it had settled" in refused(folder).message


@pytest.mark.parametrize("sent", [0, 1, 2000])
def test_a_removed_log_is_refused_however_few_were_in_it(folder: Path, sent: int) -> None:
    crashed = crashed_copy(folder, sent)
    assert (crashed / "store.sqlite3-wal").stat().st_size > 0
    (crashed / "store.sqlite3-wal").unlink()
    refused(crashed)


def test_rows_that_somebody_deleted_are_missed(folder: Path) -> None:
    other = sqlite3.connect(folder / "store.sqlite3")
    other.execute("DELETE FROM delivery WHERE line = 3")
    other.commit()
    other.close()
    assert "1 people" in refused(folder).message


def test_the_mark_rises_by_itself_during_a_long_run(folder: Path) -> None:
    with opened(folder) as (ledger, mark):
        begin(ledger, mark, 10 + EVERY + 5)
        send(ledger, mark, EVERY + 5)
        known = HighWater(folder / "settled").read()
    assert known == {"generation": 4, "settled": 10 + EVERY}


def test_a_run_that_settles_nobody_does_not_let_the_write_ahead_log_grow_without_end(
    folder: Path,
) -> None:
    """As where a relay puts everybody off, again and again."""
    log = folder / "store.sqlite3-wal"
    sizes = []
    with opened(folder) as (ledger, mark):
        begin(ledger, mark, 20)
        for _ in range(4):
            for _ in range(EVERY):
                ledger._database.execute("UPDATE delivery SET reason = 'later' WHERE line = 20")
                mark.count(settled=False)
            sizes.append(log.stat().st_size)
    assert sizes == [sizes[0]] * 4
    assert HighWater(folder / "settled").read()["settled"] == 10


def test_people_who_are_to_be_tried_again_are_not_missed(folder: Path) -> None:
    with opened(folder) as (_, mark):
        mark.check()
        other = sqlite3.connect(folder / "store.sqlite3")
        other.execute("UPDATE delivery SET state = 'pending' WHERE line < 4")
        other.commit()
        other.close()
        mark.begin()
    check(folder)


def test_without_the_file_the_ledger_is_believed_and_the_file_written_anew(folder: Path) -> None:
    (folder / "settled").unlink()
    with opened(folder) as (_, mark):
        mark.check()
        mark.begin()
    assert HighWater(folder / "settled").read() == {"generation": 3, "settled": 10}


def test_another_program_that_folds_the_log_into_the_file_is_no_loss(folder: Path) -> None:
    crashed = crashed_copy(folder, 3)
    other = sqlite3.connect(crashed / "store.sqlite3")
    other.execute("SELECT * FROM rooms").fetchall()
    other.close()
    assert not (crashed / "store.sqlite3-wal").exists()
    check(crashed)
