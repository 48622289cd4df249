"""The mail part of one SMTP dialogue without its socket: replies in, outcomes out, and the reverse.

One transaction has one recipient, so that every reply belongs to one person. With PIPELINING
(RFC 2920) the next person's MAIL, RCPT and DATA go out behind the final dot of the message before;
without it each command waits for its reply. Replies are told apart by their order alone, never by
their text, so one that nobody waits for ends the connection: the order can no longer be trusted.

What decides between *deferred* and *uncertain* is whether any octet of the final dot may have left
(RFC 1047), so the channel counts what its owner has really written.
"""

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, Literal, TypeVar

from briefmail.delivery.outcome import Delivery, Scope, Step, judge
from briefmail.delivery.reply import Reply, ReplyReader
from briefmail.delivery.timeouts import PATIENCE, Timeouts
from briefmail.delivery.wire import is_path, wire_data
from briefmail.edition.message import Message
from briefmail.errors import BriefmailError, LoginRefused, RelayUnavailable

DOT = b".\r\n"
GO_ON = "nothing is lost: the same command goes on with everybody who is left"
T = TypeVar("T")
"""The ticket by which the owner of a channel knows a message again."""

Wait = Literal["MAIL", "RCPT", "DATA", "dot", "lone dot", "RSET", "QUIT"]
"""What a reply is expected to."""

_NAMES = {"dot": "the end of the message", "lone dot": "the end of the message"}


@dataclass(frozen=True, slots=True)
class Facts:
    """What a relay has said of itself in its answer to EHLO.

    ``asks_size`` says whether it wants to be told sizes (RFC 1870), and ``size_limit`` the largest
    that it takes, 0 if it does not say. ``smtputf8`` says whether it takes addresses outside ASCII
    (RFC 6531).
    """

    host: str
    pipelining: bool = False
    asks_size: bool = False
    size_limit: int = 0
    smtputf8: bool = False


@dataclass(frozen=True, slots=True)
class Greeting:
    """What a relay has said before any mail, and until when its certificate is good.

    ``certificate_until`` is None without TLS.
    """

    facts: Facts
    certificate_until: datetime | None


@dataclass(frozen=True, slots=True)
class ClaimWanted(Generic[T]):
    """The relay waits for this message: claim its recipient, then ``grant`` or ``withhold``."""

    ticket: T


@dataclass(frozen=True, slots=True)
class Decided(Generic[T]):
    """The outcome for one message; ``begun`` says whether any of its dot may have left."""

    ticket: T
    delivery: Delivery
    begun: bool = False


@dataclass(frozen=True, slots=True)
class GivenBack(Generic[T]):
    """The connection has ended before this message's turn came; nothing was decided about it."""

    ticket: T


@dataclass(frozen=True, slots=True)
class Closed:
    """The connection is no longer good for mail; it is the last event of a channel.

    ``error`` is None if it ended because we wanted it to. ``final`` says that the relay would
    answer the same again.
    """

    error: BriefmailError | None
    final: bool = False


Event = ClaimWanted[T] | Decided[T] | GivenBack[T] | Closed


@dataclass(slots=True, eq=False)
class _Transaction(Generic[T]):
    """One message on its way. ``dot_at`` is where its dot starts in all that is ever written."""

    ticket: T
    body: bytes
    failure: Delivery | None = None
    accepted: bool = False
    asked: bool = False
    dot_at: int | None = None


@dataclass(slots=True)
class _Command(Generic[T]):
    """A command that waits for its turn to be written."""

    wait: Wait
    line: bytes
    transaction: "_Transaction[T] | None" = field(default=None)


class Channel(Generic[T]):
    """A connection that is ready for mail, as a machine without input and output of its own.

    Its owner writes what :attr:`output` holds, tells :meth:`wrote` how much of it has left, and
    feeds :meth:`receive` with what comes back. At most two messages are in hand at a time, the
    second only once the first one's dot has been granted. After so many ``messages`` it says QUIT
    of itself: some relays drop the connection at the next one, without a word.
    """

    def __init__(
        self, facts: Facts, timeouts: Timeouts = PATIENCE, messages: int | None = None
    ) -> None:
        self.facts = facts
        self.usable = True
        """Whether it is good for another message; once False, it stays so."""
        self.leaving = False
        """Whether QUIT has been said; :class:`Closed` follows."""
        self.heard = 0
        """How many replies have come."""
        self._messages = messages  # that may still begin
        self._timeouts = timeouts
        self._reader = ReplyReader()
        self._in_hand: deque[_Transaction[T]] = deque()
        self._todo: deque[_Command[T]] = deque()
        self._expected: deque[tuple[Wait, _Transaction[T] | None]] = deque()
        self._at_data = False  # nothing may be said until the reply to DATA is dealt with
        self._out: list[bytes] = []
        self._pending: bytes | memoryview = b""
        self._queued = 0  # octets ever put out, and those that have left
        self._written = 0
        self._risked = 0

    # --- what the owner wants ---------------------------------------------------------------------

    @property
    def hungry(self) -> bool:
        """Whether another message may begin now."""
        if not self.usable or self.leaving or self._messages == 0:
            return False
        return not self._in_hand or (
            len(self._in_hand) == 1 and self._in_hand[0].dot_at is not None
        )

    @property
    def idle(self) -> bool:
        """Whether no message is in hand."""
        return not self._in_hand

    @property
    def in_doubt(self) -> bool:
        """Whether a dot has been granted and not been answered."""
        return bool(self._in_hand) and self._in_hand[0].dot_at is not None

    @property
    def waits_for_claim(self) -> bool:
        """Whether the relay waits for a message that may be claimed."""
        return self._at_data and not self._expected

    def preclude(self, message: Message) -> Delivery | None:
        """Name what makes the dialogue about a message pointless, before it begins.

        Raises :class:`BriefmailError` for a reverse-path that cannot be one, which is a bug.
        """
        if not (message.reverse_path.isascii() and is_path(message.reverse_path)):
            raise BriefmailError(f"{message.reverse_path!a} cannot be a reverse-path")
        if not is_path(message.recipient):
            return Delivery("refused", "connection", None, "the address cannot be written in SMTP")
        if message.needs_smtputf8 and not self.facts.smtputf8:  # RFC 6531 section 3.2
            reason = "the relay takes no address outside ASCII: it does not offer SMTPUTF8"
            return Delivery("refused", "connection", None, reason)
        limit = self.facts.size_limit
        if 0 < limit < len(message.data):
            reason = f"the message has {len(message.data)} octets, the relay takes {limit}"
            return Delivery("deferred", "connection", None, reason, Scope.MESSAGE)
        return None

    def begin(self, ticket: T, message: Message) -> None:
        """Put a message's envelope on its way. It must be :attr:`hungry`, and nothing precluded.

        Raises :class:`BriefmailError`, before anything is sent, if the message is not fit for the
        wire, which is a bug.
        """
        assert self.hungry
        transaction = _Transaction(ticket, wire_data(message.data, message.recipient))
        if self._messages is not None:
            self._messages -= 1
        size = f" SIZE={len(message.data)}" if self.facts.asks_size else ""
        # RFC 6531 section 3.6: no BODY, because all but the header is 7-bit text.
        utf8 = " SMTPUTF8" if message.needs_smtputf8 else ""
        mail = f"MAIL FROM:<{message.reverse_path}>{size}{utf8}\r\n".encode("ascii")
        rcpt = f"RCPT TO:<{message.recipient}>\r\n".encode()
        self._in_hand.append(transaction)
        self._todo.append(_Command("MAIL", mail, transaction))
        self._todo.append(_Command("RCPT", rcpt, transaction))
        self._todo.append(_Command("DATA", b"DATA\r\n", transaction))
        self._pump()

    def grant(self) -> None:
        """Put out the message and its dot. The claim on its recipient must be durable by now."""
        transaction = self._in_hand[0]
        assert transaction.asked
        self._put(transaction.body)
        transaction.dot_at = self._queued
        transaction.body = b""
        self._put(DOT)
        self._expected.append(("dot", transaction))
        self._at_data = False

    def withhold(self) -> list[Event[T]]:
        """End the connection without the dot, so that the relay drops the message.

        Nothing is said any more of who was to get it: the claim was not ours to have.
        """
        self._in_hand.popleft()
        return self.abandon()

    def abandon(self) -> list[Event[T]]:
        """End the connection without a word, and say what that means for whom it had in hand."""
        return self._end(Closed(None), "the run ended", struck=False) if self.usable else []

    def quit(self) -> None:
        """Take leave, once (RFC 5321 section 4.1.1.10); :class:`Closed` follows."""
        assert self.idle
        if self.leaving:
            return
        self.leaving = True
        self._todo.append(_Command("QUIT", b"QUIT\r\n"))
        self._pump()

    # --- octets -----------------------------------------------------------------------------------

    @property
    def output(self) -> bytes | memoryview:
        """What is to be written next; empty if there is nothing."""
        if self._out:
            self._pending = b"".join([self._pending, *self._out])
            self._out.clear()
        return self._pending

    def wrote(self, count: int) -> None:
        """Take note that the first ``count`` octets of the output have left."""
        self._written += count
        rest = len(self._pending) - count
        self._pending = memoryview(self._pending)[count:] if rest else b""

    def risk(self, count: int) -> None:
        """Take note that up to ``count`` octets of the output may have left, or none."""
        self._risked = max(self._risked, self._written + count)

    @property
    def patience(self) -> float | None:
        """How many seconds may pass before anything moves; None if nothing needs to."""
        limits = self._timeouts
        if self._pending or self._out:
            return limits.block
        if not self._expected:
            return None
        match self._expected[0][0]:
            case "MAIL":
                return limits.mail
            case "RCPT":
                return limits.rcpt
            case "DATA":
                return limits.data
            case "dot" | "lone dot":
                return limits.dot
            case "QUIT":
                return limits.quit
        return limits.command

    def receive(self, octets: bytes) -> list[Event[T]]:
        """Take what the relay says, however it is cut, and return what that means."""
        events: list[Event[T]] = []
        if not self.usable:
            return events
        try:
            self._reader.feed(octets)
            while self.usable and (reply := self._reader.next()) is not None:
                self.heard += 1
                events += self._take(*reply)
        except ValueError as error:
            return events + self._break(f"{self.facts.host} does not speak SMTP: {error}")
        return events

    def ask(self) -> list[Event[T]]:
        """Wish for a claim, once, if the relay waits for the message and has said nothing else."""
        if not (self.usable and self.waits_for_claim and self._reader.empty):
            return []
        transaction = self._in_hand[0]
        if transaction.asked:
            return []
        transaction.asked = True
        return [ClaimWanted(transaction.ticket)]

    def lost(self, why: str) -> list[Event[T]]:
        """Take note that the connection is gone, and return what that means."""
        if not self.usable:
            return []
        wait = self._expected[0][0] if self._expected else "the message"
        if wait == "QUIT":
            return self._end(Closed(None))
        name = _NAMES.get(wait, wait)
        return self._break(f"{self.facts.host}: connection lost at {name}: {why}")

    # --- replies ----------------------------------------------------------------------------------

    def _take(self, code: int, text: bytes) -> list[Event[T]]:
        if not self._expected:
            return self._take_unasked(Reply.parse(code, text))
        wait, transaction = self._expected.popleft()
        if 300 <= code <= 399 and not (code == 354 and wait == "DATA"):
            return self._answered(wait, code, text)
        if transaction is None:
            return self._take_aside(wait, code, text)
        if wait == "dot":
            return self._take_end(transaction, Reply.parse(code, text))
        if wait == "DATA":
            return self._take_data(transaction, code, text)
        if code <= 299:
            transaction.accepted = transaction.accepted or wait == "RCPT"
            self._pump()
            return []
        return self._refused("MAIL" if wait == "MAIL" else "RCPT", transaction, code, text)

    def _take_unasked(self, reply: Reply) -> list[Event[T]]:
        """Deal with a reply that nobody waits for; most often it is a 421 before the close."""
        if self._at_data:
            reason = "the relay answered before the end of the message"
            delivery = Delivery("deferred", "DATA", reply, reason, Scope.SESSION)
        else:
            reason = "the relay spoke when nobody had asked"
            delivery = Delivery("deferred", "connection", reply, reason, Scope.SESSION)
        return self._end_with(delivery)

    def _take_aside(self, wait: Wait, code: int, text: bytes) -> list[Event[T]]:
        """Deal with a reply that is about nobody: to RSET, QUIT, or a dot after no message."""
        if wait == "QUIT":
            return self._end(Closed(None))
        if code == 421 or (wait == "RSET" and code >= 300):
            return self._answered(wait, code, text)
        self._pump()
        return []

    def _take_data(self, transaction: _Transaction[T], code: int, text: bytes) -> list[Event[T]]:
        if code <= 299:
            return self._answered("DATA", code, text)
        if code != 354:
            self._at_data = False
            return self._refused("DATA", transaction, code, text)
        if transaction.failure is None and transaction.accepted:
            return []  # receive() asks for the claim, if nothing follows
        if transaction.accepted:  # though MAIL was refused: a dot might send an empty message
            return self._end_with(transaction.failure or _no_transaction())
        # RFC 2920 section 3.1: nobody was accepted, and only a dot leads out of DATA.
        self._at_data = False
        self._put(DOT)
        self._expected.append(("lone dot", None))
        return self._conclude(transaction, reset=False)

    def _refused(
        self, step: Step, transaction: _Transaction[T], code: int, text: bytes
    ) -> list[Event[T]]:
        """Deal with a refusal before the message; what else was said in the same breath is due."""
        reply = Reply.parse(code, text)
        if step == "MAIL" and code == 530:
            error = LoginRefused(
                f"{self.facts.host} wants a login first: {reply}",
                hint="set SMTP_USERNAME and SMTP_PASSWORD in .env or the environment",
            )
            return self._end(Closed(error, final=True), struck=False)
        if transaction.failure is None:
            transaction.failure = judge(step, reply)
        # RFC 5321 section 3.8: after 421 nothing more comes, whatever it was the answer to.
        if code == 421 or transaction.failure.scope is Scope.SESSION:
            failure = judge(step, reply) if code == 421 else transaction.failure
            return self._end_with(failure)
        if step == "DATA" or self._unsaid(transaction):
            return self._conclude(transaction, reset=True)
        return []

    def _unsaid(self, transaction: _Transaction[T]) -> bool:
        """Whether the rest of an envelope has not been said; then it never will be."""
        rest = [command for command in self._todo if command.transaction is transaction]
        for command in rest:
            self._todo.remove(command)
        return bool(rest)

    def _take_end(self, transaction: _Transaction[T], reply: Reply) -> list[Event[T]]:
        """Deal with the reply to a dot. One that came before the dot had left is none."""
        assert transaction.dot_at is not None
        if self._written < transaction.dot_at + len(DOT):
            if self._begun(transaction):
                return self._break(f"{self.facts.host} answered {reply} too early")
            reason = "the relay answered before the end of the message"
            return self._end_with(Delivery("deferred", "DATA", reply, reason, Scope.SESSION))
        delivery = judge("dot", reply)
        if delivery.scope is Scope.SESSION:
            return self._end_with(delivery)
        self._in_hand.popleft()
        self._go_on()
        return [Decided(transaction.ticket, delivery, begun=True)]

    def _conclude(self, transaction: _Transaction[T], *, reset: bool) -> list[Event[T]]:
        """Finish with a message that was refused before it was sent; the connection goes on."""
        assert transaction.failure
        self._in_hand.remove(transaction)
        if reset:
            self._todo.appendleft(_Command("RSET", b"RSET\r\n"))
        self._go_on()
        return [Decided(transaction.ticket, transaction.failure)]

    def _go_on(self) -> None:
        """Say what comes after a message that is done with: QUIT, if there may be no other."""
        if self._messages == 0 and self.idle:
            self.quit()
        else:
            self._pump()

    # --- the end ----------------------------------------------------------------------------------

    def _begun(self, transaction: _Transaction[T]) -> bool:
        """Whether any octet of a dot may have left."""
        left = max(self._written, self._risked)
        return transaction.dot_at is not None and left > transaction.dot_at

    def _answered(self, wait: Wait, code: int, text: bytes) -> list[Event[T]]:
        """End a connection on which an answer makes no sense."""
        reply = Reply.parse(code, text)
        return self._break(f"{self.facts.host} answered {reply} to {_NAMES.get(wait, wait)}")

    def _break(self, why: str) -> list[Event[T]]:
        """End a connection that is lost, or has said what nobody can understand."""
        return self._end(None, why)

    def _end_with(self, delivery: Delivery) -> list[Event[T]]:
        """End the connection with an outcome for whoever is first in hand."""
        events: list[Event[T]] = []
        if self._in_hand:
            first = self._in_hand.popleft()
            events.append(Decided(first.ticket, delivery, self._begun(first)))
        error = RelayUnavailable(str(delivery), hint=GO_ON)
        final = bool(delivery.reply and delivery.reply.permanent)
        return events + self._end(Closed(error, final), struck=False)

    def _end(self, closed: Closed | None, why: str = "", *, struck: bool = True) -> list[Event[T]]:
        """Close, and sort whoever is in hand; ``struck`` says that it may be the first's doing."""
        events: list[Event[T]] = []
        error: RelayUnavailable | None = None
        while self._in_hand:
            transaction = self._in_hand.popleft()
            if self._begun(transaction):
                reason = f"{why}; the relay may have the message or not"
                delivery = Delivery("uncertain", "dot", None, reason, Scope.SESSION)
            elif struck and error is None:
                reason = f"{why}; the message was not complete"
                delivery = Delivery("deferred", "connection", None, reason, Scope.SESSION)
            else:
                events.append(GivenBack(transaction.ticket))
                continue
            error = error or RelayUnavailable(str(delivery), hint=GO_ON)
            events.append(Decided(transaction.ticket, delivery, self._begun(transaction)))
        self.usable = False
        self._todo.clear()
        self._expected.clear()
        self._out.clear()
        self._pending = b""
        return [*events, closed or Closed(error or RelayUnavailable(why, hint="try again later"))]

    # --- commands ---------------------------------------------------------------------------------

    def _pump(self) -> None:
        """Say what may be said by now: with PIPELINING everything up to the next DATA."""
        while self._todo and not self._at_data and (self.facts.pipelining or not self._expected):
            command = self._todo.popleft()
            self._put(command.line)
            self._expected.append((command.wait, command.transaction))
            self._at_data = command.wait == "DATA"

    def _put(self, octets: bytes) -> None:
        self._out.append(octets)
        self._queued += len(octets)


def _no_transaction() -> Delivery:
    reason = "the relay wants a message for nobody"
    return Delivery("deferred", "DATA", None, reason, Scope.SESSION)
