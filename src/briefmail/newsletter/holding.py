"""``hold`` and ``unhold``: an issue that is not to go out, or no further, until the editor says so.

A hold is a row in the store. It is looked for when a send begins and every second while it is at
work, so it needs no lock and may come from another terminal.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from briefmail.config import Config
from briefmail.errors import IssueError, Problem
from briefmail.newsletter.lists import check_folder, existing_store, exists, open_memory
from briefmail.newsletter.status import edition_named, reading
from briefmail.schedule import Diary


@dataclass(frozen=True, slots=True)
class Hold:
    """What ``hold`` or ``unhold`` did to an issue; not ``changed`` if it was so before."""

    issue: str
    changed: bool


def hold(config: Config, issue: Path | str, at: datetime) -> Hold:
    """Hold an issue back: its file need not be finished, nor readable.

    Raises :class:`IssueError` if there is no such file.
    """
    check_folder(config.root)
    name, path = edition_named(config, issue)
    if not exists(path):
        raise IssueError([Problem(path, None, "there is no such issue")])
    with open_memory(config) as store:
        return Hold(name, Diary(store).hold(name, at))


def unhold(config: Config, issue: Path | str) -> Hold:
    """Let an issue go on, when it is due or when it is sent by hand. Its file may be gone."""
    check_folder(config.root)
    name, _ = edition_named(config, issue)
    with existing_store(config) as store:
        return Hold(name, store is not None and Diary(store).unhold(name))


def holds(config: Config) -> Mapping[str, datetime]:
    """The issues that are held back, and since when."""
    check_folder(config.root)
    with reading(config) as store:
        return Diary(store).held() if store else {}


def is_held(config: Config, edition: str) -> bool:
    """Whether an edition is held back now; asked from any thread, on a connection of its own."""
    with reading(config) as store:
        return store is not None and Diary(store).is_held(edition)
