"""What encryption costs: our send by STARTTLS beside our own in clear, to the same Postfix.

Usage: ``python benchmarks/tls.py [--pairs N] [--people N] [--json FILE]``

Needs Postfix, and root to start one of its own (``rig/postfix.py``): smtp-sink speaks no TLS. It
takes each message into its queue and throws it away. Plain and encrypted runs take turns, also in
who comes first. Postfix is the slower end here, so the rate says what an editor would notice, and
the CPU seconds of our own process say what encryption costs us.
"""

import argparse
import tempfile
from pathlib import Path

from rig import ours
from rig.newsletter import write_newsletter
from rig.postfix import Postfix, postfix
from rig.results import Figures, Notebook, begin
from rig.tables import TLS

CONNECTIONS = 8
SIZES = (32, 5)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pairs", type=int, default=4)
    parser.add_argument("--people", type=int, default=3000)
    options, notebook = begin(parser)
    print(TLS.head())
    with postfix() as relay:
        for kilobytes in SIZES:
            measure(kilobytes, options.people, options.pairs, relay, notebook)


def measure(kilobytes: int, people: int, pairs: int, relay: Postfix, notebook: Notebook) -> None:
    """Print one line: the medians of ``pairs`` runs."""
    measured = []
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch, "newsletter")
        write_newsletter(folder, kilobytes, people)
        ours.send(folder, people, CONNECTIONS, relay.port)  # not counted: Postfix warms up
        relay.settle()
        for number in range(pairs):
            measured.append(pair(folder, people, relay, plain_first=number % 2 == 0))
            notebook.write(str(kilobytes), measured[-1])
    print(TLS.line(str(kilobytes), measured), flush=True)


def pair(folder: Path, people: int, relay: Postfix, *, plain_first: bool) -> Figures:
    """Send in clear and encrypted, to the same name and port."""
    secure = {"SMTP_SECURITY": "starttls", "SSL_CERT_FILE": str(relay.authority)}
    runs = {}
    for more in ({}, secure) if plain_first else (secure, {}):
        host = {"SMTP_HOST": "localhost", **more}
        runs[bool(more)] = ours.send(folder, people, CONNECTIONS, relay.port, host)
        relay.settle()
    plain, tls = runs[False], runs[True]
    return {
        "people": people,
        "plain_rate": people / plain.sending,
        "rate": people / tls.sending,
        "ratio": plain.sending / tls.sending,
        "plain_cpu_10k": plain.cpu_sending / people * 10_000,
        "cpu_10k": tls.cpu_sending / people * 10_000,
    }


if __name__ == "__main__":
    main()
