"""``briefmail init``."""

from pathlib import Path

import click

from briefmail.cli import output
from briefmail.cli.context import Settings


@click.command()
@click.argument("directory", metavar="[DIR]", default=".", type=click.Path(file_okay=False))
@click.pass_obj
def init(settings: Settings, directory: str) -> None:
    """Make a newsletter in DIR (here, if it is left out).

    Creates briefmail.toml, .env.example, .gitignore, recipients.csv and a first issue that
    explains itself, all ready to be sent into the sandbox. Nothing is overwritten.
    """
    from briefmail.newsletter import Newsletter

    created = Newsletter.init(Path(settings.folder or ".") / directory)
    for path in created:
        output.result(str(output.near(path.absolute())))
    issue = output.near(created[-1].absolute())
    output.note(f"Now try: briefmail preview {issue}   and: briefmail send {issue}")
