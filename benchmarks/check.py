"""What ``briefmail check`` costs for each person on the list, and how much memory it takes.

Run it from the repository's root, with briefmail installed or its source on the path::

    python benchmarks/check.py [PEOPLE ...]

The showcase issue is checked as the command does it, offline, over lists of 1, 10,000 and
1,000,000 made-up people (or of as many as are named), each in a process of its own. Printed are
the seconds on the wall and of the processor, what each person beyond the first costs, and the
most memory that the process ever had.
"""

import resource
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import briefmail
from briefmail.newsletter import Newsletter

REPOSITORY = Path(__file__).parents[1]
ISSUE = Path("issues") / "2016-09-07.md"
REGIONS = ("Fife", "Highland", "Na h-Eileanan Siar", "")
# Two in three have their mail with one of these, the others at one of 20,000 domains.
PROVIDERS = ("gmail.com", "hotmail.co.uk", "outlook.com", "yahoo.co.uk", "icloud.com", "sky.com")
DOMAINS = 20_000


def write_list(path: Path, people: int) -> None:
    """Write a list as an editor might have it: most cells are filled, a few are not."""
    with path.open("w", encoding="utf-8") as file:
        file.write("email,first_name,last_name,organisation,region\n")
        for number in range(people):
            domain = (
                PROVIDERS[number % 6] if number % 3 else f"domain{number % DOMAINS}.example.org"
            )
            first = "" if number % 50 == 49 else f"Mòrag {number % 1000}"
            file.write(
                f"reader{number}@{domain},{first},MacAskill,Orravay Trust {number % 300},"
                f"{REGIONS[number % 4]}\n"
            )


def newsletter_of(root: Path, people: int) -> Path:
    """Copy the showcase into ``root``, with a list of so many people."""
    for name in ("briefmail.toml", "issues", "images"):
        source = REPOSITORY / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, root / name)
    write_list(root / "recipients.csv", people)
    return root


def check(root: Path) -> None:
    """Check the issue in this process, and print what that took."""
    wall, processor = time.perf_counter(), time.process_time()
    newsletter = Newsletter.open(root, environ={})
    report = Newsletter(newsletter.config, now=lambda: datetime(2016, 9, 6, tzinfo=UTC)).check(
        ISSUE
    )
    errors = len(report.of("error"))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(time.perf_counter() - wall, time.process_time() - processor, peak, errors)


def measure(people: int) -> tuple[float, float, float]:
    """Check a list in a process of its own: seconds, seconds of the processor, and MB."""
    with tempfile.TemporaryDirectory() as folder:
        root = newsletter_of(Path(folder), people)
        done = subprocess.run(
            [sys.executable, __file__, "--in", str(root)],
            cwd=root,
            env={"PYTHONPATH": str(Path(briefmail.__file__).parents[1]), "PYTHONUTF8": "1"},
            capture_output=True,
            text=True,
            check=True,
        )
    wall, processor, peak, errors = map(float, done.stdout.split())
    assert errors == 0
    return wall, processor, peak / (1_000_000 if sys.platform == "darwin" else 1_000)


def main() -> None:
    """Print a line for each list."""
    counts = [int(word) for word in sys.argv[1:]] or [10_000, 1_000_000]
    first_wall, first_processor, first_peak = measure(1)
    print(f"Python {sys.version.split()[0]}; {ISSUE.stem}, offline\n")
    print(f"{'people':>10}{'seconds':>10}{'CPU s':>10}{'us each':>10}{'CPU us':>10}{'MB':>8}")
    print(f"{1:10,}{first_wall:10.2f}{first_processor:10.2f}{'':20}{first_peak:8.0f}")
    for people in counts:
        wall, processor, peak = measure(people)
        each = [
            (used - first) / (people - 1) * 1e6
            for used, first in ((wall, first_wall), (processor, first_processor))
        ]
        print(f"{people:10,}{wall:10.2f}{processor:10.2f}{each[0]:10.1f}{each[1]:10.1f}{peak:8.0f}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--in"]:
        check(Path(sys.argv[2]))
    else:
        main()
