"""What a signature costs: microseconds for each message, by kind of key and size of message.

Usage: ``python benchmarks/signing.py``

The messages are those of the repository's longer issue and of made-up ones. Each figure is the
median of several rounds in this process. Beside it stands what the signature alone costs, without
canonicalising, hashing and writing the field, and the same message signed by dkimpy, if that is
installed.
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from briefmail import config, delivery
from briefmail.config import DkimKey
from briefmail.delivery import fields_for
from briefmail.delivery.dkim.keys import SigningKey
from briefmail.edition import Message, build_edition
from briefmail.issue import read_issue
from edition import made_up, people

REPOSITORY = Path(__file__).parents[1]
NOW = datetime(2016, 9, 7, 9, 0, tzinfo=UTC)
KEYS = (DkimKey("rsa", "old", "old.pem"), DkimKey("ed25519", "new", "new.pem"))
ROUNDS = 7
MESSAGES = 300


def main() -> None:
    print("| message | RSA-2048 | Ed25519 | both | RSA alone | Ed25519 alone | dkimpy, RSA |")
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        keys = make_keys(folder)
        issues = [REPOSITORY / "issues" / "2016-08-24.md"]
        issues += [made_up(folder, size) for size in (1_000, 8_000, 24_000)]
        for issue in issues:
            measure(message_of(issue, folder), keys, folder)


def make_keys(folder: Path) -> tuple[SigningKey, ...]:
    for key in KEYS:
        path = folder / key.path
        path.write_bytes(delivery.make_key(key.kind))
        path.chmod(0o600)
    return delivery.read_keys(KEYS, "example.org", folder)


def message_of(issue: Path, folder: Path) -> Message:
    root = REPOSITORY if issue.is_relative_to(REPOSITORY) else folder
    edition = build_edition(read_issue(issue), config.load(root, {}), NOW)
    return edition.message_for(people(1)[0])


def measure(message: Message, keys: tuple[SigningKey, ...], folder: Path) -> None:
    """Print one line."""
    times = []
    for chosen in (keys[:1], keys[1:], keys):
        signer = delivery.Signer(chosen, fields_for(""), lambda: datetime.now(UTC))
        times.append(median(lambda signer=signer: signer.sign(message)))
    times += [median(lambda key=key: key.sign(message.data[:900])) for key in keys]
    cells = " | ".join(f"{seconds * 1e6:,.0f}" for seconds in times)
    print(
        f"| {len(message.data) / 1000:.1f} kB | {cells} | {dkimpy(message, folder)} |", flush=True
    )


def dkimpy(message: Message, folder: Path) -> str:
    try:
        import dkim
    except ImportError:
        return "-"
    key = (folder / "old.pem").read_bytes()
    seconds = median(
        lambda: dkim.sign(
            message.data, b"old", b"example.org", key, canonicalize=(b"relaxed", b"relaxed")
        ),
        5,
    )
    return f"{seconds * 1e6:,.0f}"


def median(work: Callable[[], object], count: int = MESSAGES) -> float:
    """The seconds that ``work`` takes: the median of its rounds."""
    times = []
    for _ in range(ROUNDS + 1):
        start = time.perf_counter()
        for _ in range(count):
            work()
        times.append((time.perf_counter() - start) / count)
    return statistics.median(times[1:])


if __name__ == "__main__":
    main()
