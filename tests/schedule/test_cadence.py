"""The cadence: the days of the calendar, and on which day the next issue is due."""

from collections.abc import Callable
from datetime import date, timedelta
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from briefmail.config import Day, Every, Schedule
from briefmail.schedule import days, next_day

MONDAY, TUESDAY, WEDNESDAY, FRIDAY, SUNDAY = 0, 1, 2, 4, 6
FIRST, LAST = 1, -1
TODAY = date(2016, 8, 24)  # a Wednesday


def weeks(
    count: int, *weekdays: int, start: date | None = None, skipped: tuple[date, ...] = ()
) -> Schedule:
    """A calendar of so many weeks."""
    on = tuple(map(Day, weekdays))
    return Schedule(Every(count, "weeks"), on, start=start, skipped=skipped)


def months(count: int, *on: tuple[int, int], start: date | None = None) -> Schedule:
    """A calendar of so many months, on days such as (FIRST, TUESDAY)."""
    days = tuple(Day(weekday, nth) for nth, weekday in on)
    return Schedule(Every(count, "months"), days, start=start)


def iso(schedule: Schedule, since: date, count: int) -> str:
    """The next days, as text."""
    return " ".join(map(str, islice(days(schedule, since), count)))


@pytest.mark.parametrize(
    ("schedule", "today", "expected"),
    [
        # without a first day: the weekday that comes, today among them
        (weeks(2, WEDNESDAY), TODAY, TODAY),
        (weeks(2, WEDNESDAY), TODAY + timedelta(1), date(2016, 8, 31)),
        (weeks(2, MONDAY), TODAY, date(2016, 8, 29)),
        (weeks(1, SUNDAY), TODAY, date(2016, 8, 28)),
        # with one: every so many weeks from it on
        (weeks(2, WEDNESDAY, start=TODAY), TODAY, TODAY),
        (weeks(2, WEDNESDAY, start=TODAY), TODAY + timedelta(1), date(2016, 9, 7)),
        (weeks(2, WEDNESDAY, start=TODAY), date(2016, 8, 31), date(2016, 9, 7)),
        (weeks(3, WEDNESDAY, start=TODAY), date(2016, 9, 15), date(2016, 10, 5)),
        (weeks(1, WEDNESDAY, start=TODAY), date(2017, 1, 1), date(2017, 1, 4)),
        # the first day need not be that weekday: it is the next one from there
        (weeks(2, MONDAY, start=TODAY), TODAY, date(2016, 8, 29)),
        (weeks(2, MONDAY, start=TODAY), date(2016, 8, 30), date(2016, 9, 12)),
        # a first day still to come
        (weeks(2, WEDNESDAY, start=date(2016, 12, 7)), TODAY, date(2016, 12, 7)),
        (weeks(2, MONDAY, start=date(2016, 12, 7)), TODAY, date(2016, 12, 12)),
        # years of issues, across changes of the clock and leap days
        (weeks(2, WEDNESDAY, start=TODAY), date(2024, 2, 29), date(2024, 3, 13)),
    ],
)
def test_the_next_day_is_the_first_of_the_cadence_from_today_on(
    schedule: Schedule, today: date, expected: date
) -> None:
    """Counted in whole weeks from the first day."""
    assert next_day(schedule, today, ()) == expected
    assert [Day(expected.weekday())] == list(schedule.on)


def test_days_that_have_an_issue_are_passed_over() -> None:
    """Two issues written ahead: the third is due six weeks from the first."""
    schedule = weeks(2, WEDNESDAY, start=TODAY)
    taken = {TODAY, date(2016, 9, 7), date(2016, 9, 14)}
    assert next_day(schedule, TODAY, taken) == date(2016, 9, 21)


def test_a_day_between_does_not_count_as_taken() -> None:
    """A special issue on another day moves nothing."""
    assert next_day(weeks(2, WEDNESDAY, start=TODAY), TODAY, {date(2016, 8, 25)}) == TODAY


def test_without_a_first_day_a_taken_day_keeps_the_fortnight() -> None:
    """The one after today's is two weeks on, not one."""
    assert next_day(weeks(2, WEDNESDAY), TODAY, {TODAY}) == date(2016, 9, 7)


def test_without_a_calendar_the_next_day_is_the_first_without_an_issue() -> None:
    """Each issue has its own date then, and the calendar has none."""
    assert next_day(Schedule(), TODAY, {TODAY, TODAY + timedelta(2)}) == TODAY + timedelta(1)
    assert list(days(Schedule(), TODAY)) == []


@pytest.mark.parametrize(
    ("schedule", "since", "expected"),
    [
        # several days of a week; a week begins on the weekday of the first day
        (
            weeks(1, TUESDAY, FRIDAY, start=TODAY),
            TODAY,
            "2016-08-26 2016-08-30 2016-09-02 2016-09-06",
        ),
        (
            weeks(2, FRIDAY, TUESDAY, start=TODAY),
            TODAY,
            "2016-08-26 2016-08-30 2016-09-09 2016-09-13",
        ),
        # days without an issue
        (
            weeks(2, WEDNESDAY, start=TODAY, skipped=(date(2016, 12, 28), date(2017, 1, 11))),
            date(2016, 12, 1),
            "2016-12-14 2017-01-25 2017-02-08",
        ),
        # months
        (months(1, (FIRST, TUESDAY)), TODAY, "2016-09-06 2016-10-04 2016-11-01 2016-12-06"),
        (months(1, (LAST, FRIDAY)), TODAY, "2016-08-26 2016-09-30 2016-10-28 2016-11-25"),
        (
            months(1, (LAST, FRIDAY), (FIRST, TUESDAY), (4, MONDAY)),
            date(2017, 1, 31),
            "2017-02-07 2017-02-24 2017-02-27 2017-03-07",
        ),
        (
            months(3, (2, MONDAY), start=date(2016, 2, 1)),
            TODAY,
            "2016-11-14 2017-02-13 2017-05-08 2017-08-14",
        ),
        # the first day is later in its month than the day that the month would have
        (months(2, (FIRST, TUESDAY), start=TODAY), TODAY, "2016-10-04 2016-12-06 2017-02-07"),
        # a first day still to come, and one long ago
        (weeks(2, WEDNESDAY, start=date(2016, 10, 5)), TODAY, "2016-10-05 2016-10-19"),
        (months(1, (LAST, FRIDAY), start=date(2016, 10, 1)), TODAY, "2016-10-28 2016-11-25"),
        (weeks(3, SUNDAY, start=date(1900, 1, 7)), TODAY, "2016-09-04 2016-09-25"),
        (months(5, (FIRST, SUNDAY), start=date(1900, 1, 7)), TODAY, "2016-09-04 2017-02-05"),
    ],
)
def test_the_days_of_a_calendar(schedule: Schedule, since: date, expected: str) -> None:
    """As one would tick them off on the wall."""
    assert iso(schedule, since, len(expected.split())) == expected


def test_without_a_first_day_the_count_is_that_of_the_issues() -> None:
    """Of the latest on such a weekday, past or to come; a special issue does not shift it."""
    issued = {date(2016, 8, 10), date(2016, 8, 24), date(2016, 8, 29)}
    for today in (date(2016, 8, 1), date(2016, 8, 18), date(2016, 9, 1), date(2026, 11, 20)):
        (day,) = islice(days(weeks(2, WEDNESDAY), today, issued), 1)
        assert (day - TODAY).days % 14 == 0
        assert 0 <= (day - today).days < 14


WEEKDAYS = st.sets(st.integers(0, 6), min_size=1).map(sorted)
NTH = st.sampled_from([1, 2, 3, 4, -1])
DATES = st.dates(date(1950, 1, 1), date(2100, 1, 1))


@given(st.integers(1, 9), WEEKDAYS, DATES, st.integers(0, 20_000))
def test_any_calendar_of_weeks_is_the_one_that_is_counted_by_hand(
    count: int, weekdays: list[int], start: date, later: int
) -> None:
    """Every day from the first on is in a week that counts, or is not."""
    schedule, since = weeks(count, *weekdays, start=start), start + timedelta(later)

    def counts(day: date) -> bool:
        return (day - start).days // 7 % count == 0 and day.weekday() in weekdays

    assert list(islice(days(schedule, since), 9)) == by_hand(since, counts, 9)


@given(st.integers(1, 9), st.lists(st.tuples(NTH, st.integers(0, 6)), min_size=1), DATES, DATES)
def test_any_calendar_of_months_is_the_one_that_is_counted_by_hand(
    count: int, on: list[tuple[int, int]], start: date, since: date
) -> None:
    """Every day from the first on is such a day of a month that counts, or is not."""
    schedule, since = months(count, *on, start=start), max(start, since)

    def counts(day: date) -> bool:
        apart = (day.year - start.year) * 12 + day.month - start.month
        last = (day + timedelta(7)).month != day.month
        nth = {(day.day - 1) // 7 + 1} | ({LAST} if last else set())
        return apart % count == 0 and any((n, day.weekday()) in on for n in nth)

    assert list(islice(days(schedule, since), 4)) == by_hand(since, counts, 4)


def by_hand(since: date, counts: Callable[[date], bool], count: int) -> list[date]:
    """The first so many days that count, found by looking at each."""
    each = (since + timedelta(number) for number in range(100_000))
    return list(islice(filter(counts, each), count))
