"""TLS and the login: nothing readable on the way, and no password to the wrong ears."""

import ssl

import pytest
import trustme
from certificates import server_context
from fake_relay import FakeRelay
from scene import PATIENCE, message_for, person

from briefmail.config import Relay, Security
from briefmail.delivery import Session
from briefmail.errors import BriefmailError, LoginRefused, RelayUnavailable

USER, PASSWORD = "editor", "correct horse, càit?"


def connect(relay: Relay) -> str:
    """Send one message and return the state of it."""
    with Session(relay, PATIENCE) as session:
        delivery = session.deliver(message_for(person(1)), lambda: True)
    assert delivery is not None
    return delivery.state


def login(relay: FakeRelay, password: str = PASSWORD) -> Relay:
    return relay.relay("localhost", USER, password)


@pytest.mark.parametrize("security", ["starttls", "tls"])
@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_mail_goes_out_over_verified_tls_and_a_login(
    trusted: trustme.CA, tls: ssl.SSLContext, security: Security, mechanism: str
) -> None:
    users = {USER: PASSWORD}
    with FakeRelay(tls=tls, security=security, users=users, mechanisms=mechanism) as relay:
        assert connect(login(relay)) == "sent"
        assert relay.in_clear == (
            ["EHLO [127.0.0.1]", "STARTTLS"] if security == "starttls" else []
        )
        assert relay.recipients == ["reader1@example.org"]


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_certificate_for_another_host_is_refused(trusted: trustme.CA, security: Security) -> None:
    with FakeRelay(tls=server_context(trusted, "mail.example.net"), security=security) as relay:
        with pytest.raises(RelayUnavailable, match=r"no TLS: .*certificate"):
            connect(login(relay))
        assert [line for line in relay.commands if line.startswith(("AUTH", "MAIL"))] == []


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_certificate_of_an_unknown_authority_is_refused(
    tls: ssl.SSLContext, security: Security
) -> None:
    with (
        FakeRelay(tls=tls, security=security) as relay,
        pytest.raises(RelayUnavailable, match=r"no TLS: .*certificate"),
    ):
        connect(login(relay))


def test_a_relay_stripped_of_starttls_hears_no_password() -> None:
    with FakeRelay(security="starttls", users={USER: PASSWORD}) as relay:
        with pytest.raises(RelayUnavailable, match="does not offer STARTTLS"):
            connect(login(relay))
        assert relay.commands == ["EHLO [127.0.0.1]"]


@pytest.mark.parametrize("answer", ["454 4.7.0 TLS not available", "501 what", "250 ok"])
def test_a_relay_that_offers_starttls_and_does_not_start_hears_no_password(
    tls: ssl.SSLContext, answer: str
) -> None:
    with FakeRelay(tls=tls, security="starttls", users={USER: PASSWORD}) as relay:
        relay.on("STARTTLS", answer)
        with pytest.raises(RelayUnavailable, match="does not start TLS"):
            connect(login(relay))
        assert relay.commands == ["EHLO [127.0.0.1]", "STARTTLS"]


def test_an_answer_injected_before_tls_is_refused(trusted: trustme.CA, tls: ssl.SSLContext) -> None:
    injected = "250-relay.example.org\r\n250 AUTH PLAIN"
    with FakeRelay(tls=tls, security="starttls", injected=injected) as relay:
        with pytest.raises(RelayUnavailable, match="sent more than its reply before TLS"):
            connect(login(relay))
        assert relay.commands == ["EHLO [127.0.0.1]", "STARTTLS"]


def test_what_was_offered_before_tls_counts_no_more(
    trusted: trustme.CA, tls: ssl.SSLContext
) -> None:
    with FakeRelay(tls=tls, security="starttls", users={USER: PASSWORD}) as relay:
        relay.on("EHLO", "250-relay.example.org\r\n250-STARTTLS\r\n250 SIZE 1", times=1)
        assert connect(login(relay)) == "sent"


def test_without_tls_there_is_no_login(relay: FakeRelay) -> None:
    with pytest.raises(RelayUnavailable, match="is not used without TLS"):
        connect(relay.relay("127.0.0.1", USER, PASSWORD))
    assert relay.commands == []


def test_a_wrong_password_is_said_once_and_is_for_the_editor_to_mend(
    trusted: trustme.CA, tls: ssl.SSLContext
) -> None:
    with FakeRelay(tls=tls, security="starttls", users={USER: PASSWORD}) as relay:
        with pytest.raises(LoginRefused) as caught:
            connect(login(relay, "wrong"))
        assert caught.value.message == (
            "localhost refuses the login of editor: 535 5.7.8 wrong name or password"
        )
        assert len([line for line in relay.commands if line.startswith("AUTH")]) == 1


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ("454 4.7.0 cannot check now", RelayUnavailable),
        ("421 4.7.0 too many", RelayUnavailable),
        ("534 5.7.9 too weak", LoginRefused),
        ("538 5.7.11 encrypt", LoginRefused),
    ],
)
def test_a_login_is_refused_for_now_or_for_good(
    trusted: trustme.CA, tls: ssl.SSLContext, answer: str, error: type[BriefmailError]
) -> None:
    with FakeRelay(tls=tls, security="tls", users={USER: PASSWORD}) as relay:
        relay.on("AUTH", answer)
        with pytest.raises(error, match=answer[:3]):
            connect(login(relay))


def test_a_relay_with_no_login_that_we_know_is_named_so(
    trusted: trustme.CA, tls: ssl.SSLContext
) -> None:
    users = {USER: PASSWORD}
    with (
        FakeRelay(tls=tls, security="tls", users=users, mechanisms="GSSAPI") as relay,
        pytest.raises(LoginRefused, match="offers no way to log in"),
    ):
        connect(login(relay))


def test_a_relay_that_wants_a_login_says_so_to_the_editor(
    trusted: trustme.CA, tls: ssl.SSLContext
) -> None:
    with (
        FakeRelay(tls=tls, security="tls", users={USER: PASSWORD}) as relay,
        pytest.raises(LoginRefused, match="wants a login first: 530"),
    ):
        connect(relay.relay("localhost"))


def test_no_error_and_no_repr_shows_the_password(trusted: trustme.CA, tls: ssl.SSLContext) -> None:
    with FakeRelay(tls=tls, security="tls", users={USER: PASSWORD}) as relay:
        session = Session(login(relay, "hunter2"), PATIENCE)
        with pytest.raises(LoginRefused) as caught:
            session.__enter__()
        assert "hunter2" not in f"{caught.value!r}{caught.value.hint}{session.relay!r}"
