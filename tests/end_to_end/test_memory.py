"""What is remembered stops what should not go out: never a silent start from zero."""

import json
import re
import shutil
import sqlite3
import subprocess
import threading
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from command import Command, arguments, environment, start, tree
from fake_relay import FakeRelay

from briefmail.cli.send import FORCE
from briefmail.newsletter import REASONS

EVERYBODY = ["ada@example.org", "ruaridh@example.org", "zoe@example.org", "hello@example.org"]


@pytest.fixture
def half(briefmail: Command, letter: Path, relay: FakeRelay) -> Path:
    """Return an issue that two of four people have."""
    assert briefmail("send", letter, "--yes", "--limit", "2").status == 0
    assert relay.recipients == EVERYBODY[:2]
    return letter


@pytest.fixture
def whole(briefmail: Command, letter: Path, relay: FakeRelay) -> Path:
    """Return an issue that everybody has."""
    assert briefmail("send", letter, "--yes").status == 0
    return letter


def change(path: Path, old: str, new: str) -> None:
    path.write_text(path.read_text("utf-8").replace(old, new), encoding="utf-8")


def test_the_options_are_the_reasons() -> None:
    assert FORCE == REASONS


# --- receipts -------------------------------------------------------------------------------------


def test_a_receipt_is_there_before_the_first_message_and_gets_its_totals_at_the_end(
    briefmail: Command, starter: Path, letter: Path, relay: FakeRelay
) -> None:
    path = starter / "sent" / "short.toml"
    seen = []

    def look() -> str:
        seen.append(tomllib.loads(path.read_text("utf-8")))
        return "250 2.1.0 ok"

    relay.on("MAIL", look, times=1)
    briefmail("send", letter, "--yes")
    (first,) = seen
    assert first.keys() == {"edition", "subject", "date", "fingerprint", "relay", "opened_at"}
    last = tomllib.loads(path.read_text("utf-8"))
    assert last.pop("closed_at") >= last["opened_at"]
    assert last.pop("totals") == {
        "sent": 4, "refused": 0, "deferred": 0, "uncertain": 0, "pending": 0, "withdrawn": 0,
        "by_hand": 0, "expired": 0,
    }  # fmt: skip
    assert last == first
    assert "@" not in path.read_text("utf-8").replace("fingerprint", "")


def test_the_sandbox_leaves_no_receipt_and_is_not_stopped_by_anything(
    briefmail: Command, starter: Path, whole: Path
) -> None:
    (starter / ".env").unlink()
    before = tree(starter / "sent")
    change(whole, "Hello.", "Hello again.")
    for _ in range(2):
        assert briefmail("send", whole, "--yes").totals["sent"] == 4
    assert tree(starter / "sent") == before


# --- the issue ------------------------------------------------------------------------------------


def test_a_changed_issue_stops_the_resume_shows_the_difference_and_can_be_forced(
    briefmail: Command, starter: Path, half: Path, relay: FakeRelay
) -> None:
    change(half, "Hello.", "Hello, all.")
    for words in (("--yes",), ("--dry-run",), ("--yes", "--again", "--force", "relay-changed")):
        result = briefmail("send", half, *words)
        assert result.status == 65, result
        assert "issues/short.md: has changed since it went out to 2 people" in result.err
        assert "\n-Hello.\n+Hello, all.\n" in result.err
        assert "add --force edition-changed\n" in result.err
    assert len(relay.received) == 2
    assert briefmail("send", half, "--yes", "--force", "edition-changed").totals["sent"] == 2
    assert relay.recipients == EVERYBODY
    receipt = tomllib.loads((starter / "sent" / "short.toml").read_text("utf-8"))
    assert len({receipt["fingerprint"], *receipt["later"]}) == 2


def test_what_no_reader_sees_is_no_change(briefmail: Command, half: Path, relay: FakeRelay) -> None:
    change(half, "date: 2016-08-24", "date: 2016-08-24\nstatus: ready")
    assert briefmail("send", half, "--yes").totals["sent"] == 2


def test_an_issue_that_nobody_has_had_may_be_corrected(
    briefmail: Command, letter: Path, relay: FakeRelay
) -> None:
    relay.on("MAIL", "421 4.3.2 closed for tea", times=3)
    assert briefmail("send", letter, "--yes").status == 75
    change(letter, "Hello.", "Hello, all.")
    assert briefmail("send", letter, "--yes").totals["sent"] == 4


def test_another_relay_stops_the_resume(
    briefmail: Command, starter: Path, half: Path, relay: FakeRelay
) -> None:
    change(starter / ".env", "127.0.0.1", "localhost")
    result = briefmail("send", half, "--yes")
    assert (result.status, len(relay.received)) == (65, 2)
    assert "through 127.0.0.1, and would go on through localhost" in result.err
    assert briefmail("send", half, "--yes", "--force", "relay-changed").totals["sent"] == 2
    assert relay.recipients == EVERYBODY


@pytest.mark.parametrize("changed", [False, True])
def test_an_issue_under_another_name_stops(
    briefmail: Command, whole: Path, relay: FakeRelay, changed: bool
) -> None:
    """By its words, which the date is part of; else by the date alone."""
    other = whole.with_name("renamed.md")
    shutil.copy(whole, other)
    if changed:
        change(other, "Hello.", "Hullo.")
    result = briefmail("send", other, "--yes")
    assert result.status == 65
    expected = "has the date 2016-08-24" if changed else "word for word what went out as short"
    assert expected in result.err
    assert "add --again\n" in result.err
    assert len(relay.received) == 4
    assert briefmail("send", other, "--yes", "--again").totals["sent"] == 4


def test_a_finished_issue_is_opened_again_for_who_is_new_and_it_says_so(
    briefmail: Command, starter: Path, whole: Path, relay: FakeRelay
) -> None:
    with (starter / "recipients.csv").open("a") as file:
        file.write("new@example.org,,,\n")
    result = briefmail("send", whole, "--yes")
    assert result.totals["sent"] == 1
    assert re.search(r"finished on .*; it is opened again for 1 person who is new", result.err)
    assert relay.recipients == [*EVERYBODY, "new@example.org"]


def test_a_list_that_fell_below_half_stops_the_next_issue(
    briefmail: Command, starter: Path, whole: Path, relay: FakeRelay
) -> None:
    after = whole.with_name("after.md")
    shutil.copy(whole, after)
    change(after, "2016-08-24", "2016-09-07")
    change(after, "Hello.", "Hello after all.")
    rows = (starter / "recipients.csv").read_text("utf-8").splitlines(keepends=True)
    (starter / "recipients.csv").write_text("".join(rows[:2]), encoding="utf-8")
    result = briefmail("send", after, "--yes")
    assert result.status == 65
    assert "recipients.csv: has 1 person to send to; at the last issue it had 4" in result.err
    assert briefmail("send", after, "--dry-run", "--limit", "1").status == 0
    found = json.loads(briefmail("send", after, "--dry-run", "--json").out)
    assert found["way_on"] == ["--force audience-fell"]
    (starter / "recipients.csv").write_text(rows[0], encoding="utf-8")
    assert briefmail("send", after, "--yes").status == 65
    (starter / "recipients.csv").write_text("".join(rows[:2]), encoding="utf-8")
    assert briefmail("send", after, "--yes", "--force", "audience-fell").totals["sent"] == 1


# --- the ledger -----------------------------------------------------------------------------------


def delete_database(memory: Path) -> None:
    (memory / "store.sqlite3").unlink()


def empty_database(memory: Path) -> None:
    (memory / "store.sqlite3").write_bytes(b"")


def cut_off(part: float) -> Callable[[Path], None]:
    def cut(memory: Path) -> None:
        path = memory / "store.sqlite3"
        path.write_bytes(path.read_bytes()[: int(path.stat().st_size * part)])

    cut.__name__ = f"cut_off_{part}"
    return cut


def flip(memory: Path) -> None:
    """Flip a bit in every page."""
    path = memory / "store.sqlite3"
    data = bytearray(path.read_bytes())
    for position in range(0, len(data), 4096):
        data[position] ^= 0x10
    path.write_bytes(data)


def start_anew(memory: Path) -> None:
    """Put a sound and empty database of another program's making there."""
    delete_database(memory)
    sqlite3.connect(memory / "store.sqlite3").close()


DAMAGES = [
    delete_database,
    empty_database,
    start_anew,
    flip,
    *(cut_off(part) for part in (0.001, 0.1, 0.3, 0.5, 0.7, 0.9, 0.999)),
]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_or_missing_ledger_sends_to_nobody(
    briefmail: Command, starter: Path, half: Path, relay: FakeRelay,
    damage: Callable[[Path], None],
) -> None:  # fmt: skip
    damage(starter / ".briefmail")
    for words in (("--dry-run",), ("--yes",), ("--yes", "--again")):
        result = briefmail("send", half, *words)
        assert result.status == 74, result
        assert "\nhint: " in result.err
    assert relay.recipients == EVERYBODY[:2]


def test_yesterdays_ledger_sends_to_nobody(
    briefmail: Command, starter: Path, half: Path, relay: FakeRelay
) -> None:
    shutil.copy(starter / ".briefmail" / "store.sqlite3", starter / "yesterday")
    briefmail("send", half, "--yes")
    (starter / "yesterday").replace(starter / ".briefmail" / "store.sqlite3")
    result = briefmail("send", half, "--yes")
    assert (result.status, len(relay.received)) == (74, 4)
    assert "2 people whom it had settled are not in it" in result.err


def test_the_whole_memory_of_yesterday_is_noticed_by_the_receipt(
    briefmail: Command, starter: Path, half: Path, relay: FakeRelay
) -> None:
    shutil.copytree(starter / ".briefmail", starter / "yesterday")
    briefmail("send", half, "--yes")
    shutil.rmtree(starter / ".briefmail")
    (starter / "yesterday").rename(starter / ".briefmail")
    result = briefmail("send", half, "--yes")
    assert (result.status, len(relay.received)) == (65, 4)
    assert "went out to 4 people (sent/short.toml" in result.err


def test_a_ledger_without_its_log_sends_to_nobody(
    briefmail: Command, starter: Path, letter: Path, relay: FakeRelay
) -> None:
    """After ``kill -9`` most of what is known is in the write-ahead log."""
    reached, killed = threading.Event(), threading.Event()

    def hold() -> str:
        reached.set()
        killed.wait(20)
        return "250 2.0.0 too late"

    relay.on("DOT", hold, part="zoe@", times=1)
    process = subprocess.Popen(
        arguments("send", letter, "--yes"),
        cwd=starter,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    assert reached.wait(20)
    process.kill()
    process.wait(20)
    killed.set()
    log = starter / ".briefmail" / "store.sqlite3-wal"
    assert log.stat().st_size > 0
    log.rename(starter / "log")
    result = briefmail("send", letter, "--yes")
    assert (result.status, relay.recipients) == (74, EVERYBODY[:3]), result
    for path in (starter / ".briefmail").glob("store.sqlite3-*"):
        path.unlink()
    (starter / "log").rename(log)
    assert briefmail("send", letter, "--yes").totals["sent"] == 1
    assert relay.recipients == EVERYBODY


def test_a_second_clone_is_stopped_by_the_receipt(
    briefmail: Command, starter: Path, half: Path, relay: FakeRelay
) -> None:
    shutil.rmtree(starter / ".briefmail")
    for words in (("--dry-run",), ("--yes",)):
        result = briefmail("send", half, *words)
        assert result.status == 65
        assert "the ledger here does not know who has it" in result.err
    assert len(relay.received) == 2
    assert briefmail("send", half, "--yes", "--again").totals["sent"] == 4


def test_a_receipt_with_the_marks_of_a_merge_is_no_missing_one(
    briefmail: Command, starter: Path, half: Path, relay: FakeRelay
) -> None:
    shutil.rmtree(starter / ".briefmail")
    (starter / "sent" / "short.toml").write_text("<<<<<<< HEAD\n")
    assert briefmail("send", half, "--yes").status == 65
    assert len(relay.received) == 2


# --- backups --------------------------------------------------------------------------------------


def test_a_backup_takes_the_place_of_what_was_lost(
    briefmail: Command, starter: Path, half: Path, relay: FakeRelay
) -> None:
    assert briefmail("backup", "safe.sqlite3").out == "backed up to safe.sqlite3\n"
    refused = briefmail("backup", "safe.sqlite3")
    assert (refused.status, refused.err.splitlines()[0]) == (
        2,
        "error: safe.sqlite3 is there already; nothing was written",
    )
    cut_off(0.5)(starter / ".briefmail")
    assert briefmail("backup", "worse.sqlite3").status == 74
    assert not (starter / "worse.sqlite3").exists()
    (starter / "safe.sqlite3").replace(starter / ".briefmail" / "store.sqlite3")
    assert briefmail("send", half, "--yes").totals["sent"] == 2
    assert relay.recipients == EVERYBODY


def test_without_a_memory_there_is_nothing_to_back_up(briefmail: Command, starter: Path) -> None:
    before = tree(starter)
    assert briefmail("backup", "safe.sqlite3").status == 2
    assert tree(starter) == before


def test_a_folder_that_is_synchronised_is_warned_of(
    briefmail: Command, starter: Path, letter: Path, relay: FakeRelay,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    shutil.copytree(starter, starter / "Dropbox")
    monkeypatch.chdir(starter / "Dropbox")
    result = briefmail("send", "issues/short.md", "--yes")
    assert (result.status, len(relay.received)) == (0, 4)
    assert "warning: " in result.err
    assert "in a folder that Dropbox synchronises" in result.err


# --- at once --------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [2, 8, 20])
def test_of_many_at_once_one_sends_and_the_others_leave_with_75(
    starter: Path, letter: Path, relay: FakeRelay, number: int
) -> None:
    let_go = threading.Event()

    def hold() -> str:
        let_go.wait(60)
        return "250 2.1.0 ok"

    relay.on("MAIL", hold, times=1)
    codes: list[int] = []
    runs = [
        threading.Thread(
            target=lambda: codes.append(start(starter, "send", letter, "--yes").status)
        )
        for _ in range(number)
    ]
    for run in runs:
        run.start()
    for _ in range(600):
        if len(codes) == number - 1:
            break
        threading.Event().wait(0.1)
    assert codes == [75] * (number - 1)
    let_go.set()
    for run in runs:
        run.join(60)
    assert codes[number - 1 :] == [0]
    assert relay.recipients == EVERYBODY


def test_a_lock_left_behind_is_no_obstacle(
    briefmail: Command, starter: Path, half: Path, relay: FakeRelay
) -> None:
    (starter / ".briefmail" / "lock").write_text("4711")
    assert briefmail("send", half, "--yes").totals["sent"] == 2
