"""What is due: a pure function of the moment, the issues, and what is remembered of them.

It is by the clock alone that an issue becomes due, and by what is remembered that it stops being
so: a clock that is set back makes nothing go early, and nothing twice.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType
from typing import Literal

from briefmail.config import Schedule
from briefmail.issue import Timing
from briefmail.schedule.wallclock import local, moment_of

State = Literal[
    "due",  # ready, and its moment has come: it goes now
    "under_way",  # dispatch began it, and some people are left: it goes on
    "waiting",  # ready, and its moment is to come
    "missed",  # its moment is longer ago than not_after: it goes by hand only
    "held",  # ready, and the editor holds it back
    "draft",  # a draft, and nothing presses
    "draft_due",  # still a draft, though its day is tomorrow, today, or just over
    "by_hand",  # has no status: it goes by hand only
    "undated",  # ready, but neither a date nor a time says for when
    "unreadable",  # its front matter has problems: nobody can tell
    "closed",  # has gone out; dispatch never opens it again
    "twin",  # another issue has its name, or one of its date or its words has gone out
    "elsewhere",  # a receipt says that another copy of the folder is sending it
    "before_first",  # its day is before the first dispatch in this folder
]
"""Where an issue stands. Of the ready ones, all but the first three need the editor."""
GOES: tuple[State, ...] = ("due", "under_way")


@dataclass(frozen=True, slots=True)
class Known:
    """An edition that the ledger or a receipt knows.

    ``opened``: people are left, and ``send`` began it. ``begun``: people are left, and dispatch
    did. ``elsewhere``: a receipt is open, and the ledger here has nobody of it.
    ``fingerprints`` are those of every version that was sent from.
    """

    name: str
    standing: Literal["opened", "begun", "closed", "elsewhere"]
    issue_date: date | None = None
    fingerprints: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Memory:
    """What is remembered: editions, holds, and when dispatch first ran here (None: never).

    ``fingerprints`` are those of issues whose edition has been built, by their names.
    """

    known: tuple[Known, ...] = ()
    held: frozenset[str] = frozenset()
    first_dispatch: datetime | None = None
    fingerprints: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an issue stands, and the moment it is for, in UTC; None if it has none.

    ``other`` is the name, or the path, of what it is a twin of.
    """

    issue: Timing
    state: State
    at: datetime | None
    other: str = ""


def standings(
    now: datetime, schedule: Schedule, issues: Iterable[Timing], memory: Memory
) -> list[Standing]:
    """Say where each issue stands at the moment ``now``, the oldest first.

    What is in :data:`GOES` goes out now, in this order. Ask again after each: the next may be a
    twin of it.
    """
    issues = sorted(issues, key=lambda issue: issue.path)
    judge = _Judge(now, schedule, issues, memory)
    found = [judge.standing(issue) for issue in issues]
    return sorted(found, key=lambda standing: standing.at or datetime.max.replace(tzinfo=UTC))


class _Judge:
    """The questions that decide, with what they are asked against."""

    def __init__(
        self, now: datetime, schedule: Schedule, issues: list[Timing], memory: Memory
    ) -> None:
        self._now = now
        self._schedule = schedule
        self._memory = memory
        self._known = {known.name: known for known in memory.known}
        self._names = Counter(issue.name for issue in issues if issue.status == "ready")
        self._issues = issues
        self._today = local(schedule, now).date()
        # A first dispatch that seems to be still to come was by a clock that was wrong.
        self._first_day = local(schedule, min(memory.first_dispatch or now, now)).date()

    def standing(self, issue: Timing) -> Standing:
        when = issue.send_at or issue.date
        at = moment_of(self._schedule, when) if when else None
        standing = self._known[issue.name].standing if issue.name in self._known else None
        if standing == "closed":
            return Standing(issue, "closed", at)
        if issue.problems:
            return Standing(issue, "unreadable", at)
        if issue.status is None:
            return Standing(issue, "by_hand", at)
        if at is None:
            return Standing(issue, "draft" if issue.status == "draft" else "undated", None)
        if issue.status == "draft":
            return Standing(issue, "draft_due" if self._presses(at) else "draft", at)
        if standing != "begun" and self._day(at) < self._first_day:
            return Standing(issue, "before_first", at)
        if other := self._twin(issue):
            return Standing(issue, "twin", at, other)
        return Standing(issue, self._ready(issue, at, standing), at)

    def _ready(self, issue: Timing, at: datetime, standing: str | None) -> State:
        """The state of an issue that is ready and the only one of its kind."""
        if standing == "elsewhere":
            return "elsewhere"
        if issue.name in self._memory.held:
            return "held"
        if at > self._now:
            return "waiting"
        if standing == "begun":
            return "under_way"
        return "missed" if self._late(at) else "due"

    def _late(self, at: datetime) -> bool:
        return self._now - at > self._schedule.not_after

    def _presses(self, at: datetime) -> bool:
        """Whether a draft should be looked at: its day is tomorrow at the latest."""
        tomorrow = self._today + timedelta(days=1)
        return self._first_day <= self._day(at) <= tomorrow and not self._late(at)

    def _day(self, at: datetime) -> date:
        return local(self._schedule, at).date()

    def _twin(self, issue: Timing) -> str:
        """The name of another edition that is this one as well, or the path of another file."""
        if self._names[issue.name] > 1:
            others = (each for each in self._issues if each.path != issue.path)
            return next(
                str(each.path)
                for each in others
                if each.name == issue.name and each.status == "ready"
            )
        if issue.name in self._known:
            return ""
        fingerprint = self._memory.fingerprints.get(issue.name)
        for known in self._memory.known:
            same_day = issue.date is not None and issue.date == known.issue_date
            if known.standing != "opened" and (same_day or fingerprint in known.fingerprints):
                return known.name
        return ""
