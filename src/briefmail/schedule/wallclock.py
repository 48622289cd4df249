"""Wall-clock time and moments: what the clock says in the newsletter's zone, and when that is.

A time that the clocks skip is taken as that much later: 01:30 where 01:00 is followed by 02:00 is
02:30. A time that comes twice is the first of the two (both: PEP 495, ``fold=0``).
"""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from briefmail.config import Schedule


def moment_of(schedule: Schedule, when: date | datetime) -> datetime:
    """The moment, in UTC, of a day at the schedule's time, or of a time.

    A time without a zone is by the schedule's clock. A day so far off that it has no moment in UTC
    is as early or as late as there can be.
    """
    if not isinstance(when, datetime):
        when = datetime.combine(when, schedule.at)
    if when.tzinfo is None:
        when = when.replace(tzinfo=_zone(schedule))
    try:
        # Of a time without any zone, astimezone() makes an hour too early where the machine's
        # clock skips it: it takes the offset of after the change. timestamp() keeps to PEP 495.
        return datetime.fromtimestamp(when.timestamp(), UTC)
    except (OverflowError, ValueError, OSError):  # the years 1 and 9999; on Windows before 1970
        return (datetime.min if when.year < 2000 else datetime.max).replace(tzinfo=UTC)


def local(schedule: Schedule, moment: datetime) -> datetime:
    """A moment by the schedule's clock, with its zone."""
    try:
        return moment.astimezone(_zone(schedule))
    except (OverflowError, ValueError, OSError):
        return moment


def _zone(schedule: Schedule) -> ZoneInfo | None:
    """The schedule's zone; None means this machine's, to ``astimezone`` too."""
    return ZoneInfo(schedule.timezone) if schedule.timezone else None
