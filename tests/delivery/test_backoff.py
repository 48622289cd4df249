"""A relay that is busy or gone, and people who are put off: what one run waits for, and how long.

The clock of these runs stands still, except where a run waits and has nothing else to do.
"""

import os
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

import pytest
from fake_relay import DROP, FakeRelay
from scene import EDITION, Scene, addresses, people, person

from briefmail.config import Relay
from briefmail.delivery import BackOff, RunResult, Totals, Wait
from briefmail.delivery.backoff import JITTER, LONGEST, SHORTEST
from briefmail.delivery.journal import Copy
from briefmail.delivery.lines import Lines
from briefmail.delivery.reconnecting import Reconnecting
from briefmail.errors import LoginRefused, RelayUnavailable

T = TypeVar("T")
QUARTER = 900.0


@dataclass
class Sleeper:
    """A clock that only moves while a run sleeps; ``on_sleep`` happens then, too."""

    now: float = 0.0
    waits: list[Wait] = field(default_factory=list)
    on_sleep: Callable[[], object] = lambda: None

    def sleep(self, wait: Callable[[float], T], seconds: float) -> T:
        self.now += seconds
        self.on_sleep()
        return wait(0)

    def back_off(self, retry_for: float = QUARTER) -> BackOff:
        return BackOff(retry_for, lambda: self.now, lambda: 0.0, self.sleep)

    def send(self, scene: Scene, retry_for: float = QUARTER, **options: int) -> RunResult:
        back_off = self.back_off(retry_for)
        return scene.send(back_off=back_off, on_wait=self.waits.append, **options)

    @property
    def tries(self) -> list[float]:
        """When the run went on after each wait."""
        moments, now = [], 0.0
        for wait in self.waits:
            now += wait.seconds
            moments.append(now)
        return moments


# --- when -----------------------------------------------------------------------------------------


def test_each_wait_is_as_long_as_it_has_been_going_on_and_five_minutes_at_most() -> None:
    sleeper, moments = Sleeper(), []
    back_off = sleeper.back_off()
    while (due := back_off.next_try(0)) is not None:
        moments.append(due)
        sleeper.now = due
    assert moments == [30, 60, 120, 240, 480, 780]


def test_jitter_makes_a_wait_longer_and_never_shorter() -> None:
    waits = [BackOff(1e9, lambda: 0.0, lambda share=share: share).next_try(0) for share in (0, 1)]
    assert waits == [SHORTEST, SHORTEST * (1 + JITTER)]
    assert BackOff(1e9, lambda: 7200.0, lambda: 1.0).next_try(0) == 7200 + LONGEST * (1 + JITTER)


@pytest.mark.parametrize("retry_for", [0, 10, 29.9])
def test_less_than_the_shortest_wait_means_no_second_try(retry_for: float) -> None:
    assert BackOff(retry_for, lambda: 0.0, lambda: 0.0).next_try(0) is None


# --- people ---------------------------------------------------------------------------------------


def test_a_greylisted_person_is_tried_again_in_the_same_run(scene: Scene, relay: FakeRelay) -> None:
    relay.on("RCPT", "450 4.2.0 greylisted", part="reader2@", times=4)
    scene.enrol(people(1, 3))
    sleeper = Sleeper()
    outcome = sleeper.send(scene)
    assert (outcome, outcome.exit_status) == (RunResult(3, 0, 0, 0, None, False), 0)
    assert Counter(relay.recipients) == Counter(addresses(1, 3))
    assert sleeper.waits == [Wait(seconds, 1, "") for seconds in (30, 30, 60, 120)]
    assert scene.totals == Totals(sent=3)
    assert [state for _, state in scene.progress] == ["sent", "deferred", "sent"] + (
        ["deferred"] * 3 + ["sent"]
    )
    assert relay.commands.count("QUIT") == relay.connections == 5


def test_who_is_put_off_for_too_long_is_deferred_for_the_next_run_and_counted_once(
    scene: Scene, relay: FakeRelay
) -> None:
    relay.on("RCPT", "450 4.2.0 greylisted", part="reader2@")
    relay.on("RCPT", "451 4.7.1 try later", part="reader3@", times=1)
    relay.on("RCPT", "550 5.1.1 gone by now", part="reader3@")
    scene.enrol(people(1, 3))
    sleeper = Sleeper()
    outcome = sleeper.send(scene)
    assert (outcome, outcome.exit_status) == (RunResult(1, 1, 1, 0, None, False), 75)
    assert scene.totals == Totals(sent=1, refused=1, deferred=1)
    assert sleeper.tries == [30, 60, 120, 240, 480, 780]
    assert [wait.people for wait in sleeper.waits] == [2, 1, 1, 1, 1, 1]
    scene.enrol(people(1, 3))
    assert sleeper.send(scene, 0).deferred == 1


def test_while_people_wait_the_others_are_sent_to_and_nobody_is_held(
    scene: Scene, relay: FakeRelay
) -> None:
    states: list[dict[str, int]] = []
    for number in range(1, 300, 3):
        relay.on("RCPT", "450 4.2.0 greylisted", part=f"reader{number}@", times=1)
    scene.enrol(people(1, 300))
    sleeper = Sleeper(
        on_sleep=lambda: states.append({name: len(who) for name, who in scene.states().items()})
    )
    assert sleeper.send(scene, connections=4).sent == 300
    assert states == [{"sent": 200, "deferred": 100}]
    assert Counter(relay.recipients) == Counter(addresses(1, 300))


def test_a_run_sleeps_while_somebody_is_due_and_every_connection_is_at_work(
    scene: Scene, relay: FakeRelay
) -> None:
    """What it does between two looks at the clock is a turn, and a turn needs news."""
    sleeper = Sleeper()
    looks: list[float] = []

    def clock() -> float:
        looks.append(sleeper.now)
        return sleeper.now

    def take_long() -> str:
        sleeper.now += 40
        time.sleep(0.2)
        return "250 2.1.5 ok"

    relay.on("RCPT", "450 4.2.0 greylisted", part="reader1@", times=1)
    relay.on("RCPT", take_long, part="reader3@", times=1)
    scene.enrol(people(1, 3))
    back_off = BackOff(QUARTER, clock, lambda: 0.0, sleeper.sleep)
    assert scene.send(back_off=back_off).sent == 3
    assert len(looks) < 100


def test_many_who_come_due_one_after_the_other_are_one_wait_to_be_told(
    scene: Scene, relay: FakeRelay
) -> None:
    relay.on("RCPT", "450 4.2.0 greylisted", times=20)
    scene.enrol(people(1, 20))
    sleeper = Sleeper()
    later = iter(range(20))
    back_off = BackOff(QUARTER, lambda: sleeper.now, lambda: next(later) / 20, sleeper.sleep)
    assert scene.send(back_off=back_off, on_wait=sleeper.waits.append).sent == 20
    assert sleeper.waits == [Wait(SHORTEST, 20, "")]
    assert sleeper.now > SHORTEST


def test_who_is_withdrawn_while_they_wait_is_not_tried_again(
    scene: Scene, relay: FakeRelay
) -> None:
    """As when somebody is suppressed: the run hears of it by the ledger alone."""
    relay.on("RCPT", "450 4.2.0 greylisted", times=2)
    scene.enrol(people(1, 2))
    sleeper = Sleeper(on_sleep=lambda: scene.ledger.withdraw(person(2).key))
    assert sleeper.send(scene) == RunResult(1, 0, 1, 0, None, False)
    assert relay.recipients == addresses(1, 1)
    assert scene.totals == Totals(sent=1, withdrawn=1)
    scene.enrol(people(1, 2))
    assert sleeper.send(scene).sent == 1


def test_a_limit_counts_people_and_not_tries(scene: Scene, relay: FakeRelay) -> None:
    relay.on("RCPT", "450 4.2.0 greylisted", part="reader1@", times=2)
    scene.enrol(people(1, 5))
    assert Sleeper().send(scene, limit=2).sent == 2
    assert scene.totals == Totals(sent=2, pending=3)


def test_no_answer_to_the_dot_of_a_later_try_is_uncertain_and_no_longer_deferred(
    scene: Scene, relay: FakeRelay
) -> None:
    relay.on("RCPT", "450 4.2.0 greylisted", part="reader2@", times=1)
    relay.on("DOT", DROP, part="reader2@")
    scene.enrol(people(1, 2))
    assert Sleeper().send(scene) == RunResult(1, 0, 0, 1, None, False)
    assert scene.totals == Totals(sent=1, uncertain=1)


def test_a_message_that_breaks_every_connection_holds_nobody_else_up(
    scene: Scene, relay: FakeRelay
) -> None:
    relay.on("RCPT", DROP, part="reader2@")
    scene.enrol(people(1, 4))
    sleeper = Sleeper()
    outcome = sleeper.send(scene)
    assert (outcome.sent, outcome.deferred, outcome.exit_status) == (3, 1, 75)
    assert sleeper.now <= QUARTER


# --- the relay ------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", ["421 4.3.2 busy", "451 4.3.0 no disk", DROP])
def test_a_relay_that_fails_for_a_while_is_waited_for_and_everybody_gets_it(
    scene: Scene, relay: FakeRelay, answer: str
) -> None:
    relay.on("MAIL", "250 ok", times=2)
    relay.on("MAIL", answer, times=6)
    scene.enrol(people(1, 9))
    sleeper = Sleeper()
    outcome = sleeper.send(scene)
    assert (outcome, outcome.exit_status) == (RunResult(9, 0, 0, 0, None, False), 0)
    assert Counter(relay.recipients) == Counter(addresses(1, 9))
    assert all(wait.relay for wait in sleeper.waits[:3])
    assert scene.totals == Totals(sent=9)


def test_a_relay_that_is_busy_at_first_is_tried_again(scene: Scene, relay: FakeRelay) -> None:
    relay.on("CONNECT", "421 4.3.2 busy", times=3)
    scene.enrol(people(1, 3))
    sleeper = Sleeper()
    assert sleeper.send(scene).exit_status == 0
    assert [wait.seconds for wait in sleeper.waits] == [30, 30, 60]
    assert sleeper.waits[0].relay == "127.0.0.1 does not greet us: 421 4.3.2 busy"
    assert (relay.connections, relay.recipients) == (4, addresses(1, 3))


def test_a_relay_that_never_answers_ends_the_run_after_its_time_and_marks_nobody(
    scene: Scene, relay: FakeRelay
) -> None:
    relay.__exit__()
    scene.enrol(people(1, 3))
    sleeper = Sleeper()
    outcome = sleeper.send(scene)
    assert isinstance(outcome.stopped, RelayUnavailable)
    assert str(outcome.stopped).endswith("refused, and for 13 min nothing has got through")
    assert (outcome.deferred, outcome.exit_status) == (0, 75)
    assert sleeper.tries == [30, 60, 120, 240, 480, 780]
    assert scene.totals == Totals(pending=3)


def test_after_an_outage_the_run_has_all_its_connections_again(
    scene: Scene, relay: FakeRelay
) -> None:
    scene.enrol(people(1, 200))
    relay.on("CONNECT", "220 welcome", times=4)
    relay.on("CONNECT", "421 4.3.2 closing", times=10)
    relay.on("MAIL", "250 ok", times=40)
    relay.on("MAIL", DROP, times=4)
    served: list[int] = []

    def take() -> str:
        time.sleep(0.005)
        served.append(threading.get_ident())
        return "250 2.0.0 queued"

    relay.on("DOT", take)
    sleeper = Sleeper()
    assert sleeper.send(scene, connections=4).sent == 200
    assert Counter(relay.recipients) == Counter(addresses(1, 200))
    assert sleeper.waits
    assert len(set(served[-60:])) == 4


def test_connections_that_fail_at_once_are_one_outage() -> None:
    sleeper = Sleeper()
    with Lines[Copy](lambda: pytest.fail("no connection is made here")) as lines:
        reconnecting = Reconnecting(lines, sleeper.back_off())
        reconnecting.opened()
        reconnecting.want(4)
        for _ in range(4):
            assert reconnecting.failed(RelayUnavailable("gone"), 2, final=False) is None
        assert (reconnecting.missing, reconnecting.away_until) == (0, 30)
        sleeper.now = 30
        assert (reconnecting.away_until, reconnecting.missing) == (30, 1)
        assert reconnecting.away_until is None
        reconnecting.works()
        assert reconnecting.missing == 4


def test_what_succeeds_in_between_gives_the_relay_its_whole_time_again(
    scene: Scene, relay: FakeRelay
) -> None:
    for _ in range(3):
        relay.on("CONNECT", "220 welcome", times=1)
        relay.on("CONNECT", "421 4.3.2 busy", times=6)
    relay.on("DOT", "250 2.0.0 queued\r\n421 4.4.2 goodbye")
    scene.enrol(people(1, 3))
    sleeper = Sleeper()
    assert sleeper.send(scene).sent == 3
    assert sleeper.now > QUARTER


@pytest.mark.parametrize("verb", ["CONNECT", "EHLO"])
def test_a_final_no_is_not_waited_for(scene: Scene, relay: FakeRelay, verb: str) -> None:
    relay.on(verb, "554 5.7.1 go away")  # type: ignore[arg-type]
    scene.enrol(people(1, 3))
    sleeper = Sleeper()
    outcome = sleeper.send(scene)
    assert (outcome.exit_status, relay.connections, sleeper.waits) == (75, 1, [])
    assert scene.totals == Totals(pending=3)


def test_neither_is_a_daily_limit_nor_a_login_that_is_wanted(
    scene: Scene, relay: FakeRelay
) -> None:
    relay.on("RCPT", "550 5.4.5 daily limit exceeded", times=1)
    relay.on("MAIL", "250 ok", times=1)
    relay.on("MAIL", "530 5.7.0 log in first")
    scene.enrol(people(1, 3))
    sleeper = Sleeper()
    limited = sleeper.send(scene)
    assert (limited.deferred, limited.exit_status) == (1, 75)
    login = sleeper.send(scene)
    assert isinstance(login.stopped, LoginRefused)
    assert sleeper.waits == []


@pytest.mark.parametrize(("answer", "tries"), [(socket.EAI_NONAME, 1), (socket.EAI_AGAIN, 7)])
def test_a_host_that_does_not_exist_is_not_waited_for_but_a_name_server_is(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, answer: int, tries: int
) -> None:
    asked: list[object] = []

    def look_up(host: str, *_: object) -> None:
        asked.append(host)
        raise socket.gaierror(answer, "so the name server says")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    scene.relay = Relay("relay.example.org", 25, "none")
    scene.enrol(people(1, 1))
    assert Sleeper().send(scene).exit_status == 75
    assert asked == ["relay.example.org"] * tries


# --- interrupted ----------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_run_that_waits_at_once(
    scene: Scene, relay: FakeRelay, number: signal.Signals
) -> None:
    relay.on("RCPT", "450 4.2.0 greylisted", part="reader2@")
    scene.enrol(people(1, 3))

    def interrupt(wait: Wait) -> None:
        threading.Timer(0.1, os.kill, (os.getpid(), number)).start()

    outcome = scene.send(back_off=BackOff(QUARTER), on_wait=interrupt)
    assert (outcome.sent, outcome.deferred, outcome.interrupted) == (2, 1, True)
    assert outcome.exit_status == 128 + number
    assert scene.states() == {
        "sent": ["reader1@example.org", "reader3@example.org"],
        "deferred": ["reader2@example.org"],
    }


def test_a_run_that_died_while_it_waited_is_gone_on_with(scene: Scene, relay: FakeRelay) -> None:
    relay.on("RCPT", "450 4.2.0 greylisted", part="reader2@", times=1)
    scene.enrol(people(1, 3))

    def die() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        Sleeper(on_sleep=die).send(scene)
    scene.enrol(people(1, 3))
    assert Sleeper().send(scene).sent == 1
    assert scene.totals == Totals(sent=3)
    assert scene.ledger.next_due(EDITION) is None
