"""Runs over changing lists, relays with any faults, and death at any moment: nobody twice unasked,
nobody forgotten.

Each example is a newsletter's life: people join and leave, runs are made against a relay that
fails in some way, some are killed between two commits or in the middle of a write, and the editor
asks for the uncertain or the refused to be tried again, or settles the rest by hand. After each
step the ledger is held against what the relay has really taken over.

The suite has some examples, always the same. ``pytest --hypothesis-profile=search`` looks for new
ones, many more of them, for minutes.
"""

import tempfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest
from fake_relay import DROP, RESET, FakeRelay, Verb
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from mortal import Killed, Life, MortalDatabase, MortalSession
from scene import EDITION, NOW, Scene, person

from briefmail.delivery import Ledger, queue
from briefmail.delivery.ledger import Reopened

EXAMPLES = 100 if settings().derandomize else 3000
PEOPLE = 30
LINES = st.sets(st.integers(1, PEOPLE), min_size=1)
STATES = (
    *("pending", "reserved", "claimed", "sent", "deferred", "refused", "uncertain", "by_hand"),
)
TAKEN = {"sent", "uncertain", "claimed"}
"""Where somebody has to be whose message the relay has."""
SETTLED = {"sent", "uncertain", "refused", "by_hand"}


@dataclass(frozen=True)
class Fault:
    """What a relay does instead of what it should."""

    verb: Verb
    answer: str
    after: int
    times: int

    @property
    def is_a_lie(self) -> bool:
        """Whether the relay says that it has what it has not; nobody can see through that."""
        return self.verb == "BODY" and self.answer.startswith("2")


FAULTS = st.lists(
    st.builds(
        Fault,
        verb=st.sampled_from(
            ["CONNECT", "EHLO", "MAIL", "RCPT", "DATA", "BODY", "DOT", "DOT", "RSET", "QUIT"]
        ),
        answer=st.sampled_from(
            [
                *(DROP, RESET, "421 4.7.0 closing", "451 4.7.1 not now", "451 4.3.0 no disk"),
                *("554 5.7.1 no", "550 5.1.1 nobody here", "550 5.4.5 limit", "552 5.3.4 too big"),
                *("530 5.7.0 log in", "250 2.0.0 ok", "354 go ahead", "999", "250-\r\n250 ok"),
            ]
        ),
        after=st.integers(0, 12),
        times=st.sampled_from([1, 1, 2, 3, 1000]),
    ).filter(lambda fault: not fault.is_a_lie),
    max_size=4,
)


class Newsletter(RuleBasedStateMachine):
    """One edition, from its first send to the last."""

    @initialize(
        pipelining=st.booleans(), connections=st.integers(1, 4), last=st.integers(5, PEOPLE)
    )
    def begin(self, pipelining: bool, connections: int, last: int) -> None:
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(queue, "PEOPLE_PER_CONNECTION", 3)  # so that a few people get several
        self.folder = tempfile.TemporaryDirectory()
        extensions = ["8BITMIME", *(["PIPELINING"] if pipelining else [])]
        self.relay = FakeRelay(extensions=extensions).__enter__()
        self.connections = connections
        self.deaths = 0
        self.named = {person(line).address for line in range(1, last + 1)}
        self.rows: set[str] = set()
        self.settled: dict[str, str] = {}
        # How many copies the relay had of whom when the editor last asked for another.
        self.before: Counter[str] = Counter()
        self.open(self.path)
        self.scene.ledger.open_edition(EDITION, subject="", issue_date=None, fingerprint="f1")

    @property
    def path(self) -> Path:
        return Path(self.folder.name) / f"{self.deaths}.sqlite3"

    def open(self, path: Path) -> None:
        self.life = Life()
        self.database = MortalDatabase.of(path, self.life)
        self.scene = Scene(Ledger(self.database, lambda: NOW), self.relay.relay())

    # --- what happens -----------------------------------------------------------------------------

    @rule(lines=LINES)
    def join(self, lines: set[int]) -> None:
        self.named |= {person(line).address for line in lines}

    @rule(lines=LINES)
    def leave(self, lines: set[int]) -> None:
        self.named -= {person(line).address for line in lines}

    @rule(faults=FAULTS, limit=st.integers(1, 6))
    def send_to_some(self, faults: list[Fault], limit: int) -> None:
        """A run that lives to its end, and leaves work for others."""
        self.one_run(faults, limit)
        assert not {"reserved", "claimed"} & set(self.states().values())

    @rule(moments=st.integers(0, 60), place=st.integers(0, 7))
    def send_through_a_good_relay_and_be_killed(self, moments: int, place: int) -> None:
        self.send_and_be_killed([], moments, place, None)

    @rule(
        faults=FAULTS,
        moments=st.integers(0, 15) | st.integers(10, 60) | st.integers(0, 200),
        place=st.integers(0, 7),
        again=st.none() | st.sampled_from(["uncertain", "refused"]),
    )
    def send_and_be_killed(
        self, faults: list[Fault], moments: int, place: int, again: Reopened | None
    ) -> None:
        self.database.life = self.life = Life(moments, place)
        try:
            if again:
                self.reopen(again, self.rows)
            self.one_run(faults, None)
        except Killed:
            pass
        self.relay.wait_until_alone()
        old, self.deaths = self.database, self.deaths + 1
        old.left_behind(self.path)
        old.close()
        self.open(self.path)
        if again:
            self.note_reopened(again)
        claimed = [address for address, state in self.states().items() if state == "claimed"]
        assert len(claimed) <= self.connections

    @rule(lines=LINES)
    def resend_uncertain(self, lines: set[int]) -> None:
        self.reopen("uncertain", {person(line).address for line in lines})

    @rule(lines=LINES)
    def retry_refused(self, lines: set[int]) -> None:
        self.reopen("refused", {person(line).address for line in lines})

    @rule()
    def settle_the_rest_by_hand(self) -> None:
        self.enrol()
        self.scene.ledger.settle_by_hand(EDITION)
        assert {self.states()[address] for address in self.named} <= SETTLED

    # --- how --------------------------------------------------------------------------------------

    def enrol(self) -> None:
        self.scene.enrol(p for p in map(person, range(1, PEOPLE + 1)) if p.address in self.named)

    def one_run(self, faults: Iterable[Fault], limit: int | None) -> None:
        self.relay.heal()
        for fault in faults:
            self.relay.on(fault.verb, fault.answer, after=fault.after, times=fault.times)
        self.enrol()
        self.scene.send(
            limit=limit,
            connections=self.connections,
            connect=lambda: MortalSession(self.scene.relay, self.life),
        )
        self.relay.wait_until_alone()

    def reopen(self, state: Reopened, addresses: Iterable[str]) -> None:
        self.scene.ledger.reopen(EDITION, state, [*addresses])
        self.note_reopened(state)

    def note_reopened(self, state: Reopened) -> None:
        """Take note of who has been taken out of ``state``: another copy is asked for by now."""
        now = self.states()
        for address in [a for a, s in self.settled.items() if s == state != now[a]]:
            if state == "uncertain":
                self.before[address] = Counter(self.relay.recipients)[address]
            del self.settled[address]

    def states(self) -> dict[str, str]:
        ledger = self.scene.ledger
        return {e.address: state for state in STATES for e in ledger.entries(EDITION, state)}

    # --- what is true at any time -----------------------------------------------------------------

    @invariant()
    def nobody_has_it_twice_unasked(self) -> None:
        taken = Counter(self.relay.recipients)
        assert all(taken[address] - self.before[address] <= 1 for address in taken)

    @invariant()
    def who_has_it_is_known_to_have_it_or_to_be_in_doubt(self) -> None:
        states, taken = self.states(), Counter(self.relay.recipients)
        for address in taken:
            if taken[address] > self.before[address]:
                assert states[address] in TAKEN, (address, states[address])

    @invariant()
    def sent_means_that_the_relay_has_said_so(self) -> None:
        sent = {address for address, state in self.states().items() if state == "sent"}
        assert sent <= set(self.relay.acknowledged)

    @invariant()
    def who_is_settled_stays_so(self) -> None:
        states = self.states()
        assert self.settled.items() <= states.items()
        self.settled = {a: state for a, state in states.items() if state in SETTLED}

    @invariant()
    def everybody_is_somewhere_and_the_sums_agree(self) -> None:
        states = self.states()
        assert self.rows <= states.keys()
        self.rows = set(states)
        assert self.scene.totals.audience == len(states)

    def teardown(self) -> None:
        try:
            self.everybody_on_the_list_is_settled_in_the_end()
        finally:
            self.database.close()
            self.relay.__exit__()
            self.folder.cleanup()
            self.patch.undo()

    def everybody_on_the_list_is_settled_in_the_end(self) -> None:
        """By one run, and another finds no work."""
        self.one_run([], None)
        self.who_is_settled_stays_so()
        self.nobody_has_it_twice_unasked()
        self.who_has_it_is_known_to_have_it_or_to_be_in_doubt()
        assert {self.states()[address] for address in self.named} <= SETTLED
        before = [*self.relay.recipients]
        self.one_run([], None)
        assert self.relay.recipients == before


Newsletter.TestCase.settings = settings(
    max_examples=EXAMPLES,
    stateful_step_count=12,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestNewsletter = Newsletter.TestCase
