"""Receipts: whole or not there, without addresses, and never written over by another version."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from briefmail.delivery import Totals
from briefmail.delivery.receipt import Receipt, Receipts
from briefmail.errors import InputError, StoreError

RECEIPT = Receipt(
    edition="2016-08-24",
    subject='Who owns "Scotland"? 🏴 \\ {{ first_name }}',
    issue_date=date(2016, 8, 24),
    fingerprint="f1",
    relay="smtp.example.org",
    opened_at="2016-08-24T09:00:00.000+00:00",
)
TOTALS = Totals(sent=498, refused=1, uncertain=1)


def test_a_receipt_is_a_small_file_that_people_can_read(tmp_path: Path) -> None:
    Receipts(tmp_path).open(replace(RECEIPT, subject="Who owns Scotland?"))
    assert (
        (tmp_path / "sent" / "2016-08-24.toml").read_text("utf-8")
        == """\
# Written by briefmail when this issue first went out. Commit it: it holds no address, and keeps
# another copy of this folder from sending the issue again.
edition = "2016-08-24"
subject = "Who owns Scotland?"
date = 2016-08-24
fingerprint = "f1"
relay = "smtp.example.org"
opened_at = "2016-08-24T09:00:00.000+00:00"
"""
    )
    assert [path.name for path in (tmp_path / "sent").iterdir()] == ["2016-08-24.toml"]


@pytest.mark.parametrize("subject", [RECEIPT.subject, "\x7f\u2028", "", "'''\"\"\""])
def test_what_was_written_is_read(tmp_path: Path, subject: str) -> None:
    receipts = Receipts(tmp_path)
    assert receipts.read("2016-08-24") is None
    receipt = replace(RECEIPT, subject=subject)
    assert receipts.open(receipt) == receipt
    assert receipts.read("2016-08-24") == receipt
    undated = replace(RECEIPT, edition="undated", issue_date=None)
    receipts.open(undated)
    assert list(receipts.all()) == [receipt, undated]


def test_a_closed_edition_has_its_totals(tmp_path: Path) -> None:
    receipts = Receipts(tmp_path)
    receipts.open(RECEIPT)
    receipts.close("2016-08-24", "2016-08-24T10:00:00.000+00:00", TOTALS)
    closed = replace(RECEIPT, closed_at="2016-08-24T10:00:00.000+00:00", totals=TOTALS)
    assert receipts.read("2016-08-24") == closed
    assert receipts.open(RECEIPT) == closed


def test_another_version_is_added_and_the_first_stays(tmp_path: Path) -> None:
    receipts = Receipts(tmp_path)
    receipts.open(RECEIPT)
    for _ in range(2):
        receipts.open(replace(RECEIPT, fingerprint="f2", relay="other.example.org"))
        assert receipts.read("2016-08-24") == replace(RECEIPT, later=("f2",))
    assert RECEIPT.past.fingerprints == {"f1"}
    assert replace(RECEIPT, later=("f2",)).past.fingerprints == {"f1", "f2"}


def test_a_receipt_with_the_line_ends_of_windows_is_read(tmp_path: Path) -> None:
    receipts = Receipts(tmp_path)
    receipts.open(RECEIPT)
    path = tmp_path / "sent" / "2016-08-24.toml"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert receipts.read("2016-08-24") == RECEIPT


@pytest.mark.parametrize(
    "text",
    [
        "<<<<<<< HEAD",
        "",
        "edition = 'x'",
        "edition = 'x'\nfingerprint = 'f'\ndate = 'soon'",
        "edition = 'x'\nfingerprint = 'f'\ntotals = 3",
        "edition = 'x'\nfingerprint = 'f'\n[totals]\nhappy = 3",
        "edition = 'x'\nfingerprint = 'f'\nlater = 3",
    ],
)
def test_a_receipt_that_cannot_be_read_is_not_taken_for_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / "sent" / "x.toml"
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(InputError, match="receipt cannot be read"):
        Receipts(tmp_path).read("x")


def test_a_folder_that_cannot_be_made_is_an_error_of_the_disk(tmp_path: Path) -> None:
    (tmp_path / "sent").write_text("a file")
    with pytest.raises(StoreError, match="sent"):
        Receipts(tmp_path).open(RECEIPT)
