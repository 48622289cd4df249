"""``briefmail suppress`` and ``briefmail unsuppress``."""

import click

from briefmail.cli import output
from briefmail.cli.context import Settings
from briefmail.errors import UsageError


@click.command()
@click.argument("addresses", metavar="[ADDRESS]...", nargs=-1)
@click.option("--reason", default="", metavar="TEXT", help="Why, for whoever asks later.")
@click.option("--list", "show", is_flag=True, help="Show who is suppressed, since when and why.")
@click.option("--json", "as_json", is_flag=True, help="With --list: for a program.")
@click.pass_obj
def suppress(
    settings: Settings, addresses: tuple[str, ...], reason: str, show: bool, as_json: bool
) -> None:
    """Never mail an ADDRESS again, whatever a list says.

    This is how to honour "please take me off". It holds for every issue and every list, also
    when the address is imported again, until 'briefmail unsuppress'.
    """
    newsletter = settings.newsletter()
    if not addresses and not show:
        raise UsageError("name at least one address, or ask for --list")
    for done in newsletter.suppress_all(addresses, reason) if addresses else ():
        if done.before:
            since = output.suppressed(done.before)
            output.result(f"{done.address} was suppressed already, {since}")
        else:
            output.result(f"{done.address} will not be mailed")
    if not show:
        return
    entries = newsletter.suppressions()
    if as_json:
        output.as_json(
            [{"address": e.address, "since": e.at.isoformat(), "reason": e.reason} for e in entries]
        )
        return
    for entry in entries:
        output.result(
            f"{entry.at:%Y-%m-%d}  {entry.address}  {output.escaped(entry.reason)}".rstrip()
        )
    if not entries:
        output.note("nobody is suppressed")


@click.command()
@click.argument("addresses", metavar="ADDRESS...", nargs=-1, required=True)
@click.pass_obj
def unsuppress(settings: Settings, addresses: tuple[str, ...]) -> None:
    """Let an ADDRESS be mailed again."""
    newsletter = settings.newsletter()
    done = newsletter.unsuppress_all(addresses)
    for address, removed in zip(addresses, done, strict=True):
        if removed:
            output.result(f"{address} will be mailed again, if a list has it")
        else:
            output.result(f"{address} was not suppressed")
