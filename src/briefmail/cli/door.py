"""The one place that turns an error into text and an exit status. No user sees a traceback."""

import os
import sys
import traceback
from datetime import datetime
from pathlib import Path
from typing import NoReturn

import click

from briefmail.cli import output
from briefmail.errors import BriefmailError

INTERRUPTED = 130
BROKEN_PIPE = 141


def run(command: click.Command, arguments: list[str] | None = None) -> NoReturn:
    """Run ``command`` and leave the process with its exit status."""
    sys.exit(status_of(command, arguments))


def status_of(command: click.Command, arguments: list[str] | None = None) -> int:
    """Run ``command``; print what went wrong, if anything did, and return the exit status."""
    try:
        result = command.main(
            arguments,
            prog_name="briefmail",
            standalone_mode=False,
            color=False if os.environ.get("NO_COLOR") else None,
        )
        return result if isinstance(result, int) else 0
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        output.note("interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output has gone, as "| head" does: nothing is wrong.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except BriefmailError as error:
        output.error(error)
        return error.exit_status
    except Exception as error:  # a bug
        path = _log(traceback.format_exc())
        output.internal_error(error, path)
        return BriefmailError.exit_status


def _log(text: str) -> Path | None:
    """Keep the details for whoever can use them: in the newsletter's memory, else beside it."""
    folder = Path(".briefmail")
    path = folder / "log" if folder.is_dir() else Path("briefmail-error.log")
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(f"{datetime.now().astimezone().isoformat()}\n{text}\n")
    except OSError:
        return None
    return path
