"""Everything that the command line prints, in one place.

Results go to standard output, everything about them to standard error. Colour is only for a
terminal, and not with ``NO_COLOR`` (https://no-color.org).
"""

import json
import os
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TextIO

import click

from briefmail.errors import BriefmailError, InputError, Problem

if TYPE_CHECKING:
    from briefmail.newsletter import (
        Delivery,
        Finding,
        Plan,
        Recipient,
        Relay,
        Summary,
        Suppression,
        TestResult,
        Wait,
    )

PROBLEMS_SHOWN = 20

# name in the totals -> what a person calls it
LABELS = {
    "to_send": "to be sent to",
    "sent": "sent",
    "refused": "refused by the relay",
    "deferred": "deferred, will be tried again",
    "uncertain": "uncertain, never sent again unasked",
    "not_tried": "not tried",
    "by_others": "seen to by other machines",
    "already": "already has it",
    "by_hand": "settled by hand",
    "settled": "refused or uncertain before",
    "expired": "given up",
    "did_not_get": "did not get what this corrects",
    "duplicate": "duplicate",
    "invalid": "invalid",
    "opted_out": "opted out in the list",
    "suppressed": "suppressed",
    "filtered": "left out by --only",
}


def is_terminal(*streams: TextIO | None) -> bool:
    """Whether a person is at each of these; a stream that was closed before we began is None."""
    return all(stream is not None and stream.isatty() for stream in streams)


def colour_system() -> Literal["auto"] | None:
    """What rich may colour with."""
    return None if os.environ.get("NO_COLOR") else "auto"


def _say(text: str, *, err: bool = False) -> None:
    click.echo(text, err=err, color=False if os.environ.get("NO_COLOR") else None)


def result(text: str) -> None:
    """Print a result to standard output."""
    _say(text)


def raw(data: bytes) -> None:
    """Write bytes to standard output as they are."""
    click.echo(data, nl=False)


def as_json(value: Any) -> None:
    """Print a result for a program."""
    _say(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def note(text: str) -> None:
    """Say something about the work to standard error."""
    _say(click.style(text, dim=True), err=True)


def aside(text: str) -> None:
    """Say to standard error what is no result, and is to be read."""
    _say(text, err=True)


def error(failure: BriefmailError) -> None:
    """Print an error: each problem on its line, and the hint."""
    if isinstance(failure, InputError):
        for problem in failure.problems:
            _say(_problem(problem), err=True)
    else:
        _say(click.style("error: ", fg="red") + failure.message, err=True)
    if failure.hint:
        _say(click.style("hint: ", fg="cyan") + failure.hint, err=True)


def internal_error(failure: Exception, log: Path | None) -> None:
    """Print the one line that a user sees of a bug."""
    place = f"; details are in {near(log)}" if log else ""
    what = f"{type(failure).__name__}: {failure}".splitlines()[0]
    _say(f"{click.style('internal error', fg='red')}: {what}{place}", err=True)


def problems(found: Iterable[Problem], total: int) -> None:
    """Print problems that stop nothing, the first of many."""
    shown = list(found)[:PROBLEMS_SHOWN]
    for problem in shown:
        _say(_problem(problem), err=True)
    if total > len(shown):
        note(f"... and {total - len(shown)} more")


def escaped(text: str) -> str:
    """Text that somebody typed in, with everything escaped that a terminal would obey."""
    from briefmail.newsletter import printable

    return printable(text)


def suppressed(entry: "Suppression") -> str:
    """Since when somebody is suppressed, and why, if that was said."""
    reason = f": {escaped(entry.reason)}" if entry.reason else ""
    return f"since {entry.at:%Y-%m-%d}{reason}"


def _problem(problem: Problem) -> str:
    return f"{place(problem.path, problem.line)} {problem.text}"


def place(path: Path, line: int | None) -> str:
    """A file as one would type it here, and the line, for an editor to jump to."""
    where = f"{near(path)}:{line}" if line is not None else str(near(path))
    return click.style(f"{where}:", bold=True)


def near(path: Path) -> Path:
    """A path as one would type it here."""
    try:
        return path.relative_to(Path.cwd())
    except (ValueError, OSError):  # it is elsewhere, or "here" has been deleted
        return path


# --- send -----------------------------------------------------------------------------------------


def plan(planned: "Plan") -> None:
    """Show what a send is about to do."""
    edition = planned.edition
    left = planned.to_send - planned.to_try
    lines = {
        "Subject": planned.first_subject or edition.issue.title,
        "From": str(edition.sender),
        "Relay": relay(planned.relay),
        "List": f"{near(planned.list_path)}: {planned.counts.rows:,} {rows(planned.counts.rows)}",
        "To send": f"{planned.to_try:,} {people(planned.to_try)}"
        + (f", and {left:,} later" if left else ""),
        **({"Signed": " and ".join(map(str, planned.signed_by))} if planned.signed_by else {}),
        **_asked_for(planned),
    }
    for name, value in lines.items():
        _say(f"{click.style(name.rjust(8), bold=True)}  {value}", err=True)
    if planned.closed_at:
        again = planned.again_uncertain + planned.again_refused + planned.again_expired
        new = "" if again else f" who {'is' if planned.to_send == 1 else 'are'} new"
        _warn(
            f"this issue was finished on {planned.closed_at[:10]}; it is opened again for"
            f" {planned.to_send:,} {people(planned.to_send)}{new}"
        )
    if planned.to_send and planned.expired:
        _warn(
            f"{planned.expired:,} {people(planned.expired)} on the list were given up and are left"
            " out; --force given-up sends to them too"
        )
    if planned.warning:
        _warn(planned.warning)
    for record in planned.signed_by:
        if record.weak:
            _warn(f"the DKIM key {record.selector} has {record.bits} bits; make one of 2048")
    if count := len(planned.report.of("warning")):
        found = click.style(f"{count} {'warning' if count == 1 else 'warnings'}:", fg="yellow")
        _say(f"{found} briefmail check {near(edition.issue.path)}", err=True)


def _warn(text: str) -> None:
    """Say what deserves attention and stops nothing."""
    _say(click.style("warning: ", fg="yellow") + text, err=True)


def _asked_for(planned: "Plan") -> dict[str, str]:
    """What a plan has because the editor asked for it, among those to send to."""
    lines = {}
    again = {
        "uncertain, who may have it already": planned.again_uncertain,
        "who were refused": planned.again_refused,
        "who were given up": planned.again_expired,
    }
    if parts := [f"{count:,} {who}" for who, count in again.items() if count]:
        lines["Again"] = ", and ".join(parts)
    if planned.did_not_get or planned.may_lack:
        lines["Corrects"] = f"{planned.did_not_get:,} did not get it and are left out"
        if planned.may_lack:
            lines["Corrects"] += f"; {planned.may_lack:,} may or may not have got it"
    return lines


def relay(settings: "Relay | None") -> str:
    """Where mail goes."""
    if settings is None:
        return "sandbox, into outbox/"
    return f"{settings.host}:{settings.port} ({settings.security})"


def recipients(planned: "Plan") -> None:
    """Name whom a send would be tried for, the first of many."""
    shown = planned.people[: planned.to_try]
    for person in shown:
        result(f"{person.name} <{person.address}>" if person.name else person.address)
    if planned.to_try > len(shown):
        result(f"... and {planned.to_try - len(shown):,} more")


def delivery(person: "Recipient", done: "Delivery") -> None:
    """Say what became of one person's message."""
    note(f"{done.state} {person.address}: {done}")


def waiting(wait: "Wait") -> None:
    """Say what is waited for, and until when."""
    note(wait_in_words(wait, datetime.now().astimezone()))


def wait_in_words(wait: "Wait", now: datetime) -> str:
    """What a send waits for at ``now``, and the local time until which it does."""
    parts = [f"{wait.people:,} deferred"] if wait.people else []
    parts += [wait.relay] if wait.relay else []
    until = now + timedelta(seconds=wait.seconds)
    return f"waiting until {until:%H:%M:%S}: {'; '.join(parts)}"


def people(number: int) -> str:
    """The word after a number of people."""
    return "person" if number == 1 else "people"


def rows(number: int) -> str:
    """The word after a number of rows."""
    return "row" if number == 1 else "rows"


def totals(numbers: dict[str, int]) -> None:
    """Print totals that add up: the rows of the list, and where each of them went."""
    width = max(len(f"{value:,}") for value in numbers.values())
    _say(f"{numbers['rows']:>{width},} {rows(numbers['rows'])} in the list")
    for name, value in numbers.items():
        if name != "rows" and (value or name in {"sent", "to_send"}):
            label = LABELS[name]
            colour = {"sent": "green", "refused": "red", "uncertain": "red"}.get(name)
            _say(f"{value:>{width},} {click.style(label, fg=colour)}")


def summary(done: "Summary") -> None:
    """Print what a send did, who was refused, and how to go on."""
    for entry in done.named:
        reply = f": {entry.reply}" if entry.reply else f": {entry.reason}"
        _say(f"{entry.state} {entry.address}{reply}", err=True)
    totals(done.numbers())
    if done.outbox:
        note(
            "No relay is set, so nothing left this machine: each message is a file in"
            f" {near(done.outbox / 'new')}."
        )
        note("Open one with your mail program. To send for real, set SMTP_HOST in .env.")
    if done.copy:
        fault = f" was not sent: {done.copy.fault}" if done.copy.fault else " was sent"
        note(f"your copy, to {done.copy.to},{fault}")
    if done.stopped:
        error(done.stopped)
    elif done.interrupted:
        note("interrupted; the same command goes on with everybody who is left")


def finding_data(finding: "Finding") -> dict[str, Any]:
    """A finding for a program. The shape is documented in docs/checks.md."""
    return {
        "rule": finding.rule,
        "group": finding.group,
        "severity": finding.severity,
        "text": finding.text,
        "cure": finding.cure,
        "path": finding.path,
        "line": finding.line,
    }


def plan_json(planned: "Plan") -> None:
    """Print what a send would do for a program."""
    as_json(
        {
            "issue": planned.edition.name,
            "subject": planned.first_subject,
            "dry_run": True,
            "relay": planned.relay.host if planned.relay else None,
            "signed_by": [record.name for record in planned.signed_by],
            "totals": planned.numbers(),
            "to_try": planned.to_try,
            "again": {
                "uncertain": planned.again_uncertain,
                "refused": planned.again_refused,
                "expired": planned.again_expired,
            },
            "may_lack_what_it_corrects": planned.may_lack,
            "recipients": [person.address for person in planned.people[: planned.to_try]],
            "problems": [str(problem) for problem in planned.problems],
            "warning": planned.warning,
            "closed_at": planned.closed_at,
            "error": planned.refusal.message if planned.refusal else None,
            "way_on": planned.ways_on,
            "findings": [finding_data(finding) for finding in planned.report.findings],
            "first_message": planned.first.data.decode() if planned.first else None,
        }
    )


def summary_json(done: "Summary") -> None:
    """Print what a send did for a program."""
    planned = done.plan
    as_json(
        {
            "issue": planned.edition.name,
            "subject": planned.first_subject,
            "dry_run": False,
            "relay": planned.relay.host if planned.relay else None,
            "outbox": done.outbox,
            "copy": {"to": done.copy.to, "fault": done.copy.fault} if done.copy else None,
            "totals": done.numbers(),
            "problems": [str(problem) for problem in planned.problems],
            "findings": [finding_data(finding) for finding in planned.report.findings],
            "named": [
                {
                    "address": entry.address,
                    "state": entry.state,
                    "reply": str(entry.reply) if entry.reply else entry.reason,
                }
                for entry in done.named
            ],
            "error": done.stopped.message if done.stopped else None,
            "exit_status": done.exit_status,
        }
    )


def test_result(done: "TestResult") -> None:
    """Print what became of a test copy."""
    who = done.recipient.address
    if done.delivery.state == "sent":
        where = f"filed in {near(done.outbox / 'new')}" if done.outbox else "sent"
        result(f"test copy for {done.to}, as {who}: {where}")
    else:
        result(f"test copy for {done.to}, as {who}: {done.delivery}")
