"""``briefmail hold`` and ``briefmail unhold``."""

import click

from briefmail.cli import output
from briefmail.cli.context import Settings


@click.command()
@click.argument("issue")
@click.pass_obj
def hold(settings: Settings, issue: str) -> None:
    """Hold ISSUE back. It does not go out, by itself or by 'briefmail send'.

    If it is just being sent, that ends within seconds: messages that are with the relay are
    finished, and everybody else is left for later. 'briefmail unhold' lets it go on.
    """
    done = settings.newsletter(issue).hold(issue)
    output.result(f"{done.issue} is held back" if done.changed else f"{done.issue} was held before")
    output.note(f"'briefmail unhold {done.issue}' lets it go on")


@click.command()
@click.argument("issue")
@click.pass_obj
def unhold(settings: Settings, issue: str) -> None:
    """Let ISSUE go on that was held back.

    It goes by itself if it is due and not too late, or by 'briefmail send'.
    """
    done = settings.newsletter(issue).unhold(issue)
    output.result(
        f"{done.issue} is no longer held" if done.changed else f"{done.issue} was not held"
    )
