"""The cadence: every so many weeks, on one weekday, counted from a first day (RFC 5545 RRULE)."""

from collections.abc import Container
from datetime import date, datetime, timedelta

from dateutil.rrule import WEEKLY, rrule

from briefmail.config import Schedule


def next_day(schedule: Schedule, today: date, taken: Container[date]) -> date:
    """The first day of the cadence, today or later, for which there is no issue yet.

    Without a first day (``schedule.from``) the count begins in the week of ``today``.
    """
    start = schedule.start or today
    start += timedelta((schedule.on - start.weekday()) % 7)
    rule = rrule(
        WEEKLY, interval=schedule.every, dtstart=datetime.combine(start, datetime.min.time())
    )
    day = datetime.combine(max(today, start), datetime.min.time())
    days = (found.date() for found in rule.xafter(day, inc=True))
    return next(found for found in days if found not in taken)
