"""When an issue is to go out: what its front matter says, without the rest of it."""

from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import pytest

from briefmail.errors import Problem
from briefmail.issue import Timing, read_timing

DAY = date(2016, 8, 24)


@pytest.mark.parametrize(
    ("matter", "expected"),
    [
        ("", {}),
        ("subject: x\nstatus: ready\n", {"status": "ready"}),
        ("status: draft\nslug: summer\n", {"status": "draft", "name": "summer"}),
        ("date: 2016-09-01\n", {"date": date(2016, 9, 1)}),
        # YAML's own time, and what only looks like one to people
        ("send_at: 2016-08-24 07:30:00\n", {"send_at": datetime(2016, 8, 24, 7, 30)}),
        ("send_at: 2016-08-24T07:30\n", {"send_at": datetime(2016, 8, 24, 7, 30)}),
        (
            "send_at: 2016-08-24T07:30:00+02:00\n",
            {"send_at": datetime(2016, 8, 24, 7, 30, tzinfo=timezone(timedelta(hours=2)))},
        ),
    ],
)
def test_the_front_matter_says_when(
    tmp_path: Path, matter: str, expected: dict[str, object]
) -> None:
    """The name and the day are the file's own where nothing else is said."""
    path = tmp_path / "2016-08-24-late.md"
    path.write_text(f"---\n{matter}---\n\n[A link](nowhere) that is a fault of the text.\n")
    values = {"name": "2016-08-24-late", "date": DAY, **expected}
    assert read_timing(path) == Timing(path, **values)  # type: ignore[arg-type]


def test_faults_of_the_front_matter_are_values(tmp_path: Path) -> None:
    """What else is known is said nevertheless."""
    path = tmp_path / "2016-08-24.md"
    path.write_text("---\nslug: summer\nstatus: redy\nsend_at: soon\n---\n")
    problems = (
        Problem(path, 3, "status must be draft or ready, not 'redy'"),
        Problem(path, 4, "send_at must be a time such as 2016-08-24T09:00, not 'soon'"),
    )
    assert read_timing(path) == Timing(path, "summer", date=DAY, problems=problems)


def test_a_file_that_cannot_be_read_is_a_value_too(tmp_path: Path) -> None:
    """It has its name and its day."""
    path = tmp_path / "2016-08-24.md"
    path.write_bytes(b"\xff\xfe\x00")
    found = read_timing(path)
    assert (found.name, found.date, found.status, len(found.problems)) == (path.stem, DAY, None, 1)
    gone = tmp_path / "gone.md"
    assert read_timing(gone) == Timing(
        gone, "gone", problems=(Problem(gone, None, "there is no such file"),)
    )
