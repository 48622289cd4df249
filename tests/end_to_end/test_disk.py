"""A disk that is full, read-only or fails: no message leaves whose claim is not on it.

Faults are put into a real run's system calls with strace, and a small file system of its own is
mounted where the memory lies; both need Linux, the latter also the rights of root.
"""

import os
import shutil
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from command import Result, arguments, environment, start
from fake_relay import FakeRelay

from real_parts import require

PEOPLE = [f"p{number:03}@example.org" for number in range(150)]


def write_list(folder: Path, number: int) -> list[str]:
    people = PEOPLE[:number]
    (folder / "recipients.csv").write_text("email\n" + "\n".join(people) + "\n")
    return people


def claimed(folder: Path) -> set[str]:
    """Everybody for whom the disk says that a message may have left."""
    connection = sqlite3.connect(folder / ".briefmail" / "store.sqlite3")
    try:
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'delivery'").fetchone():
            return set()
        rows = connection.execute(
            "SELECT address FROM delivery WHERE state IN ('claimed', 'sent', 'uncertain')"
        )
        return {address for (address,) in rows}
    finally:
        connection.close()


def clean(result: Result) -> None:
    """See to it that a failure is told in a line and a hint."""
    assert result.status == 74, result
    assert "Traceback" not in result.err
    assert "hint: " in result.err


# --- faults of single calls -----------------------------------------------------------------------


def send_with_fault(folder: Path, letter: Path, fault: str) -> Result:
    """Send while the system answers some calls about the memory with an error."""
    memory = folder / ".briefmail"
    paths = [memory / name for name in ("store.sqlite3", "store.sqlite3-wal")]
    watched = [word for path in paths for word in ("-P", str(path))]
    strace = ["strace", "-f", "-qq", "-o", os.devnull, *watched, "-e", f"inject={fault}"]
    done = subprocess.run(
        [*strace, *arguments("send", letter, "--yes")],
        cwd=folder,
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=120,
        check=False,
    )
    return Result(done.returncode, done.stdout.decode(), done.stderr.decode())


@pytest.fixture
def traced() -> None:
    require(sys.platform == "linux" and shutil.which("strace"), "strace is not installed")
    done = subprocess.run(["strace", "-o", os.devnull, "true"], capture_output=True, check=False)
    if done.returncode:
        pytest.skip("nobody can trace a process in this container")


# What a run does to the memory up to its first message takes some 20 calls of each kind.
@pytest.mark.parametrize("when", [1, 3, 5, 8, 12, 17, 24, 33])
@pytest.mark.parametrize("fault", ["fdatasync:error=EIO", "pwrite64:error=ENOSPC"])
def test_a_call_that_fails_from_some_moment_on_ends_the_run_before_the_next_message(
    starter: Path, letter: Path, relay: FakeRelay, traced: None, fault: str, when: int
) -> None:
    people = write_list(starter, 8)
    result = send_with_fault(starter, letter, f"{fault}:when={when}+")
    if result.status == 0:  # the fault came after the last claim, at the closing of the file
        assert relay.recipients == people
    else:
        clean(result)
    assert set(relay.recipients) <= claimed(starter)
    again = start(starter, "send", letter, "--yes")
    assert again.status == 0, again
    assert Counter(relay.recipients).keys() | claimed(starter) == set(people)
    assert max(Counter(relay.recipients).values(), default=0) <= 1


@pytest.mark.parametrize("when", [2, 4, 6, 8, 10])
def test_a_sync_that_fails_once_is_not_tried_again_and_believed(
    starter: Path, letter: Path, relay: FakeRelay, traced: None, when: int
) -> None:
    """After it the system may have dropped what was to be synced, and say yes the next time."""
    people = write_list(starter, 8)
    clean(send_with_fault(starter, letter, f"fdatasync:error=EIO:when={when}"))
    assert len(relay.recipients) < len(people)
    assert set(relay.recipients) <= claimed(starter)
    assert start(starter, "send", letter, "--yes").status == 0
    assert Counter(relay.recipients) == Counter(people)


# --- a disk of its own ----------------------------------------------------------------------------


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """Mount a file system of ``size`` where the memory lies."""
    memory = folder / ".briefmail"
    memory.mkdir(mode=0o700, exist_ok=True)
    require(sys.platform == "linux" and os.geteuid() == 0, "only root can mount a file system")
    if mount("-t", "tmpfs", "-o", f"size={size}", "none", memory).returncode:
        pytest.skip("nobody can mount a file system in this container")
    try:
        yield memory
    finally:
        subprocess.run(["umount", str(memory)], check=True)


def mount(*words: str | Path) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(["mount", *map(str, words)], capture_output=True, check=False)


@pytest.mark.parametrize("size", ["64k", "128k", "256k", "384k"])
def test_a_full_disk_ends_the_run_and_with_room_the_same_command_goes_on(
    starter: Path, letter: Path, relay: FakeRelay, size: str
) -> None:
    people = write_list(starter, len(PEOPLE))
    with small_disk(starter, size) as memory:
        clean(start(starter, "send", letter, "--yes"))
        assert len(relay.recipients) < len(people)
        assert mount("-o", "remount,size=8m", memory).returncode == 0
        assert set(relay.recipients) <= claimed(starter)
        result = start(starter, "send", letter, "--yes")
        assert result.status == 0, result
        assert set(relay.recipients) | claimed(starter) == set(people)
        assert max(Counter(relay.recipients).values()) == 1


def test_a_disk_that_became_read_only_sends_to_nobody(
    starter: Path, letter: Path, relay: FakeRelay
) -> None:
    write_list(starter, 8)
    with small_disk(starter, "8m") as memory:
        assert start(starter, "send", letter, "--yes", "--limit", "2").status == 0
        assert mount("-o", "remount,ro", memory).returncode == 0
        clean(start(starter, "send", letter, "--yes"))
        assert len(relay.recipients) == 2
        assert mount("-o", "remount,rw", memory).returncode == 0
        assert start(starter, "send", letter, "--yes").status == 0
    assert relay.recipients == PEOPLE[:8]


def test_a_folder_for_receipts_that_cannot_be_written_sends_to_nobody(
    starter: Path, letter: Path, relay: FakeRelay
) -> None:
    (starter / "sent").write_text("a file where the folder should be")
    clean(start(starter, "send", letter, "--yes"))
    assert relay.recipients == []
