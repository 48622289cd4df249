"""The guards of the test suite do guard."""

import socket
from pathlib import Path

import pytest

from guards import NetworkUseError
from real_parts import VARIABLE, require


def test_a_socket_reaches_loopback() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname()).close()


@pytest.mark.parametrize("address", ["192.0.2.1", "2001:db8::1", "mail.example.org"])
def test_a_socket_reaches_nothing_else(address: str) -> None:
    with pytest.raises(NetworkUseError):
        socket.create_connection((address, 25), timeout=1)


def test_neither_does_a_datagram() -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams,
        pytest.raises(NetworkUseError),
    ):
        datagrams.sendto(b"?", ("192.0.2.1", 53))


def test_home_is_an_empty_folder(no_home: Path) -> None:
    assert Path.home() == Path("~").expanduser() == no_home


def test_a_missing_part_skips_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    require(True, "there")
    with pytest.raises(pytest.skip.Exception, match="no browser"):
        require(False, "no browser")


def test_a_missing_part_fails_where_nothing_may_be_skipped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(VARIABLE, "1")
    with pytest.raises(pytest.fail.Exception, match="no browser"):
        require(False, "no browser")
