"""Many connections at once: who gets what, what is in doubt, and what a broken one costs."""

import os
import signal
import socket
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import trustme
from fake_relay import DROP, FakeRelay
from scene import PATIENCE, Scene, addresses, message_for, people

from briefmail.audience import Recipient
from briefmail.delivery import Totals
from briefmail.edition.message import Message
from briefmail.errors import LoginRefused, RelayUnavailable


def test_a_long_list_goes_over_as_many_connections_as_asked_for(
    scene: Scene, relay: FakeRelay
) -> None:
    relay.on("DOT", slowly("250 2.0.0 ok", 0.01))
    scene.enrol(people(1, 200))
    assert scene.send(connections=8).sent == 200
    assert Counter(relay.recipients) == Counter(addresses(1, 200))
    assert relay.connections == 8
    assert scene.totals == Totals(sent=200)


def test_a_short_list_gets_one_connection_for_ten_people(scene: Scene, relay: FakeRelay) -> None:
    relay.on("DOT", slowly("250 2.0.0 ok", 0.01))
    scene.enrol(people(1, 39))
    assert scene.send(connections=8).sent == 39
    assert relay.connections == 3


def slowly(answer: str, seconds: float) -> Callable[[], str]:
    def wait() -> str:
        time.sleep(seconds)
        return answer

    return wait


def test_until_somebody_is_accepted_there_is_one_connection(scene: Scene, relay: FakeRelay) -> None:
    relay.on("DOT", "554 5.7.1 looks like spam")
    scene.enrol(people(1, 100))
    assert scene.send(connections=8).exit_status == 65
    assert relay.connections == 1
    assert scene.totals == Totals(deferred=3, pending=97)


def test_a_connection_that_is_ready_too_late_is_not_waited_for(
    scene: Scene, relay: FakeRelay
) -> None:
    relay.on("CONNECT", "220 welcome", times=1)
    relay.on("CONNECT", slowly("220 welcome", 0.3))
    relay.on("QUIT", slowly("221 bye", 0.5), times=1)
    scene.enrol(people(1, 25))
    start = time.monotonic()
    assert scene.send(connections=2).sent == 25
    assert time.monotonic() - start < 4


def test_every_connection_may_break_now_and_then(scene: Scene, relay: FakeRelay) -> None:
    for number in (20, 40, 60, 80):
        relay.on("RCPT", DROP, part=f"reader{number}@", times=1)
        relay.on("RCPT", "421 4.7.0 enough", part=f"reader{number + 5}@", times=1)
    scene.enrol(people(1, 100))
    assert scene.send(connections=5).sent == 100
    assert Counter(relay.recipients) == Counter(addresses(1, 100))


def test_who_is_in_doubt_is_one_for_each_connection_that_broke(
    scene: Scene, relay: FakeRelay
) -> None:
    for number in (20, 40, 60):
        relay.on("DOT", DROP, part=f"reader{number}@", times=1)
    scene.enrol(people(1, 100))
    outcome = scene.send(connections=5)
    assert (outcome.sent, outcome.uncertain) == (97, 3)
    assert scene.states()["uncertain"] == [f"reader{number}@example.org" for number in (20, 40, 60)]
    assert Counter(relay.recipients) == Counter(addresses(1, 100))


def test_connections_that_a_relay_will_not_have_are_done_without(
    scene: Scene, relay: FakeRelay
) -> None:
    relay.on("CONNECT", "220 welcome", times=2)
    relay.on("CONNECT", "421 4.7.0 too many connections from you")
    scene.enrol(people(1, 60))
    assert scene.send(connections=6).sent == 60
    assert Counter(relay.recipients) == Counter(addresses(1, 60))


def test_when_the_last_connection_has_failed_three_times_the_run_stops(
    scene: Scene, relay: FakeRelay
) -> None:
    scene.enrol(people(1, 100))
    relay.on("CONNECT", "220 welcome", times=4)
    relay.on("CONNECT", "421 4.3.2 closing")
    relay.on("MAIL", "250 ok", times=40)
    relay.on("MAIL", DROP)
    outcome = scene.send(connections=4)
    assert isinstance(outcome.stopped, RelayUnavailable)
    assert outcome.sent == 40
    totals = scene.totals
    assert (totals.sent, totals.uncertain, totals.audience) == (40, 0, 100)


def test_a_later_connection_that_may_not_log_in_stops_the_run_and_loses_nobody(
    trusted: trustme.CA, tls: ssl.SSLContext, tmp_path: Path
) -> None:
    with FakeRelay(tls=tls, security="tls", users={"editor": "right"}) as relay:
        relay.on("AUTH", "235 2.7.0 welcome", times=1)
        relay.on("AUTH", "535 5.7.8 no")
        relay.on("DOT", slowly("250 2.0.0 ok", 0.02))
        login = relay.relay("localhost", "editor", "right")
        with Scene.set_up(tmp_path / "store.sqlite3", login) as scene:
            scene.enrol(people(1, 60))
            outcome = scene.send(connections=2)
            assert isinstance(outcome.stopped, LoginRefused)
            assert scene.totals.uncertain == scene.totals.deferred == 0
            assert scene.totals.sent == len(relay.received) > 0


@pytest.mark.parametrize("pipelining", [True, False])
def test_over_tls_messages_of_many_records_arrive_unchanged(
    trusted: trustme.CA, tls: ssl.SSLContext, tmp_path: Path, pipelining: bool
) -> None:
    body = b"".join(b"%05d .%s\r\n.dots\r\n" % (n, b"x" * 60) for n in range(6000))
    extensions = ["8BITMIME", *(["PIPELINING"] if pipelining else [])]
    with FakeRelay(tls=tls, security="starttls", extensions=extensions) as relay:
        with Scene.set_up(tmp_path / "store.sqlite3", relay.relay("localhost")) as scene:
            scene.enrol(people(1, 40))
            outcome = scene.send(
                connections=4, message=lambda recipient: message_for(recipient, body)
            )
            assert outcome.sent == 40
        assert Counter(relay.recipients) == Counter(addresses(1, 40))
        assert {message.data.partition(b"\r\n\r\n")[2] for message in relay.received} == {body}


def test_a_relay_that_reads_slowly_gets_every_message_whole(scene: Scene, relay: FakeRelay) -> None:
    body = b"a long line of text that says little\r\n" * 60_000
    relay.on("DATA", slowly("354 go ahead", 0.02))
    scene.enrol(people(1, 12))
    assert scene.send(message=lambda recipient: message_for(recipient, body)).sent == 12
    assert {len(message.data.partition(b"\r\n\r\n")[2]) for message in relay.received} == {
        len(body)
    }


def test_one_that_never_answers_does_not_keep_the_others(scene: Scene, relay: FakeRelay) -> None:
    done = threading.Event()
    relay.on("DOT", lambda: str(done.wait(5)), part="reader30@", times=1)
    scene.enrol(people(1, 60))
    outcome = scene.send(connections=4, timeouts=replace(PATIENCE, dot=0.4))
    done.set()
    assert (outcome.sent, outcome.uncertain) == (59, 1)
    assert scene.states()["uncertain"] == ["reader30@example.org"]


def test_a_reply_that_drips_has_the_time_of_one_reply(scene: Scene) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        threading.Thread(target=drip, args=(server,), daemon=True).start()
        scene.relay = replace(scene.relay, port=port)
        scene.enrol(people(1, 1))
        start = time.monotonic()
        outcome = scene.send(timeouts=replace(PATIENCE, mail=0.3))
        assert time.monotonic() - start < 4
    assert (outcome.sent, outcome.exit_status) == (0, 75)


def drip(server: socket.socket) -> None:
    """Greet, and then say 250 with an octet every 50 ms, on every connection."""
    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return
        with connection:
            connection.sendall(b"220 x\r\n")
            connection.recv(1000)
            connection.sendall(b"250 x\r\n")
            try:
                for _ in range(100):
                    connection.sendall(b"2")
                    time.sleep(0.05)
            except OSError:
                pass


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_lets_every_dot_be_answered_and_gives_the_others_back(
    scene: Scene, relay: FakeRelay, number: signal.Signals
) -> None:
    def interrupt() -> str:
        os.kill(os.getpid(), number)
        return "250 2.0.0 queued"

    relay.on("DOT", interrupt, part="reader50@")
    before = signal.getsignal(number)
    scene.enrol(people(1, 200))
    outcome = scene.send(connections=8)
    assert (outcome.interrupted, outcome.uncertain, outcome.deferred) == (True, 0, 0)
    assert outcome.sent == len(relay.received) < 200
    assert scene.totals == Totals(sent=outcome.sent, pending=200 - outcome.sent)
    assert signal.getsignal(number) is before
    assert scene.send(connections=8).sent == 200 - outcome.sent
    assert Counter(relay.recipients) == Counter(addresses(1, 200))


def test_a_bug_in_the_middle_leaves_in_doubt_only_whose_dot_was_out(
    scene: Scene, relay: FakeRelay
) -> None:
    def broken(recipient: Recipient) -> Message:
        if recipient.line == 100:
            raise ZeroDivisionError
        return message_for(recipient)

    scene.enrol(people(1, 200))
    with pytest.raises(ZeroDivisionError):
        scene.send(connections=4, message=broken)
    totals = scene.totals
    assert totals.uncertain <= 4
    assert totals.sent + totals.uncertain + totals.pending == 200
    scene.send(connections=4)
    assert max(Counter(relay.recipients).values()) == 1
