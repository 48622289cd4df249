"""The page on performance says what was measured, and what the benchmarks stand on works."""

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BENCHMARKS = ROOT / "benchmarks"
RESULTS = BENCHMARKS / "results.jsonl"


@pytest.fixture(autouse=True)
def benchmarks_on_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """As Python has it when it runs one of them."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))


def test_the_page_and_its_plots_are_what_the_results_say() -> None:
    """``python benchmarks/report.py benchmarks/results.jsonl`` writes them anew."""
    import report
    from rig.results import read

    results = read(RESULTS)
    text = report.PAGE.read_text("utf-8")
    assert report.page(text, results) == text
    for name, (draw, _) in report.PLOTS.items():
        path = report.DOCS / "images" / f"performance-{name}.svg"
        assert path.read_text("utf-8") == draw(results)


def test_every_benchmark_is_on_the_page() -> None:
    text = (ROOT / "docs" / "performance.md").read_text("utf-8")
    missing = [path.name for path in BENCHMARKS.glob("*.py") if path.name not in text]
    assert missing == []


def test_only_the_latest_run_of_a_case_counts(tmp_path: Path) -> None:
    from rig.results import Notebook, median, read

    path = tmp_path / "results.jsonl"
    for begun, ratios in (("2026-01-01", (1.0, 2.0)), ("2026-01-02", (4.0, 5.0))):
        for ratio in ratios:
            Notebook(path, "latency", begun, {}).write("16", {"ratio": ratio})
    Notebook(path, "latency", "2026-01-01", {}).write("4", {"ratio": 3.0})

    results = read(path)
    assert {case: median(found, "ratio") for case, found in results.items()} == {
        ("latency", "16"): 4.5,
        ("latency", "4"): 3.0,
    }


def test_a_target_that_was_not_measured_says_so() -> None:
    from rig.targets import TARGETS

    assert [target.line({}).split(" | ")[2] for target in TARGETS] == ["not measured"] * len(
        TARGETS
    )


@pytest.mark.parametrize("kilobytes", [5, 12])
def test_nothing_speaks_against_sending_the_newsletter_on_the_bench(
    tmp_path: Path, kilobytes: int
) -> None:
    """Neither with the small page nor with the packaged one."""
    from rig.newsletter import ISSUE, write_newsletter

    from briefmail import Newsletter

    write_newsletter(tmp_path, kilobytes, people=3)
    plan = Newsletter.open(tmp_path, environ={}).plan(tmp_path / ISSUE)
    assert (plan.refusal, plan.to_send) == (None, 3)


def test_the_delaying_relay_changes_nothing_and_holds_it_back_both_ways() -> None:
    """An echo comes back octet for octet, not before its time, and the end comes after it."""
    sent = bytes(range(256)) * 4096
    with echo() as upstream, delayed(upstream, 0.05) as port:
        begun = time.monotonic()
        with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
            threading.Thread(target=client.sendall, args=(sent,)).start()
            got = b""
            while len(got) < len(sent):
                got += client.recv(1 << 16)
            assert time.monotonic() - begun >= 0.2  # there and back to connect, and again
            client.shutdown(socket.SHUT_WR)
            assert client.recv(1) == b""
    assert got == sent


@contextmanager
def echo() -> Iterator[int]:
    """Say everything back, to any number of connections."""

    def serve(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            while data := connection.recv(1 << 16):
                connection.sendall(data)

    def accept() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=accept, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


@contextmanager
def delayed(upstream: int, seconds: float) -> Iterator[int]:
    """Run the relay of the benchmark as it is run there."""
    from rig.receiver import free_port, wait_for

    port = free_port()
    program = BENCHMARKS / "rig" / "delay.py"
    process = subprocess.Popen(
        [sys.executable, str(program), str(port), str(upstream), str(seconds)]
    )
    try:
        wait_for(port)
        yield port
    finally:
        process.kill()
        process.wait()
