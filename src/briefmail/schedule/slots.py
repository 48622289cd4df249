"""The dates to come: the calendar's, with the issue that each has or lacks, and the others'."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice, takewhile

from briefmail.config import Schedule
from briefmail.schedule.cadence import days
from briefmail.schedule.due import Standing
from briefmail.schedule.wallclock import local, moment_of


@dataclass(frozen=True, slots=True)
class Slot:
    """A date: its moment in UTC, and the issue that is for it; None if there is none."""

    at: datetime
    standing: Standing | None


def upcoming(
    now: datetime, schedule: Schedule, found: Iterable[Standing], count: int
) -> list[Slot]:
    """Return the next dates, from today's on: ``count`` of them, or as many as there are."""
    found = list(found)
    today = local(schedule, now).date()
    slots = [
        Slot(standing.at, standing)
        for standing in found
        if standing.at is not None and local(schedule, standing.at).date() >= today
    ]
    covered = _covered(schedule, found)
    lacking = (day for day in days(schedule, today, covered) if day not in covered)
    slots += [Slot(moment_of(schedule, day), None) for day in islice(lacking, count)]
    return sorted(slots, key=lambda slot: slot.at)[:count]


def empty_slots(now: datetime, schedule: Schedule, found: Iterable[Standing]) -> list[datetime]:
    """Return the moments, in UTC, of the calendar's days today and tomorrow without any issue."""
    today = local(schedule, now).date()
    covered = _covered(schedule, found)
    near = takewhile(lambda day: day <= today + timedelta(days=1), days(schedule, today, covered))
    return [moment_of(schedule, day) for day in near if day not in covered]


def _covered(schedule: Schedule, found: Iterable[Standing]) -> set[date]:
    """The days that have an issue: by its date, and by the day on which it goes."""
    covered = set()
    for standing in found:
        if standing.issue.date:
            covered.add(standing.issue.date)
        if standing.at:
            covered.add(local(schedule, standing.at).date())
    return covered
