"""``.briefmail/log``: one line for each try of a message, for whoever asks what happened when.

A line has a moment (UTC, ISO 8601), the edition, the address, the state and the relay's reply or
what happened instead, with a tab between them. It is a convenience: the ledger is what counts. So
lines wait in memory until there are some hundred, a crash may lose those, and a log that cannot be
written stops no send.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from briefmail.audience import Recipient
from briefmail.delivery.outcome import Delivery
from briefmail.delivery.reply import printable

SIZE_LIMIT = 5_000_000  # octets; a log that has reached it becomes log.1
KEPT = 3  # files, with the present one
LINES = 500  # kept in memory before they are written


class MessageLog:
    """The log of one run. A context manager: leaving it, however that comes, writes what waits."""

    def __init__(self, path: Path, edition: str, clock: Callable[[], datetime]) -> None:
        self._path = path
        self._edition = printable(edition)
        self._clock = clock
        self._lines: list[str] = []

    def add(self, recipient: Recipient, delivery: Delivery) -> None:
        """Note what became of one message. Nothing of it but the reply comes from outside."""
        moment = self._clock().astimezone(UTC).isoformat(timespec="milliseconds")
        said = str(delivery.reply) if delivery.reply else delivery.reason
        self._lines.append(
            f"{moment}\t{self._edition}\t{recipient.address}\t{delivery.state}\t{printable(said)}\n"
        )
        if len(self._lines) >= LINES:
            self.flush()

    def flush(self) -> None:
        """Write the lines that wait."""
        lines, self._lines = self._lines, []
        if lines:
            with suppress(OSError):
                self._rotate()
                with self._path.open("a", encoding="utf-8", newline="\n") as file:
                    file.writelines(lines)

    def _rotate(self) -> None:
        if not self._path.exists() or self._path.stat().st_size < SIZE_LIMIT:
            return
        for number in range(KEPT - 2, 0, -1):
            older = self._path.with_name(f"{self._path.name}.{number}")
            if older.exists():
                older.replace(self._path.with_name(f"{self._path.name}.{number + 1}"))
        self._path.replace(self._path.with_name(f"{self._path.name}.1"))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.flush()
