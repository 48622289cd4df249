"""What holds for every test: no network beyond this machine, no look at the home directory."""

from collections.abc import Iterator

import pytest
from hypothesis import settings

from chromium import browser
from guards import home_guard, no_home, no_network
from private_postgresql import PrivatePostgreSQL, programs
from real_parts import require

__all__ = ["browser", "home_guard", "no_home", "no_network"]

# The suite tries the same examples every time, so that it fails for a change and not for chance.
# ``pytest --hypothesis-profile=search`` looks for new ones.
settings.register_profile("steady", derandomize=True)
settings.register_profile("search", derandomize=False)
settings.load_profile("steady")


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PrivatePostgreSQL]:
    """One server for all tests; each takes a schema of its own."""
    require(programs(), "PostgreSQL is not installed")
    with PrivatePostgreSQL.running() as server:
        yield server
