"""The database: its own file or none, sound or refused, copied whole or not at all."""

import shutil
import sqlite3
from pathlib import Path

import pytest

from briefmail.errors import StoreError, UsageError
from briefmail.store import SQLite

ROOMS = {"room": ("CREATE TABLE person (name TEXT PRIMARY KEY, note TEXT NOT NULL) STRICT",)}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A database with a hundred people, closed."""
    path = tmp_path / "store.sqlite3"
    with SQLite.open(path, ROOMS) as database:
        database.insert(
            "INSERT INTO person VALUES (?, ?)", ((f"reader {n}", "x" * 200) for n in range(100))
        )
    return path


def read(path: Path) -> list[str]:
    with SQLite.open(path, ROOMS) as database:
        database.check()
        return [name for (name,) in database.rows("SELECT name FROM person")]


PEOPLE = sorted(f"reader {n}" for n in range(100))


def test_a_file_of_another_program_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "places.sqlite"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE bookmarks (url TEXT)")
    other.commit()
    other.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="another program made it"):
        SQLite.open(path, ROOMS)
    assert path.read_bytes() == before


def test_a_file_that_says_it_is_another_programs_is_refused(path: Path) -> None:
    other = sqlite3.connect(path)
    other.execute("PRAGMA application_id = 252006675")
    other.close()
    with pytest.raises(StoreError, match="another program made it"):
        SQLite.open(path, ROOMS)


def test_a_file_from_before_it_said_whose_it_is_is_ours(path: Path) -> None:
    other = sqlite3.connect(path)
    other.execute("PRAGMA application_id = 0")
    other.close()
    assert sorted(read(path)) == PEOPLE


def test_a_file_of_a_newer_version_is_refused_and_not_changed(path: Path) -> None:
    newer = {"room": (*ROOMS["room"], "ALTER TABLE person ADD COLUMN age INTEGER")}
    with SQLite.open(path, newer):
        pass
    before = path.read_bytes()
    with pytest.raises(StoreError, match="newer briefmail") as caught:
        SQLite.open(path, ROOMS)
    assert caught.value.hint == "update briefmail; nothing was changed"
    assert path.read_bytes() == before


def test_opening_what_is_up_to_date_writes_nothing(path: Path) -> None:
    before = path.read_bytes()
    assert sorted(read(path)) == PEOPLE
    assert path.read_bytes() == before


def test_text_in_the_place_of_the_database_is_refused(path: Path) -> None:
    path.write_text("the dog ate it\n" * 1000)
    with pytest.raises(StoreError, match=r"not a database|not whole") as caught:
        SQLite.open(path, ROOMS)
    assert caught.value.exit_status == 74
    assert caught.value.hint
    assert "backup" in caught.value.hint


def test_a_file_cut_off_anywhere_is_refused(
    path: Path,
) -> None:
    whole = path.read_bytes()
    lengths = {1, 15, 16, 99, 100, 101, 511, 512, *range(1024, len(whole), 1024)}
    lengths |= {len(whole) - 100, len(whole) - 1}
    for length in sorted(lengths):
        path.write_bytes(whole[:length])
        with pytest.raises(StoreError):
            read(path)


@pytest.mark.parametrize("emptied", [True, False])
def test_a_log_whose_file_is_gone_is_kept_and_not_begun_anew(
    path: Path, tmp_path: Path, emptied: bool
) -> None:
    crashed = tmp_path / "crashed.sqlite3"
    with SQLite.open(path, ROOMS) as database:
        database.execute("INSERT INTO person VALUES ('late', '')")
        shutil.copy(f"{path}-wal", f"{crashed}-wal")
    if emptied:
        crashed.write_bytes(b"")
    with pytest.raises(StoreError, match="is gone, and its write-ahead log is not"):
        SQLite.open(crashed, ROOMS)
    assert Path(f"{crashed}-wal").stat().st_size > 0


def test_a_flipped_bit_is_found_or_does_no_harm_to_the_keys(path: Path) -> None:
    whole = path.read_bytes()
    found = 0
    for position in range(0, len(whole), 97):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 0x10]) + whole[position + 1 :])
        try:
            names = read(path)
        except StoreError:
            found += 1
        else:
            assert sorted(names) == PEOPLE
    assert found > 0


def test_a_removed_page_is_found(path: Path) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[:8192] + bytes(4096) + whole[12288:])
    with pytest.raises(StoreError):
        read(path)


def test_a_backup_has_what_a_bare_copy_misses(path: Path, tmp_path: Path) -> None:
    with SQLite.open(path, ROOMS) as database:
        database.execute("INSERT INTO person VALUES ('late', '')")
        shutil.copy(path, tmp_path / "copy.sqlite3")
        database.backup_to(tmp_path / "backup.sqlite3")
    assert "late" not in read(tmp_path / "copy.sqlite3")
    assert sorted(read(tmp_path / "backup.sqlite3")) == sorted([*PEOPLE, "late"])


def test_a_backup_is_one_file_that_only_its_owner_can_read(path: Path, tmp_path: Path) -> None:
    (tmp_path / "safe").mkdir()
    with SQLite.open(path, ROOMS) as database:
        database.backup_to(tmp_path / "safe" / "backup.sqlite3")
    (backup,) = (tmp_path / "safe").iterdir()
    assert backup.stat().st_mode & 0o077 == 0


def test_a_backup_overwrites_nothing(path: Path, tmp_path: Path) -> None:
    target = tmp_path / "backup.sqlite3"
    target.write_text("precious")
    with SQLite.open(path, ROOMS) as database, pytest.raises(UsageError, match="already"):
        database.backup_to(target)
    assert target.read_text() == "precious"


def test_a_backup_into_nowhere_is_an_error_of_the_disk(path: Path, tmp_path: Path) -> None:
    with (
        SQLite.open(path, ROOMS) as database,
        pytest.raises(StoreError, match="cannot be written"),
    ):
        database.backup_to(tmp_path / "no" / "such" / "backup.sqlite3")
