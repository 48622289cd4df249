"""Several machines send one edition together: nobody twice, nobody forgotten, whoever dies."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field

import pytest
from fake_relay import FakeRelay
from scene import EDITION, Scene, addresses, opened, people, person

from briefmail.delivery import Delivery, Lease, Ledger, Scope, Totals, Worker, Workers, utc_now
from briefmail.errors import LeaseLapsed, StoreError
from private_postgresql import PrivatePostgreSQL

pytestmark = pytest.mark.postgresql
SENT = Delivery("sent", "DOT", None, "", Scope.RECIPIENT)


@pytest.fixture
def url(postgresql: PrivatePostgreSQL) -> str:
    return postgresql.empty()


@pytest.fixture
def relay() -> Iterator[FakeRelay]:
    """One way of the dialogue is enough here."""
    with FakeRelay(extensions=["PIPELINING"]) as relay:
        yield relay


@dataclass
class Machine:
    """A worker on a connection of its own, by default on a lease that does not lapse."""

    name: str
    ledger: Ledger
    taken: list[str] = field(default_factory=list)

    def take(self, size: int) -> list[str]:
        self.taken += (found := [who.key for who in self.ledger.next_batch(EDITION, size)])
        return found

    def claim(self, key: str) -> bool:
        return key in self.ledger.advance(EDITION, claims=[(key, "<1@example.com>")])


@pytest.fixture
def office(url: str) -> Iterator["Office"]:
    with ExitStack() as stack:
        yield Office(url, stack)


class Office:
    """Machines as a test wants them, on an edition of ten people."""

    def __init__(self, url: str, stack: ExitStack) -> None:
        self.url = url
        self._stack = stack
        self.database = stack.enter_context(opened(url))
        self.ledger = Ledger(self.database)
        self.ledger.open_edition(EDITION, subject="", issue_date=None, fingerprint="f1")
        self.ledger.enrol(EDITION, people(1, 10))

    def machine(self, name: str, lease: float = 60.0) -> Machine:
        ledger = Ledger(self._stack.enter_context(opened(self.url)))
        ledger.enlist(EDITION, name, "all", lease)
        return Machine(name, ledger)

    def cut(self, machine: Machine) -> None:
        """End a machine's session with the server, as its death would."""
        machine.ledger._database.close()
        # The server notices a moment later.
        while any(each.name == machine.name for each in self.ledger.at_work(EDITION)):
            pass


def test_two_machines_never_take_the_same_person(office: Office) -> None:
    one, two = office.machine("one"), office.machine("two")
    while one.take(2) or two.take(3):
        pass
    assert sorted(one.taken + two.taken) == sorted(addresses(1, 10))
    assert not set(one.taken) & set(two.taken)


def test_what_one_is_about_to_take_the_other_passes_over(office: Office) -> None:
    one, two = office.machine("one"), office.machine("two")
    with one.ledger._database.transaction():
        one.ledger._database.execute("UPDATE delivery SET line = line WHERE key = ?", person(1).key)
        assert two.take(3) == addresses(2, 4)


def test_nobody_decides_on_whom_another_has_in_hand(office: Office) -> None:
    one, two = office.machine("one"), office.machine("two")
    (key,) = one.take(1)
    assert not two.claim(key)
    assert one.claim(key)
    with pytest.raises(StoreError, match="changed by somebody else"):
        two.ledger.advance(EDITION, [(key, SENT)])
    one.ledger.advance(EDITION, [(key, SENT)])
    assert office.ledger.totals(EDITION) == Totals(sent=1, pending=9)


@pytest.mark.parametrize("death", ["its session ends", "its lease lapses"])
def test_what_a_dead_machine_had_is_free_and_what_it_claimed_uncertain(
    office: Office, death: str
) -> None:
    dead = office.machine("dead", lease=60.0 if death == "its session ends" else 0.0)
    alive = office.machine("alive")
    free, claimed = dead.take(2)
    dead.claim(claimed)
    if death == "its session ends":
        office.cut(dead)
    assert alive.ledger.recover_lost(EDITION)
    assert office.ledger.state_of(EDITION, claimed) == "uncertain"
    assert office.ledger.state_of(EDITION, free) == "pending"
    assert not alive.ledger.recover_lost(EDITION)
    assert alive.take(9) == [free, *addresses(3, 10)]


def test_a_machine_that_was_given_up_can_do_no_harm_when_it_wakes(office: Office) -> None:
    sleeper, alive = office.machine("sleeper", lease=0.0), office.machine("alive")
    first, second = sleeper.take(2)
    sleeper.claim(first)
    alive.ledger.recover_lost(EDITION)
    assert not sleeper.claim(second)
    with pytest.raises(StoreError, match="changed by somebody else"):
        sleeper.ledger.advance(EDITION, [(first, SENT)])
    assert sleeper.ledger.recover(EDITION) == 0
    assert office.ledger.totals(EDITION) == Totals(uncertain=1, pending=9)


def test_the_living_are_left_alone_by_whoever_begins_or_ends(office: Office) -> None:
    one, two = office.machine("one"), office.machine("two")
    one.take(3)
    assert two.ledger.recover(EDITION) == 0
    assert office.ledger.recover(EDITION) == 0
    assert one.claim(one.taken[0])


def test_a_machine_that_ends_is_at_work_no_longer(office: Office) -> None:
    one, two = office.machine("one"), office.machine("two")
    assert [each.name for each in one.ledger.at_work(EDITION)] == ["two"]
    two.ledger.recover(EDITION)
    assert one.ledger.at_work(EDITION) == []
    workers = Workers(office.database, utc_now).all(EDITION)
    assert [(each.name, each.state) for each in workers] == [("one", "at work"), ("two", "ended")]
    assert isinstance(workers[0], Worker)


def test_a_lease_is_renewed_until_the_worker_is_ended(office: Office) -> None:
    office.machine("one", lease=0.0)
    workers = Workers(office.database, utc_now)
    (lost,) = workers.lost(EDITION)
    assert workers.renew(lost.number, 60.0)
    assert [each.name for each in workers.at_work(EDITION)] == ["one"]
    assert workers.end(lost.number)
    assert not workers.end(lost.number)
    assert not workers.renew(lost.number, 60.0)


def test_an_edition_is_closed_once_the_last_machine_has_ended(office: Office) -> None:
    one, two = office.machine("one"), office.machine("two")
    for machine, count in ((one, 4), (two, 6)):
        for key in machine.take(count):
            machine.claim(key)
    for key in one.taken:
        one.ledger.advance(EDITION, [(key, SENT)])
    one.ledger.recover(EDITION)
    assert office.ledger.totals(EDITION) == Totals(sent=4, uncertain=6)
    for key in two.taken:
        two.ledger.advance(EDITION, [(key, SENT)])
    assert two.ledger.close_if_settled(EDITION)
    assert office.ledger.totals(EDITION) == Totals(sent=10)


# --- runs -----------------------------------------------------------------------------------------


def test_runs_share_a_list_and_each_person_gets_one_message(url: str, relay: FakeRelay) -> None:
    """One of them is the run of a machine that dies, the others find that out and go on."""
    with Scene.set_up(url, relay.relay()) as scene:
        scene.enrol(people(1, 300))
        dead = Machine("dead", Ledger(scene.ledger._database))
        dead.ledger.enlist(EDITION, "dead", "all", 0.0)
        dead.take(20)
        dead.claim(dead.taken[0])
    threads = [threading.Thread(target=_send, args=(url, relay, name)) for name in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with Scene.set_up(url, relay.relay()) as scene:
        assert scene.totals == Totals(sent=299, uncertain=1)
        record = scene.ledger.edition(EDITION)
        assert record is not None
        assert record.closed_at is not None
    arrived = Counter(message.recipient for message in relay.received)
    assert arrived == Counter(set(addresses(1, 300)) - {dead.taken[0]})


def _send(url: str, relay: FakeRelay, name: str) -> None:
    with Scene.set_up(url, relay.relay()) as scene:
        scene.ledger.enlist(EDITION, name, "all", 60.0)
        scene.send(connections=3)


def test_a_run_whose_lease_has_lapsed_writes_no_dot(url: str, relay: FakeRelay) -> None:
    """The clock jumps when the first message has gone: as if the machine had been asleep."""
    clock = [0.0]
    lease = Lease(lambda: True, 0.0, 900.0, lambda: clock[0])
    with Scene.set_up(url, relay.relay()) as scene:
        scene.enrol(people(1, 20))
        scene.ledger.enlist(EDITION, "sleeper", "all", 60.0)
        with lease:
            result = scene.send(connections=1, lease=lease, on_progress=lambda *_: _jump(clock))
        assert isinstance(result.stopped, LeaseLapsed)
        assert result.exit_status == 75
        assert len(relay.received) == 1
        assert scene.totals.sent == 1
        assert scene.totals.uncertain + scene.totals.pending == 19
        assert scene.totals.uncertain <= 1


def _jump(clock: list[float]) -> None:
    clock[0] = 901.0


def test_a_lease_keeps_itself_and_is_lost_for_good_once_the_others_say_so() -> None:
    known, asked = [True], threading.Semaphore(0)

    def renew() -> bool:
        asked.release()
        return known[0]

    with Lease(renew, 0.0, 0.15, lambda: 0.0) as lease:
        asked.acquire()
        assert lease.held
        known[0] = False
        asked.acquire()
        asked.acquire(timeout=0.1)
        assert not lease.held


def test_a_server_that_goes_away_stops_a_run_and_the_next_one_goes_on(
    relay: FakeRelay,
) -> None:
    with PrivatePostgreSQL.running() as server, Scene.set_up(server.url(), relay.relay()) as scene:
        scene.enrol(people(1, 60))
        scene.ledger.enlist(EDITION, "one", "all", 60.0)

        def restart(*_: object) -> None:
            if len(relay.received) == 20:
                server.stop()
                server.start()

        result = scene.send(connections=2, on_progress=restart)
        assert isinstance(result.stopped, StoreError)
        with Scene.set_up(server.url(), relay.relay()) as again:
            assert again.ledger.recover(EDITION) <= 2
            again.ledger.enrol(EDITION, people(1, 60))
            again.ledger.enlist(EDITION, "one", "all", 60.0)
            again.send(connections=2)
            doubted = {entry.address for entry in again.ledger.entries(EDITION, "uncertain")}
            assert again.totals.sent + len(doubted) == 60
    arrived = Counter(message.recipient for message in relay.received)
    assert max(arrived.values()) == 1
    assert set(addresses(1, 60)) - set(arrived) <= doubted
