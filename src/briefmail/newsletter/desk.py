"""The desk: an issue laid out while its editor writes, and read anew whenever a file changes."""

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from briefmail.audience import Recipient, Roll
from briefmail.checks import Report
from briefmail.config import CONFIG_NAME, Config, load
from briefmail.edition import Edition, build_edition
from briefmail.errors import BriefmailError, InputError, Problem
from briefmail.issue import read_issue
from briefmail.newsletter.checking import check_edition
from briefmail.newsletter.lists import STAND_IN, existing_store, suppressed
from briefmail.newsletter.previewing import Preview, preview_copy
from briefmail.newsletter.testing import TestResult, send_tests

Stamp = tuple[tuple[str, int, int], ...]
"""What files are like: path, time of change in ns, size. Two that are equal need no reading."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What the checks found, and whose copies an editor should look at first.

    ``largest`` has the copy with the most bytes; ``lacking`` are people whose copy cannot be
    filled, the first few for each field.
    """

    report: Report
    people: int
    largest: Recipient | None
    lacking: tuple[Recipient, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """What lies on the desk. ``version`` grows whenever anything about it changes.

    ``edition`` is the last one that could be made, None if there was none yet. ``problems`` are
    what is wrong with the files as they are now: with any, the edition is an older one.
    ``checked`` is None until the checks are through; they take their time on a long list.
    """

    version: int
    edition: Edition | None
    problems: tuple[Problem, ...]
    checked: Checked | None
    source: str


class Desk:
    """An issue, its settings and its list, read again by :meth:`look` when one has changed.

    A context manager: the list stands in a scratch database that goes with it. It may be used from
    several threads. ``environ`` stands in for the environment.
    """

    def __init__(
        self,
        root: Path,
        issue: Path,
        environ: Mapping[str, str] | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.path = issue
        self._root = root
        self._environ = environ
        self._now = now
        self._lock = threading.RLock()
        self._stamps: dict[str, Stamp] = {}
        self._config: Config | None = None
        self._roll: Roll | None = None
        self._layout = Layout(0, None, (), None, "")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            if self._roll:
                self._roll.close()
                self._roll = None

    # --- reading ----------------------------------------------------------------------------------

    def look(self) -> Layout:
        """Read what has changed since the last look, and return what lies there now.

        What cannot be read is among the layout's problems. The checks go on in a thread of their
        own and make another version when they are through.
        """
        with self._lock:
            if self._changed("text", self._text_files()) | self._changed(
                "list", self._list_files()
            ):
                self._lay_out()
            return self._layout

    def _lay_out(self) -> None:
        before = self._layout
        problems: tuple[Problem, ...] = ()
        edition = before.edition
        try:
            self._config = load(self._root, self._environ)
            edition = build_edition(read_issue(self.path), self._config, self._now())
            self._read_list(self._config)
        except BriefmailError as error:
            problems = _problems_of(error, self.path)
        version = before.version + 1
        self._layout = Layout(version, edition, problems, None, _text_of(self.path))
        if edition and self._config and not problems:
            work = (self._config, edition, version)
            threading.Thread(target=self._check, args=work, daemon=True).start()

    def _read_list(self, config: Config) -> None:
        """Read the list, with whoever is suppressed left out; without one there is nobody on it."""
        if self._roll:
            self._roll.close()
            self._roll = None
        if config.recipients.exists():
            with existing_store(config) as store:
                self._roll = Roll.read(config.recipients, suppressed=suppressed(store))

    def _check(self, config: Config, edition: Edition, version: int) -> None:
        checked: Checked | None = None
        problems: tuple[Problem, ...] = ()
        try:
            checked = _checked(config, edition, self._now())
        except BriefmailError as error:  # the list or the memory is read once more for it
            problems = _problems_of(error, self.path)
        with self._lock:
            now = self._layout
            if now.version == version:  # else it has changed meanwhile, and is checked again
                self._layout = Layout(version + 1, now.edition, problems, checked, now.source)

    def _changed(self, what: str, files: Iterator[Path]) -> bool:
        stamp = tuple(_stamp_of(path) for path in files)
        changed = self._stamps.get(what) != stamp
        self._stamps[what] = stamp
        return changed

    def _list_files(self) -> Iterator[Path]:
        yield self._root / "recipients.csv"

    def _text_files(self) -> Iterator[Path]:
        """Everything that an edition is made from, as far as is known before it is read."""
        yield from (self.path, self._root / CONFIG_NAME, self._root / ".env")
        yield from sorted((self._root / "templates").rglob("*"))
        for folder in (self.path.parent, self._root, self._root / "images"):
            yield from sorted(path for path in folder.glob("*") if path.suffix in PICTURES)

    # --- asking -----------------------------------------------------------------------------------

    def people(self, words: str, at_most: int) -> list[Recipient]:
        """The first people on the list whose name or address holds ``words``."""
        with self._lock:
            return self._roll.search(words, at_most) if self._roll else [STAND_IN]

    def preview(self, key: str | None) -> Preview:
        """One person's copy, by their ledger key; None and unknown keys mean the first person.

        Raises :class:`InputError` if it cannot be filled, or if there is no edition yet.
        """
        with self._lock:
            edition = self._layout.edition
            if edition is None:
                raise InputError(self._layout.problems)
            return preview_copy(edition, self._person(key))

    def _person(self, key: str | None) -> Recipient:
        if self._roll is None:
            return STAND_IN
        found = self._roll.with_key(key) if key else None
        return found or self._roll.first() or STAND_IN

    def send_test(self, to: str, key: str | None) -> TestResult:
        """Send a marked copy, made for the person with ``key``, to any address."""
        with self._lock:
            edition, config = self._layout.edition, self._config
            if edition is None or config is None:
                raise InputError(self._layout.problems)
            person = self._person(key)
        address = None if person is STAND_IN else person.address
        return send_tests(config, edition, [to], address, self._now)[0]


PICTURES = {".png", ".jpg", ".jpeg", ".gif", ".webp", ".svg", ".avif"}


def _checked(config: Config, edition: Edition, now: datetime) -> Checked:
    report, survey = check_edition(config, edition, now)
    return Checked(report, survey.people, survey.largest, survey.lacking())


def _problems_of(error: BriefmailError, path: Path) -> tuple[Problem, ...]:
    """What an error says, as problems; those that name no file belong to ``path``."""
    if isinstance(error, InputError):
        return error.problems
    return (Problem(path, None, error.message),)


def _stamp_of(path: Path) -> tuple[str, int, int]:
    try:
        found = path.stat()
    except OSError:  # it is gone, or about to be written: that is a change, too
        return (str(path), 0, -1)
    return (str(path), found.st_mtime_ns, found.st_size)


def _text_of(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig", errors="replace")
    except OSError:
        return ""
