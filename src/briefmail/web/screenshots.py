"""Pictures of the mail, for a colleague or a pull request, by a browser that is installed."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

from briefmail.errors import BriefmailError, UsageError
from briefmail.newsletter import Desk
from briefmail.web.server import PreviewServer

BROWSERS = (
    *("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge"),
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
WIDTHS = (375, 800)
SCHEMES = ("light", "dark")
PATIENCE = 60  # seconds for one picture
TALLEST = 16_000  # pixels; a browser paints no more at once


def take_screenshots(desk: Desk, folder: Path, key: str | None = None) -> Iterator[Path]:
    """Take a picture for each width and colour scheme, of the copy of whoever has ``key``.

    Yields the path of each as soon as it is written; a picture of before is replaced. Raises
    :class:`UsageError` if there is no browser, :class:`InputError` if there is nothing to show.
    """
    browser = _browser()
    desk.look()
    name = desk.preview(key).edition.name
    folder.mkdir(parents=True, exist_ok=True)
    with PreviewServer(desk) as server:
        for width in WIDTHS:
            for scheme in SCHEMES:
                asked = urlencode(
                    {"scheme": scheme, "width": width, **({"as": key} if key else {})}
                )
                height = _height(browser, f"{server.url}measure?{asked}")
                path = folder / f"{name}-{width}-{scheme}.png"
                _run(
                    browser,
                    f"--window-size={width},{height}",
                    f"--screenshot={path.resolve()}",
                    f"{server.url}mail?{asked}",
                )
                yield path


def _browser() -> str:
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        raise UsageError(
            "there is no browser that can take pictures", hint="install Chromium or Google Chrome"
        )
    return found


def _height(browser: str, url: str) -> int:
    found = re.search(r"<title>(\d+)</title>", _run(browser, "--dump-dom", url))
    if found is None:
        raise BriefmailError("the browser does not say how tall the mail is")
    return min(int(found[1]), TALLEST)


def _run(browser: str, *arguments: str) -> str:
    """Let the browser do one thing, without a window and with a profile of its own."""
    as_root = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [
            *(browser, "--headless", "--disable-gpu", "--hide-scrollbars", *as_root),
            *("--no-first-run", f"--user-data-dir={profile}", "--virtual-time-budget=3000"),
            *arguments,
        ]
        try:
            done = subprocess.run(command, capture_output=True, timeout=PATIENCE, check=False)  # noqa: S603 -- found by name
        except (OSError, subprocess.TimeoutExpired) as error:
            raise BriefmailError(f"{Path(browser).name} took no picture: {error}") from error
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines() or ["no reason given"]
        raise BriefmailError(f"{Path(browser).name} took no picture: {lines[-1]}")
    return done.stdout.decode(errors="replace")
