"""The fake relay has the faults that it is told to have, as a client sees them."""

import socket
from collections.abc import Iterator

import pytest
from fake_relay import DRIP, DROP, RESET, SILENCE, FakeRelay


@pytest.fixture
def relay() -> Iterator[FakeRelay]:
    with FakeRelay(extensions=[]) as relay:
        yield relay


def talk(relay: FakeRelay, *lines: str, patience: float = 5) -> str:
    """Say each line when the one before it is answered, and return what is answered at last."""
    with socket.create_connection(("127.0.0.1", relay.port), timeout=patience) as sock:
        answer = sock.recv(1000)
        for line in lines:
            sock.sendall(f"{line}\r\n".encode())
            answer = sock.recv(1000)
        return answer.decode()


def test_it_closes(relay: FakeRelay) -> None:
    relay.on("MAIL", DROP)
    assert talk(relay, "EHLO x", "MAIL FROM:<a@example.org>") == ""


def test_it_resets(relay: FakeRelay) -> None:
    relay.on("MAIL", RESET)
    with pytest.raises(ConnectionResetError):
        talk(relay, "EHLO x", "MAIL FROM:<a@example.org>")


def test_it_says_nothing(relay: FakeRelay) -> None:
    relay.on("MAIL", SILENCE)
    with pytest.raises(TimeoutError):
        talk(relay, "EHLO x", "MAIL FROM:<a@example.org>", patience=0.2)


def test_it_speaks_slowly(relay: FakeRelay) -> None:
    relay.on("MAIL", DRIP)
    assert talk(relay, "EHLO x", "MAIL FROM:<a@example.org>") == "2"


def test_it_has_a_fault_after_so_many_for_so_many(relay: FakeRelay) -> None:
    relay.on("RSET", "451 4.7.1 not now", after=1, times=1)
    answers = [talk(relay, *["RSET"] * number)[:3] for number in (1, 1, 1)]
    assert answers == ["250", "451", "250"]
    assert relay.struck == 1


def test_what_it_takes_over_and_what_it_acknowledges_are_two_things(relay: FakeRelay) -> None:
    for number, answer in enumerate(("250 ok", DROP, "451 later"), start=1):
        relay.on("DOT", answer, part=f"reader{number}@")
        to = f"RCPT TO:<reader{number}@example.org>"
        talk(relay, "MAIL FROM:<a@example.org>", to, "DATA", "Hello.\r\n.")
    relay.wait_until_alone()
    assert relay.recipients == ["reader1@example.org", "reader2@example.org"]
    assert relay.acknowledged == ["reader1@example.org"]
