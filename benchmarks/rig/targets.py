"""What was set as a target before any of it was built, and where we stand."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from rig.results import median
from rig.tables import RESUME, Results, head, row


@dataclass(frozen=True, slots=True)
class Target:
    """One line: ``figures`` gives what was measured, and ``reached`` asks each of them.

    A target with a figure for each of several cases is reached if all of them reach theirs.
    """

    work: str
    wanted: str
    form: str
    figures: Callable[[Results], Sequence[float]]
    reached: Sequence[Callable[[float], bool]]

    def line(self, results: Results) -> str:
        """Return the line of the table; one that was not measured says so."""
        try:
            found = self.figures(results)
        except KeyError:
            return row(self.work, self.wanted, "not measured", "")
        good = all(test(value) for test, value in zip(self.reached, found, strict=True))
        figures = " / ".join(f"{value:{self.form}}" for value in found)
        return row(self.work, self.wanted, figures, "reached" if good else "**not yet**")


def at_least(*least: float) -> list[Callable[[float], bool]]:
    """Tests that figures are so large."""
    return [lambda value, wanted=each: value >= wanted for each in least]  # type: ignore[misc]


def at_most(*most: float) -> list[Callable[[float], bool]]:
    """Tests that figures are so small."""
    return [lambda value, wanted=each: value <= wanted for each in most]  # type: ignore[misc]


def of(name: str, *cases: tuple[str, str]) -> Callable[[Results], list[float]]:
    """Return what takes the median of a figure in each of these cases."""
    return lambda results: [median(results[case], name) for case in cases]


def million(results: Results) -> list[float]:
    """Peak memory, before the first message, after a kill, and the whole of a million."""
    run, resumed = results["scale", "5x1000000"], results["scale", RESUME]
    before = [median(run, "peak_mb"), median(run, "first")]
    return [*before, median(resumed, "first"), median(run, "whole")]


def within(results: Results) -> list[float]:
    """By how many per cent a person in a million costs more, or less: CPU, and clock."""
    least, most = results["scale", "5x10000"], results["scale", "5x1000000"]
    costs = ("cpu_each", "sending_each")
    return [(median(most, name) / median(least, name) - 1) * 100 for name in costs]


def beside(peer: str) -> Callable[[Results], list[float]]:
    """Return what compares us with a peer, for large and small messages."""
    return of("ratio", ("peers", f"{peer} 32"), ("peers", f"{peer} 5"))


TARGETS = (
    Target(
        "32 kB, 8 connections, sending phase, against smtp-source",
        "at least 1.0",
        ".2f",
        of("sending_ratio", ("delivery", "32x8")),
        at_least(1.0),
    ),
    Target(
        "5 kB, 32 connections, sending phase, against smtp-source",
        "at least 0.8",
        ".2f",
        of("sending_ratio", ("delivery", "5x32")),
        at_least(0.8),
    ),
    Target(
        "100,000 people, 32 kB, whole process, against smtp-source",
        "at least 0.75",
        ".2f",
        of("whole_ratio", ("scale", "32x100000")),
        at_least(0.75),
    ),
    Target(
        "CPU seconds for 10,000 messages, sending phase, 32 kB / 5 kB",
        "at most 2.0 / 1.5",
        ".2f",
        of("cpu_sending_10k", ("delivery", "32x8"), ("delivery", "5x32")),
        at_most(2.0, 1.5),
    ),
    Target(
        "20 ms of network each way, 16 connections, against smtp-source",
        "at least 3.5",
        ".2f",
        of("ratio", ("latency", "16")),
        at_least(3.5),
    ),
    Target(
        "whole process against mailmerge from Markdown, 32 kB / 5 kB",
        "at least 40 times",
        ".1f",
        beside("mailmerge (Markdown)"),
        at_least(40, 40),
    ),
    Target(
        "whole process against nodemailer's pool, 32 kB / 5 kB",
        "at least 6 times",
        ".1f",
        beside("nodemailer pool"),
        at_least(6, 6),
    ),
    Target(
        "1,000,000 people, 5 kB: peak MB / s before the first message / s until the first after"
        " a kill half way / s for the whole",
        "at most 120 / 75 / 20 / 180",
        ".0f",
        million,
        at_most(120, 75, 20, 180),
    ),
    Target(
        "cost of a person in the sending phase, 1,000,000 against 10,000, %: CPU / clock",
        "at most 15 more",
        "+.0f",
        within,
        at_most(15, 15),
    ),
)


def table(results: Results) -> Iterator[str]:
    """Yield the lines of the table."""
    yield head("work", "target", "figure", "")
    for target in TARGETS:
        yield target.line(results)
