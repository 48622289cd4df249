"""The cadence: the days of the calendar (RFC 5545 RRULE), without a time of day."""

from collections.abc import Collection, Iterator
from datetime import date, datetime, time, timedelta
from itertools import count

from dateutil.rrule import MONTHLY, WEEKLY, rrule, weekday

from briefmail.config import Every, Schedule


def days(schedule: Schedule, since: date, issued: Collection[date] = ()) -> Iterator[date]:
    """Yield the days of the calendar from ``since`` on, in their order; none without a calendar.

    Weeks are counted from ``schedule.start``: the first begins on that day, and nothing comes
    before it. Where it is not set they are counted from the latest of ``issued`` that falls on
    such a weekday, else from ``since``. Months are counted in the same way.
    """
    if schedule.every is None:
        return
    first = schedule.start or _latest(schedule, issued) or since
    begin = max(since, schedule.start or since)
    for found in _rule(schedule, schedule.every, first, begin):
        day = found.date()
        if day >= begin and day not in schedule.skipped:
            yield day


def next_day(schedule: Schedule, today: date, taken: Collection[date]) -> date:
    """The first day of the calendar, today or later, for which there is no issue yet.

    Without a calendar, it is the first such day of all.
    """
    calendar = days(schedule, today, taken) if schedule.every else _every_day(today)
    return next(day for day in calendar if day not in taken)


def _every_day(today: date) -> Iterator[date]:
    return (today + timedelta(days=number) for number in count())


def _latest(schedule: Schedule, issued: Collection[date]) -> date | None:
    weekdays = {day.weekday for day in schedule.on}
    return max((day for day in issued if day.weekday() in weekdays), default=None)


def _rule(schedule: Schedule, every: Every, first: date, since: date) -> rrule:
    """The rule, from the last beginning of its count that is not after ``since``.

    The count stays that of ``first``, and the years in between are not walked through.
    """
    on = [weekday(day.weekday, day.nth) for day in schedule.on]
    if every.unit == "weeks":
        span = timedelta(weeks=every.count)
        begin = datetime.combine(first + (since - first) // span * span, time())
        # The weeks that are counted begin on the weekday of the first day (RFC 5545, WKST).
        week = begin.weekday()
        return rrule(WEEKLY, begin, interval=every.count, byweekday=on, wkst=week)
    months = _month(first)
    months += (_month(since) - months) // every.count * every.count
    begin = datetime(months // 12, months % 12 + 1, 1)
    return rrule(MONTHLY, begin, interval=every.count, byweekday=on)


def _month(day: date) -> int:
    return day.year * 12 + day.month - 1
