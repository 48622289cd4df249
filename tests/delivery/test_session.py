"""One connection: what reaches the relay, and what each answer or silence of it means."""

import select
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from fake_relay import DROP, FakeRelay, Received, Verb
from hypothesis import given, settings
from hypothesis import strategies as st
from scene import PATIENCE, message_for, person

from briefmail.config import Relay
from briefmail.delivery import Delivery, Reply, Scope, Session, Timeouts
from briefmail.delivery.wire import wire_data
from briefmail.edition.message import Message
from briefmail.errors import BriefmailError, RelayUnavailable, StoreError

ONE, TWO = message_for(person(1)), message_for(person(2))
LONG = message_for(person(1), (b"x" * 70 + b"\r\n") * 130_000)
HASTE = replace(PATIENCE, greeting=0.2, command=0.2, mail=0.2, rcpt=0.2, data=0.2, dot=0.2)


class Claims:
    """Counts how often the dot was asked for, and answers."""

    def __init__(self, answer: bool = True) -> None:
        self.count = 0
        self._answer = answer

    def __call__(self) -> bool:
        self.count += 1
        return self._answer


def deliver(relay: FakeRelay, message: Message = ONE, timeouts: Timeouts = PATIENCE) -> Delivery:
    with Session(relay.relay(), timeouts) as session:
        delivery = session.deliver(message, Claims())
    assert delivery is not None
    return delivery


# --- what arrives ---------------------------------------------------------------------------------


def test_a_message_arrives_octet_for_octet(relay: FakeRelay) -> None:
    assert deliver(relay) == Delivery(
        "sent", "dot", Reply(250, "2.0.0", "queued"), "the relay has it"
    )
    assert relay.received == [Received("bounces@example.com", "reader1@example.org", ONE.data)]
    assert relay.commands == [
        "EHLO [127.0.0.1]",
        f"MAIL FROM:<bounces@example.com> SIZE={len(ONE.data)}",
        "RCPT TO:<reader1@example.org>",
        "DATA",
        "QUIT",
    ]


def test_a_relay_that_does_not_ask_for_sizes_is_told_none() -> None:
    with FakeRelay(extensions=["8BITMIME"]) as relay:
        deliver(relay)
        assert "MAIL FROM:<bounces@example.com>" in relay.commands


def test_one_connection_carries_many_messages(relay: FakeRelay) -> None:
    with Session(relay.relay(), PATIENCE) as session:
        for number in range(1, 21):
            session.deliver(message_for(person(number)), Claims())
    assert relay.connections == 1
    assert relay.recipients == [person(number).address for number in range(1, 21)]


def test_every_split_of_dots_and_line_ends_arrives_unchanged(relay: FakeRelay) -> None:
    pieces = st.sampled_from([b".", b"..", b"\r\n", b"a", b"\r\n.\r\n", b"QUIT"])
    with Session(relay.relay(), PATIENCE) as session:

        @settings(max_examples=150, deadline=None)
        @given(st.lists(pieces, max_size=12).map(b"".join))
        def holds(data: bytes) -> None:
            session.deliver(replace(ONE, data=data), Claims())
            arrived = relay.received.pop().data
            assert arrived == (data if data.endswith(b"\r\n") else data + b"\r\n")

        holds()


@pytest.mark.parametrize(
    "data",
    [
        b"a\nb\r\n",
        b"a\rb\r\n",
        b"a\r\n.\n.\r\n",
        b"a\r\n.\r.\r\n",
        b"\n\r",
        b"a\r\r\n",
        b"x" * 999 + b"\r\n",
        b"nul\0\r\n",
        "càit\r\n".encode(),
    ],
)
def test_what_could_be_read_as_two_messages_or_is_no_legal_line_never_leaves(
    relay: FakeRelay, data: bytes
) -> None:
    with Session(relay.relay(), PATIENCE) as session, pytest.raises(BriefmailError) as caught:
        session.deliver(replace(ONE, data=data), Claims())
    assert caught.type is BriefmailError
    assert relay.commands == ["EHLO [127.0.0.1]", "QUIT"]


def test_a_line_of_998_octets_is_legal() -> None:
    line = b"x" * 998 + b"\r\n"
    assert wire_data(line, "") == line


@pytest.mark.parametrize(
    "address",
    [
        "càit@exàmple.org",
        "a@b> SIZE=1",
        "à@b> SIZE=1",
        "\udcc3@example.org",
        "\x85@example.org",
        f"{'à' * 125}@example.org",
        "a@example.org>\r\nRCPT TO:<b@example.org",
        "a b@example.org",
        "",
        f"{'a' * 250}@example.org",
    ],
)
def test_an_address_that_smtp_cannot_say_is_refused_without_asking(
    relay: FakeRelay, address: str
) -> None:
    delivery = deliver(relay, replace(ONE, recipient=address))
    assert (delivery.state, delivery.reply, delivery.scope) == ("refused", None, Scope.RECIPIENT)
    assert relay.commands == ["EHLO [127.0.0.1]", "QUIT"]


def test_a_quoted_local_part_is_said_as_it_is(relay: FakeRelay) -> None:
    deliver(relay, replace(ONE, recipient='"old style"@example.org'))
    assert relay.recipients == ['"old style"@example.org']


def test_a_message_larger_than_the_relay_takes_is_not_offered() -> None:
    with FakeRelay(extensions=["SIZE 20"]) as relay:
        delivery = deliver(relay)
        assert (delivery.state, delivery.scope) == ("deferred", Scope.MESSAGE)
        assert delivery.reason == f"the message has {len(ONE.data)} octets, the relay takes 20"
        assert relay.commands == ["EHLO [127.0.0.1]", "QUIT"]


# --- what answers mean ----------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["RCPT", "DATA", "DOT"])
@pytest.mark.parametrize("code", [450, 550])
def test_a_refusal_of_one_person_leaves_the_connection_good_for_the_next(
    relay: FakeRelay, verb: Verb, code: int
) -> None:
    relay.on(verb, f"{code} 5.9.9 no", times=1)
    claims = Claims()
    with Session(relay.relay(), PATIENCE) as session:
        first, second = session.deliver(ONE, claims), session.deliver(TWO, claims)
    assert first is not None
    assert second is not None
    assert first.state == ("refused" if code == 550 else "deferred")
    assert second.state == "sent"
    assert (relay.recipients, relay.connections) == (["reader2@example.org"], 1)
    assert claims.count == (2 if verb == "DOT" else 1)


@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA", "DOT"])
def test_421_ends_the_connection_and_defers(relay: FakeRelay, verb: Verb) -> None:
    relay.on(verb, "421 4.3.2 shutting down")
    with Session(relay.relay(), PATIENCE) as session:
        delivery = session.deliver(ONE, Claims())
        assert not session.usable
    assert delivery is not None
    assert (delivery.state, delivery.scope) == ("deferred", Scope.SESSION)
    assert delivery.reply == Reply(421, "4.3.2", "shutting down")


@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA", "BODY"])
def test_a_connection_lost_before_the_dot_defers(relay: FakeRelay, verb: Verb) -> None:
    relay.on(verb, DROP)
    claims = Claims()
    with Session(relay.relay(), PATIENCE) as session:
        delivery = session.deliver(LONG, claims)
        assert not session.usable
    assert delivery is not None
    assert (delivery.state, delivery.scope) == ("deferred", Scope.SESSION)
    assert "the message was not complete" in delivery.reason
    assert (claims.count, relay.received) == (int(verb == "BODY"), [])


def test_a_connection_lost_after_the_dot_is_uncertain(relay: FakeRelay) -> None:
    relay.on("DOT", DROP)
    delivery = deliver(relay)
    assert (delivery.state, delivery.scope) == ("uncertain", Scope.SESSION)
    assert "the relay may have the message or not" in delivery.reason
    assert relay.recipients == ["reader1@example.org"]


@pytest.mark.parametrize("answer", ["hello", "999 what", "354 go on", "100"])
def test_an_answer_to_the_dot_that_is_none_is_uncertain(relay: FakeRelay, answer: str) -> None:
    relay.on("DOT", answer)
    assert deliver(relay).state == "uncertain"


@pytest.mark.parametrize(
    ("verb", "state"), [("MAIL", "deferred"), ("RCPT", "deferred"), ("DOT", "uncertain")]
)
def test_a_relay_that_never_answers_is_given_up_after_its_time(
    relay: FakeRelay, verb: Verb, state: str
) -> None:
    done = threading.Event()
    relay.on(verb, lambda: str(done.wait(5)))
    delivery = deliver(relay, timeouts=HASTE)
    done.set()
    assert delivery.state == state
    assert "no answer in time" in delivery.reason


def test_a_relay_that_wants_no_message_data_has_not_taken_it(relay: FakeRelay) -> None:
    relay.on("DATA", "250 2.0.0 thank you")
    delivery = deliver(relay)
    assert (delivery.state, delivery.scope) == ("deferred", Scope.SESSION)
    assert "answered 250 2.0.0 thank you to DATA" in delivery.reason


def test_a_relay_that_speaks_before_the_dot_gets_none(relay: FakeRelay) -> None:
    relay.on("DATA", "354 go ahead\r\n421 4.3.2 shutting down")
    claims = Claims()
    with Session(relay.relay(), PATIENCE) as session:
        delivery = session.deliver(ONE, claims)
    assert delivery == Delivery(
        "deferred",
        "DATA",
        Reply(421, "4.3.2", "shutting down"),
        "the relay answered before the end of the message",
        Scope.SESSION,
    )
    assert (claims.count, relay.received) == (0, [])


def test_without_a_claim_the_relay_never_sees_the_end_of_the_message(relay: FakeRelay) -> None:
    with Session(relay.relay(), PATIENCE) as session:
        assert session.deliver(ONE, Claims(answer=False)) is None
        assert not session.usable
    assert relay.received == []


def test_a_ledger_that_fails_lets_no_message_go(relay: FakeRelay) -> None:
    def full() -> bool:
        raise StoreError("disk full")

    with pytest.raises(StoreError), Session(relay.relay(), PATIENCE) as session:
        session.deliver(ONE, full)
    assert relay.received == []


# --- connecting -----------------------------------------------------------------------------------


def test_a_closed_port_is_an_unavailable_relay() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(RelayUnavailable, match=f"127.0.0.1:{port} cannot be reached"):
        Session(Relay("127.0.0.1", port, "none"), PATIENCE).__enter__()


Script = Callable[[FakeRelay], object]


@pytest.mark.parametrize(
    ("script", "message"),
    [
        (lambda relay: relay.on("CONNECT", DROP), "connection lost at its greeting"),
        (lambda relay: relay.on("CONNECT", "421 4.3.2 busy"), "does not greet us: 421 4.3.2 busy"),
        (lambda relay: relay.on("CONNECT", "554 go away"), "does not greet us: 554 go away"),
        (lambda relay: relay.on("CONNECT", "HTTP/1.1 400 Bad"), "does not speak SMTP"),
        (lambda relay: relay.on("CONNECT", "x" * 9000), "does not speak SMTP"),
        (lambda relay: relay.on("EHLO", DROP), "connection lost at EHLO"),
        (lambda relay: relay.on("EHLO", "502 what?"), "refuses EHLO: 502 what?"),
    ],
)
def test_a_relay_that_does_not_let_us_in_is_unavailable(
    relay: FakeRelay, script: Script, message: str
) -> None:
    script(relay)
    with pytest.raises(RelayUnavailable, match=message):
        Session(relay.relay(), PATIENCE).__enter__()


def test_a_relay_that_never_greets_is_given_up(relay: FakeRelay) -> None:
    done = threading.Event()
    relay.on("CONNECT", lambda: str(done.wait(5)))
    with pytest.raises(RelayUnavailable, match="no answer in time"):
        Session(relay.relay(), HASTE).__enter__()
    done.set()


def test_losing_the_connection_at_quit_changes_nothing(relay: FakeRelay) -> None:
    relay.on("QUIT", DROP)
    assert deliver(relay).state == "sent"


def test_a_connection_that_is_reset_as_soon_as_it_is_there_is_one_that_was_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connect = socket.create_connection

    def connect_and_lose(*arguments: Any) -> socket.socket:
        sock = connect(*arguments)
        peer, _ = server.accept()
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        peer.close()  # with a reset; it has arrived when there is something to read
        select.select([sock], [], [], 5)
        return sock

    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setattr(socket, "create_connection", connect_and_lose)
        relay = Relay("127.0.0.1", server.getsockname()[1], "none")
        with pytest.raises(RelayUnavailable, match="connection lost at its greeting"):
            Session(relay, PATIENCE).__enter__()
