"""A notice: one thing that the editor should know, and what makes it the same as an earlier one."""

from dataclasses import dataclass
from typing import Literal

from briefmail.errors import BriefmailError, InputError

Event = Literal[
    "finished",  # an issue has gone out, as far as it ever will by itself
    "left",  # a dispatch has ended, and some people are left
    "stopped",  # an issue is due and does not go, until somebody does something
    "nobody",  # an issue is due, and nobody on the list is to get it
    "draft",  # an issue is due tomorrow, or today, and is still a draft
    "missed",  # an issue is too late to go by itself
    "unreadable",  # nobody can tell whether an issue is ready
    "undated",  # an issue is ready, and nobody can tell for when
    "twin",  # an issue is ready, and is another one as well
    "elsewhere",  # an issue is ready, and another copy of the folder is sending it
    "empty_slot",  # a day of the calendar is near, and has no issue
    "mail",  # a notice could not be mailed
]


@dataclass(frozen=True, slots=True)
class Notice:
    """``issue``, ``event`` and ``cause`` say whether the editor has been told of it already.

    ``issue`` is the name of an edition, "" where it is about none; ``cause`` is never shown.
    ``text`` ends without a line break.
    """

    issue: str
    event: Event
    cause: str
    subject: str
    text: str


def stopped(issue: str, error: BriefmailError) -> Notice:
    """Tell that an issue, or with "" everything, does not go because of an error.

    A relay words the same refusal differently each time; so it counts as the same.
    """
    cause = error.message if isinstance(error, InputError) else type(error).__name__
    hint = f"\n\n{error.hint}" if error.hint else ""
    return Notice(
        issue,
        "stopped",
        cause,
        f"{issue or 'The newsletter'} does not go out",
        f"{error.message}{hint}\n\nUntil that is settled, it is tried again at each dispatch.",
    )


def nobody(issue: str) -> Notice:
    """Tell that an issue is due and that there is nobody to send it to."""
    return Notice(
        issue,
        "nobody",
        "",
        f"{issue} goes to nobody",
        "It is due, and nobody on the list is to get it: everybody has opted out, is suppressed, or"
        " the list is empty.",
    )
