"""The command line. Here it is only put together; each command is a module of its own."""

import click

from briefmail import __version__
from briefmail.cli.backup import backup
from briefmail.cli.check import check
from briefmail.cli.context import Settings, Whereabouts
from briefmail.cli.dispatch import dispatch
from briefmail.cli.dkim import dkim
from briefmail.cli.doctor import doctor
from briefmail.cli.door import run
from briefmail.cli.hold import hold, unhold
from briefmail.cli.init import init
from briefmail.cli.migrate import migrate_to
from briefmail.cli.new import new
from briefmail.cli.preview import preview
from briefmail.cli.schedule import schedule
from briefmail.cli.send import send
from briefmail.cli.settle import settle
from briefmail.cli.status import status
from briefmail.cli.suppress import suppress, unsuppress
from briefmail.cli.who import who

EPILOG = """\
Begin with 'briefmail init', write in issues/, and look at it with 'briefmail preview'.
Until a relay is set (SMTP_HOST), 'briefmail send' delivers into outbox/ only.

Exit statuses: 0 done; 2 wrong use; 65 the issue or the list needs correcting; 70 internal
error; 74 disk or memory damaged; 75 try again later; 78 settings or login; 130/143
interrupted, nothing is lost.
"""


class InReadingOrder(click.Group):
    """Lists its commands in the order in which an editor meets them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names as they were added."""
        return list(self.commands)


@click.group(
    cls=InReadingOrder,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 96},
    epilog=EPILOG.replace("\n\n", "\n\n\b\n"),
)
@click.option(
    "-C",
    "folder",
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False),
    help="The newsletter's folder; else it is found from the issue's path upwards.",
)
@click.option("-v", "--verbose", is_flag=True, help="Show what is being done.")
@click.version_option(__version__, prog_name="briefmail")
@click.pass_context
def cli(context: click.Context, folder: str | None, verbose: bool) -> None:
    """Send a newsletter that is a folder of text files: to everybody, exactly once."""
    context.obj = Settings(folder, verbose, context.ensure_object(Whereabouts))


for command in (
    init,
    new,
    preview,
    check,
    send,
    schedule,
    dispatch,
    hold,
    unhold,
    status,
    who,
    settle,
    suppress,
    unsuppress,
    backup,
    migrate_to,
    doctor,
    dkim,
):
    cli.add_command(command)


def main() -> None:
    """Run the command line and leave with its exit status."""
    run(cli)
