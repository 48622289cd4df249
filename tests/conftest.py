"""What holds for every test: no network beyond this machine, no look at the home directory."""

from guards import home_guard, no_home, no_network

__all__ = ["home_guard", "no_home", "no_network"]
