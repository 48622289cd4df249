"""Everybody's copy: fields that are missing, defaults that are read, subjects as filled."""

from collections.abc import Iterator

from briefmail.checks.audience.listing import Audience, people
from briefmail.checks.rule import Found, rule
from briefmail.errors import Problem

FILL = 'fill the cells, or give the field a default: {{ field | default("...") }}'
"""What to do about a copy that cannot be filled."""


@rule(
    "field-unknown",
    "error",
    cure="correct the name, or give the field a default if only some lists have it",
    source="the list's own columns",
)
def field_unknown(audience: Audience) -> Iterator[Found]:
    """A merge field that the list has no column for.

    ``send`` stops at it, whatever is said with ``--force``.
    """
    for problem in _unknown(audience):
        yield Found(problem.text, problem.line)


def _unknown(audience: Audience) -> list[Problem]:
    return audience.edition.unknown_fields(audience.roll.columns) if audience.roll else []


@rule("field-missing", "error", cure=FILL, source="the list's own cells")
def field_missing(audience: Audience) -> Iterator[Found]:
    """A merge field without a default that somebody's row leaves empty.

    ``send`` stops at it, whatever is said with ``--force``: the copy cannot be written.
    """
    unknown = {problem.line for problem in _unknown(audience)}
    for problem in audience.survey.faults(audience.path):
        if problem.line not in unknown:
            yield Found(problem.text, problem.line)


@rule(
    "field-default",
    "info",
    cure="nothing, if the sentence reads well with the default; preview --as shows it",
    source="the list's own cells",
)
def field_default(audience: Audience) -> Iterator[Found]:
    """A field that some people's rows leave empty, so that they read its default."""
    survey = audience.survey
    for gap in survey.gaps():
        assert gap.first
        text = f"{gap.field} is empty for {gap.count:,} of {people(survey.people)}, who read its"
        where = f"{audience.path.name}:{gap.first.line} ({gap.first.address})"
        yield Found(f"{text} default; the first is {where}", gap.line)


@rule(
    "subject-range",
    "info",
    cure="look at both with preview --as",
    source="phones show some 35 to 50 characters of a subject",
)
def subject_range(audience: Audience) -> Iterator[Found]:
    """A subject with a merge field in it: its shortest and its longest copy."""
    short, long = audience.survey.shortest, audience.survey.longest
    if short and long and short.length < long.length:
        told = " to ".join(
            f"{one.length} characters ({one.recipient.address}, row {one.recipient.line})"
            for one in (short, long)
        )
        line = audience.edition.issue.lines.get("subject")
        yield Found(f"the subject has from {told}", line)
