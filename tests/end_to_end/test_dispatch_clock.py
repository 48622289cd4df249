"""The real ``dispatch`` under a simulated clock: around its changes, and gone wrong.

What is due at which moment is driven over twenty years in ``tests/schedule``; here folder, store,
relay and mail are real, and only the time is not.
"""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from dispatching import DAY, DUE, READERS, TOML, Desk
from fake_relay import FakeRelay

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


@pytest.fixture
def desk(starter: Path, relay: FakeRelay) -> Desk:
    """Return a newsletter without issues, which one person reads and nobody is told about."""
    for path in (starter / "issues").glob("*.md"):
        path.unlink()
    (starter / "recipients.csv").write_text("email\nada@example.org\n")
    return Desk(starter, relay)


# A clock, the day on which it changes, and the moments in UTC at which half past one and a quarter
# past two by it are: where the clock skips the time, that much later; where it comes twice, first.
CHANGES = [
    ("Europe/London", "2021-03-28", "2021-03-28T01:30", "2021-03-28T01:15"),
    ("Europe/London", "2021-10-31", "2021-10-31T00:30", "2021-10-31T02:15"),
    ("America/New_York", "2022-03-13", "2022-03-13T06:30", "2022-03-13T07:15"),
    ("America/New_York", "2022-11-06", "2022-11-06T05:30", "2022-11-06T07:15"),
    ("Australia/Lord_Howe", "2023-04-02", "2023-04-01T14:30", "2023-04-01T15:45"),
    ("Australia/Lord_Howe", "2023-10-01", "2023-09-30T15:00", "2023-09-30T15:45"),
    ("Europe/London", "2024-03-31", "2024-03-31T01:30", "2024-03-31T01:15"),
    ("Europe/London", "2024-10-27", "2024-10-27T00:30", "2024-10-27T02:15"),
]


@pytest.mark.parametrize(("zone", "day", "half_past_one", "quarter_past_two"), CHANGES)
def test_around_a_change_of_the_clock_each_issue_goes_once_at_its_minute(
    desk: Desk, zone: str, day: str, half_past_one: str, quarter_past_two: str
) -> None:
    """Dispatched at every quarter of an hour, and in the minute before each moment."""
    toml = '[newsletter]\nname = "News"\nfrom = "news@example.org"\n'
    (desk.folder / "briefmail.toml").write_text(f'{toml}[schedule]\ntimezone = "{zone}"\n')
    desk.write("one", f"status: ready\nsend_at: {day}T01:30\n")
    desk.write("two", f"status: ready\nsend_at: {day}T02:15\n")
    due = {
        "one": datetime.fromisoformat(half_past_one).replace(tzinfo=UTC),
        "two": datetime.fromisoformat(quarter_past_two).replace(tzinfo=UTC),
    }
    first, last = min(due.values()), max(due.values())
    looks = {first + n * 15 * MINUTE for n in range(-6, 16)}
    looks |= {moment + step for moment in due.values() for step in (-MINUTE, 0 * MINUTE)}
    went: dict[str, list[datetime]] = {"one": [], "two": []}
    for now in sorted({*looks, last + 25 * HOUR, last + DAY * 7}):
        for outcome in desk.dispatch(now).outcomes:
            went[outcome.issue].append(now)
    assert went == {name: [moment] for name, moment in due.items()}
    assert desk.relay.recipients == ["ada@example.org"] * 2


@pytest.fixture
def fortnightly(desk: Desk) -> Desk:
    """Return a newsletter that dispatch has seen on the day before its first issue."""
    (desk.folder / "briefmail.toml").write_text(TOML, encoding="utf-8")
    (desk.folder / "recipients.csv").write_text("email\n" + "\n".join(READERS) + "\n")
    desk.write("2016-08-24")
    desk.dispatch(DUE - DAY)
    return desk


def test_a_clock_set_back_a_day_sends_nothing_again(fortnightly: Desk) -> None:
    """Not the issue, nor the report; and going on from there changes nothing either."""
    for now in (DUE, DUE - DAY, DUE - HOUR, DUE, DUE + DAY):
        assert fortnightly.dispatch(now).exit_status == 0
    assert fortnightly.sent == [*READERS]
    assert len(fortnightly.mails) == 1


def test_a_clock_that_was_a_year_ahead_at_the_first_dispatch_keeps_nothing_back(
    desk: Desk,
) -> None:
    (desk.folder / "briefmail.toml").write_text(TOML, encoding="utf-8")
    desk.dispatch(DUE + 365 * DAY)
    desk.write("2016-08-24")
    assert desk.dispatch(DUE).exit_status == 0
    assert desk.sent == ["ada@example.org"]


@pytest.mark.parametrize(("late", "sent"), [(HOUR, 3), (24 * HOUR, 3), (24 * HOUR + MINUTE, 0)])
def test_a_machine_asleep_over_the_hour_sends_when_it_wakes_unless_that_is_too_late(
    fortnightly: Desk, late: timedelta, sent: int
) -> None:
    """Too late, it is said once, and goes by hand only."""
    for _ in range(2):
        assert fortnightly.dispatch(DUE + late).exit_status == 0
    assert len(fortnightly.sent) == sent
    assert fortnightly.mails == [
        "[News] 2016-08-24 went out to 3 of 3 people"
        if sent
        else "[News] 2016-08-24 did not go out"
    ]


def test_a_season_of_fortnights_day_by_day_each_goes_once(fortnightly: Desk) -> None:
    """As a daily cron would, from summer time into winter."""
    days = [date(2016, 8, 24) + timedelta(weeks=2 * number) for number in range(7)]
    for day in days[1:]:
        fortnightly.write(str(day))
    went = [
        (outcome.issue, fortnightly.now)
        for number in range(90)
        for outcome in fortnightly.dispatch(DUE + number * DAY + HOUR).outcomes
    ]
    assert [name for name, _ in went] == [str(day) for day in days]
    assert all(now.date() == date.fromisoformat(name) for name, now in went)
    assert len(fortnightly.sent) == 7 * len(READERS)
