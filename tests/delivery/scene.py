"""A ledger, some people and a relay: what a send run needs, in a few words."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Self

from briefmail.audience import Recipient
from briefmail.config import Relay
from briefmail.delivery import (
    MIGRATIONS,
    BackOff,
    Delivery,
    Enrolled,
    Lease,
    Ledger,
    Pace,
    RunResult,
    Session,
    Timeouts,
    Totals,
    Wait,
    send_run,
)
from briefmail.edition.message import Message
from briefmail.store import Database, SQLite
from briefmail.store.postgresql import PostgreSQL

EDITION = "2016-08-24"
NOW = datetime(2016, 8, 24, 9, 0, tzinfo=UTC)
PATIENCE = Timeouts(*[5.0] * 9)


def person(number: int, **fields: str) -> Recipient:
    """Return the recipient on line ``number`` of a list."""
    address = f"reader{number}@example.org"
    return Recipient(address, address, f"Reader {number}", {"email": address, **fields}, number)


def people(first: int, last: int) -> list[Recipient]:
    """Return the recipients on the lines from ``first`` to ``last``."""
    return [person(number) for number in range(first, last + 1)]


def addresses(first: int, last: int) -> list[str]:
    """Return the addresses of :func:`people`."""
    return [recipient.address for recipient in people(first, last)]


def message_for(recipient: Recipient, body: bytes = b"Hello.\r\n") -> Message:
    """Return a small message."""
    message_id = f"<{recipient.line}@example.com>"
    head = f"To: {recipient.address}\r\nMessage-ID: {message_id}\r\n\r\n".encode()
    return Message("bounces@example.com", recipient.address, message_id, head + body)


def opened(where: Path | str) -> Database:
    """Open a database with the tables of a ledger."""
    rooms = {"delivery": MIGRATIONS}
    return PostgreSQL.open(where, rooms) if isinstance(where, str) else SQLite.open(where, rooms)


@dataclass
class Scene:
    """An opened edition in a real database, and sends of it to a relay."""

    ledger: Ledger
    relay: Relay
    progress: list[tuple[str, str]] = field(default_factory=list)

    @classmethod
    @contextmanager
    def set_up(cls, where: Path | str, relay: Relay) -> Iterator[Self]:
        """Open the file at a path, or the database on a server at a URL."""
        with opened(where) as database:
            ledger = Ledger(database, lambda: NOW)
            ledger.open_edition(
                EDITION, subject="Who owns?", issue_date=date(2016, 8, 24), fingerprint="f1"
            )
            yield cls(ledger, relay)

    def enrol(self, recipients: Iterable[Recipient]) -> Enrolled:
        return self.ledger.enrol(EDITION, recipients)

    def send(
        self,
        *,
        limit: int | None = None,
        connections: int = 4,
        on_progress: Callable[[Recipient, Delivery], None] | None = None,
        timeouts: Timeouts = PATIENCE,
        message: Callable[[Recipient], Message] = message_for,
        edition: str = EDITION,
        pace: Pace | None = None,
        connect: Callable[[], Session] | None = None,
        back_off: BackOff | None = None,
        lease: Lease | None = None,
        on_wait: Callable[[Wait], None] = lambda wait: None,
    ) -> RunResult:
        """Make one send run, which waits for nothing unless ``back_off`` says so.

        ``progress`` collects what it reports.
        """

        def report(recipient: Recipient, delivery: Delivery) -> None:
            self.progress.append((recipient.address, delivery.state))
            if on_progress:
                on_progress(recipient, delivery)

        return send_run(
            self.ledger,
            edition,
            connect or (lambda: Session(self.relay, timeouts)),
            message,
            limit=limit,
            connections=connections,
            on_progress=report,
            pace=pace,
            back_off=back_off,
            lease=lease,
            on_wait=on_wait,
        )

    @property
    def totals(self) -> Totals:
        return self.ledger.totals(EDITION)

    def states(self) -> Mapping[str, list[str]]:
        """Return the addresses by state."""
        found = {}
        for state in ("pending", "reserved", "claimed", "sent", "deferred", "refused", "uncertain"):
            if named := [entry.address for entry in self.ledger.entries(EDITION, state)]:
                found[state] = named
        return found
