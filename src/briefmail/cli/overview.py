"""How ``status`` without an issue is printed: what went out, what comes next, what is held."""

from datetime import datetime
from typing import TYPE_CHECKING

import click

from briefmail.cli import dates, output, report

if TYPE_CHECKING:
    from briefmail.newsletter import Newsletter

DATES = 3
"""How many dates to come are shown; ``schedule`` shows more."""


def show(newsletter: "Newsletter") -> None:
    """Print a line for each edition, the next dates, and what is held back."""
    report.editions(newsletter.editions())
    if found := newsletter.dates(DATES):
        output.result(click.style("\nNext", bold=True))
        dates.slots(newsletter, found)
    if held := newsletter.holds():
        output.result(click.style("\nHeld back", bold=True))
    for issue, since in held.items():
        output.result(f"{issue}  since {_time(newsletter, since)}; 'briefmail unhold {issue}'")


def as_json(newsletter: "Newsletter") -> None:
    """Print the same for a program."""
    output.as_json(
        {
            "editions": report.editions_data(newsletter.editions()),
            "next": dates.data(newsletter, newsletter.dates(DATES)),
            "held": {
                issue: newsletter.local(since).isoformat()
                for issue, since in newsletter.holds().items()
            },
        }
    )


def _time(newsletter: "Newsletter", moment: datetime) -> str:
    return f"{newsletter.local(moment):%Y-%m-%d %H:%M %Z}"
