"""``send``: the plan first (everybody's copy filled, nothing touched), then the run."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from briefmail import delivery
from briefmail.audience import Counts, ListFile, Recipient, Roll
from briefmail.config import Config, Relay
from briefmail.delivery import (
    MIGRATIONS,
    Delivery,
    Entry,
    Ledger,
    RunResult,
    send_run,
)
from briefmail.edition import Edition, Message, OnlyExpression
from briefmail.errors import (
    BriefmailError,
    IssueError,
    ListError,
    MergeError,
    Problem,
    UsageError,
)
from briefmail.newsletter.lists import ROOMS, existing_store, here_or_in, suppressed
from briefmail.store import Database, open_store, run_lock

NAMED = 10
"""How many people an error names before it only counts them."""
SHOWN = 100
"""How many people a plan names."""


@dataclass(frozen=True, slots=True)
class SendOptions:
    """What can be chosen for one send.

    ``limit`` is how many are tried at most; ``only`` an expression over the merge fields;
    ``recipients`` another list; ``strict_list`` makes an invalid row stop the send.
    ``connections`` is how many are kept to the relay at most; small lists get fewer.
    """

    limit: int | None = None
    only: str | None = None
    recipients: Path | None = None
    strict_list: bool = False
    connections: int = 4


@dataclass(frozen=True, slots=True)
class Plan:
    """What a send would do. ``relay`` is None for the sandbox.

    Of the list's ``counts.send`` people, ``already`` have had the issue, ``settled`` were
    refused or are uncertain, and ``to_send`` are left; of those ``to_try`` are tried by this send
    and the others by the next. ``people`` are the first hundred of those left, and ``first`` is
    the first one's message, None if there is nobody.
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

    def numbers(self) -> dict[str, int]:
        """Where each of the list's rows goes, by name: ``rows`` is the sum of all the others."""
        counts = self.counts
        return {
            "rows": counts.rows,
            "to_send": self.to_send,
            "already": self.already,
            "settled": self.settled,
            "duplicate": counts.duplicate,
            "invalid": counts.invalid,
            "opted_out": counts.opted_out,
            "suppressed": counts.suppressed,
            "filtered": counts.filtered,
        }


@dataclass(frozen=True, slots=True)
class Summary:
    """What a send did. The numbers add up::

        rows = duplicate + invalid + opted_out + suppressed + filtered + already + settled
               + sent + refused + deferred + uncertain + not_tried

    ``stopped`` is what ended the run early; ``named`` are the refused and the uncertain.
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

    def numbers(self) -> dict[str, int]:
        """Where each of the list's rows went, by name: ``rows`` is the sum of all the others."""
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
            **planned,
        }


def plan_send(config: Config, edition: Edition, options: SendOptions) -> Plan:
    """Work out what ``send`` would do, and change nothing."""
    with existing_store(config.root) as store, _roll(config, edition, options, store) as roll:
        ledger = Ledger(store) if store and config.relay else None
        return _plan(config, edition, options, roll, ledger)


def send_issue(
    config: Config,
    edition: Edition,
    options: SendOptions,
    confirm: Callable[[Plan], bool],
    on_progress: Callable[[Recipient, Delivery], None],
) -> Summary:
    """Send to everybody who has not had it: through the relay, or into the sandbox."""
    _refuse_draft(edition)
    with _memory(config) as store, _roll(config, edition, options, store) as roll:
        ledger = Ledger(store) if store and config.relay else None
        if ledger:
            ledger.recover(edition.name)  # what a dead run left in hand is named before all else
        plan = _plan(config, edition, options, roll, ledger)
        if plan.to_send == 0 or not confirm(plan):
            return _nothing_sent(plan, ledger, confirmed=plan.to_send == 0)
        with _way_out(config, ledger) as (ledger, relay, outbox):
            _enrol(edition, roll, ledger)
            result = send_run(
                ledger,
                edition.name,
                lambda: delivery.Session(relay),
                edition.message_for,
                limit=options.limit,
                connections=options.connections,
                on_progress=on_progress,
            )
            return _summary(plan, result, ledger, outbox)


def _refuse_draft(edition: Edition) -> None:
    issue = edition.issue
    if issue.status == "draft":
        problem = Problem(issue.path, issue.lines.get("status"), "the issue is a draft")
        raise IssueError([problem], hint="take 'status: draft' out, or write 'status: ready'")


def _enrol(edition: Edition, roll: Roll, ledger: Ledger) -> None:
    issue = edition.issue
    ledger.open_edition(
        edition.name,
        subject=issue.subject,
        issue_date=issue.date,
        fingerprint=edition.fingerprint,
    )
    ledger.enrol(edition.name, roll.recipients())


@contextmanager
def _memory(config: Config) -> Iterator[Database | None]:
    """Open the store: under its lock for a relay; for the sandbox only if there is one."""
    if config.relay:
        with run_lock(config.root), open_store(config.root, ROOMS) as store:
            yield store
        return
    with existing_store(config.root) as store:
        yield store


@contextmanager
def _way_out(config: Config, ledger: Ledger | None) -> Iterator[tuple[Ledger, Relay, Path | None]]:
    """Yield the ledger to send by, the relay, and the outbox if it is the sandbox.

    What an earlier sandbox caught is cleared here, and not before: a send that does not come to
    pass leaves it alone.
    """
    if config.relay and ledger:
        yield ledger, config.relay, None
        return
    with (
        delivery.Sandbox(config.outbox) as sandbox,
        Database.open(sandbox.ledger_path, {"delivery": MIGRATIONS}) as database,
    ):
        yield Ledger(database), sandbox.relay, sandbox.folder


@contextmanager
def _roll(
    config: Config, edition: Edition, options: SendOptions, store: Database | None
) -> Iterator[Roll]:
    """Read the list, and stop at fields that nobody on it can have."""
    only = OnlyExpression(options.only) if options.only is not None else None
    listing = ListFile.open(_list_path(config, options))
    with Roll.read(listing, suppressed=suppressed(store), only=only) as roll:
        _check_only(only, roll, listing.path)
        if options.strict_list and roll.problems:
            raise ListError(roll.problems, hint="correct the rows, or leave --strict-list out")
        unknown = edition.unknown_fields(roll.columns)
        if unknown:
            raise IssueError(unknown, hint='give it a default: {{ field | default("...") }}')
        yield roll


def _list_path(config: Config, options: SendOptions) -> Path:
    return here_or_in(config.root, options.recipients) if options.recipients else config.recipients


def _check_only(only: OnlyExpression | None, roll: Roll, path: Path) -> None:
    """A field that the list does not have would quietly leave everybody out."""
    unknown = sorted(only.fields - roll.columns) if only else []
    if unknown:
        raise UsageError(
            f"--only asks for {', '.join(unknown)}, and {path.name} has no such column",
            hint=f"it has {', '.join(sorted(roll.columns))}",
        )


def _plan(
    config: Config, edition: Edition, options: SendOptions, roll: Roll, ledger: Ledger | None
) -> Plan:
    """Fill everybody's copy before anybody is sent to, and count who has it already."""
    path = _list_path(config, options)
    faults = _Faults()
    already = settled = to_send = 0
    people: list[Recipient] = []
    for recipient in roll.recipients():
        state = ledger.state_of(edition.name, recipient.key) if ledger else None
        if state == "sent":
            already += 1
        elif state in {"refused", "uncertain", "claimed"}:
            settled += 1
        else:
            to_send += 1
            people += [recipient] if len(people) < SHOWN else []
            faults.try_copy(edition, recipient)
    faults.stop(path, to_send)
    return Plan(
        edition=edition,
        relay=config.relay,
        list_path=path,
        counts=roll.counts,
        problems=roll.problems,
        already=already,
        settled=settled,
        to_send=to_send,
        to_try=to_send if options.limit is None else min(to_send, options.limit),
        people=tuple(people),
        first=edition.message_for(people[0]) if people else None,
        first_subject=edition.subject_for(people[0]) if people else "",
    )


class _Faults:
    """Copies that cannot be filled: for each problem how many people have it, and the first few."""

    def __init__(self) -> None:
        self._counts: Counter[Problem] = Counter()
        self._first: defaultdict[Problem, list[Recipient]] = defaultdict(list)

    def try_copy(self, edition: Edition, recipient: Recipient) -> None:
        """Fill one person's copy, and remember what is in the way."""
        try:
            edition.message_for(recipient)
        except MergeError as error:
            for problem in error.problems:
                self._counts[problem] += 1
                self._first[problem] += [recipient] if self._counts[problem] <= NAMED else []

    def stop(self, path: Path, to_send: int) -> None:
        """Raise :class:`MergeError` with each field, its line, and the people who lack it."""
        problems = []
        for problem, count in self._counts.items():
            first = self._first[problem]
            named = ", ".join(f"{path.name}:{who.line} ({who.address})" for who in first)
            more = f" and {count - len(first)} more" if count > len(first) else ""
            text = f"{problem.text}, for {count} of {to_send} people: {named}{more}"
            problems.append(Problem(problem.path, problem.line, text))
        if problems:
            raise MergeError(
                problems,
                hint='fill the cells, or give the field a default: {{ field | default("...") }}',
            )


def _nothing_sent(plan: Plan, ledger: Ledger | None, *, confirmed: bool) -> Summary:
    return Summary(
        plan,
        confirmed,
        sent=0,
        refused=0,
        deferred=0,
        uncertain=0,
        not_tried=plan.to_send,
        named=_named(plan, ledger) if ledger else (),
    )


def _summary(plan: Plan, result: RunResult, ledger: Ledger, outbox: Path | None) -> Summary:
    tried = result.sent + result.refused + result.deferred + result.uncertain
    return Summary(
        plan=plan,
        confirmed=True,
        sent=result.sent,
        refused=result.refused,
        deferred=result.deferred,
        uncertain=result.uncertain,
        not_tried=plan.to_send - tried,
        stopped=result.stopped,
        interrupted=result.interrupted,
        exit_status=result.exit_status,
        named=_named(plan, ledger),
        outbox=outbox,
    )


def _named(plan: Plan, ledger: Ledger) -> tuple[Entry, ...]:
    """Everybody who was refused or is uncertain, now or in an earlier run."""
    name = plan.edition.name
    return (*ledger.entries(name, "refused"), *ledger.entries(name, "uncertain"))
