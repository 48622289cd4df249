"""How fast an edition leaves: our send beside Postfix's smtp-source, on the same work.

Usage: ``python benchmarks/delivery.py [--pairs N] [--people N] [--only 32x8,5x32]``

Needs Postfix's ``smtp-sink`` (the receiver, on loopback) and ``smtp-source`` (the reference: C,
connections kept open with ``-d``, no ledger, the same bytes for everybody). Each pair is one run
of each, one after the other, against the same receiver with the same number of connections and
messages of the same size; what is printed are ratios within a pair and their median, because
absolute figures drift with whatever else the machine does.

Ours is a real edition: an issue written to size, a list of people with names, the ledger on disk
with a sync before every dot. *Sending* is from the first connection to the last outcome; *whole*
is the process with everything: start, reading and checking the list, rendering, filling every copy
once before the first leaves, the roll call, the send. CPU and memory are the whole process's.
"""

import argparse
import json
import os
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SOURCE = Path(__file__).parents[1] / "src"
LIMIT = 200_000  # people; a benchmark that is left alone must end
TEXT = (
    "harbour community land trust island council wind turbine ferry school meeting buy-out estate"
    " croft tenants ballot the a of and in to with for"
)


@dataclass(frozen=True)
class Case:
    """One line of the table: how large a message is, and over how many connections it goes."""

    kilobytes: int
    connections: int


CASES = (Case(32, 8), Case(32, 32), Case(5, 8), Case(5, 32))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--people", type=int, default=10_000)
    parser.add_argument("--only", default="", help="cases such as 32x8,5x32")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        send(Path(options.child))
        return
    people = min(options.people, LIMIT)
    print(
        "| size | connections | msg/s | sending / source | whole / source | CPU s per 10 k |",
        end="",
    )
    print(" whole CPU | peak MB |\n|---|---|---|---|---|---|---|---|")
    for case in CASES:
        if not options.only or f"{case.kilobytes}x{case.connections}" in options.only.split(","):
            measure(case, people, options.pairs)


def measure(case: Case, people: int, pairs: int) -> None:
    """Print one line: the medians of ``pairs`` runs."""
    with tempfile.TemporaryDirectory() as folder, sink() as port:
        found = []
        for number in range(pairs):
            ours = run_ours(Path(folder) / f"run{number}", case, people, port)
            reference = run_reference(case, ours["size"], people, port)
            found.append((ours, reference))
    print(
        f"| {found[0][0]['size'] / 1000:.1f} kB | {case.connections} "
        f"| {median(people / o['sending'] for o, _ in found):,.0f} "
        f"| {spread(r / o['sending'] for o, r in found)} "
        f"| {spread(r / o['whole'] for o, r in found)} "
        f"| {median(o['cpu_sending'] / people * 10_000 for o, _ in found):.2f} "
        f"| {median(o['cpu'] / people * 10_000 for o, _ in found):.2f} "
        f"| {median(o['peak'] for o, _ in found):.0f} |",
        flush=True,
    )


def median(values: Iterator[float]) -> float:
    return statistics.median(list(values))


def spread(values: Iterator[float]) -> str:
    """The median, with the least and the most."""
    found = sorted(values)
    return f"{statistics.median(found):.2f} ({found[0]:.2f}-{found[-1]:.2f})"


# --- the receiver and the reference ---------------------------------------------------------------


@contextmanager
def sink() -> Iterator[int]:
    """Run smtp-sink on a free port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    user = ["-u", "nobody"] if os.geteuid() == 0 else []
    command = [tool("smtp-sink"), *user, f"127.0.0.1:{port}", "256"]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 5
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.05)
        yield port
    finally:
        process.kill()
        process.wait()


def run_reference(case: Case, size: int, people: int, port: int) -> float:
    """Let smtp-source send as many messages of that size; return the seconds."""
    count, start = ["-m", str(people), "-l", str(size)], time.perf_counter()
    sessions = ["-s", str(case.connections)]
    command = [tool("smtp-source"), "-d", *sessions, *count, f"127.0.0.1:{port}"]
    subprocess.run(command, check=True, timeout=600)
    return time.perf_counter() - start


def tool(name: str) -> str:
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin")
    if found is None:
        sys.exit(f"{name} is missing; it comes with Postfix")
    return found


# --- ours -----------------------------------------------------------------------------------------


def run_ours(folder: Path, case: Case, people: int, port: int) -> dict[str, float]:
    """Send from a process of its own; return what it and the clock say."""
    folder.mkdir()
    write_newsletter(folder, case, people, port)
    start = time.perf_counter()
    command = [sys.executable, __file__, "--child", str(folder)]
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    done = subprocess.run(command, env=environment, capture_output=True, check=False, timeout=900)
    whole = time.perf_counter() - start
    if done.returncode:
        sys.exit(done.stderr.decode())
    shutil.rmtree(folder)
    return {**json.loads(done.stdout), "whole": whole}


def write_newsletter(folder: Path, case: Case, people: int, port: int) -> None:
    (folder / "issues").mkdir()
    (folder / "briefmail.toml").write_text(
        '[newsletter]\nname = "Benchmark"\nfrom = "Benchmark <news@example.org>"\n'
        'list_id = "bench.example.org"\npostal_address = "Kirkbrae"\n'
        '[mail]\nunsubscribe_address = "leave@example.org"\n'
        'unsubscribe_url = "https://example.org/leave"\n'
    )
    (folder / ".env").write_text(
        f"SMTP_HOST=127.0.0.1\nSMTP_PORT={port}\nSMTP_SECURITY=none\n"
        f"BRIEFMAIL_SECRET={'benchmark-' * 4}\n"
    )
    if case.kilobytes < 12:  # the packaged frame alone has some 11 kB
        (folder / "templates" / "email").mkdir(parents=True)
        (folder / "templates" / "email" / "page.html").write_text(SMALL_PAGE)
    write_issue(folder, case)
    with (folder / "recipients.csv").open("w") as listing:
        listing.write("email,first_name,last_name\n")
        listing.writelines(f"reader{n}@example.org,Reader{n},Benchmark\n" for n in range(people))
    (folder / "connections").write_text(str(case.connections))


SMALL_PAGE = """<!DOCTYPE html><html lang="en"><head><title>News</title></head>
<body><h1>{{ issue.subject }}</h1>
{{ issue.introduction | html }}<p><a href="{{ slots.unsubscribe_url }}">Unsubscribe</a></p></body>
</html>"""


def write_issue(folder: Path, case: Case) -> None:
    """Write as many paragraphs as make a message of the size; both texts count."""
    sys.path.insert(0, str(SOURCE))
    from briefmail.audience import Recipient
    from briefmail.newsletter import Newsletter

    words = TEXT.split()
    someone = Recipient("a@example.org", "a@example.org", "A B", {"email": "a@example.org"}, 2)
    path, paragraphs = folder / "issues" / "issue.md", 0
    while True:
        text = [
            " ".join(words[(n + k * 7) % len(words)] for k in range(24)) for n in range(paragraphs)
        ]
        path.write_text(
            "---\nsubject: A benchmark\n---\n\n"
            'Dear {{ first_name | default("friend") }},\n\n' + "\n\n".join(text) + "\n"
        )
        size = len(Newsletter.open(folder, environ={}).edition(path).message_for(someone).data)
        if size >= case.kilobytes * 1000:
            return
        paragraphs += max(1, (case.kilobytes * 1000 - size) // 1200)


def send(folder: Path) -> None:
    """Send in this process, and print what it took."""
    from briefmail.newsletter import Newsletter, SendOptions, sending

    marks: dict[str, float] = {}
    newsletter = Newsletter.open(folder, environ={})
    size = 0

    def confirm(plan: object) -> bool:
        nonlocal size
        size = len(plan.first.data)  # type: ignore[attr-defined]
        return True

    # Between the question and the first connection lies the roll call.
    run = sending.send_run

    def timed(*arguments: object, **options: object) -> object:
        marks["cpu"], marks["start"] = time.process_time(), time.perf_counter()
        done = run(*arguments, **options)  # type: ignore[arg-type]
        marks["sending"] = time.perf_counter() - marks["start"]
        marks["cpu_sending"] = time.process_time() - marks["cpu"]
        return done

    sending.send_run = timed  # type: ignore[assignment]
    options = SendOptions(connections=int((folder / "connections").read_text()))
    summary = newsletter.send(folder / "issues" / "issue.md", options, confirm=confirm)
    if summary.exit_status or summary.not_tried or not summary.sent:
        sys.exit(f"not everything went out: {summary.numbers()} {summary.stopped}")
    json.dump(
        {
            "sending": marks["sending"],
            "cpu_sending": marks["cpu_sending"],
            "cpu": time.process_time(),
            "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            "size": size,
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main()
