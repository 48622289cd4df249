"""Two plots as SVG, written by hand: how fast beside others, and where a person's time goes."""

from collections.abc import Iterable, Iterator, Sequence
from html import escape

from rig.ours import PHASES
from rig.results import median
from rig.tables import PEERS, SCALE, Results

WIDTH, LEFT, RIGHT, BAR, GAP = 760, 190, 90, 20, 8
OURS, THEIRS, INK, PALE = "#0b5d4e", "#9aa5a8", "#22282a", "#5a6366"
SHADES = ("#9aa5a8", "#e0b252", "#c9783f", "#6f8fb3", "#0b5d4e", "#53585a")

Bar = tuple[str, float, str]


def peers(results: Results) -> str:
    """Draw whole processes as a share of smtp-source's speed, each size with its own scale."""
    found = [(f"{kilobytes} kB messages", _senders(results, kilobytes)) for kilobytes in (32, 5)]
    groups = [(name, bars) for name, bars in found if bars]
    title = "Whole process, as a share of smtp-source's speed"
    return _page(title, _bars(groups), sum(_group_height(len(bars)) for _, bars in groups))


def _senders(results: Results, kilobytes: int) -> list[Bar]:
    """The fastest first. Ours ran beside each of the others."""
    bars, runs = [], []
    for case, measured in PEERS.cases(results):
        name, _, size = case.rpartition(" ")
        if size == str(kilobytes):
            bars.append((name, median(measured, "source_ratio"), THEIRS))
            runs += measured
    if runs:
        bars.append(("briefmail", median(runs, "ours_source_ratio"), OURS))
    return sorted(bars, key=lambda bar: bar[1], reverse=True)


def scale(results: Results) -> str:
    """Draw the microseconds that a person costs, phase after phase."""
    rows = []
    for case, measured in SCALE.cases(results):
        kilobytes, people = case.split("x")
        each = [median(measured, name) / int(people) * 1e6 for name in PHASES]
        rows.append((f"{kilobytes} kB, {int(people):,} people", each))
    title = "Microseconds for each person, by phase, to smtp-sink on the same machine"
    return _page(title, _stacks(rows), len(rows) * (BAR + GAP) + 40)


def _group_height(bars: int) -> int:
    return 34 + bars * (BAR + GAP)


def _bars(groups: Sequence[tuple[str, Sequence[Bar]]]) -> Iterator[str]:
    top = 50
    for name, bars in groups:
        longest = max(value for _, value, _ in bars)
        yield _text(16, top + 14, name, weight="bold")
        y = top + 24
        for label, value, colour in bars:
            width = max(1.5, value / longest * (WIDTH - LEFT - RIGHT))
            yield _text(LEFT - 8, y + 15, label, anchor="end")
            yield _bar(LEFT, y, width, colour)
            yield _text(LEFT + width + 6, y + 15, f"{value:.3f}", colour=PALE)
            y += BAR + GAP
        top += _group_height(len(bars))


def _stacks(rows: Sequence[tuple[str, Sequence[float]]]) -> Iterator[str]:
    longest = max((sum(each) for _, each in rows), default=1)
    x = 16.0
    for name, colour in zip(PHASES, SHADES, strict=True):
        yield _bar(x, 46, 12, colour, 12)
        yield _text(x + 17, 57, name.replace("_", " "))
        x += 30 + 8 * len(name)
    for number, (label, each) in enumerate(rows):
        y, x = 78 + number * (BAR + GAP), float(LEFT)
        yield _text(LEFT - 8, y + 15, label, anchor="end")
        for value, colour in zip(each, SHADES, strict=True):
            width = value / longest * (WIDTH - LEFT - RIGHT)
            yield _bar(x, y, width, colour)
            x += width
        yield _text(x + 6, y + 15, f"{sum(each):,.0f} µs", colour=PALE)


def _bar(x: float, y: float, width: float, colour: str, height: float = BAR) -> str:
    return f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{height}" fill="{colour}"/>'


def _text(
    x: float, y: float, text: str, *, anchor: str = "start", weight: str = "", colour: str = INK
) -> str:
    bold = f' font-weight="{weight}"' if weight else ""
    place = f'x="{x:.1f}" y="{y:.0f}" text-anchor="{anchor}"'
    return f'<text {place} fill="{colour}"{bold}>{escape(text)}</text>'


def _page(title: str, parts: Iterable[str], height: int) -> str:
    size = f'width="{WIDTH}" height="{height + 44}" viewBox="0 0 {WIDTH} {height + 44}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img"',
        ' font-family="Helvetica Neue, Helvetica, Arial, sans-serif" font-size="13">',
        f"<title>{escape(title)}</title>",
        '<rect width="100%" height="100%" fill="#ffffff"/>',
        _text(16, 28, title, weight="bold"),
        *parts,
        "</svg>",
    ]
    return "\n".join(lines) + "\n"
