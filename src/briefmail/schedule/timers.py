"""What calls us to look whether something is due: a line for cron, units for systemd.

Every five minutes, whatever the calendar says: to look costs little, and what is due, what is
late and what is to be tried again are decided there and not here.
"""

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from briefmail.errors import UsageError

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
# crontab(5) says how to write a percent sign, and crons disagree about backslashes before one.
_NOT_FOR_CRON = re.compile(rf"{_CONTROL.pattern}|\\")
# systemd.service(5): what is run must have a path without quotes, backslashes and controls.
_NOT_FOR_SYSTEMD = re.compile(rf"{_CONTROL.pattern}|[\"'\\]")
_NAME = re.compile(r"[^A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit file of systemd: its name, and its text."""

    name: str
    text: str


def crontab_line(command: Sequence[str]) -> str:
    """Return the line that runs a command every five minutes.

    Raises :class:`UsageError` for a path that a crontab cannot hold.
    """
    words = shlex.join(command)
    if _NOT_FOR_CRON.search(words):
        raise UsageError(
            f"a crontab cannot hold a path with a backslash or a control character: {words!r}",
            hint="give it a path without, such as a link",
        )
    return "*/5 * * * * " + words.replace("%", r"\%")


def systemd_units(newsletter: str, command: Sequence[str]) -> tuple[Unit, Unit]:
    """Return the service that runs a command once, and the timer that starts it.

    ``newsletter`` is what they are called after. Raises :class:`UsageError` for a program that
    systemd cannot run.
    """
    program, *words = command
    if _NOT_FOR_SYSTEMD.search(program):
        raise UsageError(
            f"systemd runs no program with a quote, a backslash or a control character in its"
            f" path: {program!r}",
            hint="install briefmail in another place",
        )
    name = f"briefmail-{_NAME.sub('-', newsletter).strip('-') or 'newsletter'}"
    # In what is run a dollar is a dollar; in its words it begins a variable.
    line = " ".join([_quoted(program), *(_quoted(word).replace("$", "$$") for word in words)])
    return Unit(f"{name}.service", _service(line)), Unit(f"{name}.timer", TIMER)


TIMER = """\
[Unit]
Description=Look whether an issue of the newsletter is due

[Timer]
OnCalendar=*:0/5
Persistent=true

[Install]
WantedBy=timers.target
"""


def _service(line: str) -> str:
    # Asked to stop, dispatch waits up to ten minutes for the relay's answer to a final dot
    # (RFC 5321 section 4.5.3.2.6): systemd's own patience of 90 seconds would kill it there, and
    # leave people uncertain.
    return f"""\
[Unit]
Description=Send what is due of the newsletter

[Service]
Type=oneshot
ExecStart={line}
TimeoutStopSec=11min
"""


def _quoted(word: str) -> str:
    """A word as a unit file has it (systemd.syntax(7), systemd.unit(5)): % begins a specifier."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    controls = _CONTROL.sub(lambda match: f"\\x{ord(match[0]):02x}", escaped)
    return f'"{controls}"'
