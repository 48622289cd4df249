"""The command line as its users meet it: run in a process of its own, or, for many cases, here.

Nothing of the environment that could set a relay or colours comes through.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import briefmail

ROOT = Path(__file__).parents[2]
SOURCE = Path(briefmail.__file__).parents[1]
_OWN_FILES = ("briefmail.toml", ".env.example", "recipients.csv", "issues", "images")
FIRST, SECOND = "issues/2016-08-24.md", "issues/2016-09-07.md"
_UNSET = (
    "SMTP_",
    "BRIEFMAIL_",
    "NO_COLOR",
    "FORCE_COLOR",
    "CLICOLOR",
    "EDITOR",
    "VISUAL",
    "TTY_",
    "PYTHONUNBUFFERED",
)


@dataclass(frozen=True)
class Result:
    """What a command left: its exit status and what it printed."""

    status: int
    out: str
    err: str

    def __str__(self) -> str:
        return f"status {self.status}\n--- out\n{self.out}\n--- err\n{self.err}"

    @property
    def totals(self) -> dict[str, int]:
        """The totals as printed, by their labels."""
        lines = [line.strip().partition(" ") for line in self.out.splitlines()]
        return {label: int(n.replace(",", "")) for n, _, label in lines if n.isdigit() and label}


Command = Callable[..., Result]
"""Runs briefmail in this process, given its words; variables of the environment go by name."""


def environment(**more: str) -> dict[str, str]:
    """Return this environment without what could change an outcome, and with ``more``."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_UNSET)}
    return {**kept, "PYTHONPATH": str(SOURCE), "PYTHONUTF8": "1", **more}


def copy_own(folder: Path) -> Path:
    """Copy what the repository's own newsletter is made of into ``folder``."""
    folder.mkdir()
    for name in _OWN_FILES:
        source = ROOT / name
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, folder / name)
    return folder


def arguments(*words: str | Path) -> list[str]:
    """Return the command line that runs briefmail with these words."""
    return [sys.executable, "-m", "briefmail", *typed(*words)]


def typed(*words: str | Path) -> list[str]:
    """Return the words of a command; a send waits for no relay unless the test says so."""
    sends = words[:1] == ("send",) and "--retry-for" not in words
    return [str(word) for word in (*words, *(("--retry-for", "0") if sends else ()))]


def start(folder: Path, *words: str | Path, **variables: str) -> Result:
    """Run briefmail in a process of its own, in ``folder``, without a terminal."""
    done = subprocess.run(
        arguments(*words),
        cwd=folder,
        env=environment(**variables),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
    )
    return Result(done.returncode, done.stdout.decode(), done.stderr.decode())


def tree(folder: Path, *, but: str = "") -> Mapping[str, bytes | None]:
    """Return all files with their bytes, and the folders, except what lies under ``but``."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if not but or (name != but and not name.startswith(f"{but}/")):
            found[name] = path.read_bytes() if path.is_file() else None
    return found


def outbox(folder: Path) -> list[bytes]:
    """Return the messages that the sandbox has filed, in their order."""
    return [path.read_bytes() for path in sorted(folder.glob("outbox/new/*"))]


def parse(data: bytes) -> EmailMessage:
    """Read a message with the standard library."""
    message = message_from_bytes(data, policy=default)
    assert isinstance(message, EmailMessage)
    return message


def part(message: EmailMessage, subtype: str) -> str:
    """Return the text of the plain or HTML part."""
    body = message.get_body((subtype,))
    assert body is not None
    return str(body.get_content())


def recipients(folder: Path) -> list[str]:
    """Return whom the messages in the outbox were delivered to."""
    return [str(parse(data)["Delivered-To"]) for data in outbox(folder)]
