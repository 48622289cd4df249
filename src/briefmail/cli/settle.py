"""``briefmail settle``."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from briefmail.cli import output
from briefmail.cli.context import Settings
from briefmail.errors import UsageError

if TYPE_CHECKING:
    from briefmail.newsletter import SettlePlan


@click.command()
@click.argument("issue", type=click.Path(path_type=Path))
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="Print the result for a program.")
@click.pass_obj
def settle(settings: Settings, issue: Path, yes: bool, as_json: bool) -> None:
    """Write down that ISSUE went out by other means.

    Everybody on the present list who could still be sent to counts as settled by hand, and
    'briefmail send' sends it to none of them. Nothing is sent.
    """
    if not yes and not output.is_terminal(sys.stdin, sys.stderr):
        raise UsageError(
            "there is no terminal to ask at", hint="add --yes to settle without being asked"
        )

    def confirm(plan: "SettlePlan") -> bool:
        question = (
            f"Write down that {plan.to_settle:,} {output.people(plan.to_settle)} have"
            f" {plan.edition.name}, and never send it to them?"
        )
        return yes or click.confirm(question, default=False, err=True)

    done = settings.newsletter(issue).settle(issue, confirm=confirm)
    name = done.plan.edition.name
    if as_json:
        output.as_json({"issue": name, "confirmed": done.confirmed, "by_hand": done.by_hand})
    elif done.confirmed:
        output.result(f"{name}: {done.by_hand:,} {output.people(done.by_hand)} settled by hand")
    else:
        output.note("nothing was written down")
