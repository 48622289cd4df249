"""Suppressions: kept in the store until they are taken off, under one key however written."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from briefmail.audience import MIGRATIONS, Address, Roll, Suppression, Suppressions, parse_address
from briefmail.store import Database, SQLite

THEN = datetime(2016, 8, 24, 10, 0, tzinfo=timezone(timedelta(hours=1)))
LATER = datetime(2016, 9, 7, 9, 0, tzinfo=UTC)


def address(text: str) -> Address:
    parsed = parse_address(text)
    assert isinstance(parsed, Address)
    return parsed


def store(folder: Path) -> Database:
    return SQLite.open(folder / "store.sqlite3", {"audience": MIGRATIONS})


def test_a_suppression_outlives_the_process_with_its_reason_and_date(tmp_path: Path) -> None:
    with store(tmp_path) as database:
        assert Suppressions(database).add(address("Jo@example.org"), "asked by phone", THEN)
    with store(tmp_path) as database:
        assert list(Suppressions(database).entries()) == [
            Suppression(
                "Jo@example.org",
                "jo@example.org",
                "asked by phone",
                datetime(2016, 8, 24, 9, 0, tzinfo=UTC),
            )
        ]


def test_suppressing_twice_is_fine_and_keeps_the_first_entry(tmp_path: Path) -> None:
    with store(tmp_path) as database:
        suppressions = Suppressions(database)
        suppressions.add(address("jo@example.org"), "first", THEN)
        assert not suppressions.add(address("JO@EXAMPLE.ORG"), "second", LATER)
        assert [(entry.reason, entry.at) for entry in suppressions.entries()] == [("first", THEN)]
        assert [suppressions.find("jo@example.org")] == list(suppressions.entries())
        assert suppressions.find("al@example.org") is None


def test_an_entry_can_be_taken_off_in_any_spelling(tmp_path: Path) -> None:
    with store(tmp_path) as database:
        suppressions = Suppressions(database)
        suppressions.add(address("jo@bücher.example"), "", THEN)
        assert "jo@xn--bcher-kva.example" in suppressions
        assert suppressions.remove(address("Jo@xn--bcher-kva.example"))
        assert "jo@xn--bcher-kva.example" not in suppressions
        assert not suppressions.remove(address("jo@bücher.example"))


def test_entries_come_in_the_order_of_their_dates(tmp_path: Path) -> None:
    with store(tmp_path) as database:
        suppressions = Suppressions(database)
        suppressions.add(address("al@example.org"), "", LATER)
        suppressions.add(address("jo@example.org"), "", THEN)
        keys = [entry.key for entry in suppressions.entries()]
        assert keys == ["jo@example.org", "al@example.org"]


def test_a_list_cannot_overrule_a_suppression(tmp_path: Path) -> None:
    path = tmp_path / "recipients.csv"
    path.write_text("email,status\nJO@example.org,enabled\nal@example.org,\n", encoding="utf-8")
    with store(tmp_path) as database:
        suppressions = Suppressions(database)
        suppressions.add(address("jo@example.org"), "", THEN)
        with Roll.read(path, suppressed=suppressions) as roll:
            assert [person.address for person in roll.recipients()] == ["al@example.org"]
            assert roll.counts.suppressed == 1


def test_a_few_keys_are_asked_in_memory_and_very_many_in_the_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answers are the same."""
    monkeypatch.setattr("briefmail.audience.suppressions.IN_MEMORY", 2)
    with store(tmp_path) as database:
        suppressions = Suppressions(database)
        for number in range(3):
            keys = suppressions.at_hand()
            assert isinstance(keys, frozenset) == (number <= 2)
            assert [f"jo{n}@example.org" in keys for n in range(3)] == [
                n < number for n in range(3)
            ]
            suppressions.add(address(f"jo{number}@example.org"), "", THEN)
        assert suppressions.at_hand() is suppressions
        assert "jo2@example.org" in suppressions.at_hand()
