"""The rows of the list: none, fewer than last time, invalid ones, and several of one person."""

from collections.abc import Iterator

from briefmail.checks.audience.listing import Audience, named, people
from briefmail.checks.rule import Found, rule
from briefmail.checks.survey import NAMED

ROLES = (
    "admin", "administrator", "abuse", "accounts", "bookings", "contact", "editor", "enquiries",
    "events", "feedback", "hello", "help", "hostmaster", "info", "information", "jobs", "mail",
    "marketing", "media", "membership", "news", "newsletter", "office", "postmaster", "press",
    "reception", "sales", "secretary", "service", "support", "team", "treasurer", "webmaster",
)  # fmt: skip
"""RFC 2142, and what organisations commonly call their shared mailboxes."""


@rule(
    "list-missing",
    "info",
    cure="put recipients.csv into the folder: a line of columns such as email,first_name, then a"
    " line for each person",
    source="without a list the copy of somebody made up is looked at",
)
def list_missing(audience: Audience) -> Iterator[Found]:
    """No list to send to yet."""
    if audience.roll is None:
        yield Found(f"there is no {audience.path.name}", path=audience.path)


@rule(
    "list-empty",
    "error",
    cure="look at the rows: they are invalid, marked as having left, or suppressed",
    source="a send would go to nobody",
)
def list_empty(audience: Audience) -> Iterator[Found]:
    """A list with nobody on it who can be sent to."""
    if audience.roll and audience.roll.counts.send == 0:
        rows = audience.roll.counts.rows
        text = f"nobody is left to send to, of {rows:,} {'row' if rows == 1 else 'rows'}"
        yield Found(text, path=audience.path)


@rule(
    "audience-fell",
    "error",
    cure="make sure that it is the right file, and whole; then send --force audience-fell",
    source="an export that broke off looks just like this",
)
def audience_fell(audience: Audience) -> Iterator[Found]:
    """A list with less than half of the people of the last issue."""
    roll, before = audience.roll, audience.before
    if roll and before and roll.counts.send * 2 < before:
        text = f"has {people(roll.counts.send)} to send to; at the last issue it had {before:,}"
        yield Found(text, path=audience.path)


@rule(
    "row-invalid",
    "warning",
    cure="correct the row; until then this person gets nothing",
    source="RFC 5321 section 4.1.2, RFC 5322 section 2.2",
)
def row_invalid(audience: Audience) -> Iterator[Found]:
    """A row that cannot be sent to: no address, or none that mail allows, or stray characters."""
    if roll := audience.roll:
        for problem in roll.problems[:NAMED]:
            yield Found(problem.text, problem.line, audience.path)
        if (more := roll.counts.invalid - NAMED) > 0:
            yield Found(f"and {more:,} more invalid rows", path=audience.path)


@rule(
    "row-repeated",
    "info",
    cure="nothing: one copy goes out; the first row counts",
    source="the local part is compared without regard to case, as nearly every server does",
)
def row_repeated(audience: Audience) -> Iterator[Found]:
    """Somebody's address in more than one row, perhaps in other letter case."""
    if (roll := audience.roll) and roll.counts.duplicate:
        rows = roll.census().repeated(NAMED)
        if rows.count:
            text = f"{people(rows.count)} with more than one row: {named(rows)}"
            yield Found(text, rows.first[0].line, audience.path)


@rule(
    "row-same-mailbox",
    "info",
    cure="if it is one person, take a row out: they are two to briefmail, and each gets a copy",
    source="Gmail ignores dots, and what follows a plus (support.google.com/mail/answer/7436150)",
)
def row_same_mailbox(audience: Audience) -> Iterator[Found]:
    """A Gmail address that differs from an earlier one by dots or a plus only."""
    if audience.roll:
        rows = audience.roll.census().same_mailbox(NAMED)
        if rows.count:
            text = f"{people(rows.count)} with the Gmail mailbox of an earlier row: {named(rows)}"
            yield Found(text, rows.first[0].line, audience.path)


@rule(
    "row-role",
    "info",
    cure="ask who reads it; several people may, and one of them may report it as spam",
    source="RFC 2142; providers of bulk mail refuse such addresses in a list",
)
def row_role(audience: Audience) -> Iterator[Found]:
    """An address of an office and not of a person: info@, secretary@."""
    if audience.roll:
        rows = audience.roll.census().local_parts(ROLES, NAMED)
        if rows.count:
            text = f"{people(rows.count)} with the address of an office: {named(rows)}"
            yield Found(text, rows.first[0].line, audience.path)
