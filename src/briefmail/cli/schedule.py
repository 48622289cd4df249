"""``briefmail schedule``."""

import click

from briefmail.cli import dates
from briefmail.cli.context import Settings
from briefmail.errors import UsageError


@click.command()
@click.option(
    "--count", type=click.IntRange(1, 500), default=6, show_default=True, help="How many dates."
)
@click.option("--json", "as_json", is_flag=True, help="Print the result for a program.")
@click.option("--crontab", is_flag=True, help="Print the line for cron that sends what is due.")
@click.option("--systemd", is_flag=True, help="Print the units for systemd that do the same.")
@click.pass_obj
def schedule(settings: Settings, count: int, as_json: bool, crontab: bool, systemd: bool) -> None:
    """Show the next dates, with the issue that each has or lacks.

    They are the days of [schedule] in briefmail.toml, and those of issues with a date of their
    own. An issue goes out by itself when it has 'status: ready' and its time has come, once the
    line that --crontab prints, or the units of --systemd, are installed.
    """
    if as_json + crontab + systemd > 1:
        raise UsageError("--json, --crontab and --systemd: choose one of them")
    newsletter = settings.newsletter()
    if crontab:
        dates.crontab(newsletter.crontab())
    elif systemd:
        dates.systemd(newsletter.systemd())
    elif as_json:
        dates.slots_json(newsletter, newsletter.dates(count))
    else:
        dates.slots(newsletter, newsletter.dates(count))
