"""How fast an edition leaves: our send beside Postfix's smtp-source, on the same work.

Usage: ``python benchmarks/delivery.py [--pairs N] [--people N] [--only 32x8,5x32] [--json FILE]``

Needs Postfix's ``smtp-sink`` (the receiver, on loopback) and ``smtp-source`` (the reference: C,
connections kept open with ``-d``, no ledger, the same bytes for everybody). Each pair is one run
of each, one after the other, against the same receiver with the same number of connections and
messages of the same size; what is printed are ratios within a pair and their median, because
absolute figures drift with whatever else the machine does.

Ours is a real edition: an issue written to size, a list of people with names, the ledger on disk
with a sync before every dot. *Sending* is from the first connection to the last outcome; *whole*
is the process with everything: start, reading and checking the list, rendering, filling every copy
once before the first leaves, the roll call, the send. Memory is the whole process's.
"""

import argparse
import tempfile
from dataclasses import dataclass
from pathlib import Path

from rig import ours
from rig.newsletter import write_newsletter
from rig.receiver import reference, sink
from rig.results import Figures, Notebook, begin
from rig.tables import DELIVERY

LIMIT = 200_000  # people; a benchmark that is left alone must end


@dataclass(frozen=True)
class Case:
    """How large a message is, and over how many connections it goes."""

    kilobytes: int
    connections: int

    def __str__(self) -> str:
        return f"{self.kilobytes}x{self.connections}"


CASES = (Case(32, 8), Case(32, 32), Case(5, 8), Case(5, 32))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--people", type=int, default=10_000)
    parser.add_argument("--only", default="", help="cases such as 32x8,5x32")
    options, notebook = begin(parser)
    print(DELIVERY.head())
    for case in CASES:
        if not options.only or str(case) in options.only.split(","):
            measure(case, min(options.people, LIMIT), options.pairs, notebook)


def measure(case: Case, people: int, pairs: int, notebook: Notebook) -> None:
    """Print one line: the medians of ``pairs`` runs."""
    measured = []
    with tempfile.TemporaryDirectory() as scratch, sink() as port:
        folder = Path(scratch, "newsletter")
        write_newsletter(folder, case.kilobytes, people)
        for _ in range(pairs):
            measured.append(pair(folder, case, people, port))
            notebook.write(str(case), measured[-1])
    print(DELIVERY.line(str(case), measured), flush=True)


def pair(folder: Path, case: Case, people: int, port: int) -> Figures:
    """Run ours and the reference, one after the other."""
    run = ours.send(folder, people, case.connections, port)
    source = reference(run.size, people, case.connections, port)
    return {
        **run.figures(),
        "source": source,
        "rate": people / run.sending,
        "sending_ratio": source / run.sending,
        "whole_ratio": source / run.whole,
        "cpu_sending_10k": run.cpu_sending / people * 10_000,
        "cpu_10k": run.cpu / people * 10_000,
    }


if __name__ == "__main__":
    main()
