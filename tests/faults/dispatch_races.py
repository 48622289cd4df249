"""Let many dispatches begin at the same moment on one folder, and count who got it twice.

Usage: ``python tests/faults/dispatch_races.py [--races 900 --processes 2] [--killed]``

Without numbers: 900 races of 2, 90 of 8 and 10 of 50. A relay in a process of its own writes down
every message that it takes. For each race an issue becomes due; then the processes are let go at
once. All must leave with 0, each reader must have it once, and the editor one report. With
``--killed`` a process that holds the lock is killed with SIGKILL before each race. Leaves with 1
if anything was wrong. Needs ``fork``.
"""

import argparse
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "src")]

from kill_harness import logging_relay, taken  # noqa: E402

from briefmail import Newsletter  # noqa: E402
from briefmail.cli import cli  # noqa: E402
from briefmail.cli.door import status_of  # noqa: E402
from briefmail.store import run_lock  # noqa: E402

PEOPLE = [f"reader{number}@example.org" for number in range(12)]
EDITOR = "editor@example.com"
FOLDER_LASTS = 25  # races, so that no folder gets more issues than a year has
ALL = ((900, 2), (90, 8), (10, 50))


@dataclass
class Count:
    """What went wrong, over all races."""

    doubled: int = 0
    lost: int = 0
    reports: int = 0
    statuses: Counter[int] = field(default_factory=Counter)


def newsletter(folder: Path, port: int) -> Path:
    """Make a folder that dispatches through the relay, and let dispatch see it once."""
    (folder / "issues").mkdir()
    (folder / "briefmail.toml").write_text(
        '[newsletter]\nname = "News"\nfrom = "news@example.org"\n'
        f'[editor]\nemail = "{EDITOR}"\n[schedule]\ntimezone = "UTC"\n'
    )
    (folder / ".env").write_text(
        f"SMTP_HOST=127.0.0.1\nSMTP_PORT={port}\nSMTP_SECURITY=none\n", encoding="utf-8"
    )
    (folder / "recipients.csv").write_text("email\n" + "\n".join(PEOPLE) + "\n")
    return folder


def due_now(folder: Path, name: str) -> Path:
    """Write an issue that is due."""
    path = folder / "issues" / f"{name}.md"
    moment = datetime.now(UTC).isoformat(timespec="seconds")
    path.write_text(f"---\nsubject: News\nstatus: ready\nsend_at: {moment}\n---\n\nHello {name}.\n")
    Newsletter.open(folder).edition(path)  # what is imported now, no child has to
    return path


def race(folder: Path, processes: int) -> Counter[int]:
    """Let so many dispatches go at once; how often each exit status was left with."""
    ready, gate = os.pipe()
    children = [_child(folder, ready, gate) for _ in range(processes)]
    time.sleep(0.002 * processes)  # until all wait at the gate
    os.close(gate)
    os.close(ready)
    return Counter(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children)


def _child(folder: Path, ready: int, gate: int) -> int:
    child = os.fork()
    if child == 0:
        os.close(gate)
        os.read(ready, 1)  # returns when the parent has closed the gate
        os._exit(status_of(cli, ["-C", str(folder), "dispatch"]))
    return child


def leave_a_stale_lock(folder: Path) -> None:
    """Kill a process that holds the lock."""
    there, here = os.pipe()
    child = os.fork()
    if child == 0:
        with run_lock(folder):
            os.write(here, b"!")
            signal.pause()
    os.read(there, 1)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.close(there)
    os.close(here)


def races(number: int, processes: int, *, killed: bool) -> Count:
    """Run so many races, and hold what the relay has against what it should have."""
    count = Count()
    done = 0
    while done < number:
        with tempfile.TemporaryDirectory() as folder:
            here, log = Path(folder) / "news", Path(folder) / "taken"
            here.mkdir()
            with logging_relay(log) as port:
                newsletter(here, port)
                for _ in range(min(FOLDER_LASTS, number - done)):
                    one_race(here, log, processes, count, killed=killed)
                    done += 1
    return count


def one_race(folder: Path, log: Path, processes: int, count: Count, *, killed: bool) -> None:
    """Let an issue become due, race for it, and count."""
    before = len(taken(log))
    due_now(folder, f"race-{time.monotonic_ns()}")
    if killed:
        leave_a_stale_lock(folder)
    count.statuses += race(folder, processes)
    got = Counter(taken(log)[before:])
    count.reports += got.pop(EDITOR, 0)
    count.doubled += sum(times - 1 for times in got.values())
    count.lost += len(set(PEOPLE) - got.keys())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--races", type=int)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--killed", action="store_true")
    options = parser.parse_args()
    wrong = False
    for number, processes in [(options.races, options.processes)] if options.races else ALL:
        began = time.monotonic()
        count = races(number, processes, killed=options.killed)
        statuses = ", ".join(f"{each}: {times}" for each, times in sorted(count.statuses.items()))
        print(
            f"{number} races of {processes}: lost {count.lost}, doubled {count.doubled}, "
            f"reports {count.reports}, exit statuses {statuses}; "
            f"{time.monotonic() - began:.0f} s",
            flush=True,
        )
        wrong |= bool(count.lost or count.doubled or count.reports != number)
        wrong |= set(count.statuses) != {0}
    return int(wrong)


if __name__ == "__main__":
    sys.exit(main())
