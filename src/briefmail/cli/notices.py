"""How ``dispatch`` is printed: for cron only what could not be mailed, for a person what it did."""

from typing import TYPE_CHECKING, Any

import click

from briefmail.cli import output

if TYPE_CHECKING:
    from briefmail.newsletter import Dispatched, Newsletter, Notice, Outcome


def say(notice: "Notice") -> None:
    """Tell the editor, or whoever gets cron's mail, what is not mailed."""
    output.aside(f"{click.style(notice.subject, bold=True)}\n\n{notice.text}\n")


def ignored(done: "Dispatched") -> None:
    """Say in one line what the first dispatch in a folder leaves alone."""
    if done.ignored:
        names = ", ".join(standing.issue.name for standing in done.ignored)
        output.note(f"the first dispatch here: issues from before it go by hand only ({names})")


def dispatched(newsletter: "Newsletter", done: "Dispatched") -> None:
    """Tell a person what was done, also where the editor knows already."""
    if not done.outcomes:
        output.note("nothing is due")
    for outcome in done.outcomes:
        if outcome.summary:
            output.note(outcome.issue)
            output.totals(outcome.summary.numbers())
        if outcome.fault:
            output.error(outcome.fault)
        _waiting(newsletter, outcome)
    if done.fault:
        output.error(done.fault)


def forecast(newsletter: "Newsletter", found: "Dispatched") -> None:
    """Say what would be sent."""
    for outcome in found.outcomes:
        if outcome.plan:
            people = f"{outcome.plan.to_send:,} {output.people(outcome.plan.to_send)}"
            output.result(f"{outcome.issue} would be sent to {people}")
        if outcome.error:
            output.error(outcome.error)
        _waiting(newsletter, outcome)
    if not found.outcomes:
        output.note("nothing would be sent")
    output.note("This was a dry run: nothing was sent, and nothing was written down.")


def _waiting(newsletter: "Newsletter", outcome: "Outcome") -> None:
    """Say until when an issue is not tried, because of how the last try ended."""
    if outcome.not_before:
        until = newsletter.local(outcome.not_before)
        output.note(
            f"{outcome.issue} ended so at the last try. Dispatch does not try it again before"
            f" {until:%Y-%m-%d %H:%M %Z}, unless the settings or the issue change. 'briefmail send'"
            " does not wait."
        )


def dispatched_json(done: "Dispatched") -> None:
    """Print what was done, or would be, for a program."""
    output.as_json(
        {
            "dry_run": done.dry_run,
            "issues": [_outcome(outcome) for outcome in done.outcomes],
            "notices": [
                {"issue": each.issue or None, "event": each.event, "subject": each.subject}
                for each in done.notices
            ],
            "ignored": [standing.issue.name for standing in done.ignored],
            "error": done.fault.message if done.fault else None,
            "exit_status": done.exit_status,
        }
    )


def _outcome(outcome: "Outcome") -> dict[str, Any]:
    done = outcome.summary or outcome.plan
    return {
        "issue": outcome.issue or None,
        "path": outcome.standing.issue.path if outcome.standing else None,
        "totals": done.numbers() if done else None,
        "error": outcome.fault.message if outcome.fault else None,
        "not_before": outcome.not_before.isoformat() if outcome.not_before else None,
        "exit_status": outcome.exit_status,
    }
