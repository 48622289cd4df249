"""``briefmail status``."""

from pathlib import Path

import click

from briefmail.cli import overview, report
from briefmail.cli.context import Settings
from briefmail.errors import UsageError


@click.command()
@click.argument("issue", required=False)
@click.option(
    "--failed-to",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the rows of those who may lack ISSUE, and why, as a list to send to.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result for a program.")
@click.pass_obj
def status(settings: Settings, issue: str | None, failed_to: Path | None, as_json: bool) -> None:
    """Show what became of ISSUE, or of every issue.

    Of one: totals, what the relay answered, who is uncertain, and the command that goes on. Of
    every issue a line, and below what comes next. It reads only, and may be asked while a send is
    at work.
    """
    if issue is None:
        if failed_to:
            raise UsageError("--failed-to needs an ISSUE")
        overview.as_json(settings.newsletter()) if as_json else overview.show(settings.newsletter())
        return
    newsletter = settings.newsletter(issue)
    standing = newsletter.status(issue)
    written = newsletter.write_failures(issue, failed_to) if failed_to else None
    if as_json:
        report.status_json(standing, written)
    elif written:
        report.failures(written, standing.issue)
    else:
        report.status(standing)
