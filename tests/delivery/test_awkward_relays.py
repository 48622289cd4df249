"""Relays as they are met: daily limits, greylisting, hanging up after so many, full mailboxes."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import count

import pytest
from fake_relay import DROP, FakeRelay, Verb
from scene import Scene, addresses, people

from briefmail.delivery import RunResult, Totals
from briefmail.errors import RelayUnavailable


def run(scene: Scene, last: int) -> RunResult:
    """Call the roll up to ``last`` and send."""
    scene.enrol(people(1, last))
    return scene.send()


@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA", "DOT"])
def test_a_daily_limit_ends_the_run_refuses_nobody_and_the_next_day_goes_on(
    scene: Scene, relay: FakeRelay, verb: Verb
) -> None:
    relay.on(verb, "550 5.4.5 Daily user sending limit exceeded", after=3)
    today = run(scene, 6)
    assert isinstance(today.stopped, RelayUnavailable)
    assert today.exit_status == 75
    assert scene.totals == Totals(sent=3, deferred=1, pending=2)
    assert relay.struck == 1
    relay.heal()
    tomorrow = run(scene, 6)
    assert (tomorrow.exit_status, scene.totals) == (0, Totals(sent=6))
    assert Counter(relay.recipients) == Counter(addresses(1, 6))


@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA", "DOT"])
def test_a_daily_limit_on_many_connections_leaves_nobody_in_doubt(
    scene: Scene, relay: FakeRelay, verb: Verb
) -> None:
    relay.on(verb, "550 5.4.5 Daily user sending limit exceeded", after=30)
    assert run(scene, 60).exit_status == 75
    totals = scene.totals
    assert (totals.refused, totals.uncertain, totals.audience) == (0, 0, 60)
    assert totals.sent == len(relay.received) <= 30
    assert 1 <= totals.deferred <= 4
    relay.heal()
    assert run(scene, 60).exit_status == 0
    assert Counter(relay.recipients) == Counter(addresses(1, 60))


def test_greylisting_defers_everybody_once(scene: Scene, relay: FakeRelay) -> None:
    for address in addresses(1, 6):
        relay.on("RCPT", "450 4.2.0 Greylisted, see you in five minutes", part=address, times=1)
    first = run(scene, 6)
    assert (first.stopped, first.exit_status, scene.totals) == (None, 75, Totals(deferred=6))
    second = run(scene, 6)
    assert (second.exit_status, scene.totals) == (0, Totals(sent=6))
    assert Counter(relay.recipients) == Counter(addresses(1, 6))


def every_21st(answer: str) -> Callable[[], str]:
    numbers = count(1)
    return lambda: answer if next(numbers) % 21 == 0 else "250 2.1.0 ok"


def test_a_relay_that_hangs_up_without_a_word_after_20_messages_is_called_again(
    scene: Scene, relay: FakeRelay
) -> None:
    relay.on("MAIL", every_21st(DROP))
    scene.enrol(people(1, 50))
    outcome = scene.send(connections=1)
    assert (outcome.exit_status, scene.totals) == (0, Totals(sent=50))
    assert relay.recipients == addresses(1, 50)
    assert relay.connections == 3


def test_with_20_messages_for_each_connection_it_never_has_to(
    scene: Scene, relay: FakeRelay
) -> None:
    relay.on("MAIL", DROP, after=50)
    scene.relay = replace(scene.relay, messages_per_connection=20)
    scene.enrol(people(1, 50))
    outcome = scene.send(connections=1)
    assert (outcome.exit_status, scene.totals) == (0, Totals(sent=50))
    assert (relay.connections, relay.struck) == (3, 0)


@pytest.mark.parametrize(
    "answer",
    [
        "452 4.5.3 Too many recipients",
        "452 4.2.2 The mailbox is over its quota",
        "452 4.3.1 Insufficient system storage",
        "552 5.5.3 Too many recipients",
        "552 5.2.2 Mailbox full",
        "552 no",
    ],
)
def test_no_room_for_one_person_is_worth_another_run(
    scene: Scene, relay: FakeRelay, answer: str
) -> None:
    """RFC 5321 section 4.5.3.1.10: 552 to RCPT is to be taken for 452."""
    relay.on("RCPT", answer, part="reader3@")
    outcome = run(scene, 6)
    assert (outcome.stopped, outcome.exit_status) == (None, 75)
    assert scene.totals == Totals(sent=5, deferred=1)
    assert scene.states()["deferred"] == ["reader3@example.org"]
    relay.heal()
    assert (run(scene, 6).exit_status, scene.totals) == (0, Totals(sent=6))
    assert Counter(relay.recipients) == Counter(addresses(1, 6))
