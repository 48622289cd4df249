"""``backup``: a copy of the memory that has everything in it."""

from pathlib import Path

from briefmail.config import Config
from briefmail.errors import UsageError
from briefmail.newsletter.lists import existing_store


def backup(config: Config, path: Path) -> None:
    """Copy the memory of the newsletter to a new file, also while a send is at work.

    Raises :class:`UsageError` if there is nothing yet or ``path`` is taken, and
    :class:`~briefmail.errors.StoreError` if the memory is damaged or the disk will not have it.
    """
    with existing_store(config) as store:
        if store is None:
            raise UsageError(f"{config.root} has no memory yet; there is nothing to back up")
        store.check()
        store.backup_to(path)
