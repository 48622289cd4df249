"""Two machines against one, with their memory on a PostgreSQL: what the second one is worth.

Usage: ``python benchmarks/shared.py [--runs N] [--people N] [--json FILE]``

*Slow*: the relay takes 100 a second from each account, and each machine has an account of its own,
so it begins no more (``smtp.rate``). *Quick*: the relay takes what it gets, so what limits is this
machine, whose processors two senders, the receiver and PostgreSQL have to share. There the memory
in a file is measured as well: what the server costs a machine that is alone.

Messages have 5 kB and go over 8 connections for each machine to smtp-sink; machines are folders and
processes on this one. PostgreSQL is started here, with its own settings and with fsync. The rate is
what was sent by the time from the first outcome to the last, by the ledger. Runs take turns.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from rig import ours
from rig.newsletter import ISSUE, forget, write_newsletter
from rig.receiver import sink
from rig.results import Figures, Notebook, begin
from rig.tables import SHARED

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "src")]

from briefmail.store import Database, SQLite, store_path  # noqa: E402
from briefmail.store.postgresql import PostgreSQL  # noqa: E402
from private_postgresql import PrivatePostgreSQL  # noqa: E402

KILOBYTES, CONNECTIONS = 5, 8


@dataclass(frozen=True)
class Case:
    """What the relay takes from each account, in messages a second; None: what it gets."""

    name: str
    rate: int | None


CASES = (Case("slow", 100), Case("quick", None))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--people", type=int, default=10_000)
    options, notebook = begin(parser)
    print(SHARED.head())
    with PrivatePostgreSQL.running(fsync=True) as server:
        for case in CASES:
            measure(case, options, server, notebook)


def measure(
    case: Case, options: argparse.Namespace, server: PrivatePostgreSQL, notebook: Notebook
) -> None:
    """Print one line: the medians of so many runs of each."""
    # Long enough that the beginning and the end do not count for much, and not for hours.
    people = min(options.people, case.rate * 20) if case.rate else options.people
    measured = []
    with tempfile.TemporaryDirectory() as scratch, sink() as port:
        folders = [Path(scratch, name) for name in ("one", "two")]
        write_newsletter(folders[0], KILOBYTES, people)
        if case.rate:
            with (folders[0] / "briefmail.toml").open("a") as settings:
                settings.write(f'[smtp]\nrate = "{case.rate}/s"\n')
        shutil.copytree(folders[0], folders[1])
        for _ in range(options.runs):
            measured.append(turn(folders, people, port, server))
            notebook.write(case.name, measured[-1])
    print(SHARED.line(case.name, measured), flush=True)


def turn(folders: list[Path], people: int, port: int, server: PrivatePostgreSQL) -> Figures:
    """Send from a file, from one machine and from two."""
    in_file = send(folders[:1], people, port, "")
    one = send(folders[:1], people, port, server.empty())
    two = send(folders, people, port, server.empty())
    return {"people": people, "file": in_file, "one": one, "two": two, "ratio": two / one}


def send(folders: list[Path], people: int, port: int, url: str) -> float:
    """Send one issue from all folders at once; return the messages a second."""
    more = {"BRIEFMAIL_DATABASE_URL": url} if url else {}
    # The small theme is no model of a page, and the checks say so.
    command = [sys.executable, "-m", "briefmail", "send", str(ISSUE), "--yes", "--force", "doc"]
    for folder in folders:
        forget(folder)
    senders = [
        subprocess.Popen(
            [*command, "--connections", str(CONNECTIONS)],
            cwd=folder,
            env=ours.environment(port, more),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for folder in folders
    ]
    for sender in senders:
        if sender.wait(ours.TIMEOUT):
            raise SystemExit(f"a send ended with {sender.returncode}")
    with opened(folders[0], url) as store:
        return rate(store, people)


def opened(folder: Path, url: str) -> Database:
    """Open what the sends have left."""
    path = store_path(folder)
    return PostgreSQL.open_read_only(url, {}) if url else SQLite.open_read_only(path, {})


def rate(store: Database, people: int) -> float:
    """Return how many were sent in a second, from the first outcome to the last."""
    sent, *moments = store.one(
        "SELECT count(*), min(updated_at), max(updated_at) FROM delivery WHERE state = 'sent'"
    )
    if sent != people:
        raise SystemExit(f"{sent} of {people} were sent")
    begun, ended = map(datetime.fromisoformat, moments)
    return float(sent / (ended - begun).total_seconds())


if __name__ == "__main__":
    main()
