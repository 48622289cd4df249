"""``send --test``: marked copies to any addresses, as any recipient, and no memory of them."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from briefmail import delivery
from briefmail.audience import Recipient
from briefmail.config import Config, Relay
from briefmail.delivery import Delivery
from briefmail.edition import Edition, Message
from briefmail.errors import UsageError
from briefmail.newsletter.lists import address_of, find_recipient
from briefmail.newsletter.signing import signed, signer_for


@dataclass(frozen=True, slots=True)
class TestResult:
    """What became of a test copy: made as ``recipient``, sent ``to``; ``outbox`` if sandboxed."""

    __test__ = False  # pytest takes every class of this name for a test

    to: str
    recipient: Recipient
    delivery: Delivery
    outbox: Path | None


def send_tests(
    config: Config,
    edition: Edition,
    to: Sequence[str],
    as_address: str | None,
    now: Callable[[], datetime],
) -> list[TestResult]:
    """Send a copy to each of ``to``, or where [test] says; drafts may be tested."""
    targets = [address_of(text).address for text in to or config.test.to]
    if not targets:
        raise UsageError(
            "--test names nobody",
            hint="'--test me@example.org', or 'to = [\"me@example.org\"]' under [test] in"
            " briefmail.toml",
        )
    recipient = find_recipient(config, as_address)
    signer = signer_for(config, edition, now)
    messages = [signed(signer, edition.test_message(recipient, target)) for target in targets]
    with _relay_or_sandbox(config) as (relay, outbox):
        connect = connector(relay)
        return [
            TestResult(message.recipient, recipient, hand_over(connect(), message), outbox)
            for message in messages
        ]


@contextmanager
def _relay_or_sandbox(config: Config) -> Iterator[tuple[Relay, Path | None]]:
    """Yield where copies go, and the outbox if that is the sandbox."""
    if config.relay:
        yield config.relay, None
        return
    with delivery.Sandbox(config.outbox) as sandbox:
        yield sandbox.relay, sandbox.folder


def connector(relay: Relay) -> Callable[[], "delivery.Session"]:
    """Return what makes connections; the password is looked up once, by the first that logs in."""
    credentials = delivery.Credentials(relay.secret)
    return lambda: delivery.Session(relay, credentials=credentials)


def hand_over(connection: "delivery.Session", message: Message) -> Delivery:
    """Hand a message, which no ledger knows of, to a relay; what became of it."""
    with connection as session:
        done = session.deliver(message, lambda: True)
    assert done is not None, "such a copy is never withheld"
    return done
