"""The people of a newsletter: its list, and those who must not be mailed."""

from collections.abc import Container, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from briefmail import audience, delivery, notices, schedule
from briefmail.audience import (
    Address,
    Invalid,
    Recipient,
    Roll,
    Suppression,
    Suppressions,
    parse_address,
)
from briefmail.config import CONFIG_NAME, Config
from briefmail.delivery import Ledger
from briefmail.errors import UsageError
from briefmail.store import STORE_NAME, Database, open_store, store_exists

SIGNS = (CONFIG_NAME, "recipients.csv", "issues", STORE_NAME)
"""Each of these in a folder says that it is a newsletter's."""
ROOMS = {
    "audience": audience.MIGRATIONS,
    "delivery": delivery.MIGRATIONS,
    "schedule": schedule.MIGRATIONS,
    "notices": notices.MIGRATIONS,
}
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
    (address,) = addresses_of([text])
    return address


def addresses_of(texts: Sequence[str]) -> list[Address]:
    """Read addresses given by hand; :class:`UsageError` names every one that is none, and why."""
    parsed = [parse_address(text) for text in texts]
    wrong = [
        f"{text!r}: {found.reason}"
        for text, found in zip(texts, parsed, strict=True)
        if isinstance(found, Invalid)
    ]
    if wrong:
        hint = "nothing was done for the others either" if len(wrong) < len(texts) else None
        raise UsageError("\n".join(wrong), hint=hint)
    return [found for found in parsed if isinstance(found, Address)]


def check_folder(root: Path) -> None:
    """Raise :class:`UsageError` where there is no newsletter.

    What is noted in the wrong folder would be forgotten, and what is asked there looks as if
    nobody had had anything.
    """
    if not any(exists(root / name) for name in SIGNS):
        raise UsageError(
            f"{root} is not a newsletter's folder",
            hint="go to the one that briefmail.toml lies in, or name it with -C",
        )


@contextmanager
def existing_store(config: Config) -> Iterator[Database | None]:
    """Open the memory if there is one, and make none if there is not."""
    if not store_exists(config.root, config.database_url):
        yield None
        return
    with open_memory(config) as store:
        yield store


def open_memory(config: Config) -> Database:
    """Open the memory, creating it at its first use."""
    return open_store(config.root, ROOMS, config.database_url)


def suppressed(store: Database | None) -> Container[str]:
    """The ledger keys of those who must not be mailed."""
    return Suppressions(store).at_hand() if store else frozenset()


def find_recipient(config: Config, as_address: str | None) -> Recipient:
    """Find who a preview or a test is made for: somebody on the list, else the first there."""
    path = config.recipients
    if not path.exists() and as_address is None:
        return STAND_IN
    with existing_store(config) as store, Roll.read(path, suppressed=suppressed(store)) as roll:
        if as_address is None:
            return roll.first() or STAND_IN
        found = roll.find(address_of(as_address))
    if found is None:
        raise UsageError(f"{as_address} is not in {path.name}")
    return found


@dataclass(frozen=True, slots=True)
class Suppressed:
    """What :func:`suppress` did for one address; ``before`` is the entry that was there, and stays.

    Without one it is None, and the address has been added.
    """

    address: Address
    before: Suppression | None


def suppress(
    config: Config, addresses: Sequence[str], reason: str, at: datetime
) -> list[Suppressed]:
    """Never mail these addresses again. If one of them is none, none is written down.

    A send that is at work keeps to it too, but for those whom it has in hand.

    Raises :class:`UsageError` for that, and where there is no newsletter.
    """
    parsed = addresses_of(addresses)
    check_folder(config.root)
    done = []
    with open_memory(config) as store:
        suppressions = Suppressions(store)
        for address in parsed:
            before = suppressions.find(address.key)
            suppressions.add(address, reason, at)
            Ledger(store).withdraw(address.key)
            done.append(Suppressed(address, before))
    return done


def unsuppress(config: Config, addresses: Sequence[str]) -> list[bool]:
    """Let these addresses be mailed again; False for each that was not suppressed.

    Raises as :func:`suppress` does.
    """
    parsed = addresses_of(addresses)
    check_folder(config.root)
    with existing_store(config) as store:
        return [store is not None and Suppressions(store).remove(each) for each in parsed]


def suppressions(config: Config) -> list[Suppression]:
    """Everybody who is never mailed. Raises :class:`UsageError` where there is no newsletter."""
    check_folder(config.root)
    with existing_store(config) as store:
        return list(Suppressions(store).entries()) if store else []
