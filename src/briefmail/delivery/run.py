"""The send run: many connections, each outcome written down before the next message leaves.

Every turn of the run takes whatever the relay has said on any connection, writes the outcomes and
the claims for the next messages into the ledger in one durable step, and only then lets those
messages go. So at any moment at most one person for each open connection is in doubt.

How far each failure reaches is decided in :mod:`briefmail.delivery.outcome`; what follows from it
is put into effect here:

* *Recipient* and *message*: see :mod:`briefmail.delivery.verdicts`.
* *Session*: a new connection, see :mod:`briefmail.delivery.reconnecting`. Who was in hand is tried
  once more if no octet of the dot had left, and is then deferred. A 5yz stops the run at once: the
  same would be answered again. So it does where it speaks of a daily limit (550 5.4.5), which
  lasts longer than a run should wait.

A run that is stopped, interrupted or held begins nothing more, and waits for the replies to the
dots that are out.

Whoever is deferred is tried again in the same run (:mod:`briefmail.delivery.waiting`), and a relay
that is busy or gone is waited for, as long as the :class:`~briefmail.delivery.backoff.BackOff`
allows. Meanwhile nobody is claimed, and connections with nothing to do for some seconds are closed:
relays drop those that are idle.

Messages begin only when the pace allows (:mod:`briefmail.delivery.pace`). So long as one connection
keeps up with it no other is opened. An allowance for an hour or a day that is used up ends the run
once everybody in hand is settled.
"""

import signal
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from briefmail.audience import Recipient
from briefmail.delivery.backoff import BackOff, Wait
from briefmail.delivery.channel import ClaimWanted, Closed, Decided, GivenBack
from briefmail.delivery.interrupt import Interrupt
from briefmail.delivery.journal import Copy, Journal
from briefmail.delivery.lease import Lease
from briefmail.delivery.ledger import Ledger
from briefmail.delivery.line import Line
from briefmail.delivery.lines import Lines, NotOpened, Opened, Said
from briefmail.delivery.lookahead import Lookahead
from briefmail.delivery.lookout import Lookout
from briefmail.delivery.outcome import Delivery, Scope
from briefmail.delivery.pace import Pace
from briefmail.delivery.queue import Queue
from briefmail.delivery.reconnecting import Reconnecting
from briefmail.delivery.verdicts import Verdicts
from briefmail.delivery.waiting import Waiting
from briefmail.errors import BriefmailError, Held, LeaseLapsed, RelayUnavailable

if TYPE_CHECKING:
    from briefmail.delivery.session import Session
    from briefmail.edition.message import Message

IDLE = 10.0
"""Connections that would have nothing to do for longer are closed, and whoever watches is told; in
seconds."""


@dataclass(frozen=True, slots=True)
class RunResult:
    """What one run did; the ledger's totals say where the edition stands.

    ``stopped`` is what ended the run before everybody had been tried, None if nothing did.
    ``terminated`` is whether it was ``interrupted`` by SIGTERM.
    """

    sent: int
    refused: int
    deferred: int
    uncertain: int
    stopped: BriefmailError | None
    interrupted: bool
    terminated: bool = False

    @property
    def exit_status(self) -> int:
        """The status for the shell: 0 if everybody who was tried is settled.

        After a signal it is 128 and the signal's number, as shells have it.
        """
        if self.interrupted:
            return 128 + (signal.SIGTERM if self.terminated else signal.SIGINT)
        if self.stopped:
            return self.stopped.exit_status
        return RelayUnavailable.exit_status if self.deferred else 0


def send_run(
    ledger: Ledger,
    edition_id: str,
    connect: Callable[[], "Session"],
    message_for: Callable[[Recipient], "Message"],
    *,
    limit: int | None,
    connections: int,
    on_progress: Callable[[Recipient, Delivery], None],
    pace: Pace | None = None,
    back_off: BackOff | None = None,
    lease: Lease | None = None,
    on_wait: Callable[[Wait], None] = lambda wait: None,
    is_held: Callable[[], bool] = lambda: False,
) -> RunResult:
    """Try everybody whom the latest roll call left open, at most ``limit`` people.

    ``connect`` makes a session that is entered in a thread of its own, anew for each connection;
    at most ``connections`` are kept at a time, and no more than one for ten people.
    ``on_progress`` is called for each outcome, after it is durable: more than once for somebody who
    is deferred and tried again, and the last one counts. ``pace`` None means as fast as the relay
    takes it. ``back_off`` None means that nothing is waited for; where there is one, ``on_wait`` is
    called when there is nothing else to do for more than :data:`IDLE` seconds. ``is_held`` is asked
    every second, in another thread; once it says so, the run ends as after Ctrl-C, and ``stopped``
    is :class:`Held`.

    ``lease`` is what a worker among others has people in hand on; once it has lapsed nothing more
    is written to any connection, and ``stopped`` is :class:`~briefmail.errors.LeaseLapsed`.

    Ctrl-C or SIGTERM lets the messages whose end has been sent be answered, gives everybody else
    back and returns; a second one does not wait for the answers, and whoever lacks one is
    *uncertain*. Expected failures are returned as ``stopped``, also where ``message_for`` raises
    them. However the run ends, nobody is left reserved or claimed, unless the process dies or the
    database itself has failed.
    """
    back_off = back_off or BackOff()
    waiting = Waiting(ledger, edition_id, back_off)
    queue = Queue(ledger, edition_id, limit, connections, waiting)
    journal = Journal(ledger, edition_id, on_progress, waiting)
    patience = _Patience(back_off, waiting, on_wait)
    run = _Run(ledger, queue, journal, message_for, pace or Pace(()), patience)
    interrupt = Interrupt()
    stopped: BriefmailError | None = None
    try:
        try:
            with interrupt, Lookout(is_held, interrupt):
                run.send_all(connect, interrupt, lease)
        except KeyboardInterrupt:
            interrupt.asked = True
        finally:
            journal.recovered(ledger.recover(edition_id))
        if not interrupt.asked:
            ledger.close_if_settled(edition_id)
    except BriefmailError as error:
        stopped = error if lease is None or lease.held else _lapse(lease, error)
    if interrupt.withdrawn:
        stopped = stopped or Held.of(edition_id)
    return RunResult(
        sent=journal.tally["sent"],
        refused=journal.tally["refused"],
        deferred=journal.tally["deferred"],
        uncertain=journal.tally["uncertain"],
        stopped=stopped,
        interrupted=interrupt.asked and not interrupt.withdrawn,
        terminated=interrupt.terminated,
    )


@dataclass(frozen=True, slots=True)
class _Patience:
    """How long the run waits and for whom, and who is told."""

    back_off: BackOff
    waiting: Waiting
    on_wait: Callable[[Wait], None]


class _Run:
    """One run at work: gives people to connections, and takes what comes back."""

    def __init__(
        self,
        ledger: Ledger,
        queue: Queue,
        journal: Journal,
        message_for: Callable[[Recipient], "Message"],
        pace: Pace,
        patience: _Patience,
    ) -> None:
        self._ledger = ledger
        self._queue = queue
        self._journal = journal
        self._verdicts = Verdicts(journal)
        self._lookahead = Lookahead(message_for)
        self._pace = pace
        self._back_off = patience.back_off
        self._waiting = patience.waiting
        self._on_wait = patience.on_wait
        self._pause: float | None = None  # seconds for which the pace alone holds somebody back
        self._tried_again: set[str] = set()
        self._stopped: BriefmailError | None = None

    def send_all(
        self, connect: Callable[[], "Session"], interrupt: Interrupt, lease: Lease | None
    ) -> None:
        """Send until nobody is left, the limit is reached, or ``interrupt`` has been asked for.

        Raises the :class:`BriefmailError` that stops the run before that.
        """
        self._pace.recall(self._ledger.handed_over)
        may_write = lease.check if lease else lambda: None
        with Lines[Copy](connect, may_write) as self._lines:
            self._connections = Reconnecting(self._lines, self._back_off)
            interrupt.wake = self._lines.wake
            try:
                self._take_turns(interrupt)
                if not (interrupt.asked or self._stopped):
                    self._verdicts.refuse_suspects()
                self._journal.write_down(self._lines, ending=True)
                if not interrupt.at_once:
                    self._lines.take_leave()
            finally:
                self._give_back()
                self._verdicts.leave_suspects_deferred()
                self._journal.report()
        if self._stopped:
            raise self._stopped

    def _take_turns(self, interrupt: Interrupt) -> None:
        while not interrupt.at_once:
            if not (interrupt.asked or self._stopped):
                self._hand_out()
            ending = interrupt.asked or self._stopped is not None
            if not (self._draw_in() if ending else self._at_work()):
                return
            self._lines.flush()
            if not ending:
                self._lookahead.write(self._queue.upcoming(len(self._lines)))
            for news in self._lines.wait(None) if ending else self._wait():
                self._take(news)
            ending = interrupt.asked or self._stopped is not None
            self._journal.write_down(self._lines, ending=ending)

    # --- handing out ------------------------------------------------------------------------------

    def _hand_out(self) -> None:
        """Give every connection the next person, and make more connections while there are any."""
        self._pause = None
        for line in self._lines:
            while line.channel.hungry and (person := self._queue.next):
                if not self._may_begin():
                    return
                self._begin(person, line)
                if self._stopped:
                    return
        if self._connections.missing > 0 and self._queue.next and self._may_begin():
            self._connections.open(self._queue.worth)

    def _may_begin(self) -> bool:
        """Whether the pace allows one more message; if not, the run waits or stops."""
        if self._pace.used_up and all(line.channel.idle for line in self._lines):
            # Who was refused before the message did not cost anything, and only the ledger knows.
            self._pace.recall(self._ledger.handed_over)
            self._stop(self._pace.used_up)
        if self._pace.used_up:
            return False
        self._pause = self._pace.delay or None
        return self._pause is None

    def _begin(self, person: Recipient, line: Line[Copy]) -> None:
        try:
            message = self._lookahead.message_for(person)
            precluded = line.channel.preclude(message)
            if precluded is None:
                line.channel.begin(Copy(person, message.message_id), message)
                self._pace.take()
        except BriefmailError as error:
            self._stop(error)
            return
        self._queue.take()
        if precluded:
            self._decide(person, precluded)

    def _at_work(self) -> bool:
        """Whether there is anything to wait for."""
        if self._pause is not None or any(not line.channel.idle for line in self._lines):
            return True
        if self._next_try is not None:
            return True
        more = self._lines.opening > 0 or any(line.channel.leaving for line in self._lines)
        return more and self._queue.next is not None

    # --- waiting ----------------------------------------------------------------------------------

    @property
    def _next_try(self) -> float | None:
        """When the back-off lets something be tried again, None if nothing is to be."""
        if (away_until := self._connections.away_until) is not None:
            return away_until if self._waiting.people or self._queue.next else None
        return self._waiting.due

    def _wait(self) -> list[Opened[Copy] | NotOpened | Said[Copy]]:
        """Wait for news, at most until there is something to begin."""
        next_try, is_away = self._next_try, self._connections.away_until is not None
        # Whoever is due comes after those at hand, and needs a connection that has nothing to do.
        if next_try is None or (not is_away and (len(self._queue) or self._is_full)):
            return self._lines.wait(self._pause)
        seconds = max(0.0, next_try - self._back_off.clock())
        if self._is_busy:
            return self._lines.wait(seconds)
        if seconds > IDLE and len(self._lines):
            for line in self._lines:
                line.channel.quit()
            self._lines.flush()
            return self._lines.wait()
        if seconds > IDLE:
            self._on_wait(Wait(seconds, self._waiting.people, self._connections.error))
        return self._back_off.sleep(self._lines.wait, seconds)

    @property
    def _is_full(self) -> bool:
        """Whether nobody more can begin before there is news, however long they have been due."""
        hungry = any(line.channel.hungry for line in self._lines)
        return not hungry and self._connections.missing <= 0

    @property
    def _is_busy(self) -> bool:
        """Whether there are answers to come, or connections."""
        return self._lines.opening > 0 or any(
            line.channel.leaving or not line.channel.idle for line in self._lines
        )

    # --- drawing in -------------------------------------------------------------------------------

    def _draw_in(self) -> bool:
        """Keep only connections on which a dot waits for its reply; False if there are none."""
        for line in [*self._lines]:
            if not (line.channel.in_doubt or line.channel.idle):
                self._let_go(line)
        return any(line.channel.in_doubt for line in self._lines)

    def _let_go(self, line: Line[Copy]) -> None:
        """Close a connection. Whoever is in doubt on it is settled by the ledger's recovery."""
        for event in line.channel.abandon():
            if isinstance(event, GivenBack):
                self._give_back_one(event.ticket)
        self._journal.claims.pop(line, None)
        self._lines.drop(line)

    def _give_back_one(self, copy: Copy) -> None:
        self._queue.put_back(copy.person)
        self._journal.unclaim(copy)

    def _give_back(self) -> None:
        """Free everybody in hand whose dot has certainly not left, however the run ended."""
        for line in [*self._lines]:
            self._let_go(line)
        self._journal.give_back()

    # --- news -------------------------------------------------------------------------------------

    def _take(self, news: Opened[Copy] | NotOpened | Said[Copy]) -> None:
        match news:
            case Opened():
                self._connections.opened()
            case NotOpened(RelayUnavailable() as error, failures):
                self._stop(self._connections.not_opened(error, failures))
            case NotOpened(BriefmailError() as error):
                self._stop(error)
            case NotOpened(error):
                raise error
            case Said(line, ClaimWanted(copy)):
                self._journal.claims[line] = copy
            case Said(line, Decided() as decided):
                self._journal.claims.pop(line, None)
                self._take_outcome(line, decided)
            case Said(line, GivenBack(copy)):
                self._journal.claims.pop(line, None)
                self._give_back_one(copy)
            case Said(line, Closed(error, final)):
                self._lines.drop(line)
                if isinstance(error, RelayUnavailable):
                    error = self._connections.failed(error, line.failures, final=final)
                self._stop(error)

    def _take_outcome(self, line: Line[Copy], decided: Decided[Copy]) -> None:
        copy, delivery = decided.ticket, decided.delivery
        if delivery.scope is not Scope.SESSION:
            line.failures = 0
            if self._connections.failing_since is not None:
                self._connections.works()
        elif not (decided.begun or _is_final(delivery) or copy.person.key in self._tried_again):
            self._tried_again.add(copy.person.key)
            self._give_back_one(copy)
            return
        self._decide(copy.person, delivery)

    def _decide(self, person: Recipient, delivery: Delivery) -> None:
        nobody_yet = not self._verdicts.accepted
        self._stop(self._verdicts.decide(person, delivery))
        if nobody_yet and self._verdicts.accepted:
            self._connections.want(self._queue.affordable)

    def _stop(self, error: BriefmailError | None) -> None:
        """Begin nothing more, because of ``error``; the first one counts."""
        self._stopped = self._stopped or error


def _lapse(lease: Lease, error: BriefmailError) -> BriefmailError:
    """What ends a run whose lease has lapsed: that, whatever it noticed it by."""
    try:
        lease.check()
    except LeaseLapsed as lapse:
        return lapse
    return error


def _is_final(delivery: Delivery) -> bool:
    """Whether the relay would answer the same again."""
    return bool(delivery.reply and delivery.reply.permanent)
