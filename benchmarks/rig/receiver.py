"""Postfix's own test programs: smtp-sink, which takes mail, and smtp-source, the reference."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HOST = "127.0.0.1"
SENT_AT_MOST = 100_000
"""How many messages the reference sends; beyond that its rate is taken to stay what it is."""


@contextmanager
def sink(dump: Path | None = None) -> Iterator[int]:
    """Run smtp-sink on a free port; with ``dump`` it keeps each message in a file there."""
    port = free_port()
    options = ["-u", "nobody"] if os.geteuid() == 0 else []
    if dump:
        dump.chmod(0o777)  # for nobody
        options += ["-d", f"{dump}/message."]
    command = [tool("smtp-sink"), *options, f"{HOST}:{port}", "256"]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        wait_for(port)
        yield port
    finally:
        process.kill()
        process.wait()


def reference(size: int, people: int, connections: int, port: int) -> float:
    """Let smtp-source send as many messages of ``size`` octets; return the seconds it takes.

    It is C, keeps its connections open (``-d``), remembers nothing and says the same to everybody.
    """
    sent = min(people, SENT_AT_MOST)
    command = [tool("smtp-source"), "-d", "-s", str(connections), "-m", str(sent), "-l", str(size)]
    start = time.perf_counter()
    subprocess.run([*command, f"{HOST}:{port}"], check=True, timeout=900)
    return (time.perf_counter() - start) * people / sent


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server((HOST, 0)) as server:
        return int(server.getsockname()[1])


def wait_for(port: int) -> None:
    """Return once somebody answers there; raise the last :class:`OSError` after ten seconds."""
    until = time.monotonic() + 10
    while True:
        try:
            socket.create_connection((HOST, port)).close()
            return
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)


def tool(name: str) -> str:
    """Return the path of a program; leave with a sentence if it is missing."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin")
    if found is None:
        sys.exit(f"{name} is missing: docs/performance.md says what the benchmarks need")
    return found
