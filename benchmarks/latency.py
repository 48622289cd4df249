"""A relay that is far away: our send beside smtp-source with 20 ms of network each way.

Usage: ``python benchmarks/latency.py [--pairs N] [--seconds S] [--milliseconds MS] [--json FILE]``

Both go through the same small relay of octets (``rig/delay.py``, a process of its own), which
holds everything back for 20 ms in each direction and limits nothing else, to the same smtp-sink.
With so much waiting the size of a message matters little: 5 kB. smtp-source says one command at a
time; what pipelining is worth is the ratio. Each is given as many messages as it can send in about
``--seconds``, so the two counts differ, and rates are compared.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rig import ours
from rig.newsletter import write_newsletter
from rig.receiver import free_port, reference, sink, wait_for
from rig.results import Figures, Notebook, begin
from rig.tables import LATENCY

KILOBYTES = 5
CONNECTIONS = (1, 4, 16)
ROUND_TRIPS = 4  # a message costs smtp-source: MAIL, RCPT, DATA, the message


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=12)
    parser.add_argument("--milliseconds", type=float, default=20)
    options, notebook = begin(parser)
    delay = options.milliseconds / 1000
    each = max(10, round(options.seconds / (ROUND_TRIPS * 2 * delay)))  # for a connection
    print(LATENCY.head())
    for connections in CONNECTIONS:
        measure(connections, each, delay, options.pairs, notebook)


def measure(connections: int, each: int, delay: float, pairs: int, notebook: Notebook) -> None:
    """Print one line: the medians of ``pairs`` runs."""
    people = ROUND_TRIPS * each * connections
    measured = []
    with tempfile.TemporaryDirectory() as scratch, sink() as near, far(near, delay) as port:
        folder = Path(scratch, "newsletter")
        write_newsletter(folder, KILOBYTES, people)
        for _ in range(pairs):
            measured.append(pair(folder, people, connections, port))
            notebook.write(str(connections), {**measured[-1], "delay": delay})
    print(LATENCY.line(str(connections), measured), flush=True)


def pair(folder: Path, people: int, connections: int, port: int) -> Figures:
    """Run ours and, with fewer messages, the reference."""
    run = ours.send(folder, people, connections, port)
    fewer = people // ROUND_TRIPS
    source_rate = fewer / reference(run.size, fewer, connections, port)
    rate = people / run.sending
    sent = {"people": people, "source_people": fewer}
    return {**sent, "rate": rate, "source_rate": source_rate, "ratio": rate / source_rate}


@contextmanager
def far(port: int, delay: float) -> Iterator[int]:
    """Run the delaying relay before ``port``."""
    front = free_port()
    program = Path(__file__).with_name("rig") / "delay.py"
    command = [sys.executable, str(program), str(front), str(port), str(delay)]
    process = subprocess.Popen(command)
    try:
        wait_for(front)
        yield front
    finally:
        process.kill()
        process.wait()


if __name__ == "__main__":
    main()
