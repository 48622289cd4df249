"""``briefmail dkim``."""

from typing import TYPE_CHECKING

import click

from briefmail.cli import output
from briefmail.cli.context import Settings

if TYPE_CHECKING:
    from briefmail.newsletter import DkimRecord


@click.group()
def dkim() -> None:
    """Sign the mail: make a key, and show what DNS must say."""


@dkim.command()
@click.option("--ed25519", is_flag=True, help="An Ed25519 key, to sign with beside the RSA one.")
@click.option("--selector", metavar="NAME", help="Its name in DNS; else what is set, or briefmail.")
@click.pass_obj
def keygen(settings: Settings, ed25519: bool, selector: str | None) -> None:
    """Make a key that signs the mail, and print the DNS record to publish.

    The key goes to keys/NAME.pem, which only you can read and git leaves alone, or to the file that
    briefmail.toml has under [dkim]. Nothing is overwritten. It is an RSA key, which every receiver
    knows; fewer know Ed25519.
    """
    made = settings.newsletter().new_dkim_key("ed25519" if ed25519 else "rsa", selector)
    output.note(f"made {output.near(made.path)}: keep it to yourself")
    output.note("\n1. Publish this in the DNS of your domain:\n")
    _show(made.record)
    if made.settings:
        output.note("\n2. Once it is there, set this in briefmail.toml, under [dkim]:\n")
        output.result("\n".join(made.settings))


@dkim.command()
@click.pass_obj
def record(settings: Settings) -> None:
    """Print the DNS records that belong to the keys in briefmail.toml. DNS is not asked."""
    for number, one in enumerate(settings.newsletter().dkim_records()):
        if number:
            output.note("")
        _show(one)


def _show(record: "DkimRecord") -> None:
    """Print a record for a web form, and for a zone file, where strings have a limit."""
    output.note("type   TXT")
    output.note(f"name   {record.name}")
    output.note(f"value  {record.text}")
    output.note("\nor, in a zone file:\n")
    output.result(record.zone_line)
