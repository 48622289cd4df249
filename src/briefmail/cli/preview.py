"""``briefmail preview``."""

import os
import re
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from briefmail.cli import output
from briefmail.cli.context import Settings
from briefmail.errors import UsageError

if TYPE_CHECKING:
    from rich.text import Text

    from briefmail.newsletter import Newsletter, Preview

_PULL_OUT = re.compile(r"^(:{3,}) *pull-out *\n(.*?)^\1 *$", re.M | re.S)
SHOWN_HEADERS = ("From", "To", "Reply-To", "Subject", "Date")


@click.command()
@click.argument("issue", type=click.Path(path_type=Path))
@click.option("--as", "as_address", metavar="ADDRESS", help="As this recipient gets it.")
@click.option("--text", is_flag=True, help="The exact plain-text part.")
@click.option("--html", is_flag=True, help="The exact HTML part.")
@click.option("--raw", is_flag=True, help="The exact message, headers and all.")
@click.option("--browser", is_flag=True, help="In a browser, and anew at every change.")
@click.option(
    "--screenshot",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Write pictures of it into DIR, by a Chromium that is installed.",
)
@click.pass_obj
def preview(
    settings: Settings,
    /,
    issue: Path,
    as_address: str | None,
    browser: bool,
    screenshot: Path | None,
    **forms: bool,
) -> None:
    """Show ISSUE as a recipient gets it, here in the terminal.

    It is made for the first person on the list, or for the one named with --as. The links for
    leaving do nothing. With --browser it stays open and follows what you write, with the findings
    of 'briefmail check' beside it, until Ctrl-C.
    """
    chosen = [name for name, asked in forms.items() if asked]
    chosen += ["browser"] * browser + ["screenshot"] * (screenshot is not None)
    if len(chosen) > 1:
        raise UsageError(f"{' and '.join(f'--{name}' for name in chosen)}: choose one of them")
    newsletter = settings.newsletter(issue)
    if browser:
        _serve(newsletter, issue)
        return
    if screenshot:
        _take_pictures(newsletter, issue, screenshot, as_address)
        return
    shown = newsletter.preview(issue, as_address=as_address)
    match chosen:
        case ["text"]:
            output.raw(shown.text.encode())
        case ["html"]:
            output.raw(shown.html.encode())
        case ["raw"]:
            output.raw(shown.message.data)
        case _:
            _print(shown)


def _serve(newsletter: "Newsletter", issue: Path) -> None:
    """Show the issue in a browser until Ctrl-C."""
    from threading import Event

    from briefmail.web import PreviewServer

    with newsletter.desk(issue) as desk, PreviewServer(desk) as server:
        output.result(server.url)
        output.note("It follows what you write; Ctrl-C ends it.")
        if _has_screen():
            click.launch(server.url)
        with suppress(KeyboardInterrupt):
            Event().wait()
    output.note("the preview has ended")


def _has_screen() -> bool:
    """Whether a browser could open here; without one, whatever looks for one complains at length.

    On Unix a screen has a name in the environment.
    """
    return sys.platform in {"win32", "darwin"} or any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY")
    )


def _take_pictures(
    newsletter: "Newsletter", issue: Path, folder: Path, as_address: str | None
) -> None:
    from briefmail.web import take_screenshots

    key = newsletter.preview(issue, as_address=as_address).recipient.key
    with newsletter.desk(issue) as desk:
        for path in take_screenshots(desk, folder, key):
            output.result(str(path))


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
        console.print(Markdown(_PULL_OUT.sub(_as_quote, shown.markdown)), end="")
    output.result(drawn.get())


def _as_quote(pull_out: re.Match[str]) -> str:
    """A pull-out as rich can draw it: it knows quotes, and prints the colons as they are."""
    return re.sub("^", "> ", pull_out[2].rstrip(), flags=re.M)


def _literal(text: str) -> "Text":
    from rich.text import Text

    return Text(text)
