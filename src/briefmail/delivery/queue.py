"""Who comes next in a run: people reserved in the ledger, some hundred at a time."""

from collections import deque
from collections.abc import Iterator
from itertools import islice

from briefmail.audience import Recipient
from briefmail.delivery.ledger import Ledger
from briefmail.delivery.waiting import Waiting

BATCH = 256  # people reserved by one commit
SHARED_BATCH = 64  # where several machines take from the same, so that they end together
PEOPLE_PER_CONNECTION = 10  # fewer are not worth another login


class Queue:
    """The people of one run, at most ``limit`` of them, for at most so many ``connections``.

    Whoever has waited long enough for another try comes before those not yet tried.
    """

    def __init__(
        self,
        ledger: Ledger,
        edition_id: str,
        limit: int | None,
        connections: int,
        waiting: Waiting,
    ) -> None:
        self._ledger = ledger
        self._edition_id = edition_id
        self._limit = limit
        self._connections = connections
        self._waiting = waiting
        batch = SHARED_BATCH if ledger.is_shared else BATCH
        self._size = max(batch, connections * PEOPLE_PER_CONNECTION)
        self._people: deque[Recipient] = deque()
        self._taken = 0
        self.affordable = 1
        """How many connections are worth making for so many people; known once there is one."""

    def __len__(self) -> int:
        """How many are at hand."""
        return len(self._people)

    @property
    def next(self) -> Recipient | None:
        """Who comes next: stays at the head until taken from there. None if nobody is left."""
        if not self._people:
            self._fill()
        return self._people[0] if self._people else None

    @property
    def worth(self) -> int:
        """How many connections are worth making for those who are known to come next."""
        return max(1, len(self) // PEOPLE_PER_CONNECTION)

    def _fill(self) -> None:
        self._people.extend(self._waiting.take_due(self._size))
        if self._people:
            return
        room = self._size if self._limit is None else min(self._size, self._limit - self._taken)
        if room <= 0:
            return
        self._people.extend(self._ledger.next_batch(self._edition_id, room))
        if not self._people and self._ledger.recover_lost(self._edition_id):
            self._people.extend(self._ledger.next_batch(self._edition_id, room))
        if not self._taken:
            some = len(self._people) // PEOPLE_PER_CONNECTION
            self.affordable = max(1, min(self._connections, some))
        self._taken += len(self._people)

    def upcoming(self, count: int) -> Iterator[Recipient]:
        """Return those at the head of the queue, of whom there may be fewer."""
        return islice(self._people, count)

    def take(self) -> None:
        """Take the one at the head in hand."""
        self._people.popleft()

    def put_back(self, person: Recipient) -> None:
        """Let somebody be the next after all."""
        self._people.appendleft(person)
