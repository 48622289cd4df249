"""Where the password or the token comes from: looked up once a run, and shown to nobody."""

import ssl
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from fake_relay import FakeRelay
from scene import PATIENCE, message_for, person

from briefmail.config import Relay, Secret, SecretVariable
from briefmail.delivery import Credentials, Session
from briefmail.errors import LoginRefused, SecretMissing

USER, TOKEN = "editor@example.org", "ya29.first"


class Script:
    """A Python script that a secret's command runs; it counts its runs in a file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        (folder / "runs").write_text("")

    def secret(self, body: str, variable: SecretVariable = "SMTP_TOKEN_COMMAND") -> Secret:
        """Return the secret that this body prints; ``n`` is the number of the run, from 1."""
        count = "open('runs', 'a').write('x')\nn = len(open('runs').read())\n"
        (self._folder / "print secret.py").write_text(f"import sys, time\n{count}{body}\n")
        return Secret(variable, f"'{sys.executable}' 'print secret.py'", self._folder)

    @property
    def runs(self) -> int:
        return len((self._folder / "runs").read_text())


@pytest.fixture
def script(tmp_path: Path) -> Script:
    return Script(tmp_path)


@pytest.fixture
def relay(trusted: trustme.CA, tls: ssl.SSLContext) -> Iterator[FakeRelay]:
    """Yield a relay that takes tokens and passwords."""
    mechanisms = "LOGIN PLAIN XOAUTH2"
    with FakeRelay(
        tls=tls, security="starttls", users={USER: TOKEN}, mechanisms=mechanisms
    ) as relay:
        yield relay


def connect(relay: Relay, credentials: Credentials | None = None) -> str:
    """Send one message over a connection of its own, and return the state of it."""
    with Session(relay, PATIENCE, credentials=credentials) as session:
        delivery = session.deliver(message_for(person(1)), lambda: True)
    assert delivery is not None
    return delivery.state


def said(relay: FakeRelay) -> list[str]:
    """Return the mechanisms of the logins that were tried."""
    return [line.split(" ")[1] for line in relay.commands if line.startswith("AUTH")]


# --- mechanisms -----------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [10, 2500])
def test_a_token_logs_in_whatever_its_length(relay: FakeRelay, script: Script, length: int) -> None:
    token = "t" * length
    relay.users = {USER: token}
    secret = script.secret(f"print('{token}')")
    assert connect(relay.relay("localhost", USER, secret)) == "sent"
    auth = next(line for line in relay.commands if line.startswith("AUTH"))
    assert (auth == "AUTH XOAUTH2") == (length > 400)


def test_a_long_password_has_a_line_of_its_own(relay: FakeRelay) -> None:
    relay.users = {USER: "p" * 600}
    assert connect(relay.relay("localhost", USER, "p" * 600)) == "sent"
    assert "AUTH PLAIN" in relay.commands


def test_a_refused_token_is_said_once_and_the_error_is_the_one_after_the_challenge(
    relay: FakeRelay, script: Script
) -> None:
    with pytest.raises(LoginRefused) as caught:
        connect(relay.relay("localhost", USER, script.secret("print('wrong-token')")))
    assert caught.value.message == (
        f"localhost refuses the login of {USER}: 535 5.7.8 wrong name or password"
    )
    assert caught.value.hint == "check SMTP_USERNAME and SMTP_TOKEN_COMMAND; nothing was sent"
    assert (said(relay), script.runs) == (["XOAUTH2"], 1)


def test_a_token_is_for_xoauth2_alone_and_not_even_had_for_less(
    trusted: trustme.CA, tls: ssl.SSLContext, script: Script
) -> None:
    with FakeRelay(tls=tls, security="tls", users={USER: TOKEN}) as relay:
        with pytest.raises(LoginRefused, match=r"briefmail knows \(XOAUTH2\)"):
            connect(relay.relay("localhost", USER, script.secret("print('a')")))
        assert (said(relay), script.runs) == ([], 0)


# --- where it comes from --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content", [b"pass word", b" pass word \r\nuser: x\n", b"\xef\xbb\xbfpass word\n"]
)
def test_a_password_is_the_first_line_of_a_file(
    relay: FakeRelay, tmp_path: Path, content: bytes
) -> None:
    relay.users = {USER: "pass word"}
    (tmp_path / "secret.txt").write_bytes(content)
    secret = Secret("SMTP_PASSWORD_FILE", "secret.txt", tmp_path)
    assert connect(relay.relay("localhost", USER, secret)) == "sent"


def test_a_command_is_run_once_for_all_connections(relay: FakeRelay, script: Script) -> None:
    secret = script.secret(f"print('{TOKEN}\\nmore')", "SMTP_PASSWORD_COMMAND")
    settings, credentials = relay.relay("localhost", USER, secret), Credentials(secret)
    assert script.runs == 0
    assert [connect(settings, credentials) for _ in range(3)] == ["sent"] * 3
    assert (said(relay), script.runs) == (["PLAIN"] * 3, 1)


def test_a_command_gets_no_input_to_wait_for(relay: FakeRelay, script: Script) -> None:
    secret = script.secret(f"print('{TOKEN}' + sys.stdin.read())")
    assert connect(relay.relay("localhost", USER, secret)) == "sent"


# --- once it has expired --------------------------------------------------------------------------


def test_a_token_that_expires_during_a_run_is_had_anew(relay: FakeRelay, script: Script) -> None:
    secret = script.secret("print(['ya29.first', 'ya29.second'][n - 1])")
    settings, credentials = relay.relay("localhost", USER, secret), Credentials(secret)
    assert connect(settings, credentials) == "sent"
    relay.users = {USER: "ya29.second"}
    assert [connect(settings, credentials) for _ in range(2)] == ["sent", "sent"]
    assert (said(relay), script.runs) == (["XOAUTH2"] * 4, 2)


def test_a_new_token_that_is_refused_as_well_ends_it(relay: FakeRelay, script: Script) -> None:
    secret = script.secret("print(['ya29.first', 'a', 'b'][n - 1])")
    settings, credentials = relay.relay("localhost", USER, secret), Credentials(secret)
    assert connect(settings, credentials) == "sent"
    relay.users = {USER: "something else"}
    for _ in range(2):
        with pytest.raises(LoginRefused, match="535"):
            connect(settings, credentials)
    assert script.runs == 2


@pytest.mark.parametrize("variable", ["SMTP_PASSWORD_COMMAND", "SMTP_TOKEN_COMMAND"])
def test_the_same_secret_is_not_said_again(
    relay: FakeRelay, script: Script, variable: SecretVariable
) -> None:
    secret = script.secret(f"print('{TOKEN}')", variable)
    settings, credentials = relay.relay("localhost", USER, secret), Credentials(secret)
    assert connect(settings, credentials) == "sent"
    relay.users = {USER: "something else"}
    with pytest.raises(LoginRefused, match="535"):
        connect(settings, credentials)
    assert (len(said(relay)), script.runs) == (2, 2)


def test_a_connection_takes_the_token_that_another_has_had_anew(script: Script) -> None:
    credentials = Credentials(script.secret("print(n)"))
    credentials.accepted(credentials.get())
    assert [credentials.renew("1"), credentials.renew("1"), credentials.renew("2")] == [
        "2",
        "2",
        None,
    ]
    assert script.runs == 2


# --- what can go wrong ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("sys.exit(3)", "ended with status 3"),
        ("sys.exit('\\x1b[31mlocked\\nby you')", "ended with status 1: \\x1b[31mlocked by you"),
        ("print('hunter22'); sys.exit('no hunter22')", "ended with status 1: no ***"),
        ("pass", "yields nothing"),
        ("print('\\n  \\n')", "yields nothing"),
        ("print('a\\1b')", "yields a line with control characters in it"),
        ("sys.stdout.buffer.write(b'\\xff')", "yields what is not UTF-8"),
    ],
)
def test_a_command_that_fails_says_why(script: Script, body: str, message: str) -> None:
    with pytest.raises(SecretMissing) as caught:
        Credentials(script.secret(body)).get()
    assert (caught.value.message, caught.value.exit_status) == (f"SMTP_TOKEN_COMMAND {message}", 78)
    assert caught.value.hint == (
        "run the command yourself: it has to print the secret, and to ask for nothing"
    )


def test_a_command_that_takes_too_long_is_stopped(script: Script) -> None:
    secret = script.secret("print('hunter22', flush=True); time.sleep(60)")
    with pytest.raises(SecretMissing, match=r"^SMTP_TOKEN_COMMAND is not done in 1 seconds$"):
        Credentials(secret, timeout=1.0).get()


@pytest.mark.parametrize(
    ("variable", "why"),
    [
        ("SMTP_PASSWORD_FILE", "cannot be read: "),
        ("SMTP_PASSWORD_COMMAND", "cannot be run: "),
        ("SMTP_TOKEN_COMMAND", "cannot be run: "),
    ],
)
def test_what_is_not_there_is_named_by_its_variable(
    tmp_path: Path, variable: SecretVariable, why: str
) -> None:
    with pytest.raises(SecretMissing, match=f"^{variable} {why}"):
        Credentials(Secret(variable, "no-such-program-or-file hunter22", tmp_path)).get()
