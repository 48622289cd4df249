"""``schedule``: the dates to come, and what has to be installed so that they are kept."""

import sys
from collections.abc import Container, Iterable
from dataclasses import replace
from datetime import datetime

from briefmail.config import Config
from briefmail.delivery import EditionRecord, History, Receipt, Receipts
from briefmail.issue import Timing, read_timing
from briefmail.newsletter.lists import check_folder
from briefmail.newsletter.status import reading
from briefmail.schedule import (
    Diary,
    Known,
    Memory,
    Slot,
    Unit,
    crontab_line,
    standings,
    systemd_units,
    upcoming,
)
from briefmail.store import Database


def timings(config: Config) -> list[Timing]:
    """Read what every issue file says of when it goes out, faulty ones too."""
    return [read_timing(path) for path in sorted(config.issues.glob("*.md"))]


def memory_of(config: Config, store: Database | None) -> Memory:
    """What is remembered of the folder's issues; ``store`` is None where there is none yet.

    Raises :class:`~briefmail.errors.InputError` for a receipt that cannot be read.
    """
    receipts = Receipts(config.root).all()
    if store is None:
        return Memory(known_editions([], receipts, frozenset()))
    diary = Diary(store)
    begun = frozenset(each.edition for each in diary.begun())
    return Memory(
        known_editions(History(store).records(), receipts, begun),
        frozenset(diary.held()),
        diary.first_dispatch(),
    )


def known_editions(
    records: Iterable[EditionRecord], receipts: Iterable[Receipt], begun: Container[str]
) -> tuple[Known, ...]:
    """Join what the ledger and the receipts know: where one says closed, it is closed.

    ``begun`` are the editions that dispatch began.
    """
    found = {
        record.id: Known(
            record.id,
            "closed" if record.closed_at else "begun" if record.id in begun else "opened",
            record.issue_date,
            frozenset({record.fingerprint}),
        )
        for record in records
    }
    for receipt in receipts:
        past = receipt.past
        known = found.get(past.name, Known(past.name, "elsewhere", past.issue_date))
        found[past.name] = replace(
            known,
            standing="closed" if receipt.closed_at else known.standing,
            fingerprints=known.fingerprints | past.fingerprints,
        )
    return tuple(found.values())


def dates(config: Config, count: int, now: datetime) -> list[Slot]:
    """Return the next ``count`` dates, from today's on, with the issue that each has or lacks."""
    check_folder(config.root)
    with reading(config) as store:
        memory = memory_of(config, store)
    found = standings(now, config.schedule, timings(config), memory)
    return upcoming(now, config.schedule, found, count)


def crontab(config: Config) -> str:
    """Return the line for this folder; it runs what is running now."""
    check_folder(config.root)
    return crontab_line(_dispatch(config))


def systemd(config: Config) -> tuple[Unit, Unit]:
    """Return the service and the timer for this folder."""
    check_folder(config.root)
    return systemd_units(config.root.name, _dispatch(config))


def _dispatch(config: Config) -> list[str]:
    # -P: the folder that cron happens to start in holds no modules of ours.
    return [sys.executable, "-P", "-m", "briefmail", "-C", str(config.root), "dispatch"]
