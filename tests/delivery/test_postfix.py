"""The same dialogue with a real MTA: Postfix, with STARTTLS and a login, read back from disk."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import trustme
from private_postfix import PrivatePostfix, missing_part, private_postfix
from scene import EDITION, PATIENCE, Scene, message_for, people

from briefmail.audience import Recipient
from briefmail.config import Secret
from briefmail.delivery import Session, Totals
from briefmail.errors import LoginRefused, RelayUnavailable
from real_parts import require

pytestmark = pytest.mark.postfix
KNOWN = [f"reader{number}" for number in (1, 2, 4, 5)] + ["mòrag", "用户"]


@pytest.fixture(scope="module")
def postfix(authority: trustme.CA) -> Iterator[PrivatePostfix]:
    require(not missing_part(), missing_part())
    with private_postfix(authority, KNOWN) as postfix:
        yield postfix


def test_an_edition_arrives_over_starttls_and_a_login_and_the_suppressed_do_not_get_it(
    postfix: PrivatePostfix, trusted: trustme.CA, tmp_path: Path
) -> None:
    body = b"..\r\n.\r\nDots, and a last line.\r\n.\r\n"
    with Scene.set_up(tmp_path / "store.sqlite3", postfix.relay) as scene:
        scene.enrol(people(1, 4))  # reader5 has a mailbox, and is suppressed
        outcome = scene.send(message=lambda recipient: message_for(recipient, body))
        assert (outcome.sent, outcome.refused, outcome.stopped) == (3, 1, None)
        assert scene.totals == Totals(sent=3, refused=1)
        (refused,) = scene.ledger.entries(EDITION, "refused")
        assert (refused.address, refused.reply and refused.reply.status) == (
            "reader3@example.org",
            "5.1.1",
        )
        scene.enrol(people(1, 4))
        assert scene.send().sent == 0
    for number in (1, 2, 4):
        (message,) = postfix.mail(f"reader{number}")
        assert message["To"] == message["Delivered-To"] == f"reader{number}@example.org"
        assert message["Message-ID"] == f"<{number}@example.com>"
        assert message["Return-Path"] == "<bounces@example.com>"
        assert "with ESMTPSA" in message["Received"]  # by TLS, authenticated (RFC 3848)
        assert message.get_payload() == body.decode().replace("\r\n", "\n")
    assert postfix.mail("reader5", wanted=0) == []


def test_mailboxes_outside_ascii_get_theirs(
    postfix: PrivatePostfix, trusted: trustme.CA, tmp_path: Path
) -> None:
    """RFC 6531 and 6532; Postfix knows a mailbox in whatever case it is written."""
    people = [
        Recipient(f"{name}@example.org", f"{key}@example.org", "", {}, line)
        for line, (name, key) in enumerate(
            [("Mòrag", "mòrag"), ("用户", "用户"), ("nòbody", "nòbody")]
        )
    ]
    with Scene.set_up(tmp_path / "store.sqlite3", postfix.relay) as scene:
        scene.enrol(people)
        outcome = scene.send()
        assert (outcome.sent, outcome.refused, outcome.stopped) == (2, 1, None)
    for person in people[:2]:
        (message,) = postfix.mail(person.key.partition("@")[0])
        assert f"\nTo: {person.address}\n" in message.as_bytes().decode()
        assert f"\nDelivered-To: {person.address}\n" in message.as_bytes().decode()
        assert "with UTF8SMTPSA" in str(message["Received"])  # RFC 6531 section 3.7.3


def test_a_wrong_password_is_refused(postfix: PrivatePostfix, trusted: trustme.CA) -> None:
    wrong = replace(postfix.relay, secret=Secret("SMTP_PASSWORD", "wrong"))
    with pytest.raises(LoginRefused, match="535"):
        Session(wrong, PATIENCE).__enter__()


def test_a_name_that_the_certificate_does_not_have_is_refused(
    postfix: PrivatePostfix, trusted: trustme.CA
) -> None:
    with pytest.raises(RelayUnavailable, match=r"no TLS: .*certificate"):
        Session(replace(postfix.relay, host="127.0.0.1"), PATIENCE).__enter__()


def test_without_tls_postfix_gets_neither_login_nor_mail(
    postfix: PrivatePostfix, tmp_path: Path
) -> None:
    relay = replace(postfix.relay, security="none", username="")
    with Scene.set_up(tmp_path / "store.sqlite3", relay) as scene:
        scene.enrol(people(1, 2))
        outcome = scene.send()
        assert (outcome.sent, outcome.exit_status) == (0, 78)
        assert "530 5.7.0 Must issue a STARTTLS command first" in str(outcome.stopped)
        assert scene.totals == Totals(pending=2)
