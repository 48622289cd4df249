"""``briefmail who``."""

import click

from briefmail.cli import report
from briefmail.cli.context import Settings


@click.command()
@click.argument("address")
@click.option("--json", "as_json", is_flag=True, help="Print the result for a program.")
@click.pass_obj
def who(settings: Settings, address: str, as_json: bool) -> None:
    """Show which issues ADDRESS has had.

    With each, when, and what the relay answered.
    """
    person = settings.newsletter().who(address)
    report.who_json(person) if as_json else report.who(person)
