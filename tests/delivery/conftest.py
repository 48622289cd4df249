"""An authority of our own, so that TLS is verified in the tests as it is in earnest."""

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from certificates import server_context
from fake_relay import FakeRelay
from scene import Scene


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA(organization_name="briefmail tests")


@pytest.fixture
def trusted(authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> trustme.CA:
    """Have certificates of the authority trusted, as an operator would: by SSL_CERT_FILE."""
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    return authority


@pytest.fixture(scope="session")
def tls(authority: trustme.CA) -> ssl.SSLContext:
    """Return the server's side of TLS, with a certificate for this machine."""
    return server_context(authority, "127.0.0.1", "localhost")


@pytest.fixture(params=["PIPELINING", ""], ids=["pipelining", "plain"])
def relay(request: pytest.FixtureRequest) -> Iterator[FakeRelay]:
    """Every test of the dialogue runs twice: with commands in groups, and one at a time."""
    pipelining = [request.param] if request.param else []
    with FakeRelay(extensions=["SIZE 10000000", "8BITMIME", *pipelining]) as relay:
        yield relay


@pytest.fixture
def scene(tmp_path: Path, relay: FakeRelay) -> Iterator[Scene]:
    with Scene.set_up(tmp_path / "store.sqlite3", relay.relay()) as scene:
        yield scene
