"""What a turn of a run has brought: first into the ledger as one, then to whoever watches."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

from briefmail.audience import Recipient
from briefmail.delivery.ledger import Ledger, Try
from briefmail.delivery.line import Line
from briefmail.delivery.lines import Lines
from briefmail.delivery.outcome import Delivery, State
from briefmail.delivery.waiting import Waiting
from briefmail.errors import StoreError


@dataclass(slots=True, eq=False)
class Copy:
    """One person's message in the hands of a run."""

    person: Recipient
    message_id: str
    claimed: bool = False


class Journal:
    """Gathers outcomes, claims and claims not used, until :meth:`write_down` makes them durable.

    ``on_progress`` is called for each outcome that was recorded, once the ledger knows. Whoever is
    deferred and may be tried again in this run goes to ``waiting``.
    """

    def __init__(
        self,
        ledger: Ledger,
        edition_id: str,
        on_progress: Callable[[Recipient, Delivery], None],
        waiting: Waiting,
    ) -> None:
        self._ledger = ledger
        self._edition_id = edition_id
        self._on_progress = on_progress
        self._waiting = waiting
        self.tally: Counter[State] = Counter()
        """How many people have been reported, each once, by their last outcome."""
        self.claims: dict[Line[Copy], Copy] = {}
        """The connections on which the relay waits for a message, and whose it is."""
        self._unclaims: list[str] = []
        self._tries: list[Try] = []
        self._results: list[tuple[str, Delivery]] = []
        self._reports: list[tuple[Recipient, Delivery]] = []

    def record(self, person: Recipient, delivery: Delivery) -> None:
        """Take note of an outcome."""
        self._results.append((person.key, delivery))
        self._reports.append((person, delivery))
        if delivery.state == "deferred" and (
            another := self._waiting.another_try(person, delivery)
        ):
            self._tries.append(another)

    def defer_quietly(self, person: Recipient, delivery: Delivery) -> None:
        """Take note that somebody is deferred for the time being, and report nothing yet."""
        self._results.append((person.key, replace(delivery, state="deferred")))

    def report_deferred(self, person: Recipient, delivery: Delivery) -> None:
        """Report what was noted quietly: it stays so."""
        self._reports.append((person, replace(delivery, state="deferred")))

    def unclaim(self, copy: Copy) -> None:
        """Take note that a claim, if there was one, has not been used."""
        if copy.claimed:
            self._unclaims.append(copy.person.key)

    def write_down(self, lines: Lines[Copy], *, ending: bool) -> None:
        """Make outcomes and claims durable as one, and only then let those messages go.

        A run that is ``ending`` claims nobody any more.
        """
        claims = {} if ending else self.claims
        self.claims = {}
        results, self._results = self._results, []
        unclaims, self._unclaims = self._unclaims, []
        tries, self._tries = self._tries, []
        if not (results or claims or unclaims):
            return
        wishes = [(copy.person.key, copy.message_id) for copy in claims.values()]
        try:
            claimed = self._ledger.advance(self._edition_id, results, wishes, unclaims, tries)
        except StoreError:
            if wishes:  # what has happened matters more than what was to come
                self._ledger.advance(self._edition_id, results, (), unclaims, tries)
                self.report()
            raise
        for line, copy in claims.items():
            copy.claimed = copy.person.key in claimed
            if copy.claimed:
                line.channel.grant()
            else:  # somebody else has seen to this person, who is no longer ours to decide about
                line.channel.withhold()
                lines.drop(line)
        self.report()

    def give_back(self) -> None:
        """Free those who are claimed, and whose dot has certainly not left."""
        if self._unclaims:
            self._ledger.advance(self._edition_id, unclaims=self._unclaims)

    def report(self) -> None:
        """Tell whoever watches what the ledger knows by now."""
        reports, self._reports = self._reports, []
        self.tally.update(delivery.state for _, delivery in reports)
        for person, delivery in reports:
            if self._waiting.settle(person.key):
                self.tally["deferred"] -= 1
            self._on_progress(person, delivery)

    def recovered(self, people: int) -> None:
        """Count the ``people`` whom the ledger has just made uncertain, because the run ended."""
        self.tally["uncertain"] += people
        for key in self._waiting.in_hand:
            if self._ledger.state_of(self._edition_id, key) == "uncertain":
                self.tally["deferred"] -= 1
