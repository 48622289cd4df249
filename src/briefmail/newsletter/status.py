"""``status`` and ``who``: what became of each edition and each person, and how to go on.

They read the ledger beside whatever is at work, make none where there is none, and change nothing.
"""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from briefmail.audience import Address, Suppression, Suppressions
from briefmail.config import Config
from briefmail.delivery import (
    EditionRecord,
    EditionStatus,
    Entry,
    History,
    Issued,
    ReplyGroup,
    Totals,
    WorkerStatus,
)
from briefmail.errors import IssueError, Problem, StoreError
from briefmail.issue import read_issue
from briefmail.newsletter.lists import ROOMS, address_of, check_folder, exists
from briefmail.store import DAMAGED, Database, high_water, open_to_read


@dataclass(frozen=True, slots=True)
class Advice:
    """A command that goes on: ``briefmail VERB ISSUE OPTIONS``, and what it does."""

    verb: str
    options: str
    why: str


@dataclass(frozen=True, slots=True)
class Status:
    """Where an edition stands. ``record`` is None if it was never sent.

    ``issue`` is the file as one would name it, whether or not it is there still. ``uncertain``
    has everybody who is. ``workers`` are the machines that send it together, if the memory is where
    several can.
    """

    edition: str
    issue: Path
    record: EditionRecord | None
    totals: Totals
    groups: tuple[ReplyGroup, ...]
    uncertain: tuple[Entry, ...]
    advice: tuple[Advice, ...]
    workers: tuple[WorkerStatus, ...] = ()


@dataclass(frozen=True, slots=True)
class Person:
    """What an address had of every edition, the newest first, and whether it is suppressed."""

    address: Address
    issued: tuple[Issued, ...]
    suppression: Suppression | None


@contextmanager
def reading(config: Config) -> Iterator[Database | None]:
    """Open the memory to read from it, None if there is none yet.

    An empty one is left where the first send did not come as far as to make its tables. Raises
    :class:`~briefmail.errors.StoreError` if there was more in it once.
    """
    with open_to_read(config.root, ROOMS, config.database_url) or nullcontext() as store:
        known = store is not None and store.has("delivery")
        if store and not known and high_water(config.root).read():
            raise StoreError(f"{store.name} is empty, and has not always been", hint=DAMAGED)
        yield store if known else None


def edition_named(config: Config, issue: Path | str) -> tuple[str, Path]:
    """Find which edition is meant: an issue's file, there or in the folder, or the name alone.

    Returns its name and the file. An issue that can no longer be read goes by the file's name.
    """
    path = Path(issue)
    tried = (path, config.root / path, config.issues / path, config.issues / f"{path}.md")
    for candidate in tried:
        if candidate.suffix and candidate.exists():
            try:
                return read_issue(candidate).name, candidate
            except IssueError:
                return candidate.stem, candidate
    name = path.stem if path.suffix == ".md" else str(issue)
    return name, config.issues / f"{name}.md"


def editions(config: Config) -> list[EditionStatus]:
    """Where every edition stands, the newest first; :func:`check_folder` comes before it."""
    check_folder(config.root)
    with reading(config) as store:
        return History(store).editions() if store else []


def status_of(config: Config, issue: Path | str) -> Status:
    """Where one edition stands, who is uncertain, what the relay answered, and what to do next.

    Raises :class:`~briefmail.errors.IssueError` if there is neither a file nor a send of it.
    """
    check_folder(config.root)
    name, path = edition_named(config, issue)
    with reading(config) as store:
        history = History(store) if store else None
        found = history.edition(name) if history else None
        if found is None and not exists(path):
            raise IssueError([Problem(path, None, "there is no such issue")])
        totals = found.totals if found else Totals()
        return Status(
            edition=name,
            issue=path,
            record=found.record if found else None,
            totals=totals,
            groups=tuple(history.groups(name)) if history else (),
            uncertain=tuple(history.uncertain(name)) if history else (),
            advice=tuple(advice_for(totals)) if found else (Advice("send", "", "sends it"),),
            workers=tuple(history.workers(name)) if history else (),
        )


def advice_for(totals: Totals) -> Iterator[Advice]:
    """How to go on with an edition that was begun."""
    waiting = totals.pending + totals.deferred
    if waiting:
        why = f"goes on with the {waiting:,} left, with the options that it was begun with"
        yield Advice("send", "", why)
    if totals.uncertain:
        why = f"sends it again to the {totals.uncertain:,} uncertain, who may have it already"
        yield Advice("send", "--resend-uncertain", why)
    if totals.refused or totals.expired:
        why = "writes who lacks it and why to a file, to be corrected and sent to"
        yield Advice("status", "--failed-to failures.csv", why)
    if totals.refused:
        why = f"tries the {totals.refused:,} refused again, once the cause is gone"
        yield Advice("send", "--retry-refused all", why)
    if totals.expired:
        why = f"sends it to the {totals.expired:,} who were given up, late as it is"
        yield Advice("send", "--force given-up", why)


def who(config: Config, address: str) -> Person:
    """What one address had; :class:`~briefmail.errors.UsageError` if it is none."""
    parsed = address_of(address)
    check_folder(config.root)
    with reading(config) as store:
        if store is None:
            return Person(parsed, (), None)
        issued = tuple(History(store).of(parsed.key))
        return Person(parsed, issued, Suppressions(store).find(parsed.key))
