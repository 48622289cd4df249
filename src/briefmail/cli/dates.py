"""How ``schedule`` is printed: the dates to come, the line for cron, the units for systemd."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from briefmail.cli import output

if TYPE_CHECKING:
    from briefmail.newsletter import Newsletter, Slot, Standing, Unit

# state -> what it means to the editor, and a colour
WORDS = {
    "due": ("ready, and its time has come", "green"),
    "under_way": ("ready, and under way", "green"),
    "waiting": ("ready", "green"),
    "missed": ("ready, but too late to go by itself: 'briefmail send' sends it", "red"),
    "held": ("ready, but held back", "yellow"),
    "draft": ("draft", "yellow"),
    "draft_due": ("still a draft", "red"),
    "by_hand": ("no status: goes by hand only", "yellow"),
    "unreadable": ("cannot be read", "red"),
    "closed": ("has gone out", None),
    "twin": ("ready, but seems to be the same as {other}: goes by hand only", "red"),
    "elsewhere": ("ready, but another copy of this folder is sending it", "red"),
    "before_first": ("ready, but from before: goes by hand only", "yellow"),
}
NO_ISSUE = "no issue yet"
FOLDER = "~/.config/systemd/user"


def slots(newsletter: "Newsletter", found: "Sequence[Slot]") -> None:
    """Print a line for each date, and what is wrong with an issue below it."""
    if not found:
        output.note("no dates: [schedule] in briefmail.toml sets them, or an issue's own date")
        return
    times = [f"{newsletter.local(slot.at):%a %Y-%m-%d %H:%M %Z}" for slot in found]
    names = [_file(slot.standing) for slot in found]
    wide, wider = max(map(len, times)), max(map(len, names))
    for slot, time, name in zip(found, times, names, strict=True):
        word, colour = _word(slot.standing)
        output.result(
            f"{time.ljust(wide)}  {name.ljust(wider)}  {click.style(word, fg=colour)}".rstrip()
        )
    wrong = [each for slot in found if slot.standing for each in slot.standing.issue.problems]
    output.problems(wrong, len(wrong))


def _file(standing: "Standing | None") -> str:
    return str(output.near(standing.issue.path)) if standing else ""


def _word(standing: "Standing | None") -> tuple[str, str | None]:
    if standing is None:
        return NO_ISSUE, "red"
    word, colour = WORDS[standing.state]
    return word.format(other=standing.other), colour


def slots_json(newsletter: "Newsletter", found: "Sequence[Slot]") -> None:
    """Print the dates for a program."""
    output.as_json(data(newsletter, found))


def data(newsletter: "Newsletter", found: "Sequence[Slot]") -> list[dict[str, Any]]:
    """The dates for a program; times by the newsletter's clock, with their offset."""
    return [
        {
            "at": newsletter.local(slot.at).isoformat(),
            "path": slot.standing.issue.path if slot.standing else None,
            "issue": slot.standing.issue.name if slot.standing else None,
            "status": slot.standing.issue.status if slot.standing else None,
            "state": slot.standing.state if slot.standing else "no_issue",
            "other": (slot.standing.other or None) if slot.standing else None,
            "problems": [str(each) for each in slot.standing.issue.problems]
            if slot.standing
            else [],
        }
        for slot in found
    ]


def crontab(line: str) -> None:
    """Print the line, and say what to do with it."""
    output.result(line)
    output.note("Add it to what 'crontab -e' opens.")


def systemd(units: "Sequence[Unit]") -> None:
    """Print the units one below the other, each after the name of its file."""
    output.result("\n".join(f"# {FOLDER}/{unit.name}\n{unit.text}" for unit in units).rstrip())
    output.note(
        f"Save them under these names, then: systemctl --user enable --now {units[-1].name}"
    )
    output.note("So that it runs while you are not logged in: loginctl enable-linger")
