"""Tests against real parts (Postfix, PostgreSQL, Chromium, ...) skip where a part is missing.

In CI nothing may be skipped: with ``BRIEFMAIL_REQUIRE_REAL_PARTS=1`` in the environment a missing
part fails the test instead.
"""

import os

import pytest

VARIABLE = "BRIEFMAIL_REQUIRE_REAL_PARTS"


def require(condition: object, reason: str) -> None:
    """Go on if ``condition`` is true; else skip the test with ``reason``, or fail it in CI."""
    if condition:
        return
    if os.environ.get(VARIABLE) == "1":
        pytest.fail(f"{reason}, and {VARIABLE}=1 allows no skipping")
    pytest.skip(reason)
