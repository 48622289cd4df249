"""When it goes out: the calendar, in local time."""

from briefmail.schedule.cadence import days, next_day
from briefmail.schedule.wallclock import local, moment_of

__all__ = ["days", "local", "moment_of", "next_day"]
