"""``[dkim]`` as a whole: whether its settings make a signature, and one that helps the sender."""

from collections.abc import Iterator
from pathlib import Path

from briefmail.config.tomlfile import line_of
from briefmail.config.values import Dkim, Mailbox
from briefmail.errors import Problem

_PAIRS = (("selector", "key"), ("ed25519_selector", "ed25519_key"))


def dkim_problems(path: Path, dkim: Dkim, sender: Mailbox | None) -> Iterator[Problem]:
    """Yield what is wrong with ``[dkim]``. Key files are not looked at: only a send needs them."""
    if dkim == Dkim():
        return

    def problem(key: str, text: str) -> Problem:
        return Problem(path, line_of(path, "dkim", key), f"dkim.{key} {text}")

    for pair in _PAIRS:
        for name, other in (pair, pair[::-1]):
            if getattr(dkim, name) and not getattr(dkim, other):
                yield problem(name, f"needs dkim.{other}; 'briefmail dkim keygen' prints both")
    if not any(getattr(dkim, name) for pair in _PAIRS for name in pair):
        yield problem("domain", "signs nothing without a key: 'briefmail dkim keygen' makes one")
    if dkim.selector and dkim.selector == dkim.ed25519_selector:
        yield problem("ed25519_selector", "is that of the other key; each has a record of its own")
    if sender and dkim.domain and not sender.aligns_with(dkim.domain):
        text = (
            f"is {dkim.domain}, and newsletter.from is at {sender.domain}: receivers that go by"
            " DMARC would not count the signature"
        )
        yield problem("domain", text)
