"""When an issue is to go out: what its front matter says of that, without reading the rest."""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

from briefmail.errors import IssueError, Problem
from briefmail.issue.frontmatter import split_front_matter
from briefmail.issue.model import Status
from briefmail.issue.source import file_date, read_text


@dataclass(frozen=True, slots=True)
class Timing:
    """An issue file as the calendar sees it. The attributes are those of ``Issue``.

    Where there are ``problems`` the front matter is faulty, and the others are what is known
    nevertheless: nobody can tell whether the issue is ready.
    """

    path: Path
    name: str
    status: Status | None = None
    date: dt.date | None = None
    send_at: dt.datetime | None = None
    problems: tuple[Problem, ...] = ()


def read_timing(path: Path) -> Timing:
    """Read what an issue file says of when it goes out: a millisecond, whatever its length."""
    try:
        matter = split_front_matter(read_text(path))
    except IssueError as error:
        return Timing(path, path.stem, date=file_date(path), problems=error.problems)
    values = matter.values
    return Timing(
        path,
        name=values.get("slug", path.stem),
        status=values.get("status"),
        date=values.get("date", file_date(path)),
        send_at=values.get("send_at"),
        problems=tuple(Problem(path, line, text) for line, text in matter.faults),
    )
