"""A real browser for the tests that look at pages."""

import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import pytest

from real_parts import require

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Yield the system's Chromium, driven by Playwright."""
    require(find_spec("playwright"), "playwright is not installed")
    program = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    require(program, "no Chromium is installed")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield chromium
        chromium.close()
