"""What is due: each state, and what it hangs on."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from briefmail.config import Schedule
from briefmail.errors import Problem
from briefmail.issue import Timing
from briefmail.schedule import GOES, Known, Memory, standings

LONDON = Schedule(timezone="Europe/London")  # at 09:00, up to 24 hours late
DAY = date(2016, 8, 24)
MOMENT = datetime(2016, 8, 24, 8, tzinfo=UTC)  # 09:00 BST
ONE = Timing(Path("issues/one.md"), "one", "ready", DAY)
LONG_AGO = Memory(first_dispatch=datetime(2016, 1, 1, tzinfo=UTC))
SECOND, HOUR, DAYS = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)


def state(
    now: datetime, issue: Timing = ONE, memory: Memory = LONG_AGO, *others: Timing
) -> tuple[str, str]:
    """Return where one issue stands, and what it is a twin of."""
    found = standings(now, LONDON, [issue, *others], memory)
    (standing,) = (each for each in found if each.issue == issue)
    return standing.state, standing.other


def remembering(*known: Known, held: str = "", prints: dict[str, str] | None = None) -> Memory:
    """Return a memory with these editions."""
    return replace(
        LONG_AGO,
        known=known,
        held=frozenset(held.split()),
        fingerprints=prints or {},
    )


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (MOMENT - 200 * DAYS, "waiting"),
        (MOMENT - SECOND, "waiting"),
        (MOMENT, "due"),
        (MOMENT + 24 * HOUR, "due"),
        (MOMENT + 24 * HOUR + SECOND, "missed"),
        (MOMENT + 4000 * DAYS, "missed"),
    ],
)
def test_a_ready_issue_is_due_from_its_moment_to_not_after(now: datetime, expected: str) -> None:
    """Never before; and later only by hand."""
    assert state(now) == (expected, "")


@pytest.mark.parametrize("status", ["draft", None])
@pytest.mark.parametrize("hours", [-1, 0, 1, 30])
@pytest.mark.parametrize("standing", [None, "opened", "begun"])
def test_what_is_not_marked_ready_never_goes(
    status: str | None, hours: int, standing: str | None
) -> None:
    """Whatever the clock says, and even if somebody had it before it was taken back."""
    memory = remembering(*([Known("one", standing)] if standing else []))  # type: ignore[arg-type]
    issue = replace(ONE, status=status)  # type: ignore[arg-type]
    assert state(MOMENT + hours * HOUR, issue, memory)[0] not in GOES


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (datetime(2016, 8, 22, 22, 59, tzinfo=UTC), "draft"),  # 23:59 the day before yesterday
        (datetime(2016, 8, 22, 23, 0, tzinfo=UTC), "draft_due"),  # midnight: it is for tomorrow
        (MOMENT, "draft_due"),
        (MOMENT + 24 * HOUR, "draft_due"),
        (MOMENT + 24 * HOUR + SECOND, "draft"),
    ],
)
def test_a_draft_presses_from_the_day_before(now: datetime, expected: str) -> None:
    """By the local day, and until it is too late."""
    assert state(now, replace(ONE, status="draft")) == (expected, "")


def test_a_time_of_its_own_takes_the_place_of_the_day() -> None:
    """``send_at``, by the schedule's clock unless it has a zone."""
    early = replace(ONE, send_at=datetime(2016, 8, 20, 7, 30))
    (standing,) = standings(MOMENT, LONDON, [early], LONG_AGO)
    assert (standing.at, standing.state) == (datetime(2016, 8, 20, 6, 30, tzinfo=UTC), "missed")
    there = replace(ONE, date=None, send_at=datetime(2016, 8, 24, 8, 0, 1, tzinfo=UTC))
    assert state(MOMENT, there) == ("waiting", "")
    assert state(MOMENT + SECOND, there) == ("due", "")


def test_an_issue_without_any_date_is_never_due() -> None:
    """Ready for when, nobody knows; a draft is not asked."""
    assert state(MOMENT, replace(ONE, date=None)) == ("undated", "")
    assert state(MOMENT, replace(ONE, date=None, status="draft")) == ("draft", "")
    assert state(MOMENT, replace(ONE, date=None, status=None)) == ("by_hand", "")


def test_an_issue_whose_front_matter_is_faulty_never_goes() -> None:
    """Unless it is known to have gone out: then nobody needs to know."""
    faulty = replace(ONE, problems=(Problem(ONE.path, 2, "x"),))
    assert state(MOMENT, faulty) == ("unreadable", "")
    assert state(MOMENT, faulty, remembering(Known("one", "closed"))) == ("closed", "")


@pytest.mark.parametrize("issue", [ONE, replace(ONE, status="draft"), replace(ONE, date=None)])
@pytest.mark.parametrize("now", [MOMENT - 3 * DAYS, MOMENT, MOMENT + 3 * DAYS])
def test_a_closed_edition_is_never_reopened(issue: Timing, now: datetime) -> None:
    """Whatever has become of its file and of the clock."""
    assert state(now, issue, remembering(Known("one", "closed"), held="one")) == ("closed", "")


@pytest.mark.parametrize(
    ("now", "expected"),
    [(MOMENT - SECOND, "waiting"), (MOMENT, "under_way"), (MOMENT + 30 * DAYS, "under_way")],
)
def test_what_dispatch_began_goes_on_however_late(now: datetime, expected: str) -> None:
    """Until it is closed; unless its date was moved into the future."""
    assert state(now, ONE, remembering(Known("one", "begun", DAY))) == (expected, "")


def test_what_was_begun_by_hand_is_due_as_any_other() -> None:
    """``send --limit 10`` before its time; after not_after, the rest is by hand too."""
    memory = remembering(Known("one", "opened", DAY))
    assert state(MOMENT - HOUR, ONE, memory) == ("waiting", "")
    assert state(MOMENT, ONE, memory) == ("due", "")
    assert state(MOMENT + 2 * DAYS, ONE, memory) == ("missed", "")


@pytest.mark.parametrize("now", [MOMENT - HOUR, MOMENT, MOMENT + 2 * DAYS])
@pytest.mark.parametrize("known", [(), (Known("one", "begun", DAY),)])
def test_what_is_held_does_not_go(now: datetime, known: tuple[Known, ...]) -> None:
    """Also while it is under way; and it is not missed as long as it is held."""
    assert state(now, ONE, remembering(*known, held="another one")) == ("held", "")


def test_what_another_copy_of_the_folder_sends_does_not_go_here() -> None:
    """An open receipt, and nobody of it in the ledger."""
    memory = remembering(Known("one", "elsewhere", DAY))
    assert state(MOMENT, ONE, memory) == ("elsewhere", "")


@pytest.mark.parametrize(
    ("known", "prints", "expected"),
    [
        # renamed: the same date, or the same words
        (Known("old", "closed", DAY), {}, ("twin", "old")),
        (Known("old", "begun", DAY), {}, ("twin", "old")),
        (Known("old", "elsewhere", DAY), {}, ("twin", "old")),
        (Known("old", "closed", None, frozenset("ab")), {"one": "b"}, ("twin", "old")),
        # others
        (Known("old", "closed", DAY - DAYS, frozenset("ab")), {"one": "c"}, ("due", "")),
        (Known("old", "closed", None, frozenset("ab")), {"two": "b"}, ("due", "")),
        # nobody may have had it: the guard of the send decides
        (Known("old", "opened", DAY), {}, ("due", "")),
    ],
)
def test_what_went_out_under_another_name_does_not_go(
    known: Known, prints: dict[str, str], expected: tuple[str, str]
) -> None:
    """A file that was renamed, or a folder that was cloned."""
    assert state(MOMENT, ONE, remembering(known, prints=prints)) == expected


def test_two_ready_files_of_one_name_are_twins_of_each_other() -> None:
    """A copy with the same slug: nobody can tell which is meant. A draft is no rival."""
    copy = replace(ONE, path=Path("issues/copy.md"))
    assert state(MOMENT, ONE, LONG_AGO, copy) == ("twin", str(copy.path))
    assert state(MOMENT, copy, LONG_AGO, ONE) == ("twin", str(ONE.path))
    assert state(MOMENT, ONE, LONG_AGO, replace(copy, status="draft")) == ("due", "")


@pytest.mark.parametrize(
    ("first", "now", "expected"),
    [
        (None, MOMENT + HOUR, "due"),  # the first dispatch comes an hour late
        (None, MOMENT + 16 * HOUR, "before_first"),  # ... on the day after
        (MOMENT + HOUR, MOMENT + 2 * HOUR, "due"),
        (MOMENT + 16 * HOUR, MOMENT + 17 * HOUR, "before_first"),
        # it was by a clock that ran ahead
        (MOMENT + 4000 * DAYS, MOMENT, "due"),
    ],
)
def test_what_is_dated_before_the_first_dispatch_is_left_alone(
    first: datetime | None, now: datetime, expected: str
) -> None:
    """By the day: what is for today is not lost because the first look came a little late."""
    assert state(now, ONE, Memory(first_dispatch=first)) == (expected, "")


def test_an_old_draft_of_before_does_not_press() -> None:
    """Nor is it told of at the first dispatch."""
    assert state(MOMENT + 16 * HOUR, replace(ONE, status="draft"), Memory()) == ("draft", "")


def test_the_oldest_is_first_and_the_undated_are_last() -> None:
    """By their moments, and by their paths where these are equal."""
    names = ["undated", "late", "b", "a"]
    days = {"undated": None, "late": DAY + DAYS, "b": DAY, "a": DAY}
    issues = [Timing(Path(name), name, "ready", days[name]) for name in names]
    found = standings(MOMENT + 3 * DAYS, LONDON, issues, LONG_AGO)
    assert [standing.issue.name for standing in found] == ["a", "b", "late", "undated"]


ISSUES = st.lists(
    st.builds(
        Timing,
        path=st.integers(0, 9).map(lambda number: Path(f"{number}.md")),
        name=st.sampled_from("abcd"),
        status=st.sampled_from(["ready", "ready", "draft", None]),
        date=st.none() | st.dates(DAY - 5 * DAYS, DAY + 5 * DAYS) | st.dates(),
        send_at=st.none() | st.datetimes(),
    ),
    max_size=6,
    unique_by=lambda issue: issue.path,
)
STEPS = st.lists(st.integers(-3000, 6000), min_size=1, max_size=30)


@given(ISSUES, STEPS)
def test_no_clock_makes_an_issue_go_early_twice_or_unready(
    issues: list[Timing], steps: list[int]
) -> None:
    """A clock that runs, stops, jumps ahead and is set back, by so many minutes a step."""
    now, sent = MOMENT, set[str]()
    for minutes in steps:
        now += timedelta(minutes=minutes)
        known = tuple(Known(name, "closed") for name in sent)
        for standing in standings(now, LONDON, issues, replace(LONG_AGO, known=known)):
            if standing.state in GOES:
                assert standing.at is not None
                assert standing.at <= now <= standing.at + LONDON.not_after
                assert standing.issue.status == "ready"
                assert standing.issue.name not in sent
                sent.add(standing.issue.name)
