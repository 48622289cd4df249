"""Those whom a run has deferred and will try again before it ends.

They stand in the ledger as *deferred*, so that a run that dies while it waits has lost nothing, and
a list on which everybody is put off takes no memory.
"""

from briefmail.audience import Recipient
from briefmail.delivery.backoff import BackOff
from briefmail.delivery.ledger import Ledger, Try
from briefmail.delivery.outcome import Delivery, Scope


class Waiting:
    """Says who is to be tried again, when, and who is due."""

    def __init__(self, ledger: Ledger, edition_id: str, back_off: BackOff) -> None:
        self._ledger = ledger
        self._edition_id = edition_id
        self._back_off = back_off
        self.people = 0
        """How many wait."""
        self.due: float | None = None
        """When the next of them is due, on the clock of the run."""
        self.in_hand: dict[str, float] = {}
        """Those who are being tried again, with the moment since which they were deferred."""

    def another_try(self, person: Recipient, delivery: Delivery) -> Try | None:
        """Return the next try of somebody who has just been deferred, None if there is none.

        They wait from then on; the ledger is to be told.
        """
        if not _may_pass(delivery):
            return None
        since = self.in_hand.get(person.key, self._back_off.clock())
        due = self._back_off.next_try(since)
        if due is None:
            return None
        self.people += 1
        self.due = due if self.due is None else min(self.due, due)
        return Try(person.key, since, due)

    def take_due(self, size: int) -> list[Recipient]:
        """Take at most ``size`` people in hand whose time has come."""
        now = self._back_off.clock()
        if self.due is None or self.due > now:
            return []
        found = self._ledger.take_due(self._edition_id, now, size)
        self.people -= len(found)
        self.in_hand |= {person.key: since for person, since in found}
        self.due = self._ledger.next_due(self._edition_id)
        return [person for person, _ in found]

    def settle(self, key: str) -> bool:
        """Take note of an outcome; True if it takes the place of an earlier one."""
        return self.in_hand.pop(key, None) is not None


def _may_pass(delivery: Delivery) -> bool:
    """Whether waiting may help: not with the message itself, nor after a final no to us.

    So a daily limit (550 5.4.5) is not waited for: it lasts longer than any run.
    """
    if delivery.state != "deferred" or delivery.scope is Scope.MESSAGE:
        return False
    final = delivery.reply is not None and delivery.reply.permanent
    return not (final and delivery.scope is Scope.SESSION)
