"""Twenty years of fortnights: each issue once, none skipped, none early, none late."""

from datetime import UTC, datetime, time

import pytest
from years import ZONES, changes, drive


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize(
    ("weekday", "at"),
    [(2, time(9)), (6, time(1, 30)), (6, time(2, 15))],
    ids=["Wednesdays at nine", "Sundays at half past one", "Sundays at a quarter past two"],
)
def test_every_issue_of_twenty_years_goes_once_at_the_first_look_after_its_moment(
    zone: str, weekday: int, at: time
) -> None:
    """The clocks change on Sundays, between one and three."""
    assert drive(zone, weekday, at, whole=False) > 3000


def test_the_clocks_of_these_zones_change_when_they_do() -> None:
    """Forty times each but for Kolkata's, which never do."""
    begin, end = datetime(2016, 8, 24, tzinfo=UTC), datetime(2036, 8, 24, tzinfo=UTC)
    assert [len(changes(zone, begin, end)) for zone in ZONES] == [40, 40, 40, 0]
    year = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
    assert changes("Europe/London", *year) == [
        datetime(2026, 3, 29, 1, tzinfo=UTC),
        datetime(2026, 10, 25, 1, tzinfo=UTC),
    ]
