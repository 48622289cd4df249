"""``briefmail new``."""

import datetime as dt

import click

from briefmail.cli import output
from briefmail.cli.context import Settings
from briefmail.errors import UsageError


@click.command()
@click.argument("title")
@click.option(
    "--date",
    "day",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="YYYY-MM-DD",
    help="The day it goes out; else the next one of [schedule] without an issue.",
)
@click.option("--edit", is_flag=True, help="Open it in $EDITOR.")
@click.pass_obj
def new(settings: Settings, title: str, day: dt.datetime | None, edit: bool) -> None:
    """Begin an issue called TITLE, as a draft, and print its path."""
    path = settings.newsletter().new(title, day.date() if day else None)
    output.result(str(output.near(path)))
    if edit:
        try:
            click.edit(filename=str(path))
        except click.ClickException as error:
            raise UsageError(
                error.message, hint=f"the issue is there, at {output.near(path)}"
            ) from error
