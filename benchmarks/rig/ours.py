"""Our own send, measured from outside: the whole process, its phases, its memory and its disk."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Timer

from rig.newsletter import SOURCE, forget
from rig.receiver import HOST

SENDER = Path(__file__).with_name("sender.py")
TIMEOUT = 3600
PHASES = ("starting", "reading", "filling", "roll_call", "sending", "closing")


@dataclass(frozen=True, slots=True)
class Run:
    """One send. Times in seconds: the phases follow one another and make up ``whole``.

    ``starting``: the process, the settings. ``reading``: rendering the issue, reading and checking
    the list. ``filling``: every copy once, and asking the ledger about each person. ``roll_call``:
    writing them into the ledger. ``sending``: from the first connection to the last outcome.
    ``closing``: the books, and the end of the process. ``first``: until the first outcome.
    """

    people: int
    size: int
    starting: float
    reading: float
    filling: float
    roll_call: float
    sending: float
    closing: float
    whole: float
    first: float
    cpu_sending: float
    cpu: float
    peak_mb: float
    ledger_mb: float

    def figures(self) -> dict[str, float]:
        """All of it, for the results."""
        return asdict(self)


def environment(port: int, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return what tells our program which relay to use, and where its own source is."""
    relay = {"SMTP_HOST": HOST, "SMTP_PORT": str(port), "SMTP_SECURITY": "none"}
    return {**os.environ, "PYTHONPATH": str(SOURCE), **relay, **(more or {})}


def send(
    folder: Path, people: int, connections: int, port: int, more: Mapping[str, str] | None = None
) -> Run:
    """Send to everybody from a process of its own. ``more`` is added to its environment."""
    forget(folder)
    started = time.monotonic()
    done = subprocess.run(
        _command(folder, connections, started),
        env=environment(port, more),
        capture_output=True,
        check=False,
        timeout=TIMEOUT,
    )
    whole = time.monotonic() - started
    if done.returncode:
        sys.exit(done.stderr.decode())
    said = json.loads(done.stdout)
    run = _run(said, people, whole, _ledger_mb(folder))
    forget(folder)
    return run


def send_until(folder: Path, connections: int, port: int, reached: int) -> float:
    """Send until ``reached`` people have their outcome, and kill it.

    Return the seconds from its start to its first outcome. What it remembers is left alone.
    """
    command = _command(folder, connections, time.monotonic(), str(reached))
    with subprocess.Popen(command, env=environment(port), stdout=subprocess.PIPE) as process:
        assert process.stdout
        patience = Timer(TIMEOUT, process.kill)
        patience.start()
        try:
            line = process.stdout.readline()
        finally:
            patience.cancel()
            process.kill()
    if not line:
        sys.exit("the sender ended before it was killed")
    return float(json.loads(line)["clock"]["first"])


def _command(folder: Path, connections: int, started: float, *more: str) -> list[str]:
    return [sys.executable, str(SENDER), str(folder), str(connections), str(started), *more]


def _run(said: Mapping[str, dict[str, float]], people: int, whole: float, ledger_mb: float) -> Run:
    clock, cpu = said["clock"], said["cpu"]
    return Run(
        people=people,
        size=int(said["size"]),  # type: ignore[call-overload]
        starting=clock["opened"],
        reading=clock["read"] - clock["opened"],
        filling=clock["filled"] - clock["read"],
        roll_call=clock["connected"] - clock["filled"],
        sending=clock["last"] - clock["connected"],
        closing=whole - clock["last"],
        whole=whole,
        first=clock["first"],
        cpu_sending=cpu["last"] - cpu["connected"],
        cpu=cpu["closed"],
        peak_mb=said["peak"],  # type: ignore[arg-type]
        ledger_mb=ledger_mb,
    )


def _ledger_mb(folder: Path) -> float:
    """What the memory takes on disk, its write-ahead log included."""
    files = (folder / ".briefmail").glob("store.sqlite3*")
    return sum(path.stat().st_size for path in files) / 1e6
