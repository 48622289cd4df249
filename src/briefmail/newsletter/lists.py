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
from briefmail.config import CONFIG_NAME
from briefmail.errors import UsageError
from briefmail.store import STORE_NAME, Database, open_store, store_path

SIGNS = (CONFIG_NAME, "recipients.csv", "issues", STORE_NAME)
"""Each of these in a folder says that it is a newsletter's."""
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


def exists(path: Path) -> bool:
    """Whether something is there. If the system will not say, whoever reads it hears why."""
    try:
        return path.exists()
    except OSError:
        return False


def here_or_in(root: Path, path: Path) -> Path:
    """A file that was named: seen from here, else from the newsletter's folder."""
    return root / path if not exists(path) and exists(root / path) else path


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
    """Never mail an address again.

    Raises :class:`UsageError` where there is no newsletter: noted in the wrong folder it would
    be forgotten, and the person mailed.
    """
    parsed = address_of(address)
    if not any((root / name).exists() for name in SIGNS):
        raise UsageError(
            f"{root} is not a newsletter's folder",
            hint="go to the one that briefmail.toml lies in, or name it with -C",
        )
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
