"""``briefmail dispatch``."""

import sys
from datetime import datetime

import click

from briefmail.cli import notices, output
from briefmail.cli.context import Settings
from briefmail.errors import UsageError


@click.command()
@click.option("--dry-run", is_flag=True, help="Only say what would be sent; changes nothing.")
@click.option(
    "--at",
    metavar="TIME",
    help="With --dry-run: at that time instead of now, such as 2016-08-24T09:00.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result for a program.")
@click.pass_obj
def dispatch(settings: Settings, dry_run: bool, at: str | None, as_json: bool) -> int:
    """Send what is due. Cron is to call it, as often as it likes.

    An issue is due when it has 'status: ready' and its time has come; the oldest goes first.
    What an earlier run left deferred goes on. A login or a content that the relay has refused is
    tried again after an hour, or once the settings or the issue have changed. [editor] email gets a
    report, and a warning of whatever needs attention, each once.

    It prints nothing and leaves with 0 when nothing is due or another one is at work. What
    cannot be mailed is printed to standard error. It never uses the sandbox.
    """
    if at and not dry_run:
        raise UsageError("--at goes with --dry-run")
    newsletter = settings.newsletter()
    if dry_run:
        found = newsletter.forecast(_time(at) if at else None)
        notices.dispatched_json(found) if as_json else notices.forecast(newsletter, found)
        return found.exit_status
    done = newsletter.dispatch(say=notices.say)
    notices.ignored(done)
    if as_json:
        notices.dispatched_json(done)
    elif output.is_terminal(sys.stderr):
        notices.dispatched(newsletter, done)
    return done.exit_status


def _time(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--at {text}: is no time such as 2016-08-24T09:00") from None
