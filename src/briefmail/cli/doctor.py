"""``briefmail doctor``."""

import click

from briefmail.cli import findings, output
from briefmail.cli.context import Settings


@click.command()
@click.option("--strict", is_flag=True, help="Warnings count as errors.")
@click.option("--json", "as_json", is_flag=True, help="Print the result for a program.")
@click.pass_obj
def doctor(settings: Settings, strict: bool, as_json: bool) -> int:
    """Find what is wrong with how this newsletter is sent.

    Connects to the relay as a send does, asks the domain name system about your domain and says
    which record to publish, and looks at the clock and the ledger. Nothing is sent. Exit status 65
    if there are errors.
    """
    report = settings.newsletter().doctor()
    if as_json:
        findings.as_json(report, strict=strict)
    else:
        findings.report(report)
        if not report.findings:
            output.result("nothing is wrong")
    return report.exit_status(strict=strict)
