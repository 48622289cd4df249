"""The pace of a send: what may begin when, what ends a run, and who goes on the next day."""

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fake_relay import DROP, FakeRelay
from hypothesis import given
from hypothesis import strategies as st
from scene import EDITION, NOW, Scene, addresses, people

from briefmail.config import Rate
from briefmail.delivery import Pace, Totals
from briefmail.delivery.pace import Window, in_words
from briefmail.errors import RelayUnavailable

RATES = st.builds(Rate, st.integers(1, 2000), st.sampled_from([1, 60]))
GAPS = st.lists(st.floats(0, 3), min_size=1, max_size=60)
A_BIT = 1e-6


@dataclass
class Clock:
    """A clock that only moves when it is told to."""

    moment: datetime = NOW

    def __call__(self) -> datetime:
        return self.moment

    @property
    def seconds(self) -> Callable[[], float]:
        return self.moment.timestamp

    def move(self, **by: float) -> None:
        self.moment += timedelta(**by)


# --- windows --------------------------------------------------------------------------------------


def greedy(window: Window, gaps: list[float]) -> list[float]:
    """Begin as soon as the window allows, with a pause of the caller's own before each."""
    now, begun = 0.0, []
    for gap in gaps:
        now += gap
        now += window.wait(now)
        window.take(now)
        begun.append(now)
    return begun


def most_within(seconds: float, times: list[float]) -> int:
    return max(sum(start <= t < start + seconds - A_BIT for t in times) for start in times)


@given(st.integers(1, 20), st.floats(0.5, 100), GAPS)
def test_no_window_ever_has_more_than_its_count(
    count: int, seconds: float, gaps: list[float]
) -> None:
    times = greedy(Window(count, seconds), gaps)
    assert most_within(seconds, times) <= count


@given(RATES, st.lists(st.floats(0, 0.1), min_size=1, max_size=300))
def test_spaced_events_keep_to_the_rate_wherever_one_looks(rate: Rate, gaps: list[float]) -> None:
    assert most_within(rate.seconds, greedy(Window.spaced(rate), gaps)) <= rate.count


@given(RATES)
def test_spaced_events_lose_little_of_the_rate(rate: Rate) -> None:
    """At most what does not divide evenly into steps of about 20 ms."""
    window = Window.spaced(rate)
    assert window.count * rate.seconds / window.seconds > rate.count - window.count
    assert window.count <= max(1, rate.count / rate.seconds / 50)


@given(st.integers(1, 20), st.floats(0.5, 100), GAPS)
def test_whoever_waits_as_long_as_told_need_not_wait_again(
    count: int, seconds: float, gaps: list[float]
) -> None:
    window, now = Window(count, seconds), 0.0
    for gap in gaps:
        now += gap + window.wait(now + gap)
        assert window.wait(now) < A_BIT
        window.take(now)


def test_fourteen_a_second_are_one_every_seventy_milliseconds() -> None:
    assert greedy(Window.spaced(Rate(14, 1)), [0.0] * 15)[-1] == pytest.approx(1.0)


def test_without_a_rate_nothing_waits() -> None:
    pace = Pace(())
    for _ in range(100):
        assert (pace.delay, pace.used_up) == (0.0, None)
        pace.take()


# --- allowances -----------------------------------------------------------------------------------


def test_an_allowance_says_when_the_next_may_go_and_when_all_are_free() -> None:
    clock = Clock(datetime(2016, 8, 24, 14, 4, 20, tzinfo=UTC))
    pace = Pace([Rate(2000, 86_400), Rate(9000, 3600)], clock)
    for _ in range(2000):
        assert pace.used_up is None
        pace.take()
        clock.move(seconds=0.3)
    error = pace.used_up
    assert isinstance(error, RelayUnavailable)
    assert error.message == (
        "2,000 of 2,000 a day are used; the same command goes on from 14:05 tomorrow"
    )
    assert error.hint == "from 14:15 tomorrow on all 2,000 are free again; smtp.rate sets the limit"
    assert (pace.delay, error.exit_status) == (0.0, 75)


def test_the_allowance_that_lasts_longest_is_the_one_named() -> None:
    clock = Clock()
    pace = Pace([Rate(1, 3600), Rate(1, 86_400)], clock)
    pace.take()
    assert str(pace.used_up).startswith("1 of 1 a day are used")
    clock.move(hours=24)
    assert pace.used_up is None


def test_machines_that_share_an_account_keep_to_its_rates_together() -> None:
    """Each begins one in three intervals, and is charged a third of what all have had."""
    clock = Clock()
    pace = Pace([Rate(100, 1), Rate(9, 86_400)], clock, clock.seconds, share=3)
    pace.take()
    assert pace.delay == pytest.approx(0.03)
    pace.recall(lambda since, at_most: [clock.moment] * 4)
    pace.take()
    assert pace.used_up is not None
    pace.recall(lambda since, at_most: [clock.moment] * 3)
    pace.take()
    assert pace.used_up is None


@given(
    st.integers(1, 8),
    st.lists(st.tuples(st.integers(0, 20), st.integers(0, 90_000), st.booleans()), max_size=12),
)
def test_however_the_runs_follow_each_other_no_day_has_more_than_its_allowance(
    count: int, runs: list[tuple[int, int, bool]]
) -> None:
    """Each run begins with what the ledger remembers, and with nothing else."""
    clock, ledger = Clock(), list[datetime]()

    def handed_over(since: datetime, at_most: int) -> list[datetime]:
        return [moment for moment in ledger if moment > since][-at_most:]

    for people_left, pause, slow in runs:
        pace = Pace([Rate(count, 86_400)], clock)
        pace.recall(handed_over)
        for _ in range(people_left):
            if pace.used_up:
                break
            pace.take()
            clock.move(seconds=4000 if slow else 0.01)
            ledger.append(clock.moment)  # the answer, after the beginning
        clock.move(seconds=pause)
    if ledger:
        assert most_within(86_400, [moment.timestamp() for moment in ledger]) <= count


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        (datetime(2016, 8, 24, 9, 30, tzinfo=UTC), "09:30"),
        (datetime(2016, 8, 24, 9, 30, 0, 1, tzinfo=UTC), "09:31"),
        (datetime(2016, 8, 25, 8, 59, 59, tzinfo=UTC), "09:00 tomorrow"),
        (datetime(2016, 8, 25, 23, 59, 59, tzinfo=UTC), "00:00 on 2016-08-26"),
    ],
)
def test_a_moment_is_never_named_too_early(moment: datetime, words: str) -> None:
    assert in_words(moment, NOW) == words


# --- real runs ------------------------------------------------------------------------------------


@contextmanager
def stage(path: Path, relay: FakeRelay, clock: Clock) -> Iterator[Scene]:
    """A scene whose ledger goes by a clock of the test's."""
    with Scene.set_up(path / "store.sqlite3", relay.relay()) as scene:
        scene.ledger._clock = clock
        yield scene


@dataclass
class Arrivals:
    """Notes when the relay was handed each message."""

    times: list[float] = field(default_factory=list)

    def __call__(self) -> str:
        self.times.append(time.monotonic())
        return "250 2.1.0 ok"


def test_a_rate_is_kept_to_over_all_connections(scene: Scene, relay: FakeRelay) -> None:
    arrivals = Arrivals()
    relay.on("MAIL", arrivals)
    scene.enrol(people(1, 40))
    before = time.process_time()
    assert scene.send(connections=4, pace=Pace([Rate(40, 1)])).sent == 40
    assert time.process_time() - before < 0.6  # it sleeps in between
    assert arrivals.times[-1] - arrivals.times[0] > 0.95
    assert Counter(relay.recipients) == Counter(addresses(1, 40))


def test_a_relay_that_hangs_up_on_the_idle_is_called_again_when_it_is_time(
    scene: Scene, relay: FakeRelay
) -> None:
    relay.on("DOT", "250 2.0.0 queued\r\n421 4.4.2 nothing to do, goodbye")
    scene.enrol(people(1, 6))
    assert scene.send(pace=Pace([Rate(20, 1)])).exit_status == 0
    assert relay.recipients == addresses(1, 6)
    assert relay.connections == 6


def test_an_interrupt_does_not_wait_for_the_next_message_to_be_due(
    scene: Scene, relay: FakeRelay
) -> None:
    def interrupt() -> str:
        threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
        return "250 2.0.0 queued"

    relay.on("DOT", interrupt, times=1)
    scene.enrol(people(1, 3))
    start = time.monotonic()
    outcome = scene.send(pace=Pace([Rate(1, 60)]))
    assert (outcome.sent, outcome.interrupted) == (1, True)
    assert time.monotonic() - start < 10
    assert scene.totals == Totals(sent=1, pending=2)


def test_an_allowance_that_is_used_up_ends_the_run_and_the_next_day_goes_on(
    tmp_path: Path, relay: FakeRelay
) -> None:
    clock = Clock()
    with stage(tmp_path, relay, clock) as scene:
        scene.enrol(people(1, 12))
        outcome = scene.send(pace=Pace([Rate(5, 86_400)], clock))
        assert (outcome.sent, outcome.deferred, outcome.exit_status) == (5, 0, 75)
        assert str(outcome.stopped) == (
            "5 of 5 a day are used; the same command goes on from 09:00 tomorrow"
        )
        assert scene.totals == Totals(sent=5, pending=7)

        connections = relay.connections
        clock.move(hours=23, minutes=59)
        scene.enrol(people(1, 12))
        again = scene.send(pace=Pace([Rate(5, 86_400)], clock))
        assert (again.sent, again.exit_status, relay.connections) == (0, 75, connections)

        clock.move(minutes=1)
        scene.enrol(people(1, 12))
        assert scene.send(pace=Pace([Rate(5, 86_400)], clock)).sent == 5
        clock.move(hours=24)
        scene.enrol(people(1, 12))
        last = scene.send(pace=Pace([Rate(5, 86_400)], clock))
        assert (last.sent, last.exit_status) == (2, 0)
    assert relay.recipients == addresses(1, 12)


def test_other_editions_and_the_uncertain_count_and_the_refused_do_not(
    tmp_path: Path, relay: FakeRelay
) -> None:
    clock = Clock()
    relay.on("RCPT", "550 5.1.1 no such user", part="reader2@")
    relay.on("DOT", DROP, part="reader3@", times=1)
    with stage(tmp_path, relay, clock) as scene:
        scene.enrol(people(1, 3))
        first = scene.send(pace=Pace([Rate(4, 3600)], clock))
        assert (first.sent, first.refused, first.uncertain) == (1, 1, 1)
        scene.ledger.open_edition("other", subject="?", issue_date=None, fingerprint="f2")
        scene.ledger.enrol("other", people(11, 19))
        clock.move(minutes=30)
        outcome = scene.send(edition="other", pace=Pace([Rate(4, 3600)], clock))
        assert (outcome.sent, outcome.exit_status) == (2, 75)
        assert str(outcome.stopped) == (
            "4 of 4 an hour are used; the same command goes on from 10:00"
        )


def test_people_refused_at_once_leave_the_allowance_to_the_others_of_the_same_run(
    tmp_path: Path, relay: FakeRelay
) -> None:
    clock = Clock()
    for number in (2, 3, 6):
        relay.on("RCPT", "550 5.1.1 no such user", part=f"reader{number}@")
    with stage(tmp_path, relay, clock) as scene:
        scene.enrol(people(1, 9))
        outcome = scene.send(pace=Pace([Rate(4, 3600)], clock))
        assert (outcome.sent, outcome.refused, outcome.exit_status) == (4, 3, 75)
        assert scene.totals == Totals(sent=4, refused=3, pending=2)


# --- messages per connection ----------------------------------------------------------------------


@pytest.mark.parametrize("connections", [1, 4])
def test_after_so_many_messages_a_connection_says_quit_and_another_takes_over(
    scene: Scene, relay: FakeRelay, connections: int
) -> None:
    scene.relay = replace(scene.relay, messages_per_connection=20)
    scene.enrol(people(1, 100))
    assert scene.send(connections=connections).sent == 100
    assert Counter(relay.recipients) == Counter(addresses(1, 100))
    assert relay.connections >= 5
    if connections == 1:
        assert relay.commands.count("QUIT") == relay.connections
        assert runs(relay.commands) == [20] * 5


def runs(commands: list[str]) -> list[int]:
    """Count the messages of each connection, one after the other."""
    counts: list[int] = []
    for command in commands:
        if command.startswith("EHLO"):
            counts.append(0)
        elif command.startswith("MAIL"):
            counts[-1] += 1
    return counts


def test_who_is_refused_counts_too_and_a_connection_may_carry_a_single_message(
    scene: Scene, relay: FakeRelay
) -> None:
    relay.on("RCPT", "550 5.1.1 no such user", part="reader2@")
    scene.relay = replace(scene.relay, messages_per_connection=1)
    scene.enrol(people(1, 4))
    outcome = scene.send(connections=1)
    assert (outcome.sent, outcome.refused, relay.connections) == (3, 1, 4)
    assert runs(relay.commands) == [1, 1, 1, 1]


def test_rate_and_messages_per_connection_go_together(scene: Scene, relay: FakeRelay) -> None:
    scene.relay = replace(scene.relay, messages_per_connection=3)
    scene.enrol(people(1, 10))
    assert scene.send(connections=2, pace=Pace([Rate(50, 1)])).sent == 10
    assert scene.ledger.edition(EDITION) is not None
    assert relay.recipients == addresses(1, 10)
    assert max(runs(relay.commands)) <= 3


def test_a_relay_that_does_not_answer_quit_costs_nobody(scene: Scene, relay: FakeRelay) -> None:
    relay.on("QUIT", DROP)
    scene.relay = replace(scene.relay, messages_per_connection=2)
    scene.enrol(people(1, 6))
    assert scene.send(connections=1).sent == 6
    assert (relay.recipients, relay.connections) == (addresses(1, 6), 3)
