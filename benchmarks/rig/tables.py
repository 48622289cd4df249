"""The tables: what each benchmark prints, and docs/performance.md shows; a line for each case."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from rig.ours import PHASES
from rig.results import Figures, median, spread

RESUME = "resume"
"""The case of a send that was killed and begun again."""
Results = Mapping[tuple[str, str], Sequence[Figures]]


@dataclass(frozen=True, slots=True)
class Table:
    """The table of one benchmark. ``cells`` gives those of a case, from its measurements.

    The case that is ``aside`` has no line.
    """

    benchmark: str
    titles: Sequence[str]
    cells: Callable[[str, Sequence[Figures]], Sequence[str]]
    aside: str = ""

    def head(self) -> str:
        """Return its first two lines."""
        return head(*self.titles)

    def line(self, case: str, measured: Sequence[Figures]) -> str:
        """Return the line of one case."""
        return row(*self.cells(case, measured))

    def lines(self, results: Results) -> Iterator[str]:
        """Yield the whole of it."""
        yield self.head()
        for case, measured in self.cases(results):
            yield self.line(case, measured)

    def cases(self, results: Results) -> Iterator[tuple[str, Sequence[Figures]]]:
        """Yield the cases that have a line, in the order in which they were measured."""
        for (benchmark, case), measured in results.items():
            if benchmark == self.benchmark and case != self.aside:
                yield case, measured


def row(*cells: str) -> str:
    """A line of a Markdown table."""
    return f"| {' | '.join(cells)} |"


def head(*cells: str) -> str:
    """The first two lines of a Markdown table."""
    return f"{row(*cells)}\n|{'---|' * len(cells)}"


def _medians(measured: Sequence[Figures], form: str, *names: str) -> list[str]:
    return [f"{median(measured, name):{form}}" for name in names]


def _delivery(case: str, measured: Sequence[Figures]) -> list[str]:
    kilobytes, connections = case.split("x")
    return [
        f"{kilobytes} kB",
        connections,
        *_medians(measured, ",.0f", "rate"),
        spread(measured, "sending_ratio"),
        spread(measured, "whole_ratio"),
        *_medians(measured, ".2f", "cpu_sending_10k", "cpu_10k"),
        *_medians(measured, ".0f", "peak_mb"),
    ]


def _peers(case: str, measured: Sequence[Figures]) -> list[str]:
    name, _, kilobytes = case.rpartition(" ")
    return [
        f"{kilobytes} kB",
        name,
        *_medians(measured, ",.0f", "octets", "sent", "rate"),
        *_medians(measured, ".3f", "source_ratio"),
        *_medians(measured, ".1f", "cpu_10k"),
        *_medians(measured, ",.0f", "ours_rate"),
        *_medians(measured, ".3f", "ours_source_ratio"),
        *_medians(measured, ".1f", "ours_cpu_10k"),
        spread(measured, "ratio", ".1f"),
    ]


def _latency(case: str, measured: Sequence[Figures]) -> list[str]:
    rates = _medians(measured, ",.0f", "rate", "source_rate")
    return [case, *rates, spread(measured, "ratio")]


def _tls(case: str, measured: Sequence[Figures]) -> list[str]:
    rates = _medians(measured, ",.0f", "plain_rate", "rate")
    cpu = _medians(measured, ".2f", "plain_cpu_10k", "cpu_10k")
    return [f"{case} kB", *rates, spread(measured, "ratio"), *cpu]


def _shared(case: str, measured: Sequence[Figures]) -> list[str]:
    rates = _medians(measured, ",.0f", "people", "file", "one", "two")
    return [{"slow": "100/s for each account"}.get(case, case), *rates, spread(measured, "ratio")]


def _scale(case: str, measured: Sequence[Figures]) -> list[str]:
    kilobytes, people = case.split("x")
    return [
        f"{kilobytes} kB",
        f"{int(people):,}",
        *_medians(measured, ".1f", *PHASES, "whole", "cpu"),
        *_medians(measured, ".0f", "cpu_each", "peak_mb"),
        *_medians(measured, ".1f", "ledger_mb"),
        f"{median(measured, 'whole_ratio'):.2f}" if "whole_ratio" in measured[0] else "",
    ]


DELIVERY = Table(
    "delivery",
    (
        *("message", "connections", "messages/s", "sending / source", "whole / source"),
        *("CPU s per 10,000, sending", "the same, whole", "peak MB"),
    ),
    _delivery,
)
PEERS = Table(
    "peers",
    (
        *(
            "message",
            "sender",
            "bytes",
            "really sent",
            "messages/s",
            "/ source",
            "CPU s per 10,000",
        ),
        *("ours: messages/s", "/ source", "CPU s", "ours / theirs"),
    ),
    _peers,
)
LATENCY = Table(
    "latency", ("connections", "ours, messages/s", "smtp-source", "ours / source"), _latency
)
TLS = Table(
    "tls",
    (
        *("message", "plain, messages/s", "STARTTLS", "STARTTLS / plain"),
        *("plain, our CPU s per 10,000", "STARTTLS"),
    ),
    _tls,
)
SHARED = Table(
    "shared",
    (
        *("relay", "people", "memory in a file, messages/s", "on a server, one machine"),
        *("two machines", "two / one"),
    ),
    _shared,
)
SCALE = Table(
    "scale",
    (
        *("message", "people", *(name.replace("_", " ") for name in PHASES)),
        *("whole s", "CPU s", "sending, CPU µs each", "peak MB", "ledger MB", "whole / source"),
    ),
    _scale,
    aside=RESUME,
)
