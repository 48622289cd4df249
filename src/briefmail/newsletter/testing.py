"""``send --test``: one marked copy to any address, as any recipient, and no memory of it."""

from dataclasses import dataclass
from pathlib import Path

from briefmail import delivery
from briefmail.audience import Recipient
from briefmail.config import Config, Relay
from briefmail.delivery import Delivery
from briefmail.edition import Edition, Message
from briefmail.newsletter.lists import address_of, find_recipient


@dataclass(frozen=True, slots=True)
class TestResult:
    """What became of a test copy: made as ``recipient``, sent ``to``; ``outbox`` if sandboxed."""

    __test__ = False  # pytest takes every class of this name for a test

    to: str
    recipient: Recipient
    delivery: Delivery
    outbox: Path | None


def send_test(config: Config, edition: Edition, to: str, as_address: str | None) -> TestResult:
    """Send one copy; drafts may be tested."""
    target = address_of(to)
    recipient = find_recipient(config.root, config.recipients, as_address)
    message = edition.test_message(recipient, target.address)
    if config.relay:
        return TestResult(target.address, recipient, _deliver(config.relay, message), None)
    with delivery.Sandbox(config.outbox) as sandbox:
        done = _deliver(sandbox.relay, message)
        return TestResult(target.address, recipient, done, sandbox.folder)


def _deliver(relay: Relay, message: Message) -> Delivery:
    with delivery.Session(relay) as session:
        done = session.deliver(message, lambda: True)
    assert done is not None, "a test copy is never withheld"
    return done
