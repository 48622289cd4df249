"""``migrate-to``: the memory moves from the folder to a server that several machines can use."""

from collections.abc import Mapping
from dataclasses import dataclass

from briefmail.config import Config, is_database_url
from briefmail.delivery import LedgerMark
from briefmail.errors import UsageError
from briefmail.newsletter.lists import ROOMS, check_folder
from briefmail.store import copy_all, high_water, open_store, run_lock, store_path


@dataclass(frozen=True, slots=True)
class Migrated:
    """How many ``rows`` of each table were copied, and found to be the same."""

    rows: Mapping[str, int]


def migrate_to(config: Config, url: str) -> Migrated:
    """Copy the memory in the folder to an empty database; the file stays as it is.

    Raises :class:`UsageError` if there is nothing to copy or the database is not empty,
    :class:`~briefmail.errors.LockHeld` while a send is at work, and
    :class:`~briefmail.errors.StoreError` if the memory is damaged or has forgotten something.
    """
    check_folder(config.root)
    if not is_database_url(url):
        raise UsageError(f"{url} is not an address such as postgresql://user@host/newsletter")
    if not store_path(config.root).exists():
        raise UsageError(
            f"{config.root} has no memory yet; there is nothing to copy",
            hint="set BRIEFMAIL_DATABASE_URL, and the first send begins there",
        )
    with (
        run_lock(config.root),
        open_store(config.root, ROOMS) as source,
        open_store(config.root, ROOMS, url) as target,
    ):
        source.check()
        LedgerMark(source, high_water(config.root)).check()
        return Migrated(copy_all(source, target, ROOMS))
