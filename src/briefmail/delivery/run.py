"""The send run: one connection, one person after the other, each outcome written down at once.

How far each failure reaches is decided in :mod:`briefmail.delivery.outcome`; what follows from it
is decided here:

* *Recipient*: recorded, and on to the next. While nobody has been accepted, though, a refusal that
  does not name the mailbox is kept back as *deferred*: three equal ones mean that the relay
  refuses the content (at DATA or the dot) or us (at RCPT), and stop the run. If somebody is
  accepted, another refusal comes or the list ends first, they become *refused*.
* *Message*: stops the run, unless others have been accepted: then *refused*.
* *Session*: a new connection. Who was in hand is tried once more if the dot was not reached, and
  is then deferred. Three such failures in a row stop the run. A 5yz, and a first connection that
  fails, stop it at once: the same would be answered again.

There is no waiting in between yet, so a relay that is only busy ends the run as *deferred left*.
"""

import signal
import threading
from collections import Counter, deque
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from types import FrameType
from typing import TYPE_CHECKING, Any

from briefmail.audience import Recipient
from briefmail.delivery.ledger import Ledger
from briefmail.delivery.outcome import Delivery, Scope, State, is_personal
from briefmail.errors import BriefmailError, ContentRefused, RelayUnavailable

if TYPE_CHECKING:
    from briefmail.delivery.session import Session
    from briefmail.edition.message import Message

BATCH = 100  # people reserved by one commit
FAILURES_IN_A_ROW = 3
EQUAL_REFUSALS = 3
GO_ON = "nothing is lost: the same command goes on with everybody who is left"


@dataclass(frozen=True, slots=True)
class RunResult:
    """What one run did; the ledger's totals say where the edition stands.

    ``stopped`` is what ended the run before everybody had been tried, None if nothing did.
    """

    sent: int
    refused: int
    deferred: int
    uncertain: int
    stopped: BriefmailError | None
    interrupted: bool

    @property
    def exit_status(self) -> int:
        """The status for the shell: 0 if everybody who was tried is settled."""
        if self.interrupted:
            return 130
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
    on_progress: Callable[[Recipient, Delivery], None],
) -> RunResult:
    """Try everybody whom the latest roll call left open, at most ``limit`` people.

    ``connect`` makes a session that is entered here, anew for each connection. ``on_progress`` is
    called once for each person, after the outcome is durable.

    Ctrl-C lets the person in hand be finished, gives the others back and returns; a second one
    stops at once, and whoever was claimed is *uncertain*. Expected failures are returned as
    ``stopped``, also where ``message_for`` raises them. However the run ends, nobody is left
    reserved or claimed, unless the process dies or the database itself has failed.
    """
    run = _Run(ledger, edition_id, message_for, limit, on_progress)
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
    )


class _Run:
    """The state of one run: who is reserved, what was counted, what is kept back."""

    def __init__(
        self,
        ledger: Ledger,
        edition_id: str,
        message_for: Callable[[Recipient], "Message"],
        limit: int | None,
        on_progress: Callable[[Recipient, Delivery], None],
    ) -> None:
        self._ledger = ledger
        self._edition_id = edition_id
        self._message_for = message_for
        self._limit = limit
        self._on_progress = on_progress
        self.tally: Counter[State] = Counter()
        self._queue: deque[Recipient] = deque()
        self._taken = 0
        self._suspects: list[tuple[Recipient, Delivery]] = []
        self._connected = False
        self._failures = 0
        self._retrying = False

    def send_all(self, connect: Callable[[], "Session"], interrupt: "_Interrupt") -> None:
        """Send until nobody is left, the limit is reached, or ``interrupt`` has been asked for.

        Raises the :class:`BriefmailError` that stops the run before that.
        """
        try:
            while not interrupt.asked and self._next():
                self._use_one_connection(connect, interrupt)
            if not interrupt.asked:
                self._refuse_suspects()
        finally:
            self._leave_suspects_deferred()

    def _use_one_connection(
        self, connect: Callable[[], "Session"], interrupt: "_Interrupt"
    ) -> None:
        with ExitStack() as stack:
            try:
                session = stack.enter_context(connect())
            except RelayUnavailable as error:
                self._failed(error, final=not self._connected)
                return
            self._connected = True
            while session.usable and not interrupt.asked and (person := self._next()):
                self._send_to(person, session)

    def _next(self) -> Recipient | None:
        """Return who comes next, who stays at the head of the queue until there is an outcome."""
        if not self._queue:
            room = BATCH if self._limit is None else min(BATCH, self._limit - self._taken)
            if room > 0:
                self._queue.extend(self._ledger.next_batch(self._edition_id, room))
                self._taken += len(self._queue)
        return self._queue[0] if self._queue else None

    def _send_to(self, person: Recipient, session: "Session") -> None:
        message = self._message_for(person)
        reached_the_dot = False

        def claim() -> bool:
            nonlocal reached_the_dot
            reached_the_dot = self._ledger.claim(self._edition_id, person.key, message.message_id)
            return reached_the_dot

        delivery = session.deliver(message, claim)
        if delivery is None:
            self._queue.popleft()  # no longer ours to decide about
            return
        final = bool(delivery.reply and delivery.reply.permanent)
        is_session = delivery.scope is Scope.SESSION
        if is_session and not (reached_the_dot or final or self._retrying):
            self._retrying = True
        else:
            self._queue.popleft()
            self._retrying = False
            self._decide(person, delivery)
        if is_session:
            self._failed(RelayUnavailable(str(delivery), hint=GO_ON), final=final)
        else:
            self._failures = 0

    def _failed(self, error: RelayUnavailable, *, final: bool) -> None:
        self._failures += 1
        if final or self._failures >= FAILURES_IN_A_ROW:
            raise error

    # --- outcomes ---------------------------------------------------------------------------------

    def _decide(self, person: Recipient, delivery: Delivery) -> None:
        accepted = self.tally["sent"] > 0
        if delivery.scope is Scope.MESSAGE:
            if not accepted:
                self._record(person, delivery)
                raise ContentRefused(str(delivery), hint="make the message smaller")
            delivery = replace(delivery, state="refused", scope=Scope.RECIPIENT)
        if delivery.state == "refused" and not accepted and not is_personal(delivery):
            self._suspect(person, delivery)
            return
        self._record(person, delivery)
        if delivery.state == "sent":
            self._refuse_suspects()

    def _record(self, person: Recipient, delivery: Delivery) -> None:
        self._ledger.record(self._edition_id, person.key, delivery)
        self._count(person, delivery)

    def _count(self, person: Recipient, delivery: Delivery) -> None:
        self.tally[delivery.state] += 1
        self._on_progress(person, delivery)

    def _suspect(self, person: Recipient, delivery: Delivery) -> None:
        """Keep a refusal back that may concern everybody. A crash leaves the person deferred."""
        if self._suspects and not _equal(self._suspects[-1][1], delivery):
            self._refuse_suspects()
        kept_back = replace(delivery, state="deferred")
        self._ledger.record(self._edition_id, person.key, kept_back)
        self._suspects.append((person, delivery))
        if len(self._suspects) < EQUAL_REFUSALS:
            return
        what = f"{EQUAL_REFUSALS} people in a row were refused alike, and nobody accepted: "
        if delivery.step == "RCPT":
            raise RelayUnavailable(
                f"{what}{delivery.reply}",
                hint="the relay may want a login, or another sender: check SMTP_USERNAME in .env"
                " and newsletter.from in briefmail.toml",
            )
        raise ContentRefused(
            f"{what}{delivery.reply}",
            hint="the relay objects to the message itself; ask its operator or change the issue",
        )

    def _refuse_suspects(self) -> None:
        while self._suspects:
            self._record(*self._suspects.pop(0))

    def _leave_suspects_deferred(self) -> None:
        while self._suspects:
            person, delivery = self._suspects.pop(0)
            self._count(person, replace(delivery, state="deferred"))


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
    """Makes the first Ctrl-C a wish, kept in ``asked``, and leaves the second what it was."""

    def __init__(self) -> None:
        self.asked = False
        self._before: Any = None

    def __enter__(self) -> None:
        # Only the main thread may set handlers, and only there does Python raise the exception.
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._ask) or signal.default_int_handler

    def __exit__(self, *_: object) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)

    def _ask(self, _signal: int, _frame: FrameType | None) -> None:
        self.asked = True
        signal.signal(signal.SIGINT, self._before)
