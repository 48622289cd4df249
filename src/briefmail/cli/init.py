"""``briefmail init``."""

from pathlib import Path

import click

from briefmail.cli import output


@click.command()
@click.argument("directory", metavar="[DIR]", default=".", type=click.Path(file_okay=False))
def init(directory: str) -> None:
    """Make a newsletter in DIR (here, if it is left out).

    Creates briefmail.toml, .env.example, .gitignore, recipients.csv and a first issue that
    explains itself, all ready to be sent into the sandbox. Nothing is overwritten.
    """
    from briefmail.newsletter import Newsletter

    created = Newsletter.init(Path(directory))
    for path in created:
        output.result(str(output.near(path.absolute())))
    issue = output.near(created[-1].absolute())
    output.note(f"Now try: briefmail preview {issue}   and: briefmail send {issue}")
