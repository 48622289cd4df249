"""Kill one of three machines at random, restart the server, stop one past its lease; then count.

Usage: ``python tests/faults/shared_harness.py --kills 200 [--restarts 5] [--freezes 5]``

Three folders stand for three machines. Each sends by a process of its own, all with their memory on
one PostgreSQL (with fsync) that this starts, to a relay in a process of its own that writes down
every message that it takes. One of the three gets SIGKILL at a random moment and is started again,
until everybody is settled; then the next issue begins. Some issues see the server stopped and
started in the middle, or a machine stopped with SIGSTOP for longer than its lease and then
continued, as one that was cut off. Prints a line for each fault and the sums; leaves with 1 if
anybody was lost or got it twice, or a machine left more in doubt than it had connections. Needs
``fork``.
"""

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from kill_harness import HERE, logging_relay, taken

sys.path[:0] = [str(HERE.parent)]

from briefmail.newsletter import How, Newsletter, SendOptions, joining  # noqa: E402
from briefmail.store.postgresql import PostgreSQL  # noqa: E402
from private_postgresql import PrivatePostgreSQL  # noqa: E402

MACHINES = 3
LEASE = 3.0  # seconds; a quarter of an hour would make this a long night
SETTINGS = """\
[newsletter]
from = "The Briefing <briefing@example.com>"
"""


@dataclass
class Count:
    """What the faults have cost so far; ``worst`` is the most that one machine left in doubt."""

    faults: Counter[str] = field(default_factory=Counter)
    lost: int = 0
    doubled: int = 0
    uncertain: int = 0
    worst: int = 0
    late: int = 0
    unfounded: list[str] = field(default_factory=list)

    @property
    def broken(self) -> bool:
        return bool(self.lost or self.doubled or self.late or self.unfounded)


@dataclass
class Estate:
    """The machines, by folder, with the processes that are at work in them."""

    folders: list[Path]
    server: PrivatePostgreSQL
    url: str
    log: Path
    options: argparse.Namespace
    issue: str = ""
    at_work: dict[int, Path] = field(default_factory=dict)

    @property
    def arrived(self) -> list[str]:
        return taken(self.log)

    def start(self, folder: Path) -> None:
        """Begin or join the send of the issue in one folder."""
        child = os.fork()
        if child == 0:
            _send(folder, self.issue, self.options)
        self.at_work[child] = folder

    def reap(self) -> None:
        """Take note of who has ended."""
        for child in [*self.at_work]:
            if os.waitpid(child, os.WNOHANG)[0]:
                del self.at_work[child]

    def wait_until(self, number: int) -> bool:
        """Wait until the relay has so many of this issue; False if all have ended before."""
        while self.at_work and len(self.arrived) < number:
            time.sleep(0.003)
            self.reap()
        return bool(self.at_work)

    def kill(self) -> None:
        """Kill one of the machines at work, and start it again."""
        child, folder = random.choice([*self.at_work.items()])
        time.sleep(random.random() * 0.02)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        del self.at_work[child]
        self.start(folder)

    def restart(self) -> None:
        """Stop the server in the middle, politely or not, and start everybody again."""
        self.server.stop(random.choice([signal.SIGINT, signal.SIGQUIT]))
        self.server.start()
        self.finish()
        for folder in self.folders:
            self.start(folder)

    def freeze(self) -> int:
        """Stop a machine until the others have gone on without it; how many it sends when awake."""
        child, folder = random.choice([*self.at_work.items()])
        os.kill(child, signal.SIGSTOP)
        del self.at_work[child]
        self.finish()
        time.sleep(LEASE)
        others = [other for other in self.folders if other != folder]
        self.start(others[0])
        self.finish()
        before = len(self.arrived)
        os.kill(child, signal.SIGCONT)
        os.waitpid(child, 0)
        return len(self.arrived) - before

    def finish(self) -> None:
        """Wait until everybody has ended."""
        while self.at_work:
            time.sleep(0.003)
            self.reap()


def _send(folder: Path, issue: str, options: argparse.Namespace) -> None:
    """Send in this process, which does not return."""
    joining.LEASE = LEASE
    how = How(connections=options.connections, retry_for=timedelta())
    try:
        newsletter = Newsletter.open(folder, environ={})
        status = newsletter.send(issue, SendOptions(how=how)).exit_status
    except BaseException as error:  # whatever it is, the parent must see it
        print(f"{folder.name}: {error!r}"[:200], file=sys.stderr)
        status = 70
    sys.stderr.flush()
    os._exit(status)


def one_issue(estate: Estate, number: int, count: Count) -> None:
    """Send one issue through faults until everybody is settled, and compare."""
    options = estate.options
    estate.issue = f"issues/issue-{number}.md"
    for folder in estate.folders:
        (folder / estate.issue).write_text(
            f"---\nsubject: Issue {number}\n---\n\nHello {number}.\n"
        )
    os.truncate(estate.log, 0)  # the relay has it open, and appends
    fault = _fault(options, count)
    for folder in estate.folders:
        estate.start(folder)
    step = options.people // (options.kills_per_issue + 1)
    for target in range(step, options.people, step):
        if not estate.wait_until(target) or count.faults["kills"] >= options.kills > 0:
            break
        if fault == "kills":
            estate.kill()
            count.faults["kills"] += 1
    if fault != "kills" and estate.wait_until(options.people // 3):
        count.faults[fault] += 1
        if fault == "restarts":
            estate.restart()
        else:
            count.late += estate.freeze()
    estate.finish()
    settle(estate)
    compare(estate, f"issue-{number}", fault, count)


def _fault(options: argparse.Namespace, count: Count) -> str:
    """What is to happen to the next issue."""
    wanted = ("restarts", "freezes", "kills")
    left = {name: getattr(options, name) - count.faults[name] for name in wanted}
    return max(left, key=lambda name: left[name] > 0)


def settle(estate: Estate) -> None:
    """Send again until nobody is left, as the editor would."""
    for _ in range(5):
        estate.start(estate.folders[0])
        estate.finish()
        with PostgreSQL.open_read_only(estate.url, {}) as store:
            left = store.one(
                "SELECT count(*) FROM delivery WHERE edition = ?"
                " AND state IN ('pending', 'deferred', 'reserved', 'claimed')",
                Path(estate.issue).stem,
            )
        if left == (0,):
            return
        time.sleep(LEASE)


def compare(estate: Estate, edition: str, fault: str, count: Count) -> None:
    """Hold the ledger of a settled edition against what the relay has."""
    with PostgreSQL.open_read_only(estate.url, {}) as store:
        states = dict(store.rows("SELECT key, state FROM delivery WHERE edition = ?", edition))
        doubts = dict(
            store.rows(
                "SELECT worker, count(*) FROM delivery WHERE edition = ? AND state = 'uncertain'"
                " GROUP BY worker",
                edition,
            )
        )
        closed = store.one("SELECT closed_at FROM edition WHERE id = ?", edition)
    arrived = Counter(estate.arrived)
    doubted = {key for key, state in states.items() if state == "uncertain"}
    sent = {key for key, state in states.items() if state == "sent"}
    count.lost += len(states.keys() - arrived.keys() - doubted)
    count.doubled += sum(number - 1 for number in arrived.values())
    count.uncertain += len(doubted)
    count.worst = max([count.worst, *doubts.values()])
    count.unfounded += sorted(sent - arrived.keys())
    if len(sent | doubted) != estate.options.people or closed == (None,):
        count.unfounded.append(f"{edition}: {Counter(states.values())}, closed {closed}")
    if max(doubts.values(), default=0) > estate.options.connections:
        count.unfounded.append(f"{edition}: in doubt by machine {doubts}")
    print(
        f"{edition}: {fault}, so far {dict(count.faults)}; sent {len(sent)}, in doubt"
        f" {len(doubted)}, at most {max(doubts.values(), default=0)} by one",
        flush=True,
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--restarts", type=int, default=5)
    parser.add_argument("--freezes", type=int, default=5)
    parser.add_argument("--people", type=int, default=2000)
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--kills-per-issue", type=int, default=10)
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    options = parser.parse_args()
    random.seed(options.seed)
    count, number = Count(), 0
    with tempfile.TemporaryDirectory() as name, PrivatePostgreSQL.running(fsync=True) as server:
        log = Path(name, "taken")
        with logging_relay(log) as port:
            estate = Estate(_folders(Path(name), port, server, options), server, "", log, options)
            estate.url = server.url()
            while _more(options, count) and not count.broken:
                number += 1
                one_issue(estate, number, count)
    print(
        f"{dict(count.faults)} over {number} issues to {options.people} people by {MACHINES}"
        f" machines of {options.connections} connections (seed {options.seed}): lost {count.lost},"
        f" doubled {count.doubled}, in doubt {count.uncertain}, at most {count.worst} by one"
        f" machine, sent by a machine after its lease {count.late}"
    )
    for line in count.unfounded:
        print(f"WRONG: {line}")
    return int(count.broken)


def _more(options: argparse.Namespace, count: Count) -> bool:
    names = ("kills", "restarts", "freezes")
    return any(count.faults[name] < getattr(options, name) for name in names)


def _folders(
    scratch: Path, port: int, server: PrivatePostgreSQL, options: argparse.Namespace
) -> list[Path]:
    rows = "".join(f"reader{number}@example.org\n" for number in range(options.people))
    folders = [scratch / f"machine{number}" for number in range(MACHINES)]
    for folder in folders:
        (folder / "issues").mkdir(parents=True)
        (folder / "briefmail.toml").write_text(SETTINGS)
        (folder / "recipients.csv").write_text(f"email\n{rows}")
        (folder / ".env").write_text(
            f"SMTP_HOST=127.0.0.1\nSMTP_PORT={port}\nSMTP_SECURITY=none\n"
            f"BRIEFMAIL_DATABASE_URL={server.url()}\n"
        )
    return folders


if __name__ == "__main__":
    sys.exit(main())
