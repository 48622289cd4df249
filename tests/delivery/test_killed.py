"""A sender that is killed without warning: nobody twice, nobody forgotten, the doubt by name."""

import os
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest
from fake_relay import FakeRelay, Verb
from scene import EDITION, Scene, addresses, people, person

import briefmail
from briefmail.delivery import Totals

HERE = Path(__file__).parent


def start_sender(database: Path, relay: FakeRelay, number: int) -> subprocess.Popen[bytes]:
    path = os.pathsep.join([str(HERE), str(Path(briefmail.__file__).parents[1])])
    return subprocess.Popen(
        [sys.executable, str(HERE / "sender.py"), str(database), str(relay.port), str(number)],
        env={**os.environ, "PYTHONPATH": path},
    )


def kill_at(relay: FakeRelay, verb: Verb, part: str, database: Path) -> None:
    """Run a sender for ten people and kill it when the relay has ``verb`` and no answer is out."""
    reached, killed = threading.Event(), threading.Event()

    def hold() -> str:
        reached.set()
        killed.wait(10)
        return "250 2.0.0 too late"

    relay.on(verb, hold, part=part, times=1)
    sender = start_sender(database, relay, 10)
    try:
        assert reached.wait(10)
    finally:
        sender.kill()
        sender.wait()
        killed.set()


def test_killed_between_the_dot_and_its_reply_exactly_one_is_uncertain_and_nobody_gets_it_twice(
    tmp_path: Path, relay: FakeRelay
) -> None:
    database = tmp_path / "store.sqlite3"
    kill_at(relay, "DOT", "reader4@", database)
    with Scene.set_up(database, relay.relay()) as scene:
        enrolled = scene.enrol(people(1, 10))
        assert (enrolled.sent, enrolled.uncertain, enrolled.open) == (3, 1, 6)
        assert scene.send().sent == 6
        assert scene.totals == Totals(sent=9, uncertain=1)
        assert [entry.address for entry in scene.ledger.entries(EDITION, "uncertain")] == [
            person(4).address
        ]
    assert Counter(relay.recipients) == Counter(addresses(1, 10))


@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA"])
def test_killed_before_the_first_dot_nobody_is_in_doubt(
    tmp_path: Path, relay: FakeRelay, verb: Verb
) -> None:
    database = tmp_path / "store.sqlite3"
    kill_at(relay, verb, "", database)
    with Scene.set_up(database, relay.relay()) as scene:
        assert scene.enrol(people(1, 10)).uncertain == 0
        scene.send()
        assert scene.totals == Totals(sent=10)
    assert Counter(relay.recipients) == Counter(addresses(1, 10))


def test_killed_later_before_a_dot_nobody_gets_it_twice(tmp_path: Path, relay: FakeRelay) -> None:
    """With PIPELINING the reply to the dot before may just have come and not been written down."""
    database = tmp_path / "store.sqlite3"
    kill_at(relay, "RCPT", "reader4@", database)
    with Scene.set_up(database, relay.relay()) as scene:
        uncertain = scene.enrol(people(1, 10)).uncertain
        assert uncertain <= 1
        scene.send()
        assert scene.totals == Totals(sent=10 - uncertain, uncertain=uncertain)
    assert Counter(relay.recipients) == Counter(addresses(1, 10))
