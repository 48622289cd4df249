"""What can be chosen for a send, what it would do, and what it did: values that do nothing."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from briefmail.audience import Counts, Recipient
from briefmail.checks import Finding, Report
from briefmail.config import Relay
from briefmail.delivery import Delivery, DkimRecord, Entry, Stop, Wait
from briefmail.edition import Edition, Message
from briefmail.errors import BriefmailError, InputError, Problem
from briefmail.newsletter.copying import EditorsCopy
from briefmail.newsletter.gate import refusal, ways_on

NOTHING_FOUND = Report(())


@dataclass(frozen=True, slots=True)
class Whom:
    """For whom one send is.

    ``limit`` is how many are tried at most; ``only`` an expression over the merge fields;
    ``recipients`` another list; ``strict_list`` makes an invalid row stop the send.
    ``only_who_got`` is the issue that this one corrects: only who got that gets this.
    ``resend_uncertain`` and ``retry_refused`` (``all``, codes, addresses) take settled people up
    again.
    """

    limit: int | None = None
    only: str | None = None
    recipients: Path | None = None
    strict_list: bool = False
    only_who_got: Path | None = None
    resend_uncertain: bool = False
    retry_refused: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class How:
    """How one send goes.

    ``connections`` is how many are kept to the relay at most; small lists get fewer. Whoever is
    deferred, and a relay that is busy or gone, is tried again for ``retry_for``; zero means not in
    this send. ``share`` is how many machines send through the same account of the relay at once,
    each at an equal part of its rates.
    """

    connections: int = 4
    retry_for: timedelta = timedelta(minutes=15)
    share: int = 1


@dataclass(frozen=True, slots=True)
class Nevertheless:
    """What is not to stop one send.

    ``force`` has the reasons (:data:`briefmail.newsletter.REASONS`) and the ids of rules;
    ``given-up`` also lets those who have expired be sent to. ``again`` lets an issue go out that
    seems to have gone out before.
    """

    force: frozenset[str] = frozenset()
    again: bool = False


@dataclass(frozen=True, slots=True)
class SendOptions:
    """What can be chosen for one send."""

    whom: Whom = Whom()
    how: How = How()
    nevertheless: Nevertheless = Nevertheless()


@dataclass(frozen=True, slots=True)
class Watch:
    """Who is told of a send while it is at work.

    ``on_progress`` is called for each outcome, after it is on disk, and ``on_wait`` when there is
    nothing to do for a while.
    """

    on_progress: Callable[[Recipient, Delivery], None] = lambda recipient, delivery: None
    on_wait: Callable[[Wait], None] = lambda wait: None


@dataclass(frozen=True, slots=True)
class Plan:
    """What a send would do. ``relay`` is None for the sandbox.

    Of the list's ``counts.send`` people, ``already`` have had the issue, ``by_hand`` by other
    means, ``settled`` were refused or are uncertain, ``expired`` were given up, ``did_not_get`` the
    issue that this one corrects, and ``to_send`` are left; of those ``to_try`` are tried by this
    send and the others by the next. ``people`` are the first hundred of those left, and ``first``
    is the first one's message, None if there is nobody.

    Among those left, ``again_uncertain``, ``again_refused`` and ``again_expired`` are taken up
    again on request, and ``may_lack`` are uncertain in the issue that this one corrects.

    ``stops`` is what speaks against the send and was not answered by an option, and ``held`` what
    the checks found and no option answers; with any, nothing is sent. ``report`` is all that the
    checks found, but for what the plan says by itself, and empty if nobody is left. ``closed_at``
    is the moment (UTC, ISO 8601) at which the issue was finished, if it would be opened again.
    ``signed_by`` are the records of the DKIM keys that sign. ``warning`` says why the memory is
    not safe where the folder lies.
    """

    edition: Edition
    relay: Relay | None
    list_path: Path
    counts: Counts
    problems: tuple[Problem, ...]
    already: int
    settled: int
    to_send: int
    to_try: int
    people: tuple[Recipient, ...]
    first: Message | None
    first_subject: str
    by_hand: int = 0
    expired: int = 0
    did_not_get: int = 0
    again_uncertain: int = 0
    again_refused: int = 0
    again_expired: int = 0
    may_lack: int = 0
    signed_by: tuple[DkimRecord, ...] = ()
    stops: tuple[Stop, ...] = ()
    report: Report = NOTHING_FOUND
    held: tuple[Finding, ...] = ()
    closed_at: str | None = None
    warning: str | None = None

    @property
    def refusal(self) -> InputError | None:
        """What a send would raise: all that stops it, with the options to go on."""
        return refusal(self.stops, self.held, self.edition.issue.path, self.list_path)

    @property
    def ways_on(self) -> list[str]:
        """The options that would let it through nevertheless."""
        return ways_on(self.stops, self.held)

    def numbers(self) -> dict[str, int]:
        """Where each of the list's rows goes, by name: ``rows`` is the sum of all the others."""
        counts = self.counts
        return {
            "rows": counts.rows,
            "to_send": self.to_send,
            "already": self.already,
            "by_hand": self.by_hand,
            "settled": self.settled,
            "expired": self.expired,
            "did_not_get": self.did_not_get,
            "duplicate": counts.duplicate,
            "invalid": counts.invalid,
            "opted_out": counts.opted_out,
            "suppressed": counts.suppressed,
            "filtered": counts.filtered,
        }


@dataclass(frozen=True, slots=True)
class Summary:
    """What a send did. The numbers add up::

        rows = duplicate + invalid + opted_out + suppressed + filtered + did_not_get + already
               + by_hand + settled + expired + sent + refused + deferred + uncertain + not_tried
               + by_others

    ``by_others`` are those whom other machines saw to meanwhile. ``stopped`` is what ended the run
    early; ``named`` are the refused and the uncertain. ``copy`` is the editor's, None if none was
    due.
    """

    plan: Plan
    confirmed: bool
    sent: int
    refused: int
    deferred: int
    uncertain: int
    not_tried: int
    stopped: BriefmailError | None = None
    interrupted: bool = False
    exit_status: int = 0
    named: tuple[Entry, ...] = ()
    outbox: Path | None = None
    copy: EditorsCopy | None = None
    by_others: int = 0

    def numbers(self) -> dict[str, int]:
        """Where each of the list's rows went, by name: ``rows`` is the sum of all the others.

        ``by_others`` is among them only where there were others.
        """
        planned = self.plan.numbers()
        rows = planned.pop("rows")
        del planned["to_send"]
        return {
            "rows": rows,
            "sent": self.sent,
            "refused": self.refused,
            "deferred": self.deferred,
            "uncertain": self.uncertain,
            "not_tried": self.not_tried,
            **({"by_others": self.by_others} if self.by_others else {}),
            **planned,
        }
