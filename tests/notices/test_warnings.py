"""Which standings of an issue the editor hears of, and when two notices are the same one."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_args

import pytest

from briefmail.errors import IssueError, Problem, RelayUnavailable
from briefmail.issue import Timing
from briefmail.notices import Notice, stopped, warnings
from briefmail.schedule import Standing, State

NOW = datetime(2016, 8, 24, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)
ISSUE = Timing(Path("issues/news.md"), "news", "ready")
BROKEN = replace(ISSUE, problems=(Problem(ISSUE.path, 3, "status must be draft or ready"),))


def told(*found: Standing, empty: tuple[datetime, ...] = ()) -> list[Notice]:
    return list(warnings(found, empty, now=NOW, clock=lambda moment: moment))


@pytest.mark.parametrize(
    ("standing", "subject"),
    [
        (Standing(ISSUE, "draft_due", NOW + HOUR), "news is still a draft"),
        (Standing(ISSUE, "missed", NOW - 30 * HOUR), "news did not go out"),
        (Standing(ISSUE, "undated", None), "news has no date"),
        (Standing(ISSUE, "twin", NOW, "other"), "news seems to be the same as other"),
        (Standing(ISSUE, "elsewhere", NOW), "news is being sent from elsewhere"),
        (Standing(BROKEN, "unreadable", None), "news cannot be read"),
        (Standing(BROKEN, "unreadable", NOW + 39 * HOUR), "news cannot be read"),
    ],
)
def test_what_keeps_an_issue_from_going_is_told_with_its_file(
    standing: Standing, subject: str
) -> None:
    (notice,) = told(standing)
    assert (notice.issue, notice.subject) == ("news", subject)
    assert notice.text.startswith(f"{ISSUE.path}\n\n")


QUIET: list[State] = ["waiting", "held", "draft", "by_hand", "closed", "before_first"]


@pytest.mark.parametrize("state", [*QUIET, "due", "under_way"])
def test_nothing_is_told_of_an_issue_that_is_as_the_editor_wants_it(state: State) -> None:
    assert told(Standing(ISSUE, state, NOW)) == []


def test_every_state_is_one_or_the_other() -> None:
    needs = {"draft_due", "missed", "undated", "twin", "elsewhere", "unreadable"}
    assert needs | {*QUIET, "due", "under_way"} == set(get_args(State))


@pytest.mark.parametrize("hours", [-1, 40, 24 * 30])
def test_an_unreadable_issue_is_left_to_its_writer_until_the_day_before(hours: int) -> None:
    """What is due already is no warning: the dispatch itself fails for it."""
    assert told(Standing(BROKEN, "unreadable", NOW + hours * HOUR)) == []


def test_a_day_without_an_issue_is_told_of_once_a_day() -> None:
    first, again, other = told(empty=(NOW, NOW, NOW + 24 * HOUR))
    assert first == again
    assert first.subject == "There is no issue for Wednesday 2016-08-24"
    assert (first.event, first.cause) != (other.event, other.cause)


def test_another_fault_in_the_issue_is_another_cause_and_another_reply_is_not() -> None:
    """A relay words the same refusal differently each time, as with an identifier."""
    faults = [IssueError([Problem(ISSUE.path, line, "no such field")]) for line in (3, 4)]
    assert len({stopped("news", fault).cause for fault in faults}) == 2
    replies = [RelayUnavailable(f"421 4.3.2 closed, {number}") for number in (1, 2)]
    assert len({stopped("news", reply).cause for reply in replies}) == 1
