"""Twenty years of fortnights under a simulated clock: ``python tests/schedule/years.py``.

By hand it looks at every hour of them, and at every minute of the day around each change of the
clock. The suite looks at the days around each issue only, and at fewer minutes.
"""

import sys
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo

from briefmail.config import Day, Every, Schedule
from briefmail.issue import Timing
from briefmail.schedule import GOES, Known, Memory, days, standings

ZONES = ("Europe/London", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata")
FIRST, COUNT = date(2016, 8, 24), 521  # twenty years
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


def changes(zone: str, since: datetime, until: datetime) -> list[datetime]:
    """The moments, to the minute, at which the clocks of a zone change."""
    found, there = [], ZoneInfo(zone)

    def offset(moment: datetime) -> timedelta | None:
        return moment.astimezone(there).utcoffset()

    while since < until:
        before, after = since, since + timedelta(days=1)
        if offset(before) != offset(after):
            while after - before > MINUTE:
                middle = before + (after - before) // 2
                before, after = (
                    (middle, after) if offset(middle) == offset(before) else (before, middle)
                )
            found.append(after.replace(second=0, microsecond=0))
        since += timedelta(days=1)
    return found


def calendar(zone: str, on: int, at: time_of_day) -> tuple[Schedule, list[Timing]]:
    """A fortnightly newsletter, and an issue for each of its days."""
    start = FIRST + timedelta((on - FIRST.weekday()) % 7)
    schedule = Schedule(Every(2, "weeks"), (Day(on),), at, start, zone)
    return schedule, [
        Timing(Path(f"{day}.md"), str(day), "ready", day)
        for day in islice(days(schedule, start), COUNT)
    ]


def expected(zone: str, day: date, at: time_of_day) -> datetime:
    """The moment of a wall-clock time, found without the code under test: by looking at clocks.

    The first minute of the day, in UTC, whose clock shows the time; where none does, the time
    that much after the last minute before the gap.
    """
    there = ZoneInfo(zone)
    utc = datetime.combine(day, at, UTC) - timedelta(hours=15)
    wall = datetime.combine(day, at)
    while utc.astimezone(there).replace(tzinfo=None) + HOUR * 3 < wall:
        utc += HOUR
    while (shown := utc.astimezone(there).replace(tzinfo=None)) < wall:
        before, utc = shown, utc + MINUTE
    return utc if shown == wall else utc - MINUTE + (wall - before)


def ticks(zone: str, around: list[datetime], *, whole: bool) -> list[datetime]:
    """The moments at which somebody looks, in their order."""
    begin, end = around[0] - timedelta(days=2), around[-1] + timedelta(days=2)
    near = timedelta(hours=12 if whole else 2)
    found: set[datetime] = set()
    for change in changes(zone, begin, end):
        found.update(_every(MINUTE, change - near, change + near))
    if whole:
        found.update(_every(HOUR, begin.replace(minute=0), end))
    else:
        for moment in around:
            hour = moment.replace(minute=0)
            found.update(_every(HOUR, hour - 2 * HOUR, hour + 3 * HOUR))
            found.add(hour + 25 * HOUR)
    return sorted(found)


def _every(step: timedelta, since: datetime, until: datetime) -> Iterator[datetime]:
    while since < until:
        yield since
        since += step


def went_out(
    schedule: Schedule, issues: list[Timing], moments: list[datetime]
) -> list[tuple[str, datetime]]:
    """What went out at which of the moments, each of them followed by a dispatch."""
    sent: list[tuple[str, datetime]] = []
    known: tuple[Known, ...] = ()
    first = moments[0]
    for now in moments:
        # The last one that went out, and the next three: all 521 would take hours.
        near = issues[max(0, len(sent) - 1) : len(sent) + 3]
        for standing in standings(now, schedule, near, Memory(known, first_dispatch=first)):
            if standing.state in GOES:
                sent.append((standing.issue.name, now))
                issue = standing.issue
                known = (*known[-2:], Known(issue.name, "closed", issue.date))
    return sent


def drive(zone: str, on: int, at: time_of_day, *, whole: bool) -> int:
    """Look at all those moments, compare what went out when, and return how many they were."""
    schedule, issues = calendar(zone, on, at)
    due = [expected(zone, issue.date, at) for issue in issues if issue.date]
    moments = ticks(zone, due, whole=whole)
    sent = went_out(schedule, issues, moments)
    later = iter(moments)
    wanted = [
        (issue.name, next(moment for moment in later if moment >= when))
        for issue, when in zip(issues, due, strict=True)
    ]
    assert sent == wanted, next(
        pair for pair in zip(sent, wanted, strict=False) if len(set(pair)) > 1
    )
    return len(moments)


def main() -> None:
    """Every zone, at a quiet hour and at one that the clocks skip or show twice."""
    for zone in ZONES:
        for on, at in ((2, time_of_day(9)), (6, time_of_day(1, 30)), (6, time_of_day(2, 15))):
            began = time.perf_counter()
            looks = drive(zone, on, at, whole=True)
            seconds = time.perf_counter() - began
            print(f"{zone:20} {at:%H:%M}  {COUNT} issues, {looks:,} looks, {seconds:.1f} s")


if __name__ == "__main__":
    sys.exit(main())
