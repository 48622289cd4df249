"""The guards that every test runs under; conftest.py puts them in place."""

import ipaddress
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest


class NetworkUseError(AssertionError):
    """A test wanted to leave this machine."""


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let sockets reach loopback only, and look up no other names."""
    for method in ("connect", "connect_ex"):
        _guard(monkeypatch, method, lambda address: address)
    _guard(monkeypatch, "sendto", lambda *arguments: arguments[-1])
    look_up = socket.getaddrinfo

    def guarded(host: Any, *arguments: Any, **options: Any) -> Any:
        if host and not is_local(host if isinstance(host, str) else host.decode()):
            raise NetworkUseError(f"a test looks up {host}")
        return look_up(host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", guarded)


def _guard(monkeypatch: pytest.MonkeyPatch, method: str, address_in: Callable[..., Any]) -> None:
    original = getattr(socket.socket, method)

    def guarded(self: socket.socket, *arguments: Any) -> Any:
        address = address_in(*arguments)
        if self.family in {socket.AF_INET, socket.AF_INET6} and not is_local(address[0]):
            raise NetworkUseError(f"a test talks to {address}")
        return original(self, *arguments)

    monkeypatch.setattr(socket.socket, method, guarded)


def is_local(host: str) -> bool:
    """Whether a name or an address is this machine's own."""
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return host.lower() in {"localhost", socket.gethostname().lower()}


@pytest.fixture(scope="session")
def no_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Give an empty folder to whoever looks for the home directory."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as monkeypatch:
        for variable in ("HOME", "USERPROFILE"):
            monkeypatch.setenv(variable, str(home))
        for variable in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME"):
            monkeypatch.delenv(variable, raising=False)
        yield home


@pytest.fixture(autouse=True)
def home_guard(no_home: Path) -> None:
    """See to it that no test runs with the real home directory."""
