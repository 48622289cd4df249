"""Dates as people write them in running text: "Wednesday 24 August", "24 August 2016"."""

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Written:
    """A date in a text, from ``start`` to ``end``. ``weekday`` counts from Monday, 0.

    ``year`` and ``weekday`` are None where they are not written.
    """

    text: str
    start: int
    end: int
    day: int
    month: int
    year: int | None = None
    weekday: int | None = None

    def in_year(self, year: int) -> dt.date | None:
        """The date in a year; None if there is no such day."""
        try:
            return dt.date(year, self.month, self.day)
        except ValueError:
            return None

    def nearest(self, day: dt.date) -> dt.date | None:
        """The date in its own year, else in the year that brings it nearest to ``day``."""
        if self.year is not None:
            return self.in_year(self.year)
        years = (self.in_year(day.year + offset) for offset in (-1, 0, 1))
        return min((d for d in years if d), key=lambda d: abs(d - day), default=None)


@dataclass(frozen=True, slots=True)
class _Names:
    """How a language writes dates. Names are patterns, Monday and January first."""

    weekdays: Sequence[str]
    months: Sequence[str]
    forms: Sequence[str]


_ENGLISH = _Names(
    weekdays=(
        r"Mon(?:day)?", r"Tue(?:s(?:day)?)?", r"Wed(?:nesday)?", r"Thu(?:r(?:s(?:day)?)?)?",
        r"Fri(?:day)?", r"Sat(?:urday)?", r"Sun(?:day)?",
    ),
    months=(
        r"Jan(?:uary)?", r"Feb(?:ruary)?", r"Mar(?:ch)?", r"Apr(?:il)?", r"May", r"June?",
        r"July?", r"Aug(?:ust)?", r"Sept?(?:ember)?", r"Oct(?:ober)?", r"Nov(?:ember)?",
        r"Dec(?:ember)?",
    ),
    forms=(
        # With a comma before it, "1 October, 2000 people came", it may be no year.
        r"(?:\b{weekday}\.?,?\s+(?:the\s+)?)?\b{day}(?:st|nd|rd|th)?\s+(?:of\s+)?{month}\b\.?{year}",
        r"(?:\b{weekday}\.?,?\s+)?\b{month}\.?\s+(?:the\s+)?{day}(?:st|nd|rd|th)?\b(?!:\d),?{year}",
    ),
)  # fmt: skip
_GAELIC = _Names(
    weekdays=(
        r"Diluain", r"Dim[àa]irt", r"Diciadain", r"(?:Diardaoin|Dirdaoin)", r"Dihaoine",
        r"Disathairne", r"(?:Did[òo]mhnaich|Latha na S[àa]baid)",
    ),
    months=(
        r"Fh?aoilleach", r"Gh?earran", r"Mh?[àa]rt", r"Gh?iblean", r"Ch?[èé]itean", r"Ògmhios",
        r"Iuchar", r"Lùnastal", r"Sultain", r"Dh?àmhair", r"Samhain", r"Dh?ùbhlachd",
    ),
    forms=(
        r"(?:\b{weekday},?\s+(?:an\s+)?)?\b{day}(?:mh|na|d|a)?\s+"
        r"(?:(?:dhen|den|an|am|a['’])\s*)?(?:t-)?{month}\b{year}",
    ),
)  # fmt: skip
_YEAR = r"(?:\s+(?P<year>1[6-9]\d\d|20\d\d)\b)?"


def _patterns(names: _Names) -> tuple[re.Pattern[str], ...]:
    parts = {
        "weekday": _numbered("weekday", names.weekdays),
        "month": _numbered("month", names.months),
        "day": r"(?P<day>[1-9]|[12]\d|3[0-9])",
        "year": _YEAR,
    }
    return tuple(re.compile(form.format(**parts)) for form in names.forms)


def _numbered(kind: str, names: Sequence[str]) -> str:
    return f"(?:{'|'.join(f'(?P<{kind}{n}>{name})' for n, name in enumerate(names))})"


_PATTERNS: Mapping[str, tuple[re.Pattern[str], ...]] = {
    "en": _patterns(_ENGLISH),
    "gd": _patterns(_GAELIC),
}


def dates_in(text: str, language: str) -> Iterator[Written]:
    """Yield the dates in ``text``; none in a language whose names are not known here."""
    end = 0
    matches = [found for each in _PATTERNS.get(language, ()) for found in each.finditer(text)]
    for match in sorted(matches, key=lambda one: (one.start(), -one.end())):
        if match.start() >= end:
            end = match.end()
            yield _written(match)


def _written(match: re.Match[str]) -> Written:
    month = _number("month", match)
    assert month is not None
    return Written(
        text=re.sub(r"\s+", " ", match[0]).rstrip(" ,."),
        start=match.start(),
        end=match.end(),
        day=int(match["day"]),
        month=month + 1,
        year=int(match["year"]) if match["year"] else None,
        weekday=_number("weekday", match),
    )


def _number(kind: str, match: re.Match[str]) -> int | None:
    groups = match.groupdict()
    return next((n for n in range(12) if groups.get(f"{kind}{n}")), None)
