"""What holds for every test: no network beyond this machine, no look at the home directory."""

from hypothesis import settings

from chromium import browser
from guards import home_guard, no_home, no_network

__all__ = ["browser", "home_guard", "no_home", "no_network"]

# The suite tries the same examples every time, so that it fails for a change and not for chance.
# ``pytest --hypothesis-profile=search`` looks for new ones.
settings.register_profile("steady", derandomize=True)
settings.register_profile("search", derandomize=False)
settings.load_profile("steady")
