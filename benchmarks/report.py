"""Write what was measured into docs/performance.md: the tables, and the plots beside them.

Usage: ``python benchmarks/report.py RESULTS``, after benchmarks with ``--json RESULTS``

Of each benchmark the latest run counts. What stands in the page between the two comments is
replaced, the rest is left alone; what has not been measured is left out, or said to be missing in
the table of targets.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

from rig import plot, tables, targets
from rig.results import median, read
from rig.tables import Results, Table

DOCS = Path(__file__).parents[1] / "docs"
PAGE = DOCS / "performance.md"
BEGIN = "<!-- results: written by benchmarks/report.py -->"
END = "<!-- end of the results -->"
SECTIONS: tuple[tuple[str, Table], ...] = (
    ("Beside smtp-source", tables.DELIVERY),
    ("Beside others", tables.PEERS),
    ("A relay that is far away", tables.LATENCY),
    ("STARTTLS", tables.TLS),
    ("Several machines", tables.SHARED),
    ("Up to a million", tables.SCALE),
)
PLOTS = {
    "peers": (
        plot.peers,
        "Bars: the speed of briefmail and of each other sender, for 32 kB and 5 kB messages",
    ),
    "scale": (
        plot.scale,
        "Stacked bars: the microseconds that a person costs in each phase, by size of list",
    ),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("results", type=Path)
    results = read(parser.parse_args().results)
    PAGE.write_text(page(PAGE.read_text("utf-8"), results), encoding="utf-8")
    for name, (draw, _) in PLOTS.items():
        (DOCS / "images" / f"performance-{name}.svg").write_text(draw(results), encoding="utf-8")


def page(text: str, results: Results) -> str:
    """Return the page with these results in the place of those that are there."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    middle = "\n".join(written(results))
    return f"{before}{BEGIN}\n{middle}\n{END}{after}"


def written(results: Results) -> Iterator[str]:
    """Yield the lines between the comments."""
    yield machine(results)
    yield ""
    yield from targets.table(results)
    for title, table in SECTIONS:
        if not any(table.cases(results)):
            continue
        yield f"\n### {title}\n"
        if table.benchmark in PLOTS:
            _, alternative = PLOTS[table.benchmark]
            yield f"![{alternative}](images/performance-{table.benchmark}.svg)\n"
        yield from table.lines(results)
    yield from in_words(results)


def in_words(results: Results) -> Iterator[str]:
    """Say what the last table has no column for."""
    if resumed := results.get((tables.SCALE.benchmark, tables.RESUME)):
        people, first = resumed[0]["people"], median(resumed, "first")
        yield f"\nKilled half way through {people:,} people and begun again: the next message was"
        yield f"accepted {first:.1f} s after the start."


def machine(results: Results) -> str:
    """Say when, and on what kind of machine."""
    measured = [each for cases in results.values() for each in cases]
    days = sorted({each["begun"][:10] for each in measured})
    when = days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"
    kinds = {
        f"{each['cores']} cores, {each['system']}, Python {each['python']},"
        f" Postfix {each['postfix']}"
        for each in (line["machine"] for line in measured)
    }
    return f"Measured {when}: {'; '.join(sorted(kinds))}."


if __name__ == "__main__":
    main()
