"""``send --test``: one marked copy to any address, as any recipient, and no memory of it."""

from dataclasses import dataclass
from pathlib import Path

from briefmail.audience import Recipient
from briefmail.config import Config
from briefmail.delivery import Delivery, Sandbox, Session
from briefmail.edition import Edition
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
        with Session(config.relay) as session:
            delivery = session.deliver(message, lambda: True)
        return TestResult(target.address, recipient, _decided(delivery), None)
    with Sandbox(config.outbox) as sandbox, Session(sandbox.relay) as session:
        delivery = session.deliver(message, lambda: True)
        return TestResult(target.address, recipient, _decided(delivery), sandbox.folder)


def _decided(delivery: Delivery | None) -> Delivery:
    assert delivery is not None, "a test copy is never withheld"
    return delivery
