"""A sender that is killed at random, and what the disk knows before a message leaves."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from kill_harness import HERE, logging_relay, taken
from scene import addresses

from real_parts import require

DELIVERY = HERE.parent / "delivery"
SOURCE = HERE.parents[1] / "src"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the harness forks")
@pytest.mark.parametrize("connections", ["1", "8"])
def test_killed_at_random_nobody_is_lost_and_nobody_gets_it_twice(connections: str) -> None:
    """The long run is by hand: ``python tests/faults/kill_harness.py --kills 1000``."""
    harness = [sys.executable, str(HERE / "kill_harness.py"), "--kills", "15", "--people", "300"]
    done = subprocess.run(
        [*harness, "--connections", connections],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "lost 0, doubled 0" in done.stdout


def test_the_claim_is_synced_before_the_write_that_holds_its_dot(tmp_path: Path) -> None:
    """Power may fail at any moment, so what counts is the order of the system calls."""
    require(shutil.which("strace"), "strace is not installed")
    number = 25
    with logging_relay(tmp_path / "taken") as port:
        trace = traced_send(tmp_path, port, number)
        assert sorted(taken(tmp_path / "taken")) == sorted(addresses(1, number))
    for person in range(1, number + 1):
        message_id = f"<{person}@example.com>"
        # The Message-ID enters the database with the claim, and the wire with the message.
        claim = first(trace, 0, r"pwrite64\(", message_id)
        synced = first(trace, claim, r"f(?:data)?sync\(.*= 0", "")
        written = first(trace, 0, r"(?:sendto|write|sendmsg)\(", f"Message-ID: {message_id}")
        assert r"\r\n.\r\n" in trace[written]
        assert claim < synced < written


def traced_send(folder: Path, port: int, number: int) -> list[str]:
    """Send to ``number`` people; return the system calls in the order of their return."""
    path = os.pathsep.join([str(DELIVERY), str(SOURCE)])
    calls = "trace=fsync,fdatasync,pwrite64,sendto,sendmsg,write"
    strace = ["strace", "-f", "-s", "200000", "-o", str(folder / "trace"), "-e", calls]
    sender = [sys.executable, str(DELIVERY / "sender.py"), str(folder / "store.sqlite3")]
    done = subprocess.run(
        [*strace, *sender, str(port), str(number)],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        timeout=60,
        check=False,
    )
    require(b"ptrace" not in done.stderr, "strace is not permitted here")
    assert done.returncode == 0, done.stderr
    return in_order_of_return((folder / "trace").read_text("utf-8", "replace").splitlines())


def in_order_of_return(lines: list[str]) -> list[str]:
    """Put together the calls that strace had to break off because another thread made one."""
    begun: dict[str, str] = {}
    calls = []
    for line in lines:
        process, call = line.split(maxsplit=1)
        if call.endswith("<unfinished ...>"):
            begun[process] = call.removesuffix("<unfinished ...>")
        elif match := re.match(r"<\.\.\. \w+ resumed>", call):
            calls.append(begun.pop(process) + call[match.end() :])
        else:
            calls.append(call)
    return calls


def first(trace: list[str], start: int, call: str, part: str) -> int:
    """Return where the first such call is that has ``part`` in it."""
    pattern = re.compile(call)
    return next(
        number
        for number, line in enumerate(trace)
        if number >= start and pattern.match(line) and part in line
    )
