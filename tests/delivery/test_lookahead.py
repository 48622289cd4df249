"""Messages are written ahead of their turn, each once, and a failure waits for its turn."""

import pytest

from briefmail.audience import Recipient
from briefmail.delivery.lookahead import Lookahead
from briefmail.edition import Message
from briefmail.errors import MergeError


def person(name: str) -> Recipient:
    address = f"{name}@example.org"
    return Recipient(address, address, name, {"email": address}, 2)


class Desk:
    """Writes messages, and remembers for whom."""

    def __init__(self) -> None:
        self.written: list[str] = []

    def write(self, someone: Recipient) -> Message:
        if someone.name == "nobody":
            raise MergeError([])
        self.written.append(someone.name)
        return Message("news@example.org", someone.address, f"<{someone.name}@x>", b"")


def test_a_message_is_written_once_however_often_it_is_asked_ahead() -> None:
    """And is handed over when its turn comes; one that was not written ahead is written then."""
    desk = Desk()
    ahead = Lookahead(desk.write)
    ahead.write([person("ada"), person("ben")])
    ahead.write([person("ben"), person("cleo")])
    assert desk.written == ["ada", "ben", "cleo"]
    assert ahead.message_for(person("ada")).recipient == "ada@example.org"
    assert ahead.message_for(person("dora")).recipient == "dora@example.org"
    assert desk.written == ["ada", "ben", "cleo", "dora"]


def test_somebody_who_comes_back_gets_a_message_written_anew() -> None:
    """What was handed over is not kept: memory holds those who come next and nobody else."""
    desk = Desk()
    ahead = Lookahead(desk.write)
    ahead.write([person("ada")])
    ahead.message_for(person("ada"))
    ahead.message_for(person("ada"))
    assert desk.written == ["ada", "ada"]


def test_what_cannot_be_written_is_an_error_when_its_turn_comes_and_not_before() -> None:
    """Whoever stands before it in the queue still gets a message."""
    desk = Desk()
    ahead = Lookahead(desk.write)
    ahead.write([person("ada"), person("nobody"), person("ben")])
    assert desk.written == ["ada"]
    with pytest.raises(MergeError):
        ahead.message_for(person("nobody"))
