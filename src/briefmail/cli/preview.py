"""``briefmail preview``."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from briefmail.cli import output
from briefmail.cli.context import Settings
from briefmail.errors import UsageError

if TYPE_CHECKING:
    from rich.text import Text

    from briefmail.newsletter import Preview

SHOWN_HEADERS = ("From", "To", "Reply-To", "Subject", "Date")


@click.command()
@click.argument("issue", type=click.Path(path_type=Path))
@click.option("--as", "as_address", metavar="ADDRESS", help="As this recipient gets it.")
@click.option("--text", is_flag=True, help="The exact plain-text part.")
@click.option("--html", is_flag=True, help="The exact HTML part.")
@click.option("--raw", is_flag=True, help="The exact message, headers and all.")
@click.option("--browser", is_flag=True, help="Open the page in a browser.")
@click.pass_obj
def preview(settings: Settings, /, issue: Path, as_address: str | None, **forms: bool) -> None:
    """Show ISSUE as a recipient gets it, here in the terminal.

    It is made for the first person on the list, or for the one named with --as. The links for
    leaving do nothing.
    """
    chosen = [name for name, asked in forms.items() if asked]
    if len(chosen) > 1:
        raise UsageError(f"{' and '.join(f'--{name}' for name in chosen)}: choose one of them")
    shown = settings.newsletter(issue).preview(issue, as_address=as_address)
    match chosen:
        case ["text"]:
            output.raw(shown.text.encode())
        case ["html"]:
            output.raw(shown.html.encode())
        case ["raw"]:
            output.raw(shown.message.data)
        case ["browser"]:
            _open_in_browser(shown)
        case _:
            _print(shown)


def _print(shown: "Preview") -> None:
    """Headers and the text by rich, in the width of the terminal."""
    from rich.console import Console, Group
    from rich.markdown import Markdown
    from rich.panel import Panel
    from rich.table import Table

    table = Table.grid(padding=(0, 2))
    for name, value in shown.headers:
        if name in SHOWN_HEADERS:
            table.add_row(f"[bold]{name}[/bold]", _literal(value))
    table.add_row("[bold]Preheader[/bold]", _literal(shown.preheader))
    console = Console(highlight=False, color_system=output.colour_system())
    # Through output, like everything: rich would end the program when "| head" has seen enough.
    with console.capture() as drawn:
        console.print(Panel(Group(table), border_style="dim"))
        console.print(Markdown(shown.markdown), end="")
    output.result(drawn.get())


def _literal(text: str) -> "Text":
    from rich.text import Text

    return Text(text)


def _open_in_browser(shown: "Preview") -> None:
    """Write the page, with its pictures beside it, into a temporary folder and open it."""
    import tempfile

    folder = Path(tempfile.mkdtemp(prefix="briefmail-"))
    page = shown.html
    for number, (content_id, (mime_type, data)) in enumerate(shown.pictures.items()):
        picture = folder / f"picture{number}.{mime_type.partition('/')[2]}"
        picture.write_bytes(data)
        page = page.replace(f"cid:{content_id}", picture.name)
    path = folder / f"{shown.edition.name}.html"
    path.write_text(page, encoding="utf-8")
    output.result(str(path))
    click.launch(path.as_uri())
