"""The cadence: on which day the next issue is due."""

from datetime import date, timedelta

import pytest

from briefmail.config import Schedule
from briefmail.schedule import next_day

MONDAY, WEDNESDAY, SUNDAY = 0, 2, 6
TODAY = date(2016, 8, 24)  # a Wednesday


@pytest.mark.parametrize(
    ("schedule", "today", "expected"),
    [
        # without a first day: the weekday that comes, today among them
        (Schedule(2, WEDNESDAY), TODAY, TODAY),
        (Schedule(2, WEDNESDAY), TODAY + timedelta(1), date(2016, 8, 31)),
        (Schedule(2, MONDAY), TODAY, date(2016, 8, 29)),
        (Schedule(1, SUNDAY), TODAY, date(2016, 8, 28)),
        # with one: every so many weeks from it on
        (Schedule(2, WEDNESDAY, start=TODAY), TODAY, TODAY),
        (Schedule(2, WEDNESDAY, start=TODAY), TODAY + timedelta(1), date(2016, 9, 7)),
        (Schedule(2, WEDNESDAY, start=TODAY), date(2016, 8, 31), date(2016, 9, 7)),
        (Schedule(3, WEDNESDAY, start=TODAY), date(2016, 9, 15), date(2016, 10, 5)),
        (Schedule(1, WEDNESDAY, start=TODAY), date(2017, 1, 1), date(2017, 1, 4)),
        # the first day need not be that weekday: it is the next one from there
        (Schedule(2, MONDAY, start=TODAY), TODAY, date(2016, 8, 29)),
        (Schedule(2, MONDAY, start=TODAY), date(2016, 8, 30), date(2016, 9, 12)),
        # a first day still to come
        (Schedule(2, WEDNESDAY, start=date(2016, 12, 7)), TODAY, date(2016, 12, 7)),
        (Schedule(2, MONDAY, start=date(2016, 12, 7)), TODAY, date(2016, 12, 12)),
        # years of issues, across changes of the clock and leap days
        (Schedule(2, WEDNESDAY, start=TODAY), date(2024, 2, 29), date(2024, 3, 13)),
    ],
)
def test_the_next_day_is_the_first_of_the_cadence_from_today_on(
    schedule: Schedule, today: date, expected: date
) -> None:
    """Counted in whole weeks from the first day."""
    assert next_day(schedule, today, ()) == expected
    assert expected.weekday() == schedule.on


def test_days_that_have_an_issue_are_passed_over() -> None:
    """Two issues written ahead: the third is due six weeks from the first."""
    schedule = Schedule(2, WEDNESDAY, start=TODAY)
    taken = {TODAY, date(2016, 9, 7), date(2016, 9, 14)}
    assert next_day(schedule, TODAY, taken) == date(2016, 9, 21)


def test_a_day_between_does_not_count_as_taken() -> None:
    """A special issue on another day moves nothing."""
    assert next_day(Schedule(2, WEDNESDAY, start=TODAY), TODAY, {date(2016, 8, 25)}) == TODAY


def test_without_a_first_day_a_taken_day_keeps_the_fortnight() -> None:
    """The one after today's is two weeks on, not one."""
    assert next_day(Schedule(2, WEDNESDAY), TODAY, {TODAY}) == date(2016, 9, 7)
