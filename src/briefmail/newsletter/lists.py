"""The people of a newsletter: its list, and those who must not be mailed."""

from collections.abc import Container, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from briefmail import audience, delivery
from briefmail.audience import (
    Address,
    Invalid,
    Recipient,
    Roll,
    Suppression,
    Suppressions,
    parse_address,
)
from briefmail.errors import UsageError
from briefmail.store import Database, open_store, store_path

ROOMS = {"audience": audience.MIGRATIONS, "delivery": delivery.MIGRATIONS}
STAND_IN = Recipient(
    address="reader@example.org",
    key="reader@example.org",
    name="Alex Reader",
    fields={
        "email": "reader@example.org",
        "name": "Alex Reader",
        "first_name": "Alex",
        "last_name": "Reader",
    },
    line=0,
)
"""Who a preview is for while there is no list."""


def address_of(text: str) -> Address:
    """Read an address given by hand; :class:`UsageError` says what is wrong with it."""
    address = parse_address(text)
    if isinstance(address, Invalid):
        raise UsageError(f"{text!r}: {address.reason}")
    return address


@contextmanager
def existing_store(root: Path) -> Iterator[Database | None]:
    """Open the memory if there is one, and make none if there is not."""
    if not store_path(root).exists():
        yield None
        return
    with open_store(root, ROOMS) as store:
        yield store


def suppressed(store: Database | None) -> Container[str]:
    """The ledger keys of those who must not be mailed."""
    return Suppressions(store) if store else frozenset()


def find_recipient(root: Path, path: Path, as_address: str | None) -> Recipient:
    """Find who a preview or a test is made for: somebody on the list, else the first there."""
    if not path.exists() and as_address is None:
        return STAND_IN
    with existing_store(root) as store, Roll.read(path, suppressed=suppressed(store)) as roll:
        if as_address is None:
            return roll.first() or STAND_IN
        found = roll.find(address_of(as_address))
    if found is None:
        raise UsageError(f"{as_address} is not in {path.name}")
    return found


def suppress(root: Path, address: str, reason: str, at: datetime) -> Address:
    """Never mail an address again."""
    parsed = address_of(address)
    with open_store(root, ROOMS) as store:
        Suppressions(store).add(parsed, reason, at)
    return parsed


def unsuppress(root: Path, address: str) -> bool:
    """Let an address be mailed again; False if it was not suppressed."""
    parsed = address_of(address)
    with existing_store(root) as store:
        return store is not None and Suppressions(store).remove(parsed)


def suppressions(root: Path) -> list[Suppression]:
    """Everybody who is never mailed."""
    with existing_store(root) as store:
        return list(Suppressions(store).entries()) if store else []
