"""Wall-clock time: what the clocks skip, what comes twice, and what has no moment at all."""

import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day

import pytest

from briefmail.config import Schedule
from briefmail.schedule import local, moment_of

GAPS_AND_FOLDS = [
    # the clocks skip 01:00 to 02:00: half past one is half past two
    ("Europe/London", "2026-03-29T01:30", "2026-03-29T01:30Z", "02:30 BST"),
    ("Europe/London", "2026-03-29T00:59", "2026-03-29T00:59Z", "00:59 GMT"),
    ("Europe/London", "2026-03-29T01:00", "2026-03-29T01:00Z", "02:00 BST"),
    ("Europe/London", "2026-03-29T02:00", "2026-03-29T01:00Z", "02:00 BST"),
    # 01:00 to 02:00 comes twice: it is the first one
    ("Europe/London", "2026-10-25T01:30", "2026-10-25T00:30Z", "01:30 BST"),
    ("Europe/London", "2026-10-25T02:00", "2026-10-25T02:00Z", "02:00 GMT"),
    ("America/New_York", "2026-03-08T02:30", "2026-03-08T07:30Z", "03:30 EDT"),
    ("America/New_York", "2026-11-01T01:30", "2026-11-01T05:30Z", "01:30 EDT"),
    # a change by half an hour
    ("Australia/Lord_Howe", "2026-10-04T02:15", "2026-10-03T15:45Z", "02:45 +11"),
    ("Australia/Lord_Howe", "2026-04-05T01:45", "2026-04-04T14:45Z", "01:45 +11"),
    ("Asia/Kolkata", "2026-03-29T01:30", "2026-03-28T20:00Z", "01:30 IST"),
    # a whole day that there never was
    ("Pacific/Apia", "2011-12-30T09:00", "2011-12-30T19:00Z", "09:00 +14"),
]


@pytest.mark.parametrize(("zone", "said", "moment", "clock"), GAPS_AND_FOLDS)
def test_every_time_has_one_moment(zone: str, said: str, moment: str, clock: str) -> None:
    """Also those that the clocks skip or show twice; a day at the schedule's time is no other."""
    expected, when = datetime.fromisoformat(moment), datetime.fromisoformat(said)
    schedule = Schedule(timezone=zone, at=when.time())
    assert moment_of(schedule, when) == moment_of(schedule, when.date()) == expected
    assert f"{local(schedule, expected):%H:%M %Z}" == clock


@pytest.fixture
def machine_in_london(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let this process believe that the machine's clock is London's."""
    if not hasattr(time, "tzset"):
        pytest.skip("there a process has no zone of its own")
    monkeypatch.setenv("TZ", "Europe/London")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("machine_in_london")
@pytest.mark.parametrize(
    ("said", "moment", "clock"), [row[1:] for row in GAPS_AND_FOLDS if row[0] == "Europe/London"]
)
def test_without_a_zone_it_is_the_machines_clock(said: str, moment: str, clock: str) -> None:
    """With the same rules where it changes."""
    expected, when = datetime.fromisoformat(moment), datetime.fromisoformat(said)
    assert moment_of(Schedule(), when) == expected
    assert f"{local(Schedule(), expected):%H:%M %Z}" == clock


def test_a_time_with_its_own_zone_is_by_no_other() -> None:
    """``send_at: 2016-08-24T09:00+02:00``."""
    when = datetime.fromisoformat("2016-08-24T09:00+02:00")
    moment = moment_of(Schedule(timezone="America/New_York"), when)
    assert moment == datetime(2016, 8, 24, 7, tzinfo=UTC)
    assert moment.utcoffset() == timedelta()


@pytest.mark.parametrize("zone", ["", "Asia/Kolkata", "America/New_York"])
@pytest.mark.parametrize("at", [time_of_day(0, 0), time_of_day(23, 59)])
def test_a_day_at_the_end_of_time_is_as_far_off_as_can_be(zone: str, at: time_of_day) -> None:
    """What editors write for 'some day' stops nothing."""
    schedule = Schedule(timezone=zone, at=at)
    for day, year in ((date.min, 1), (date.max, 9999)):
        moment = moment_of(schedule, day)
        assert (moment.year, moment.tzinfo) == (year, UTC)
        assert local(schedule, moment).year == year
