"""A password or a token from elsewhere: had once when mail goes out, and never before."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from certificates import server_context
from command import Command
from fake_relay import FakeRelay

USER, TOKEN = "editor@example.org", "ya29.token"


@pytest.fixture
def relay(starter: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeRelay]:
    """Yield a relay that takes a token only, and whose settings stand in ``.env`` without one."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(starter.parent / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(starter.parent / "ca.pem"))
    tls = server_context(authority, "localhost")
    users = {USER: TOKEN}
    with FakeRelay(tls=tls, security="starttls", users=users, mechanisms="XOAUTH2") as relay:
        (starter / ".env").write_text(
            f"SMTP_HOST=localhost\nSMTP_PORT={relay.port}\nSMTP_USERNAME={USER}\n"
            f"SMTP_TOKEN_COMMAND='\"{sys.executable}\" token.py'\n"
        )
        yield relay


def script(folder: Path, body: str) -> None:
    """Write what the command runs: it leaves an ``x`` behind each time."""
    (folder / "token.py").write_text(f"open('runs', 'a').write('x')\n{body}\n")


def runs(folder: Path) -> int:
    """Return how often the command has run."""
    return len((folder / "runs").read_text()) if (folder / "runs").exists() else 0


def test_the_command_runs_once_for_all_connections_and_the_editors_copy(
    briefmail: Command, starter: Path, letter: Path, relay: FakeRelay
) -> None:
    script(starter, f"print('{TOKEN}')")
    with (starter / "briefmail.toml").open("a") as toml:
        toml.write('\n[editor]\nemail = "me@example.org"\ncopy = true\n')
    assert briefmail("send", letter, "--dry-run").status == 0
    assert (runs(starter), relay.connections) == (0, 0)
    result = briefmail("send", letter, "--yes", "--connections", "2")
    assert (result.status, result.totals["sent"]) == (0, 4), result
    assert relay.recipients[4:] == ["me@example.org"]
    assert relay.connections > 1
    assert runs(starter) == 1


def test_all_test_copies_go_by_one_token(
    briefmail: Command, starter: Path, letter: Path, relay: FakeRelay
) -> None:
    script(starter, f"print('{TOKEN}')")
    with (starter / "briefmail.toml").open("a") as toml:
        toml.write('\n[test]\nto = ["a@example.org", "b@example.org"]\n')
    result = briefmail("send", letter, "--test")
    assert (result.status, relay.recipients) == (0, ["a@example.org", "b@example.org"]), result
    assert runs(starter) == 1


def test_the_sandbox_needs_no_token(
    briefmail: Command, starter: Path, letter: Path, relay: FakeRelay
) -> None:
    script(starter, f"print('{TOKEN}')")
    assert briefmail("send", letter, "--yes", SMTP_HOST="").totals["sent"] == 4
    assert (runs(starter), relay.connections) == (0, 0)


def test_a_command_that_fails_stops_the_send_and_the_next_one_sends_to_everybody(
    briefmail: Command, starter: Path, letter: Path, relay: FakeRelay
) -> None:
    script(starter, f"import sys\nprint('{TOKEN}')\nsys.exit('locked: {TOKEN}')")
    failed = briefmail("send", letter, "--yes")
    assert failed.status == 78
    assert "SMTP_TOKEN_COMMAND ended with status 1: locked: ***" in failed.err
    assert "it has to print the secret, and to ask for nothing" in failed.err
    assert TOKEN not in failed.out + failed.err
    assert (runs(starter), relay.received) == (1, [])
    script(starter, f"print('{TOKEN}')")
    assert briefmail("send", letter, "--yes").totals["sent"] == 4
