"""The one place that turns an error into text and an exit status. No user sees a traceback."""

import io
import sys
import tempfile
import traceback
from datetime import datetime
from pathlib import Path
from typing import NoReturn

import click

from briefmail.cli import output
from briefmail.cli.context import Whereabouts
from briefmail.errors import BriefmailError

INTERRUPTED = 130


def run(command: click.Command, arguments: list[str] | None = None) -> NoReturn:
    """Run ``command`` and leave the process with its exit status."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A name that the terminal's or the pipe's character set lacks is no reason to stop.
        sys.stdout.reconfigure(errors="backslashreplace")
    sys.exit(status_of(command, arguments))


def status_of(command: click.Command, arguments: list[str] | None = None) -> int:
    """Run ``command``; print what went wrong, if anything did, and return the exit status."""
    whereabouts = Whereabouts()
    try:
        result = command.main(
            arguments,
            prog_name="briefmail",
            standalone_mode=False,
            obj=whereabouts,
        )
        return result if isinstance(result, int) else 0
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        output.note("interrupted")
        return INTERRUPTED
    except SystemExit as end:
        # Click's own: shell completion is done, or the reader of our output has seen enough, as
        # "| head" does, and nothing is wrong.
        return end.code if isinstance(end.code, int) else 0
    except BriefmailError as error:
        output.error(error)
        return error.exit_status
    except Exception as error:  # a bug
        path = _log(traceback.format_exc(), whereabouts.root)
        output.internal_error(error, path)
        return BriefmailError.exit_status


def _log(text: str, root: Path) -> Path | None:
    """Keep the details for whoever can use them: in the newsletter's memory, else in a new file.

    They may name people, so only the user can read either of them.
    """
    path = root / ".briefmail/log"
    try:
        if not path.parent.is_dir():
            path = Path(tempfile.mkstemp(prefix="briefmail-", suffix=".log")[1])
        with path.open("a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(f"{datetime.now().astimezone().isoformat()}\n{text}\n")
    except OSError:
        return None
    return path
