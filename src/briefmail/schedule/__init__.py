"""When it goes out: the days of the newsletter, in local time."""

from briefmail.schedule.cadence import next_day

__all__ = ["next_day"]
