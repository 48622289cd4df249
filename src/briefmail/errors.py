"""Everything that can go wrong and is expected to, with the exit status that it means.

::

    BriefmailError            70  (a bug, if it is raised as itself)
    ├── UsageError             2  the command cannot be carried out as it was put
    ├── InputError            65  what the editor wrote cannot be sent; carries all problems
    │   ├── IssueError            in the issue file
    │   ├── ListError             in the recipient list
    │   ├── MergeError            a recipient lacks a field that the issue uses
    │   └── ConfigError       78  briefmail.toml, .env or the environment
    ├── ContentRefused        65  the relay refuses the message itself, whoever it is for
    ├── StoreError            74  the disk or the program's memory is damaged or full
    ├── RelayUnavailable      75  the relay is down or busy; nothing is lost, try again later
    │   └── RelayUnusable         it would say the same again; waiting for it does not help
    ├── LockHeld              75  another run is at work in this folder
    ├── Held                  75  the editor holds the issue back
    ├── LeaseLapsed           75  the other machines go on without this one
    ├── SecretMissing         78  a file or a command does not yield the password or the token
    └── LoginRefused          78  the relay refuses the user name, the password or the token

Exit statuses are those of ``sysexits.h`` where it has one. Nothing here knows about the
terminal: ``cli`` has the one place that prints an error.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in a file the editor owns.

    ``line`` counts from 1; it is None where a problem belongs to the file as a whole.
    """

    path: Path
    line: int | None
    text: str

    def __str__(self) -> str:
        place = f"{self.path}:{self.line}" if self.line is not None else str(self.path)
        return f"{place}: {self.text}"


class BriefmailError(Exception):
    """The root of the tree. ``hint`` says what to do about it, in one sentence."""

    exit_status = 70

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(BriefmailError):
    """The command cannot be carried out as it was put."""

    exit_status = 2


class InputError(BriefmailError):
    """One or more problems in files that the editor owns, all of them at once."""

    exit_status = 65

    def __init__(self, problems: Iterable[Problem], *, hint: str | None = None) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems), hint=hint)


class IssueError(InputError):
    """An issue file that cannot be sent as it is."""


class ListError(InputError):
    """A recipient list that cannot be read."""


class MergeError(InputError):
    """A merge field that cannot be filled for at least one recipient."""


class ContentRefused(BriefmailError):
    """The relay refuses the message itself, whoever it is for."""

    exit_status = 65


class StoreError(BriefmailError):
    """The disk is full or read-only, or the program's memory is damaged."""

    exit_status = 74


class RelayUnavailable(BriefmailError):
    """The relay cannot be reached or asks to come back later."""

    exit_status = 75


class RelayUnusable(RelayUnavailable):
    """The relay does not want us, or cannot be trusted: waiting alone does not mend it."""


class LockHeld(BriefmailError):
    """Another run is at work in this folder."""

    exit_status = 75


class Held(BriefmailError):
    """The editor holds the issue back."""

    exit_status = 75

    @classmethod
    def of(cls, edition: str) -> "Held":
        """The error for an edition."""
        return cls(
            f"{edition} is held back",
            hint=f"'briefmail unhold {edition}' lets it go on with everybody who is left",
        )


class LeaseLapsed(BriefmailError):
    """The machines that send together have not heard of this one for too long."""

    exit_status = 75


class ConfigError(InputError):
    """Settings that are missing, wrong or contradict each other."""

    exit_status = 78


class SecretMissing(BriefmailError):
    """A file or a command does not yield the password or the token."""

    exit_status = 78


class LoginRefused(BriefmailError):
    """The relay refuses the user name, the password or the token."""

    exit_status = 78
