"""Addresses outside ASCII (RFC 6531): said to a relay that offers SMTPUTF8, and to no other."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import trustme
from fake_relay import FakeRelay, Received, Verb
from scene import EDITION, PATIENCE, Scene, message_for, person

from briefmail.audience import Address, Recipient, parse_address
from briefmail.delivery import Delivery, Session, Totals
from briefmail.delivery.wire import wire_data
from briefmail.edition.message import Message
from briefmail.errors import BriefmailError

NO_SMTPUTF8 = "the relay takes no address outside ASCII: it does not offer SMTPUTF8"


def reader(written: str, line: int) -> Recipient:
    address = parse_address(written)
    assert isinstance(address, Address)
    return Recipient(address.address, address.key, "", {"email": address.address}, line)


MORAG, USER = reader("Mòrag@example.org", 2), reader("用户@bücher.example", 4)
EVERYBODY = [person(1), MORAG, person(3), USER, reader("Jo@bücher.example", 5)]


@contextmanager
def scene_with(path: Path, relay: FakeRelay) -> Iterator[Scene]:
    with Scene.set_up(path / "store.sqlite3", relay.relay()) as scene:
        scene.enrol(EVERYBODY)
        yield scene


@pytest.fixture(params=["PIPELINING", "DSN"], ids=["pipelining", "plain"])
def offering(request: pytest.FixtureRequest) -> Iterator[FakeRelay]:
    """Yield a relay that takes any address."""
    with FakeRelay(extensions=["8BITMIME", "SMTPUTF8", "SIZE", request.param]) as relay:
        yield relay


def test_a_relay_that_offers_it_gets_everybody_and_is_told_of_those_who_need_it(
    offering: FakeRelay, tmp_path: Path
) -> None:
    with scene_with(tmp_path, offering) as scene:
        assert scene.send(connections=1).sent == 5
        assert scene.totals == Totals(sent=5)
    assert offering.received == [
        Received("bounces@example.com", one.address, message_for(one).data) for one in EVERYBODY
    ]
    assert [said for said in offering.commands if said.startswith(("MAIL", "RCPT"))] == [
        f"MAIL FROM:<bounces@example.com> SIZE={len(message_for(person(1)).data)}",
        "RCPT TO:<reader1@example.org>",
        f"MAIL FROM:<bounces@example.com> SIZE={len(message_for(MORAG).data)} SMTPUTF8",
        "RCPT TO:<Mòrag@example.org>",
        f"MAIL FROM:<bounces@example.com> SIZE={len(message_for(person(3)).data)}",
        "RCPT TO:<reader3@example.org>",
        f"MAIL FROM:<bounces@example.com> SIZE={len(message_for(USER).data)} SMTPUTF8",
        "RCPT TO:<用户@xn--bcher-kva.example>",
        f"MAIL FROM:<bounces@example.com> SIZE={len(message_for(EVERYBODY[4]).data)}",
        "RCPT TO:<Jo@xn--bcher-kva.example>",
    ]


def test_a_relay_that_does_not_never_hears_of_them_and_gets_the_others(
    relay: FakeRelay, tmp_path: Path
) -> None:
    with scene_with(tmp_path, relay) as scene:
        outcome = scene.send(connections=1)
        assert (outcome.sent, outcome.refused, outcome.stopped) == (3, 2, None)
        assert [
            (entry.address, entry.reply, entry.reason)
            for entry in scene.ledger.entries(EDITION, "refused")
        ] == [(MORAG.address, None, NO_SMTPUTF8), (USER.address, None, NO_SMTPUTF8)]
    assert relay.recipients == [person(1).address, person(3).address, "Jo@xn--bcher-kva.example"]
    assert "".join(relay.commands).isascii()
    assert "SMTPUTF8" not in "".join(relay.commands)


def test_what_was_offered_before_tls_does_not_count(
    trusted: trustme.CA, tls: ssl.SSLContext
) -> None:
    """RFC 3207 section 4.2: only the answer to the EHLO within TLS does."""
    with FakeRelay(extensions=["8BITMIME"], tls=tls, security="starttls") as relay:
        relay.on("EHLO", "250-relay.example.org\r\n250-SMTPUTF8\r\n250 STARTTLS", times=1)
        with Session(relay.relay("localhost"), PATIENCE) as session:
            delivery = session.deliver(message_for(MORAG), lambda: True)
    assert delivery == Delivery("refused", "connection", None, NO_SMTPUTF8)


@pytest.mark.parametrize(
    ("verb", "reply"),
    [
        ("MAIL", "550 5.6.7 non-ASCII addresses are not permitted"),
        ("RCPT", "553 5.6.7 non-ASCII addresses are not permitted"),
        ("DOT", "554 5.6.9 UTF-8 header message cannot be transferred"),
    ],
)
def test_a_relay_that_offers_it_and_cannot_after_all_refuses_only_those(
    offering: FakeRelay, tmp_path: Path, verb: Verb, reply: str
) -> None:
    """RFC 6531 section 3.5. Also if nobody has been accepted before, and more than twice."""
    offering.on(verb, reply, part={"MAIL": "SMTPUTF8"}.get(verb, "ò"))
    if verb == "MAIL":
        offering.on("RCPT", "503 5.5.1 MAIL first", part="ò")
    people = [reader(f"mòrag{line}@example.org", line) for line in range(1, 6)] + [person(6)]
    with Scene.set_up(tmp_path / "store.sqlite3", offering.relay()) as scene:
        scene.enrol(people)
        outcome = scene.send(connections=1)
        assert (outcome.sent, outcome.refused, outcome.stopped) == (1, 5, None)
    assert offering.recipients == [person(6).address]


# --- the octets -----------------------------------------------------------------------------------


def data_with(to: str, rest: str = "") -> bytes:
    return f"From: a@example.org\r\n{to}\r\nSubject: x\r\n\r\nHello.\r\n{rest}".encode()


@pytest.mark.parametrize(
    "to", ["To: mòrag@example.org", "To: =?utf-8?b?TcOycmFn?=\r\n <mòrag@example.org>"]
)
def test_the_address_may_stand_in_to(to: str) -> None:
    assert wire_data(data_with(to), "mòrag@example.org") == data_with(to)


@pytest.mark.parametrize(
    "data",
    [
        data_with("To: càit@example.org"),
        data_with("To: Mòrag <mòrag@example.org>"),
        data_with("To: mòrag@example.org, mòrag@example.org"),
        data_with("To: mòrag@example.org\r\nTo: mòrag@example.org"),
        data_with("Cc: mòrag@example.org"),
        data_with("To: x@example.org", "\r\nTo: mòrag@example.org\r\n"),
        data_with("To: mòrag@example.org", "à"),
        data_with("To: mòrag@example.org\n"),
        data_with("To: mòrag@example.org\r"),
        data_with("To: mòrag@example.org\0"),
        data_with("To: mòrag@example.org", "x" * 999),
    ],
)
def test_nothing_else_outside_ascii_leaves_and_no_line_that_is_none(data: bytes) -> None:
    with pytest.raises(BriefmailError, match="the message has"):
        wire_data(data, "mòrag@example.org")


def test_a_reverse_path_outside_ascii_is_a_bug(offering: FakeRelay) -> None:
    message: Message = replace(message_for(MORAG), reverse_path="à@example.org")
    with (
        Session(offering.relay(), PATIENCE) as session,
        pytest.raises(BriefmailError, match="cannot be a reverse-path"),
    ):
        session.deliver(message, lambda: True)
