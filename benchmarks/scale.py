"""A list that grows: time by phase, memory and disk from ten thousand people to a million.

Usage: ``python benchmarks/scale.py [--people 10000,100000,1000000] [--large 100000] [--json FILE]``

Sends 5 kB messages to each number of people, and 32 kB to ``--large`` people, to smtp-sink. The
smallest is run twice before and once after the others, since its figure is what the largest is
compared with. Up to 100 k people smtp-source sends as many messages of the same size right after.
Then the largest is begun again, killed (``kill -9``) when half of the people have their outcome,
and begun once more: what is printed is the time from there to the first outcome. 0 leaves a part
out. A million take a few minutes, a kilobyte of disk a person, and little memory.
"""

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rig import ours
from rig.newsletter import forget, write_newsletter
from rig.receiver import SENT_AT_MOST, reference, sink
from rig.results import Figures, Notebook, begin, median
from rig.tables import RESUME, SCALE

LIMIT = 1_000_000
SMALL = (5, 32)  # kilobytes, connections
LARGE = (32, 8)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--people", type=numbers, default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--large", type=int, default=100_000)
    options, notebook = begin(parser)
    print(SCALE.head())
    if options.large:
        measure(*LARGE, min(options.large, LIMIT), notebook)
    if options.people:
        grow(options.people, notebook)


def numbers(text: str) -> list[int]:
    """Read the numbers of people, the smallest first; 0 alone for none."""
    return sorted(min(int(each), LIMIT) for each in text.split(",") if int(each))


def grow(people: Sequence[int], notebook: Notebook) -> None:
    """Send to each number of people, and say what the largest costs against the smallest."""
    least, most = people[0], people[-1]
    found = [measure(*SMALL, count, notebook) for count in (least, *people, least)]
    small = [each for each in found if each["people"] == least]
    large = [each for each in found if each["people"] == most]
    cpu, clock = (
        median(large, cost) / median(small, cost) for cost in ("cpu_each", "sending_each")
    )
    print(
        f"\nsending costs one of {most:,} people {cpu:.2f} times the CPU, and {clock:.2f} times the"
        f" time, of one of {least:,}"
    )
    resume(most, notebook)


def measure(kilobytes: int, connections: int, people: int, notebook: Notebook) -> Figures:
    """Send once, print its line and return its figures."""
    with tempfile.TemporaryDirectory() as scratch, sink() as port:
        folder = Path(scratch, "newsletter")
        write_newsletter(folder, kilobytes, people)
        run = ours.send(folder, people, connections, port)
        figures: dict[str, float] = {
            **run.figures(),
            "cpu_each": run.cpu_sending / people * 1e6,
            "sending_each": run.sending / people * 1e6,
        }
        if people <= SENT_AT_MOST:
            source = reference(run.size, people, connections, port)
            figures |= {"source": source, "whole_ratio": source / run.whole}
    case = f"{kilobytes}x{people}"
    notebook.write(case, figures)
    print(SCALE.line(case, [figures]), flush=True)
    return figures


def resume(people: int, notebook: Notebook) -> None:
    """Kill a send half way, begin it again, and print how long the next message takes."""
    kilobytes, connections = SMALL
    with tempfile.TemporaryDirectory() as scratch, sink() as port:
        folder = Path(scratch, "newsletter")
        write_newsletter(folder, kilobytes, people)
        forget(folder)
        ours.send_until(folder, connections, port, people // 2)
        again = ours.send_until(folder, connections, port, 1)
    notebook.write(RESUME, {"people": people, "first": again})
    print(f"killed at {people // 2:,} of {people:,}: the next message after {again:.1f} s")


if __name__ == "__main__":
    main()
