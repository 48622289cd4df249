"""The audience of an issue, as its rules look at it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from briefmail.audience import Roll, Rows
from briefmail.checks.rule import Found
from briefmail.checks.survey import NAMED, Survey
from briefmail.edition import Edition


@dataclass(frozen=True, slots=True)
class Audience:
    """A list that has been read, and everybody's copy of an edition.

    ``path`` is the list's file, and ``roll`` None if there is none. ``before`` is how many people
    the default list had when an issue last went out to all of it; None if that is not known, or
    not to be compared.
    """

    edition: Edition
    survey: Survey
    path: Path
    roll: Roll | None = None
    before: int | None = None


def few(found: Iterable[Found], path: Path) -> Iterator[Found]:
    """Yield the first findings of a kind, and how many more there are."""
    more = 0
    for number, one in enumerate(found):
        if number < NAMED:
            yield one
        else:
            more += 1
    if more:
        yield Found(f"and {more:,} more of these", path=path)


def named(rows: Rows) -> str:
    """The people of ``rows``: ``info@example.org (row 7), and 3 more``."""
    told = ", ".join(f"{row.address} (row {row.line})" for row in rows.first)
    more = rows.count - len(rows.first)
    return f"{told}, and {more:,} more" if more else told


def people(count: int) -> str:
    """A number of people: ``1 person``, ``1,204 people``."""
    return f"{count:,} {'person' if count == 1 else 'people'}"
