"""``briefmail backup``."""

from pathlib import Path

import click

from briefmail.cli import output
from briefmail.cli.context import Settings


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.pass_obj
def backup(settings: Settings, file: Path) -> None:
    """Copy the newsletter's memory to a new FILE.

    That is who has had what, and who must not get any. It can be done at any time, also while a
    send is at work. A plain copy of .briefmail/ may lack the latest. Nothing is overwritten. The
    copy holds addresses: only you can read it.
    """
    settings.newsletter().backup(file)
    output.result(f"backed up to {file}")
