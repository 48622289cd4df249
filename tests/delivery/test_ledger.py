"""The ledger: rows move only as its table says, and everybody is always accounted for.

Every test holds for a ledger in a file and for one on a server.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from scene import EDITION, NOW, people, person

from briefmail.audience import Recipient
from briefmail.delivery import (
    MIGRATIONS,
    Delivery,
    EditionRecord,
    Enrolled,
    Entry,
    Ledger,
    Reply,
    Scope,
    State,
    Totals,
    expire,
    is_open,
    is_overdue,
)
from briefmail.delivery.ledger import Try
from briefmail.errors import ListError, StoreError
from briefmail.store import Database, SQLite, open_scratch
from briefmail.store.postgresql import PostgreSQL
from private_postgresql import PrivatePostgreSQL

ROOMS = {"delivery": MIGRATIONS}


Open = Callable[[], Database]
"""Opens the database of a test, which stays the same one however often it is opened."""


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def reopen(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    if request.param == "sqlite":
        return lambda: SQLite.open(tmp_path / "store.sqlite3", ROOMS)
    url = request.getfixturevalue("postgresql").empty()
    return lambda: PostgreSQL.open(url, ROOMS)


@pytest.fixture
def ledger(reopen: Open) -> Iterator[Ledger]:
    with reopen() as database:
        ledger = Ledger(database, lambda: NOW)
        open_edition(ledger)
        yield ledger


def open_edition(ledger: Ledger, fingerprint: str = "f1") -> EditionRecord:
    return ledger.open_edition(
        EDITION, subject="Who owns?", issue_date=NOW.date(), fingerprint=fingerprint
    )


def outcome(state: State, code: int | None = None) -> Delivery:
    reply = Reply(code, "5.1.1", "who?") if code else None
    return Delivery(state, "RCPT", reply, "because", Scope.RECIPIENT)


def claim(ledger: Ledger, key: str, message_id: str) -> bool:
    return key in ledger.advance(EDITION, claims=[(key, message_id)])


def record(ledger: Ledger, key: str, delivery: Delivery) -> None:
    ledger.advance(EDITION, [(key, delivery)])


def settle(ledger: Ledger, recipient: Recipient, state: State) -> None:
    """Take a reserved person the way to an outcome."""
    assert claim(ledger, recipient.key, f"<{recipient.line}@example.com>")
    record(ledger, recipient.key, outcome(state))


# --- editions -------------------------------------------------------------------------------------


def test_an_edition_is_written_down_once(ledger: Ledger) -> None:
    assert open_edition(ledger, fingerprint="f2") == EditionRecord(
        id=EDITION,
        subject="Who owns?",
        issue_date=NOW.date(),
        fingerprint="f1",
        opened_at="2016-08-24T09:00:00.000+00:00",
        closed_at=None,
    )
    assert ledger.edition("2016-09-07") is None


def test_moments_are_kept_in_utc() -> None:
    with open_scratch(ROOMS) as database:
        summer = timezone(timedelta(hours=1))
        ledger = Ledger(database, lambda: datetime(2016, 8, 24, 10, 0, tzinfo=summer))
        assert open_edition(ledger).opened_at == "2016-08-24T09:00:00.000+00:00"


def test_an_edition_closes_when_everybody_is_settled_and_forgets_what_it_no_longer_needs(
    ledger: Ledger, reopen: Open
) -> None:
    ledger.enrol(EDITION, [person(1, region="Fife"), person(2)])
    one, two = ledger.next_batch(EDITION, 2)
    settle(ledger, one, "sent")
    assert not ledger.close_if_settled(EDITION)
    settle(ledger, two, "uncertain")
    assert ledger.close_if_settled(EDITION)
    record = ledger.edition(EDITION)
    assert record is not None
    assert record.closed_at == "2016-08-24T09:00:00.000+00:00"
    with reopen() as database:
        rows = list(database.rows("SELECT address, name, fields FROM delivery ORDER BY line"))
    assert rows == [("reader1@example.org", "", "{}"), ("reader2@example.org", "", "{}")]


def test_a_closed_edition_opens_again_for_people_who_are_new_and_only_for_them(
    ledger: Ledger,
) -> None:
    ledger.enrol(EDITION, people(1, 1))
    settle(ledger, ledger.next_batch(EDITION, 9)[0], "sent")
    ledger.close_if_settled(EDITION)
    assert ledger.enrol(EDITION, people(1, 1)).open == 0
    record = ledger.edition(EDITION)
    assert record is not None
    assert record.closed_at is not None
    assert ledger.enrol(EDITION, people(1, 2)) == Enrolled(
        new=1, open=1, sent=1, refused=0, uncertain=0, withdrawn=0
    )
    record = ledger.edition(EDITION)
    assert record is not None
    assert record.closed_at is None


# --- roll calls -----------------------------------------------------------------------------------


def test_the_first_roll_call_makes_everybody_pending(ledger: Ledger) -> None:
    enrolled = ledger.enrol(EDITION, iter(people(1, 3)))
    assert enrolled == Enrolled(new=3, open=3, sent=0, refused=0, uncertain=0, withdrawn=0)
    assert ledger.totals(EDITION) == Totals(pending=3)


def test_a_later_roll_call_counts_everybody_under_what_became_of_them(ledger: Ledger) -> None:
    ledger.enrol(EDITION, people(1, 6))
    states: list[State] = ["sent", "refused", "uncertain", "deferred"]
    for recipient, state in zip(ledger.next_batch(EDITION, 4), states, strict=True):
        settle(ledger, recipient, state)
    enrolled = ledger.enrol(EDITION, people(1, 5) + people(11, 12))
    assert enrolled == Enrolled(new=2, open=4, sent=1, refused=1, uncertain=1, withdrawn=1)
    totals = ledger.totals(EDITION)
    assert totals == Totals(sent=1, refused=1, deferred=1, uncertain=1, pending=3, withdrawn=1)
    assert totals.audience == 8


def test_whoever_the_present_list_does_not_name_is_not_taken(ledger: Ledger) -> None:
    ledger.enrol(EDITION, people(1, 4))
    settle(ledger, ledger.next_batch(EDITION, 1)[0], "deferred")
    ledger.enrol(EDITION, people(3, 4))
    assert ledger.next_batch(EDITION, 9) == people(3, 4)
    assert ledger.totals(EDITION) == Totals(pending=2, withdrawn=2)


def test_withdrawn_people_do_not_keep_an_edition_open_and_may_come_back(ledger: Ledger) -> None:
    ledger.enrol(EDITION, people(1, 2))
    ledger.enrol(EDITION, people(1, 1))
    settle(ledger, ledger.next_batch(EDITION, 9)[0], "sent")
    assert ledger.close_if_settled(EDITION)
    assert ledger.enrol(EDITION, people(1, 2)).open == 1
    assert ledger.next_batch(EDITION, 9) == people(2, 2)


def test_open_people_have_the_fields_of_the_present_list_and_settled_ones_leave_none(
    ledger: Ledger, reopen: Open
) -> None:
    ledger.enrol(EDITION, [person(1, region="old"), person(2, region="old")])
    settle(ledger, ledger.next_batch(EDITION, 1)[0], "sent")
    now = [person(1, region="new"), person(2, region="new")]
    ledger.enrol(EDITION, now)
    assert ledger.next_batch(EDITION, 9) == now[1:]
    with reopen() as database:
        (fields,) = database.one("SELECT fields FROM delivery WHERE line = 1")
    assert '"old"' in fields


def test_a_list_that_breaks_off_changes_nothing(ledger: Ledger) -> None:
    ledger.enrol(EDITION, people(1, 2))

    def broken() -> Iterator[Recipient]:
        yield person(3)
        raise ListError([])

    with pytest.raises(ListError):
        ledger.enrol(EDITION, broken())
    assert ledger.totals(EDITION) == Totals(pending=2)
    assert ledger.next_batch(EDITION, 9) == people(1, 2)


def test_an_address_named_twice_is_one_person(ledger: Ledger) -> None:
    assert ledger.enrol(EDITION, [person(1), person(1)]).new == 1


def test_editions_know_nothing_of_each_other(ledger: Ledger) -> None:
    ledger.enrol(EDITION, people(1, 2))
    ledger.open_edition("other", subject="x", issue_date=None, fingerprint="")
    assert ledger.next_batch("other", 9) == []
    assert ledger.enrol("other", people(2, 3)).new == 2
    assert ledger.totals("other") == Totals(pending=2)
    assert ledger.totals("never opened") == Totals()


# --- transitions ----------------------------------------------------------------------------------


def test_people_are_taken_in_the_order_of_the_list_those_never_tried_first(
    ledger: Ledger,
) -> None:
    ledger.enrol(EDITION, people(1, 5))
    for recipient in ledger.next_batch(EDITION, 2):
        settle(ledger, recipient, "deferred")
    ledger.enrol(EDITION, people(1, 5))
    batch = ledger.next_batch(EDITION, 3) + ledger.next_batch(EDITION, 9)
    assert [recipient.line for recipient in batch] == [3, 4, 5, 1, 2]


def test_nobody_is_taken_twice_in_one_run(ledger: Ledger) -> None:
    ledger.enrol(EDITION, people(1, 1))
    settle(ledger, ledger.next_batch(EDITION, 9)[0], "deferred")
    assert ledger.next_batch(EDITION, 9) == []


def test_only_who_is_reserved_can_be_claimed_and_only_once(ledger: Ledger) -> None:
    ledger.enrol(EDITION, people(1, 1))
    key = person(1).key
    assert not claim(ledger, key, "<1@example.com>")
    ledger.next_batch(EDITION, 1)
    assert claim(ledger, key, "<1@example.com>")
    assert not claim(ledger, key, "<1@example.com>")
    assert not claim(ledger, "nobody@example.org", "<1@example.com>")


def at_pending(ledger: Ledger) -> None:
    ledger.enrol(EDITION, people(1, 1))


def at_reserved(ledger: Ledger) -> None:
    at_pending(ledger)
    ledger.next_batch(EDITION, 1)


def at_claimed(ledger: Ledger) -> None:
    at_reserved(ledger)
    claim(ledger, person(1).key, "<1@example.com>")


def at(state: State) -> Callable[[Ledger], None]:
    def reach(ledger: Ledger) -> None:
        at_claimed(ledger)
        record(ledger, person(1).key, outcome(state))

    reach.__name__ = f"at_{state}"
    return reach


ALLOWED = {
    (at_reserved, "deferred"),
    (at_reserved, "refused"),
    (at_claimed, "sent"),
    (at_claimed, "deferred"),
    (at_claimed, "refused"),
    (at_claimed, "uncertain"),
    (at_deferred := at("deferred"), "refused"),
}
START = [
    at_pending,
    at_reserved,
    at_claimed,
    at_deferred,
    at("sent"),
    at("refused"),
    at("uncertain"),
]


@pytest.mark.parametrize("state", ["sent", "deferred", "refused", "uncertain"])
@pytest.mark.parametrize("start", START)
def test_an_outcome_is_recorded_only_where_the_table_has_it(
    ledger: Ledger, start: Callable[[Ledger], None], state: State
) -> None:
    start(ledger)
    before = ledger.state_of(EDITION, person(1).key)
    if (start, state) in ALLOWED:
        record(ledger, person(1).key, outcome(state))
        assert ledger.state_of(EDITION, person(1).key) == state
    else:
        with pytest.raises(StoreError, match="changed by somebody else"):
            record(ledger, person(1).key, outcome(state))
        assert ledger.state_of(EDITION, person(1).key) == before


def test_what_a_dead_run_left_is_settled_by_the_next(reopen: Open) -> None:
    with reopen() as database:
        ledger = Ledger(database, lambda: NOW)
        open_edition(ledger)
        ledger.enrol(EDITION, people(1, 3))
        settle(ledger, ledger.next_batch(EDITION, 1)[0], "deferred")
        ledger.enrol(EDITION, people(1, 3))
        ledger.next_batch(EDITION, 3)
        claim(ledger, person(2).key, "<2@example.com>")
    with reopen() as database:
        ledger = Ledger(database, lambda: NOW)
        assert ledger.recover(EDITION) == 1
        assert ledger.totals(EDITION) == Totals(deferred=1, uncertain=1, pending=1)
        (entry,) = ledger.entries(EDITION, "uncertain")
        assert entry == Entry(
            address="reader2@example.org",
            line=2,
            state="uncertain",
            reply=None,
            reason=(
                "the run ended between the end of the message and the reply; the relay may have it"
            ),
            message_id="<2@example.com>",
            updated_at="2016-08-24T09:00:00.000+00:00",
        )
        assert ledger.recover(EDITION) == 0


def test_a_roll_call_settles_what_a_dead_run_left(ledger: Ledger) -> None:
    at_claimed(ledger)
    assert ledger.enrol(EDITION, people(1, 1)) == Enrolled(
        new=0, open=0, sent=0, refused=0, uncertain=1, withdrawn=0
    )


def test_people_are_named_with_what_the_relay_said(ledger: Ledger) -> None:
    at_reserved(ledger)
    record(ledger, person(1).key, outcome("refused", 550))
    (entry,) = ledger.entries(EDITION, "refused")
    assert (entry.address, entry.reply, entry.reason) == (
        "reader1@example.org",
        Reply(550, "5.1.1", "who?"),
        "because",
    )


def test_fields_come_back_as_they_were(ledger: Ledger) -> None:
    odd = person(1, organisation="Càirdean “& Co” 🏴", note='{"a": 1}')
    ledger.enrol(EDITION, [odd])
    assert ledger.next_batch(EDITION, 1) == [odd]


def test_a_claim_is_on_disk_when_it_returns(ledger: Ledger, reopen: Open) -> None:
    at_claimed(ledger)
    with reopen() as other:
        assert other.one("SELECT state FROM delivery") == ("claimed",)


# --- giving up ------------------------------------------------------------------------------------

TWO_DAYS = timedelta(days=2)


def test_an_edition_is_given_up_once_its_time_is_over(ledger: Ledger) -> None:
    ledger.enrol(EDITION, people(1, 4))
    ledger.next_batch(EDITION, 3)
    claim(ledger, person(3).key, "<3@example.com>")
    record(ledger, person(1).key, outcome("refused", 550))
    record(ledger, person(2).key, outcome("deferred", 450))
    almost = NOW + TWO_DAYS - timedelta(seconds=1)
    assert not is_overdue(ledger, EDITION, TWO_DAYS, almost)
    assert expire(ledger, EDITION, TWO_DAYS, almost) == 0
    assert is_open(ledger, EDITION)
    assert expire(ledger, EDITION, TWO_DAYS, NOW + TWO_DAYS) == 2
    assert not is_open(ledger, EDITION)
    assert ledger.totals(EDITION) == Totals(refused=1, uncertain=1, expired=2)
    named = [(str(entry.reply), entry.reason) for entry in ledger.entries(EDITION, "expired")]
    assert named == [("450 5.1.1 who?", "because"), ("None", "given up before it was tried")]
    assert expire(ledger, EDITION, TWO_DAYS, NOW + TWO_DAYS * 2) == 0
    assert ledger.enrol(EDITION, people(1, 4)).open == 0


def test_who_is_no_longer_named_is_not_given_up_and_keeps_nothing_open(ledger: Ledger) -> None:
    ledger.enrol(EDITION, people(1, 2))
    ledger.enrol(EDITION, [])
    assert expire(ledger, EDITION, TWO_DAYS, NOW + TWO_DAYS) == 0
    assert ledger.totals(EDITION) == Totals(withdrawn=2)
    assert not is_open(ledger, EDITION)


def test_an_edition_that_is_opened_again_has_its_whole_time_again(reopen: Open) -> None:
    moments = iter(NOW + timedelta(hours=hours) for hours in range(0, 10_000, 12))
    with reopen() as database:
        ledger = Ledger(database, lambda: next(moments))
        open_edition(ledger)
        ledger.enrol(EDITION, people(1, 2))
        first = ledger.open_since(EDITION)
        ledger.enrol(EDITION, people(1, 2))
        assert ledger.open_since(EDITION) == first == NOW
        ledger.expire_open(EDITION)
        assert ledger.open_since(EDITION) is None
        ledger.enrol(EDITION, people(1, 2))
        assert ledger.open_since(EDITION) is None
        assert ledger.reopen(EDITION, "expired", [person(1).key, "nobody@example.org"]) == 1
        ledger.enrol(EDITION, people(1, 2))
        again = ledger.open_since(EDITION)
        assert again is not None
        assert again > first
        assert ledger.totals(EDITION) == Totals(pending=1, expired=1)


def test_nothing_is_overdue_that_was_never_begun(ledger: Ledger) -> None:
    assert not is_open(ledger, "2016-09-07")
    assert not is_overdue(ledger, "2016-09-07", timedelta(), NOW)


class LedgerMachine(RuleBasedStateMachine):
    """Runs that begin, take, claim, record and die in any order, over changing lists."""

    def empty_database(self) -> Database:
        return open_scratch(ROOMS)

    @initialize()
    def begin(self) -> None:
        self.database = self.empty_database()
        self.ledger = Ledger(self.database, lambda: datetime.now(UTC))
        open_edition(self.ledger)
        self.known: set[str] = set()
        self.named: set[str] = set()
        self.in_hand: list[Recipient] = []
        self.claimed: set[str] = set()
        self.settled: dict[str, str] = {}
        self.tried: set[str] = set()
        self.waiting: dict[str, float] = {}

    @rule(lines=st.sets(st.integers(1, 8)))
    def call_the_roll(self, lines: set[int]) -> None:
        self.die()
        self.named = {person(line).key for line in lines}
        self.known |= self.named
        enrolled = self.ledger.enrol(EDITION, map(person, sorted(lines)))
        self.tried, self.waiting = set(), {}
        assert enrolled.open == len(self.named - self.settled.keys())

    @rule(size=st.integers(1, 4))
    def take(self, size: int) -> None:
        batch = self.ledger.next_batch(EDITION, size)
        keys = {recipient.key for recipient in batch}
        free = self.named - self.settled.keys() - self.tried - {r.key for r in self.in_hand}
        assert keys <= free
        assert len(keys) == len(batch) == min(size, len(free))
        self.in_hand += batch

    @rule()
    def claim(self) -> None:
        for recipient in self.in_hand[:1]:
            fresh = claim(self.ledger, recipient.key, "<1@example.com>")
            assert fresh == (recipient.key not in self.claimed)
            self.claimed.add(recipient.key)

    @rule(now=st.integers(0, 9), size=st.integers(1, 4))
    def take_due(self, now: int, size: int) -> None:
        found = self.ledger.take_due(EDITION, now, size)
        due = sorted(moment for moment in self.waiting.values() if moment <= now)
        assert sorted(self.waiting.pop(who.key) for who, _ in found) == due[:size]
        assert self.ledger.next_due(EDITION) == min(self.waiting.values(), default=None)
        self.in_hand += [who for who, _ in found]

    @rule(due=st.integers(0, 9))
    def defer_for_a_while(self, due: int) -> None:
        for recipient in self.in_hand[:1]:
            result = (recipient.key, outcome("deferred", 450))
            self.ledger.advance(EDITION, [result], tries=[Try(recipient.key, 0, due)])
            self.in_hand.remove(recipient)
            self.claimed.discard(recipient.key)
            self.tried.add(recipient.key)
            self.waiting[recipient.key] = due

    @rule()
    def give_up(self) -> None:
        self.die()
        left = self.named - self.settled.keys()
        assert self.ledger.expire_open(EDITION) == len(left)
        self.settled |= dict.fromkeys(left, "expired")
        self.waiting = {}
        assert not is_open(self.ledger, EDITION)

    @rule(state=st.sampled_from(["sent", "deferred", "refused", "uncertain"]))
    def record(self, state: State) -> None:
        for recipient in self.in_hand[:1]:
            if recipient.key not in self.claimed and state in {"sent", "uncertain"}:
                continue
            record(self.ledger, recipient.key, outcome(state))
            self.in_hand.remove(recipient)
            self.claimed.discard(recipient.key)
            self.tried.add(recipient.key)
            if state != "deferred":
                self.settled[recipient.key] = state

    @rule()
    def die(self) -> None:
        assert self.ledger.recover(EDITION) == len(self.claimed)
        self.settled |= dict.fromkeys(self.claimed, "uncertain")
        self.in_hand, self.claimed = [], set()

    @rule()
    def close(self) -> None:
        self.ledger.close_if_settled(EDITION)

    @invariant()
    def everybody_is_accounted_for(self) -> None:
        assert self.ledger.totals(EDITION).audience == len(self.known)
        for key, state in self.settled.items():
            assert self.ledger.state_of(EDITION, key) == state

    def teardown(self) -> None:
        self.database.close()


LedgerMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestLedgerMachine = LedgerMachine.TestCase


@pytest.mark.postgresql
def test_the_same_on_a_server(postgresql: PrivatePostgreSQL) -> None:
    class OnServer(LedgerMachine):
        def empty_database(self) -> Database:
            return PostgreSQL.open(postgresql.empty(), ROOMS)

    few = settings(max_examples=15, stateful_step_count=25, deadline=None)
    run_state_machine_as_test(OnServer, settings=few)
