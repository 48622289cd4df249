"""Results: a line of JSON for each measurement, and what a set of them comes to."""

import argparse
import json
import os
import platform
import signal
import statistics
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rig.receiver import tool

Figures = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Notebook:
    """Where one run of one benchmark writes down what it measures; ``path`` None: nowhere."""

    path: Path | None
    benchmark: str
    begun: str
    machine: Mapping[str, str | int]

    def write(self, case: str, figures: Figures) -> None:
        """Add one measurement. A case may have many."""
        if self.path is None:
            return
        line = {"benchmark": self.benchmark, "case": case, "begun": self.begun}
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({**line, **_rounded(figures), "machine": self.machine}) + "\n")


def begin(parser: argparse.ArgumentParser) -> tuple[argparse.Namespace, Notebook]:
    """Read the command line, with ``--json``; from here on SIGTERM ends children as well."""
    parser.add_argument("--json", type=Path, metavar="FILE", help="add each measurement to FILE")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    begun = datetime.now(UTC).isoformat(timespec="seconds")
    name = Path(sys.argv[0]).stem
    return options, Notebook(options.json, name, begun, _machine())


def read(path: Path) -> dict[tuple[str, str], list[Figures]]:
    """Return the measurements of each case of each benchmark, of its latest run only."""
    found: dict[tuple[str, str], list[Figures]] = {}
    for line in path.read_text("utf-8").splitlines():
        each = json.loads(line)
        measured = found.setdefault((each["benchmark"], each["case"]), [])
        if measured and measured[0]["begun"] < each["begun"]:
            measured.clear()
        if not measured or measured[0]["begun"] == each["begun"]:
            measured.append(each)
    return found


def median(measured: Iterable[Figures], name: str) -> float:
    """The median of one figure."""
    return statistics.median(each[name] for each in measured)


def spread(measured: Iterable[Figures], name: str, form: str = ".2f") -> str:
    """The median of one figure, with the least and the most if there are several."""
    values = sorted(each[name] for each in measured)
    middle = f"{statistics.median(values):{form}}"
    return middle if len(values) == 1 else f"{middle} ({values[0]:{form}}-{values[-1]:{form}})"


def _rounded(figures: Figures) -> dict[str, Any]:
    return {
        name: round(value, 4) if isinstance(value, float) else value
        for name, value in figures.items()
    }


def _machine() -> dict[str, str | int]:
    """What kind of machine this is; nothing that names it."""
    command = [tool("postconf"), "-h", "-d", "mail_version"]
    postfix = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    return {
        "cores": os.cpu_count() or 1,
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "postfix": postfix,
    }
