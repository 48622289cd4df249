"""Dates that do not fit: to each other, to the weekday, to the year, to the calendar."""

import datetime as dt
import re
from collections.abc import Iterator

from briefmail.checks.content.calendar import Written, dates_in
from briefmail.checks.finding import Severity
from briefmail.checks.passage import Passage
from briefmail.checks.proof import Proof
from briefmail.checks.rule import Found, rule
from briefmail.config import WEEKDAYS

_FILE_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?!\d)")
_COPYRIGHT = re.compile(r"(?:©|\(c\)|\bcopyright\b)\D{0,20}(?:\d{4}\s*[-–—]\s*)?(\d{4})\b", re.I)
_AHEAD = re.compile(
    r"\b(?:will|join us|register|book|deadline|apply by|closes|coming up|save the date|next"
    r"|this time|this year|tickets)\b",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"\b(?:issue|no|number|nr|vol|volume|edition|week|the)\b|#?\b\d+\b|\W", re.I)
LONG_AGO = 31
FAR_AHEAD = 366
SOON = 120


@rule(
    "date-impossible",
    "error",
    cure="look it up",
    source="the calendar",
)
def date_impossible(proof: Proof) -> Iterator[Found]:
    """A date that there is not, such as 31 September, or 29 February in a year without one."""
    for passage, written in _dates(proof):
        if not written.in_year(written.year or 2000):  # 2000 had a 29 February
            text = f"there is no {written.text}"
            yield Found(text, passage.line(written.start))


@rule(
    "date-weekday",
    "warning",
    cure="look up which of the two is right: readers go by either",
    source="the calendar",
)
def date_weekday(proof: Proof) -> Iterator[Found]:
    """A weekday that is not that of its date: "Wednesday 24 August", which is a Thursday.

    With the year beside it this is an error. Without, the year is taken that brings the date
    nearest to the issue's; another year that the paragraph names may explain it, too.
    """
    for passage, written in _dates(proof):
        day = written.nearest(_day(proof))
        if written.weekday is None or day is None or day.weekday() == written.weekday:
            continue
        if written.year is None and _explained(written, passage):
            continue
        severity: Severity = "error" if written.year and written.year >= 1900 else "warning"
        year = "" if written.year else f" in {day.year}"
        text = f"{written.text} is a {WEEKDAYS[day.weekday()]}{year}"
        yield Found(text, passage.line(written.start), severity=severity)


@rule(
    "date-year",
    "warning",
    cure="write this year, or say it as something past",
    source="an announcement, or a footer, copied from last year's",
)
def date_year(proof: Proof) -> Iterator[Found]:
    """An old year: in a copyright line, or in a date that is announced.

    A date counts as announced if its sentence looks ahead ("will", "join us", "deadline") and the
    same day of this year is near.
    """
    issued = _day(proof)
    for passage in proof.passages:
        for match in _COPYRIGHT.finditer(passage.text):
            if int(match[1]) < issued.year:
                yield Found(f"the copyright is of {match[1]}", passage.line(match.start()))
    for passage, written in _dates(proof):
        if written.year in {issued.year - 1, issued.year - 2}:
            now = written.nearest(issued)
            again = written.in_year(issued.year) or issued
            if now and now < issued and 0 <= (again - issued).days <= SOON:
                sentence = _sentence(passage.text, written)
                if _AHEAD.search(sentence):
                    text = f"{written.text} is past, and is announced"
                    yield Found(text, passage.line(written.start))


@rule(
    "date-of-issue",
    "warning",
    cure="let the file name, the front matter and the date line say the same day",
    source="an issue that was begun as a copy of the last one",
)
def date_of_issue(proof: Proof) -> Iterator[Found]:
    """The front matter has one date, and the file's name or the date line in the text another.

    A date line is a line, or a title or subject, that holds nothing but a date, perhaps with the
    newsletter's name or a number.
    """
    date = proof.issue.date
    if date is None:
        return
    match = _FILE_DATE.match(proof.issue.path.stem)
    if match and match[0] != date.isoformat():
        text = f"the date is {date}, and the file is named {proof.issue.path.name}"
        yield Found(text, proof.line_of_key("date"))
    for passage, written in _dates(proof):
        other = written.in_year(written.year or date.year)
        if other and other != date and _is_date_line(passage.text, written, proof):
            text = f"the date is {date}, and the date line says {written.text}"
            yield Found(text, passage.line(written.start))


@rule(
    "date-far",
    "info",
    cure="set the date on which it goes out",
    source="an issue that was begun as a copy of an old one; a slip in the year",
)
def date_far(proof: Proof) -> Iterator[Found]:
    """The date in the front matter is long past, or more than a year ahead.

    For an issue in the archive that is as it should be; one more than a year ahead is a warning.
    """
    if proof.issue.date is None:
        return
    days = (proof.issue.date - proof.now.date()).days
    line = proof.line_of_key("date")
    if days < -LONG_AGO:
        yield Found(f"the issue is dated {-days} days ago", line)
    elif days > FAR_AHEAD:
        yield Found(f"the issue is dated {days} days ahead", line, severity="warning")


def _dates(proof: Proof) -> Iterator[tuple[Passage, Written]]:
    for passage in proof.passages:
        for written in dates_in(passage.text, proof.language):
            yield passage, written


def _day(proof: Proof) -> dt.date:
    return proof.issue.date or proof.now.date()


def _explained(written: Written, passage: Passage) -> bool:
    """Whether the weekday is right in some other year that the passage names."""
    days = (written.in_year(int(year)) for year in re.findall(r"\b(?:19|20)\d\d\b", passage.text))
    return any(day and day.weekday() == written.weekday for day in days)


def _sentence(text: str, written: Written) -> str:
    """The sentence around a date, near enough: from the last full stop to the next."""
    start = max(text.rfind(mark, 0, written.start) for mark in ".!?") + 1
    ends = [end for mark in ".!?" if (end := text.find(mark, written.end)) >= 0]
    return text[start : min(ends, default=len(text))]


def _is_date_line(text: str, written: Written, proof: Proof) -> bool:
    if len(text) > 100:
        return False
    rest = text[: written.start] + text[written.end :]
    name = proof.config.newsletter.name
    rest = re.sub(re.escape(name), "", rest, flags=re.IGNORECASE)
    return not _NUMBER.sub("", rest)
