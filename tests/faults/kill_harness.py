"""Kill the sender at random moments, again and again, and count who lost and who got it twice.

Usage: ``python tests/faults/kill_harness.py --kills 1000 --people 500 [--connections 8]``

A relay in a process of its own writes down every message that it takes. The sender is killed with
SIGKILL after a random number of messages and a random moment more, and the same send is started
again, until everybody is settled; then a new edition begins. Prints a line for each kill and the
sums; leaves with 1 if anybody was lost or got it twice, or more were in doubt than there were open
connections. Needs ``fork``.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent / "delivery"), str(HERE.parents[1] / "src")]

from scene import EDITION, Scene, addresses, people  # noqa: E402

from briefmail.config import Relay  # noqa: E402

DELAY = 0.004  # the relay's longest wait before it acknowledges, so that a kill hits something


@dataclass
class Count:
    """What the kills have cost so far; ``worst`` is the most in doubt after one kill."""

    kills: int = 0
    lost: int = 0
    doubled: int = 0
    uncertain: int = 0
    worst: int = 0
    unfounded: list[str] = field(default_factory=list)

    @property
    def broken(self) -> bool:
        return bool(self.lost or self.doubled or self.unfounded)


@contextmanager
def logging_relay(log: Path) -> Iterator[int]:
    """Run the relay; its port."""
    command = [sys.executable, str(HERE / "logging_relay.py"), str(log), str(DELAY)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert process.stdout
    try:
        yield int(process.stdout.readline())
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def taken(log: Path) -> list[str]:
    """Return whom the relay has taken a message for, in order."""
    return log.read_text().split() if log.exists() else []


def one_edition(folder: Path, options: argparse.Namespace, count: Count) -> None:
    """Send one edition through as many kills as it takes, at most as many as are left."""
    database, log = folder / "store.sqlite3", folder / "taken"
    with logging_relay(log) as port:
        relay = Relay("127.0.0.1", port, "none")
        while True:
            last = count.kills >= options.kills
            target = options.people + 1 if last else next_target(len(taken(log)), options.people)
            killed = run_once(database, relay, log, options, target)
            uncertain = settle(database, relay, options, count, log)
            if killed:
                count.kills += 1
                print(f"kill {count.kills}: after {len(taken(log))}, in doubt {uncertain}")
            if not killed:
                break
    compare(database, relay, options, count, taken(log))


def next_target(reached: int, people: int) -> int:
    """After how many messages to kill: after at least one more, so that mail is under way.

    One in ten sooner, while the sender begins. Who has everybody's message has nothing left that a
    kill could harm.
    """
    if reached >= people:
        return people + 1
    return reached if random.random() < 0.1 else random.randint(reached + 1, people)


def run_once(
    database: Path, relay: Relay, log: Path, options: argparse.Namespace, target: int
) -> bool:
    """Let a sender run until it ends or the relay has ``target`` messages; True if killed."""
    child = os.fork()
    if child == 0:
        send(database, relay, options)
    while len(taken(log)) < target:
        if os.waitpid(child, os.WNOHANG)[0]:
            return False
        time.sleep(0.0005)
    time.sleep(random.random() * 0.01)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def send(database: Path, relay: Relay, options: argparse.Namespace) -> None:
    """Make one send run in this process, which does not return."""
    try:
        with Scene.set_up(database, relay) as scene:
            scene.enrol(people(1, options.people))
            status = scene.send(connections=options.connections).exit_status
    except BaseException as error:  # whatever it is, the parent must see it
        print(repr(error), file=sys.stderr)
        status = 70
    sys.stdout.flush()
    os._exit(status)


def settle(
    database: Path, relay: Relay, options: argparse.Namespace, count: Count, log: Path
) -> int:
    """Recover as the next run would; return how many are newly in doubt."""
    with Scene.set_up(database, relay) as scene:
        uncertain = scene.ledger.recover(EDITION)
        sent = {entry.address for entry in scene.ledger.entries(EDITION, "sent")}
    time.sleep(0.01)  # the relay may still be reading what the dead sender has written
    count.unfounded += sorted(sent - set(taken(log)))
    count.uncertain += uncertain
    count.worst = max(count.worst, uncertain)
    if uncertain > options.connections:
        count.unfounded.append(f"{uncertain} in doubt on {options.connections} connections")
    return uncertain


def compare(
    database: Path, relay: Relay, options: argparse.Namespace, count: Count, log: list[str]
) -> None:
    """Hold the ledger of a settled edition against what the relay has."""
    with Scene.set_up(database, relay) as scene:
        doubted = {entry.address for entry in scene.ledger.entries(EDITION, "uncertain")}
        totals = scene.totals
    if totals.sent + totals.uncertain != options.people:
        count.unfounded.append(str(totals))
    arrived = Counter(log)
    count.lost += len(set(addresses(1, options.people)) - arrived.keys() - doubted)
    count.doubled += sum(number - 1 for number in arrived.values())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--people", type=int, default=500)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--seed", type=int, default=None)
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else random.randrange(1_000_000)
    random.seed(seed)
    count, editions = Count(), 0
    while count.kills < options.kills and not count.broken:
        with tempfile.TemporaryDirectory() as folder:
            one_edition(Path(folder), options, count)
        editions += 1
    print(
        f"{count.kills} kills over {editions} editions of {options.people} people, "
        f"{options.connections} connections (seed {seed}): lost {count.lost}, "
        f"doubled {count.doubled}, in doubt {count.uncertain}, at most {count.worst} for one kill, "
        f"{count.uncertain / max(1, count.kills):.1f} on average"
    )
    for line in count.unfounded:
        print(f"WRONG: {line}")
    return int(count.broken)


if __name__ == "__main__":
    sys.exit(main())
