"""The send run: many connections, each outcome written down before the next message leaves.

Every turn of the run takes whatever the relay has said on any connection, writes the outcomes and
the claims for the next messages into the ledger in one durable step, and only then lets those
messages go. So at any moment at most one person for each open connection is in doubt.

How far each failure reaches is decided in :mod:`briefmail.delivery.outcome`; what follows from it
is decided here:

* *Recipient*: recorded, and on to the next. While nobody has been accepted, though, a refusal that
  does not name the mailbox is kept back as *deferred*: three equal ones mean that the relay
  refuses the content (at DATA or the dot) or us (at RCPT), and stop the run. If somebody is
  accepted, another refusal comes or the list ends first, they become *refused*.
* *Message*: stops the run, unless others have been accepted: then *refused*.
* *Session*: a new connection. Who was in hand is tried once more if no octet of the dot had left,
  and is then deferred. A connection that fails three times in a row is given up, and the last one
  stops the run. A 5yz, and a very first connection that fails, stop it at once: the same would be
  answered again.

Until the relay has accepted somebody there is one connection only: whatever is wrong with the
login, the sender or the content is found out with a handful of people in hand, not with hundreds.

A run that is stopped begins nothing more, and waits for the replies to the dots that are out.
A relay that is only busy is not waited for yet: that ends the run as *deferred left*.

Messages begin only when the pace allows (:mod:`briefmail.delivery.pace`). So long as one connection
keeps up with it no other is opened. An allowance for an hour or a day that is used up ends the run
once everybody in hand is settled.
"""

import signal
import threading
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from types import FrameType
from typing import TYPE_CHECKING, Any

from briefmail.audience import Recipient
from briefmail.delivery.channel import ClaimWanted, Closed, Decided, GivenBack
from briefmail.delivery.ledger import Ledger
from briefmail.delivery.line import Line
from briefmail.delivery.lines import Lines, NotOpened, Opened, Said
from briefmail.delivery.outcome import Delivery, Scope, State, is_personal
from briefmail.delivery.pace import Pace
from briefmail.errors import BriefmailError, ContentRefused, RelayUnavailable, StoreError

if TYPE_CHECKING:
    from briefmail.delivery.session import Session
    from briefmail.edition.message import Message

BATCH = 256  # people reserved by one commit
PEOPLE_PER_CONNECTION = 10  # fewer are not worth another login
FAILURES_IN_A_ROW = 3
EQUAL_REFUSALS = 3


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
) -> RunResult:
    """Try everybody whom the latest roll call left open, at most ``limit`` people.

    ``connect`` makes a session that is entered in a thread of its own, anew for each connection;
    at most ``connections`` are kept at a time, and no more than one for ten people.
    ``on_progress`` is called once for each person, after the outcome is durable. ``pace`` None
    means as fast as the relay takes it.

    Ctrl-C or SIGTERM lets the messages whose end has been sent be answered, gives everybody else
    back and returns; a second one stops at once, and whoever was in doubt is *uncertain*. Expected
    failures are returned as ``stopped``, also where ``message_for`` raises them. However the run
    ends, nobody is left reserved or claimed, unless the process dies or the database itself has
    failed.
    """
    run = _Run(ledger, edition_id, message_for, limit, connections, on_progress, pace or Pace(()))
    interrupt = _Interrupt()
    stopped: BriefmailError | None = None
    try:
        try:
            with interrupt:
                run.send_all(connect, interrupt)
        except KeyboardInterrupt:
            interrupt.asked = True
        finally:
            run.tally["uncertain"] += ledger.recover(edition_id)
        if not interrupt.asked:
            ledger.close_if_settled(edition_id)
    except BriefmailError as error:
        stopped = error
    return RunResult(
        sent=run.tally["sent"],
        refused=run.tally["refused"],
        deferred=run.tally["deferred"],
        uncertain=run.tally["uncertain"],
        stopped=stopped,
        interrupted=interrupt.asked,
        terminated=interrupt.terminated,
    )


@dataclass(slots=True, eq=False)
class _Copy:
    """One person's message in the hands of a run."""

    person: Recipient
    message_id: str
    claimed: bool = False


class _Run:
    """The state of one run: who is in hand, what was counted, what is kept back."""

    def __init__(
        self,
        ledger: Ledger,
        edition_id: str,
        message_for: Callable[[Recipient], "Message"],
        limit: int | None,
        connections: int,
        on_progress: Callable[[Recipient, Delivery], None],
        pace: Pace,
    ) -> None:
        self._ledger = ledger
        self._edition_id = edition_id
        self._message_for = message_for
        self._limit = limit
        self._connections = connections
        self._on_progress = on_progress
        self._pace = pace
        self._pause: float | None = None  # seconds for which the pace alone holds somebody back
        self.tally: Counter[State] = Counter()
        self._queue: deque[Recipient] = deque()
        self._taken = 0
        self._tried_again: set[str] = set()
        self._suspects: list[tuple[Recipient, Delivery]] = []
        self._wanted = self._affordable = 1  # connections: now, and once somebody is accepted
        self._reopen: list[int] = []  # failures in a row of connections to be made anew
        self._connected = self._accepted = False
        self._stopped: BriefmailError | None = None
        # What this turn has brought, for the ledger and then for whoever watches.
        self._results: list[tuple[str, Delivery]] = []
        self._claims: dict[Line[_Copy], _Copy] = {}
        self._unclaims: list[str] = []
        self._reports: list[tuple[Recipient, Delivery]] = []

    def send_all(self, connect: Callable[[], "Session"], interrupt: "_Interrupt") -> None:
        """Send until nobody is left, the limit is reached, or ``interrupt`` has been asked for.

        Raises the :class:`BriefmailError` that stops the run before that.
        """
        self._pace.recall(self._ledger.handed_over)
        with Lines[_Copy](connect) as lines:
            interrupt.wake = lines.wake
            try:
                self._take_turns(lines, interrupt)
                if not (interrupt.asked or self._stopped):
                    self._refuse_suspects()
                self._write_down(lines, ending=True)
                lines.take_leave()
            finally:
                self._give_back(lines)
                self._leave_suspects_deferred()
        if self._stopped:
            raise self._stopped

    def _take_turns(self, lines: Lines[_Copy], interrupt: "_Interrupt") -> None:
        while True:
            if not (interrupt.asked or self._stopped):
                self._hand_out(lines)
            ending = interrupt.asked or self._stopped is not None
            if not (self._draw_in(lines) if ending else self._at_work(lines)):
                return
            lines.flush()
            for news in lines.wait(None if ending else self._pause):
                self._take(news, lines)
            self._write_down(lines, ending=interrupt.asked or self._stopped is not None)

    # --- handing out ------------------------------------------------------------------------------

    def _hand_out(self, lines: Lines[_Copy]) -> None:
        """Give every connection the next person, and make more connections while there are any."""
        self._pause = None
        for line in lines:
            while line.channel.hungry and (person := self._next()):
                if not self._may_begin(lines):
                    return
                self._begin(person, line)
                if self._stopped:
                    return
        missing = self._wanted - len(lines) - lines.opening
        if missing > 0 and self._next() and self._may_begin(lines):
            for _ in range(missing):
                lines.open(self._reopen.pop() if self._reopen else 0)

    def _may_begin(self, lines: Lines[_Copy]) -> bool:
        """Whether the pace allows one more message; if not, the run waits or stops."""
        if self._pace.used_up and all(line.channel.idle for line in lines):
            # Who was refused before the message did not cost anything, and only the ledger knows.
            self._pace.recall(self._ledger.handed_over)
            if error := self._pace.used_up:
                self._stop(error)
        if self._pace.used_up:
            return False
        self._pause = self._pace.delay or None
        return self._pause is None

    def _next(self) -> Recipient | None:
        """Return who comes next, who stays at the head of the queue until taken from there."""
        if not self._queue:
            size = max(BATCH, self._connections * PEOPLE_PER_CONNECTION)
            room = size if self._limit is None else min(size, self._limit - self._taken)
            if room > 0:
                self._queue.extend(self._ledger.next_batch(self._edition_id, room))
                if not self._taken:
                    some = len(self._queue) // PEOPLE_PER_CONNECTION
                    self._affordable = max(1, min(self._connections, some))
                self._taken += len(self._queue)
        return self._queue[0] if self._queue else None

    def _begin(self, person: Recipient, line: Line[_Copy]) -> None:
        try:
            message = self._message_for(person)
            precluded = line.channel.preclude(message)
            if precluded is None:
                line.channel.begin(_Copy(person, message.message_id), message)
                self._pace.take()
        except BriefmailError as error:
            self._stop(error)
            return
        self._queue.popleft()
        if precluded:
            self._decide(person, precluded)

    def _at_work(self, lines: Lines[_Copy]) -> bool:
        """Whether there is anything to wait for."""
        if self._pause is not None or any(not line.channel.idle for line in lines):
            return True
        more = lines.opening > 0 or any(line.channel.leaving for line in lines)
        return more and self._next() is not None

    def _draw_in(self, lines: Lines[_Copy]) -> bool:
        """Keep only connections on which a dot waits for its reply; False if there are none."""
        for line in [*lines]:
            if not (line.channel.in_doubt or line.channel.idle):
                self._let_go(line, lines)
        return any(line.channel.in_doubt for line in lines)

    def _let_go(self, line: Line[_Copy], lines: Lines[_Copy]) -> None:
        """Close a connection. Whoever is in doubt on it is settled by the ledger's recovery."""
        for event in line.channel.abandon():
            if isinstance(event, GivenBack):
                self._give_back_one(event.ticket)
        self._claims.pop(line, None)
        lines.drop(line)

    def _give_back_one(self, copy: _Copy) -> None:
        self._queue.appendleft(copy.person)
        if copy.claimed:
            self._unclaims.append(copy.person.key)

    def _give_back(self, lines: Lines[_Copy]) -> None:
        """Free those who are claimed, and whose dot has certainly not left, however it ended."""
        for line in [*lines]:
            self._let_go(line, lines)
        if self._unclaims:
            self._ledger.advance(self._edition_id, unclaims=self._unclaims)

    # --- news -------------------------------------------------------------------------------------

    def _take(self, news: Opened[_Copy] | NotOpened | Said[_Copy], lines: Lines[_Copy]) -> None:
        match news:
            case Opened():
                self._connected = True
            case NotOpened(RelayUnavailable() as error, failures):
                self._failed(error, failures, lines, final=not self._connected)
            case NotOpened(BriefmailError() as error):
                self._stop(error)
            case NotOpened(error):
                raise error
            case Said(line, ClaimWanted(copy)):
                self._claims[line] = copy
            case Said(line, Decided() as decided):
                self._claims.pop(line, None)
                self._take_outcome(line, decided)
            case Said(line, GivenBack(copy)):
                self._claims.pop(line, None)
                self._give_back_one(copy)
            case Said(line, Closed(error, final)):
                lines.drop(line)
                if isinstance(error, RelayUnavailable):
                    self._failed(error, line.failures, lines, final=final)
                elif error:
                    self._stop(error)

    def _take_outcome(self, line: Line[_Copy], decided: Decided[_Copy]) -> None:
        copy, delivery = decided.ticket, decided.delivery
        if delivery.scope is not Scope.SESSION:
            line.failures = 0
        elif not (decided.begun or _is_final(delivery) or copy.person.key in self._tried_again):
            self._tried_again.add(copy.person.key)
            self._give_back_one(copy)
            return
        self._decide(copy.person, delivery)

    def _failed(
        self, error: RelayUnavailable, failures: int, lines: Lines[_Copy], *, final: bool
    ) -> None:
        """Draw the consequence of a connection that has ended."""
        failures += 1
        if final:
            self._stop(error)
        elif failures < FAILURES_IN_A_ROW:
            self._reopen.append(failures)
        elif len(lines) + lines.opening + len(self._reopen) > 0:
            self._wanted -= 1
        else:
            self._stop(error)

    def _stop(self, error: BriefmailError) -> None:
        self._stopped = self._stopped or error

    # --- outcomes ---------------------------------------------------------------------------------

    def _decide(self, person: Recipient, delivery: Delivery) -> None:
        if delivery.scope is Scope.MESSAGE:
            if not self._accepted:
                self._record(person, delivery)
                self._stop(ContentRefused(str(delivery), hint="make the message smaller"))
                return
            delivery = replace(delivery, state="refused", scope=Scope.RECIPIENT)
        if delivery.state == "refused" and not self._accepted and not is_personal(delivery):
            self._suspect(person, delivery)
            return
        self._record(person, delivery)
        if delivery.state == "sent":
            if not self._accepted:
                self._accepted, self._wanted = True, self._affordable
            self._refuse_suspects()

    def _record(self, person: Recipient, delivery: Delivery) -> None:
        self._results.append((person.key, delivery))
        self._reports.append((person, delivery))

    def _suspect(self, person: Recipient, delivery: Delivery) -> None:
        """Keep a refusal back that may concern everybody. A crash leaves the person deferred."""
        if self._suspects and not _equal(self._suspects[-1][1], delivery):
            self._refuse_suspects()
        self._results.append((person.key, replace(delivery, state="deferred")))
        self._suspects.append((person, delivery))
        if len(self._suspects) < EQUAL_REFUSALS:
            return
        what = f"{EQUAL_REFUSALS} people in a row were refused alike, and nobody accepted: "
        if delivery.step == "RCPT":
            error: BriefmailError = RelayUnavailable(
                f"{what}{delivery.reply}",
                hint="the relay may want a login, or another sender: check SMTP_USERNAME in .env"
                " and newsletter.from in briefmail.toml",
            )
        else:
            error = ContentRefused(
                f"{what}{delivery.reply}",
                hint="the relay objects to the message itself; ask its operator or change the"
                " issue",
            )
        self._stop(error)

    def _refuse_suspects(self) -> None:
        while self._suspects:
            self._record(*self._suspects.pop(0))

    def _leave_suspects_deferred(self) -> None:
        while self._suspects:
            person, delivery = self._suspects.pop(0)
            self._reports.append((person, replace(delivery, state="deferred")))
        self._report()

    def _write_down(self, lines: Lines[_Copy], *, ending: bool) -> None:
        """Make outcomes and claims durable as one, and only then let those messages go."""
        claims = {} if ending else self._claims
        self._claims = {}
        results, self._results = self._results, []
        unclaims, self._unclaims = self._unclaims, []
        if not (results or claims or unclaims):
            return
        wishes = [(copy.person.key, copy.message_id) for copy in claims.values()]
        try:
            claimed = self._ledger.advance(self._edition_id, results, wishes, unclaims)
        except StoreError:
            if wishes:  # what has happened matters more than what was to come
                self._ledger.advance(self._edition_id, results, (), unclaims)
                self._report()
            raise
        for line, copy in claims.items():
            copy.claimed = copy.person.key in claimed
            if copy.claimed:
                line.channel.grant()
            else:  # somebody else has seen to this person, who is no longer ours to decide about
                line.channel.withhold()
                lines.drop(line)
        self._report()

    def _report(self) -> None:
        """Tell whoever watches, now that the ledger knows."""
        reports, self._reports = self._reports, []
        self.tally.update(delivery.state for _, delivery in reports)
        for person, delivery in reports:
            self._on_progress(person, delivery)


def _is_final(delivery: Delivery) -> bool:
    """Whether the relay would answer the same again."""
    return bool(delivery.reply and delivery.reply.permanent)


def _equal(one: Delivery, other: Delivery) -> bool:
    """Whether two refusals are alike; the text often names the person, so it does not count."""
    assert one.reply
    assert other.reply
    return (one.step, one.reply.code, one.reply.status) == (
        other.step,
        other.reply.code,
        other.reply.status,
    )


class _Interrupt:
    """Makes the first Ctrl-C or SIGTERM a wish, kept in ``asked``; the second one stops at once.

    ``terminated`` is whether the first one was SIGTERM.
    """

    def __init__(self) -> None:
        self.asked = self.terminated = False
        self.wake: Callable[[], None] = lambda: None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> None:
        # Only the main thread may set handlers, and only there does Python raise the exception.
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._ask)

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            # None: a handler that was not set from Python, and cannot be set again from here.
            signal.signal(number, handler or signal.SIG_DFL)

    def _ask(self, number: int, _frame: FrameType | None) -> None:
        self.asked = True
        self.terminated = number == signal.SIGTERM
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        signal.signal(signal.SIGINT, self._before[signal.SIGINT] or signal.default_int_handler)
        self.wake()
