"""What went out under a name is kept, each version once, and the others are known."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from scene import people

from briefmail.delivery import MIGRATIONS, Ledger
from briefmail.delivery.frozen import Frozen, FrozenEditions, Past
from briefmail.store import Database, open_scratch
from briefmail.store.postgresql import PostgreSQL

VERSION = Frozen("land", "f1", "smtp.example.org", "Land", "<p>Land</p>", "Land", 500)
DAY = date(2016, 8, 24)


class Clock:
    """A clock that goes on by a minute whenever it is looked at."""

    def __init__(self) -> None:
        self.moment = datetime(2016, 8, 24, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.moment += timedelta(minutes=1)
        return self.moment


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database(request: pytest.FixtureRequest) -> Iterator[Database]:
    with opened(request) as database:
        ledger = Ledger(database)
        for name in ("land", "sea"):
            ledger.open_edition(name, subject="x", issue_date=None, fingerprint="f0")
        yield database


def opened(request: pytest.FixtureRequest) -> Database:
    rooms = {"delivery": MIGRATIONS}
    if request.param == "sqlite":
        return open_scratch(rooms)
    return PostgreSQL.open(request.getfixturevalue("postgresql").empty(), rooms)


@pytest.fixture
def frozen(database: Database) -> FrozenEditions:
    return FrozenEditions(database, Clock())


def test_the_version_that_was_sent_last_is_the_one_to_compare_with(
    frozen: FrozenEditions, database: Database
) -> None:
    assert frozen.latest("land") is None
    frozen.keep(VERSION, DAY)
    changed = replace(VERSION, fingerprint="f2", text="Land!")
    frozen.keep(changed, None)
    assert frozen.latest("land") == changed
    record = Ledger(database).edition("land")
    assert record
    assert (record.fingerprint, record.subject, record.issue_date) == ("f2", "Land", None)
    frozen.keep(VERSION, DAY)
    assert frozen.latest("land") == VERSION


def test_a_resume_by_another_relay_keeps_the_audience(frozen: FrozenEditions) -> None:
    frozen.keep(VERSION, DAY)
    frozen.keep(replace(VERSION, relay="other.example.org", audience=None), DAY)
    assert frozen.latest("land") == replace(VERSION, relay="other.example.org")


def test_whom_an_edition_was_begun_for_stays_unless_it_goes_to_more(
    frozen: FrozenEditions,
) -> None:
    assert frozen.corrects("land") is None
    frozen.keep(VERSION, DAY, corrects="sea")
    frozen.keep(replace(VERSION, fingerprint="f2"), DAY, corrects="sea")
    assert frozen.corrects("land") == "sea"
    frozen.keep(VERSION, DAY)
    assert frozen.corrects("land") is None
    frozen.keep(VERSION, DAY, corrects="sea")
    assert frozen.corrects("land") is None


def test_the_last_audience_is_that_of_the_latest_send_to_the_whole_list(
    frozen: FrozenEditions,
) -> None:
    assert frozen.last_audience() is None
    frozen.keep(VERSION, DAY)
    frozen.keep(replace(VERSION, edition="sea", audience=None), DAY)
    assert frozen.last_audience() == 500
    frozen.keep(replace(VERSION, edition="sea", audience=600), DAY)
    assert frozen.last_audience() == 600


def test_others_are_those_that_somebody_has_had(frozen: FrozenEditions, database: Database) -> None:
    ledger = Ledger(database)
    frozen.keep(VERSION, DAY)
    frozen.keep(replace(VERSION, fingerprint="f2"), DAY)
    ledger.enrol("land", people(1, 1))
    assert frozen.others("sea") == ()
    database.execute("UPDATE delivery SET state = 'claimed'")
    expected = (Past("land", DAY, frozenset({"f1", "f2"})),)
    assert frozen.others("sea") == expected
    database.execute("UPDATE delivery SET state = 'sent'")
    assert frozen.others("sea") == expected
    assert frozen.others("land") == ()
