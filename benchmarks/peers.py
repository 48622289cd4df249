"""How fast others do the same work: mailmerge, nodemailer's pool, and a loop over smtplib.

Usage: ``python benchmarks/peers.py [--pairs N] [--people N] [--seconds S] [--tools DIR]
[--json FILE]``

Each sends a personal message to everybody: name in the greeting, own link for leaving in body and
header, own To. The texts are those of our message; the styles are inlined already, and only the
loop inlines what is left, for each person. Ours is the command ``briefmail send``, with its ledger
and its checks. Whole processes are timed, from start to end, in turns: ours, peer, ours, peer.

Ours sends to all ``--people``. A peer sends to as many as it can in about ``--seconds``, and what
the others would take is added at the same pace; its start counts once. The table says how many
each has really sent.

mailmerge is installed by pip into a virtual environment, nodemailer by npm, both below ``--tools``
(a folder to be kept from run to run) or else into a scratch folder that is removed.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rig.newsletter import ISSUE, forget, write_newsletter
from rig.ours import environment
from rig.peer import CONNECTIONS, Cost, Peer, peers, timed, write_work
from rig.receiver import reference, sink
from rig.results import Figures, Notebook, begin
from rig.tables import PEERS

SIZES = (32, 5)
TRIAL = 100  # people, to see how fast a peer is
LIMIT = 100_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pairs", type=int, default=2)
    parser.add_argument("--people", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--tools", type=Path, help="where the peers are installed, or will be")
    options, notebook = begin(parser)
    print(PEERS.head())
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        senders = peers(options.tools.resolve() if options.tools else folder / "tools")
        for kilobytes in SIZES:
            bench = Bench(folder / str(kilobytes), kilobytes, min(options.people, LIMIT))
            measure(bench, senders, options, notebook)


class Bench:
    """The work, once as our newsletter and once in the files that the peers read."""

    def __init__(self, folder: Path, kilobytes: int, people: int) -> None:
        self.kilobytes, self.people = kilobytes, people
        self.newsletter, self.work = folder / "newsletter", folder / "work"
        write_newsletter(self.newsletter, kilobytes, people)
        write_work(self.work, self.newsletter)

    def ours(self, port: int) -> Cost:
        """Send with the command, as an editor does."""
        forget(self.newsletter)
        send = ["send", str(ISSUE), "--yes", "--connections", str(CONNECTIONS)]
        command: list[str | Path] = [sys.executable, "-m", "briefmail", *send]
        return timed(command, self.newsletter, environment(port))


def measure(
    bench: Bench, senders: Sequence[Peer], options: argparse.Namespace, notebook: Notebook
) -> None:
    """Print the lines of one size."""
    for peer in senders:
        octets = peer.octets(bench.work)
        with sink() as port:
            start, sent = trial(bench, peer, options.seconds, port)
            measured = []
            for _ in range(options.pairs):
                measured.append(pair(bench, peer, start, sent, port, octets))
                notebook.write(f"{peer.name} {bench.kilobytes}", measured[-1])
        print(PEERS.line(f"{peer.name} {bench.kilobytes}", measured), flush=True)


def trial(bench: Bench, peer: Peer, seconds: float, port: int) -> tuple[Cost, int]:
    """Return what a peer's start costs, and to how many it sends in about ``seconds``."""
    start, people = peer.send(bench.work, 1, port), TRIAL
    while True:
        some = peer.send(bench.work, people, port)
        if some.clock > seconds / 5 or people * 4 > bench.people:
            break
        people *= 4  # some are slow at first
    each = max(1e-6, (some.clock - start.clock) / (people - 1))
    return start, min(bench.people, max(TRIAL, round(seconds / each)))


def pair(bench: Bench, peer: Peer, start: Cost, sent: int, port: int, octets: int) -> Figures:
    """Run ours, the peer, and the reference."""
    ours = bench.ours(port)
    cost = peer.send(bench.work, sent, port)
    source = reference(octets, bench.people, CONNECTIONS, port)

    def all_of_it(begun: float, taken: float) -> float:
        return begun + (taken - begun) * (bench.people - 1) / (sent - 1)

    clock, cpu = all_of_it(start.clock, cost.clock), all_of_it(start.cpu, cost.cpu)
    return {
        "people": bench.people,
        "sent": sent,
        "octets": octets,
        "ours_rate": bench.people / ours.clock,
        "rate": bench.people / clock,
        "ratio": clock / ours.clock,
        "ours_source_ratio": source / ours.clock,
        "source_ratio": source / clock,
        "ours_cpu_10k": ours.cpu / bench.people * 10_000,
        "cpu_10k": cpu / bench.people * 10_000,
    }


if __name__ == "__main__":
    main()
