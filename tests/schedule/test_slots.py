"""The dates to come: the calendar's, with the issue that each has or lacks, and the others'."""

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from briefmail.config import Day, Every, Schedule
from briefmail.issue import Timing
from briefmail.schedule import Memory, empty_slots, standings, upcoming

FORTNIGHT = Schedule(
    Every(2, "weeks"), (Day(2),), start=date(2016, 8, 24), timezone="Europe/London"
)
NOW = datetime(2016, 8, 23, 12, tzinfo=UTC)


def issue(name: str, day: date | None, send_at: datetime | None = None) -> Timing:
    """An issue that is ready."""
    return Timing(Path(f"{name}.md"), name, "ready", day, send_at)


def dates(
    *issues: Timing, now: datetime = NOW, schedule: Schedule = FORTNIGHT, count: int = 3
) -> list[tuple[str, str | None]]:
    """The dates to come: the moment, and the name of the issue."""
    found = standings(now, schedule, issues, Memory())
    return [
        (f"{slot.at:%m-%d %H:%M}", slot.standing.issue.name if slot.standing else None)
        for slot in upcoming(now, schedule, found, count)
    ]


def test_each_day_of_the_calendar_has_its_issue_or_none() -> None:
    """Moments are UTC: nine o'clock is at eight in summer and at nine in winter."""
    assert dates(issue("two", date(2016, 9, 7)), count=6) == [
        ("08-24 08:00", None),
        ("09-07 08:00", "two"),
        ("09-21 08:00", None),
        ("10-05 08:00", None),
        ("10-19 08:00", None),
        ("11-02 09:00", None),
    ]


def test_issues_on_other_days_stand_between() -> None:
    """Today's among them, also when its time is over; yesterday's, and those without, are not."""
    found = dates(
        issue("special", date(2016, 9, 1)),
        issue("today", date(2016, 8, 23)),
        issue("yesterday", date(2016, 8, 22)),
        issue("undated", None),
    )
    assert found == [("08-23 08:00", "today"), ("08-24 08:00", None), ("09-01 08:00", "special")]


def test_an_issue_at_a_time_of_its_own_still_is_the_one_of_its_day() -> None:
    """By its date, or by the day on which it goes."""
    moved = issue("moved", date(2016, 8, 24), datetime(2016, 8, 25, 18))
    timed = issue("timed", None, datetime(2016, 9, 7, 6, 30))
    assert dates(moved, timed) == [
        ("08-25 17:00", "moved"),
        ("09-07 05:30", "timed"),
        ("09-21 08:00", None),
    ]


def test_without_a_calendar_there_are_the_issues_alone() -> None:
    """As many as there are."""
    none = Schedule(timezone="Europe/London")
    found = issue("b", date(2017, 1, 1)), issue("a", date(2016, 8, 30))
    assert dates(*found, schedule=none) == [("08-30 08:00", "a"), ("01-01 09:00", "b")]
    assert dates(schedule=none) == []


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (datetime(2016, 8, 22, 22, 59, tzinfo=UTC), []),
        (datetime(2016, 8, 22, 23, 0, tzinfo=UTC), ["2016-08-24T08:00"]),  # midnight there
        (datetime(2016, 8, 24, 22, 59, tzinfo=UTC), ["2016-08-24T08:00"]),
        (datetime(2016, 8, 24, 23, 0, tzinfo=UTC), []),
    ],
)
def test_a_day_without_an_issue_is_told_from_the_day_before_to_its_end(
    now: datetime, expected: list[str]
) -> None:
    """By the local day. Any issue will do, even one that is not ready."""
    empty = empty_slots(now, FORTNIGHT, [])
    assert [f"{moment:%Y-%m-%dT%H:%M}" for moment in empty] == expected
    draft = replace(issue("one", date(2016, 8, 24)), status=None)
    found = standings(now, FORTNIGHT, [draft], Memory())
    assert empty_slots(now, FORTNIGHT, found) == []


def test_a_day_that_is_left_out_lacks_nothing() -> None:
    """``except`` in the settings, and no calendar at all."""
    skipped = replace(FORTNIGHT, skipped=(date(2016, 8, 24),))
    assert empty_slots(NOW, skipped, []) == []
    assert empty_slots(NOW, Schedule(), []) == []
