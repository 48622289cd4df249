"""``send``: the plan first (everybody's copy filled, nothing touched), then the run."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import datetime
from pathlib import Path

from briefmail import delivery
from briefmail.audience import ListFile, Recipient, Roll
from briefmail.checks import FILL, Audience, Survey
from briefmail.config import Config, Relay
from briefmail.delivery import (
    MIGRATIONS,
    BackOff,
    Delivery,
    Entry,
    History,
    Ledger,
    MessageLog,
    Pace,
    RunResult,
    Stop,
    send_run,
)
from briefmail.edition import Edition, OnlyExpression
from briefmail.errors import (
    Held,
    IssueError,
    ListError,
    MergeError,
    Problem,
    StoreError,
    UsageError,
)
from briefmail.newsletter.choosing import TO_SEND, Choice, Correction, Place, Refusals
from briefmail.newsletter.copying import EditorsCopy, send_copy
from briefmail.newsletter.gate import gate_report, held_by
from briefmail.newsletter.holding import is_held
from briefmail.newsletter.joining import enlist, join_or_enrol
from briefmail.newsletter.lists import existing_store, here_or_in, open_memory, suppressed
from briefmail.newsletter.plan import NOTHING_FOUND, Plan, SendOptions, Summary, Watch
from briefmail.newsletter.remembering import Memory, remembered
from briefmail.newsletter.signing import signed, signer_for
from briefmail.newsletter.status import edition_named
from briefmail.newsletter.testing import connector
from briefmail.store import STORE_NAME, Database, SQLite, run_lock

SHOWN = 100
"""How many people a plan names."""


def plan_send(
    config: Config, edition: Edition, options: SendOptions, now: Callable[[], datetime]
) -> Plan:
    """Work out what ``send`` would do, and change nothing."""
    signer = signer_for(config, edition, now)
    with (
        existing_store(config) as store,
        _remembered(config, edition, store) as memory,
        _roll(config, edition, options, store) as roll,
    ):
        overdue = memory is not None and memory.is_overdue(now())
        choice = _choice(config, edition, options, store, overdue=overdue)
        return _plan(config, edition, options, roll, choice, memory, signer, now())


def send_issue(
    config: Config,
    edition: Edition,
    options: SendOptions,
    confirm: Callable[[Plan], bool],
    watch: Watch,
    now: Callable[[], datetime],
    *,
    locked: bool = False,
) -> Summary:
    """Send to everybody who has not had it: through the relay, or into the sandbox.

    ``locked`` says that the caller holds the folder's lock.
    """
    _refuse_draft(edition)
    _refuse_held(config, edition)
    signer = signer_for(config, edition, now)
    with (
        _store(config, locked=locked) as store,
        _remembered(config, edition, store) as memory,
        _roll(config, edition, options, store) as roll,
    ):
        if memory:
            memory.ledger.recover(edition.name)  # who was in hand is named before all else
            memory.expire(now())
        choice = _choice(config, edition, options, store)
        plan = _plan(config, edition, options, roll, choice, memory, signer, now())
        if error := plan.refusal:
            raise error
        if memory and plan.to_send == 0 and _audience(options, roll) is not None:
            memory.close_without_a_run(choice.audience(roll.recipients()))
        if plan.to_send == 0 or not confirm(plan):
            return _nothing_sent(plan, memory, confirmed=plan.to_send == 0)
        return _run(config, plan, options, roll, choice, memory, signer, watch, now)


def _run(
    config: Config,
    plan: Plan,
    options: SendOptions,
    roll: Roll,
    choice: Choice,
    memory: Memory | None,
    signer: "delivery.Signer | None",
    watch: Watch,
    now: Callable[[], datetime],
) -> Summary:
    edition, on_progress = plan.edition, watch.on_progress
    with _way_out(config, memory) as (ledger, relay, outbox):
        connect = connector(relay)
        with ledger.exclusively(edition.name):
            join_or_enrol(edition, roll, ledger, choice, options.whom)
            if memory:
                memory.freeze(_audience(options, roll), choice.corrects)
                on_progress = memory.counting(on_progress)
            lease = enlist(config, edition, ledger, options.whom)
        with _logged(config, edition, on_progress, now) as progress, lease or nullcontext():
            result = send_run(
                ledger,
                edition.name,
                connect,
                lambda recipient: signed(signer, edition.message_for(recipient)),
                limit=options.whom.limit,
                # One connection files the sandbox's messages in the order of the list.
                connections=options.how.connections if config.relay else 1,
                on_progress=progress,
                pace=Pace(relay.rates, lambda: now().astimezone(), share=options.how.share),
                back_off=BackOff(options.how.retry_for.total_seconds()),
                lease=lease,
                on_wait=watch.on_wait,
                is_held=lambda: config.relay is not None and is_held(config, edition.name),
            )
        if memory:
            memory.finish(result)
        if ledger.is_shared and isinstance(result.stopped, StoreError):
            raise result.stopped  # the server is gone, and nothing more can be asked of it
        with ledger.exclusively(edition.name):
            copy = send_copy(config, edition, roll, ledger, connect, signer)
        return _summary(plan, result, ledger, outbox, copy)


@contextmanager
def _logged(
    config: Config,
    edition: Edition,
    on_progress: Callable[[Recipient, Delivery], None],
    now: Callable[[], datetime],
) -> Iterator[Callable[[Recipient, Delivery], None]]:
    """Yield ``on_progress`` with a line in the log before it; the sandbox has no log."""
    if not config.relay:
        yield on_progress
        return
    with MessageLog(config.root / STORE_NAME / "log", edition.name, now) as log:

        def progress(recipient: Recipient, done: Delivery) -> None:
            log.add(recipient, done)
            on_progress(recipient, done)

        yield progress


def _audience(options: SendOptions, roll: Roll) -> int | None:
    """How many people the default list has, None unless all of it is sent to."""
    part = (
        options.whom.only,
        options.whom.recipients,
        options.whom.limit,
        options.whom.only_who_got,
    )
    return roll.counts.send if all(option is None for option in part) else None


def _refuse_draft(edition: Edition) -> None:
    issue = edition.issue
    if issue.status == "draft":
        problem = Problem(issue.path, issue.lines.get("status"), "the issue is a draft")
        raise IssueError([problem], hint="take 'status: draft' out, or write 'status: ready'")


def _refuse_held(config: Config, edition: Edition) -> None:
    if config.relay and is_held(config, edition.name):
        raise Held.of(edition.name)


def _choice(
    config: Config,
    edition: Edition,
    options: SendOptions,
    store: Database | None,
    *,
    overdue: bool = False,
) -> Choice:
    """What the ledger is asked about each person; the sandbox knows nobody."""
    history = History(store) if store else None
    refusals = Refusals.parse(options.whom.retry_refused)
    if refusals and config.relay:
        refusals.check(history, edition.name)
    return Choice(
        history if config.relay else None,
        edition.name,
        resend_uncertain=options.whom.resend_uncertain,
        retry_refused=refusals,
        correction=_correction(config, edition, options, history),
        overdue=overdue,
        revive="given-up" in options.nevertheless.force,
    )


def _correction(
    config: Config, edition: Edition, options: SendOptions, history: History | None
) -> Correction | None:
    if options.whom.only_who_got is None:
        return None
    name, _ = edition_named(config, options.whom.only_who_got)
    if history is None or history.edition(name) is None:
        raise UsageError(
            f"{name} has not been sent from here, so nobody got it",
            hint="'briefmail status' shows what has been",
        )
    if name == edition.name:
        raise UsageError("--only-who-got names this very issue", hint="name the one it corrects")
    return Correction(history, name)


@contextmanager
def _store(config: Config, *, locked: bool) -> Iterator[Database | None]:
    """Open the store: under its lock for a relay; for the sandbox only if there is one."""
    if config.relay:
        lock = nullcontext() if locked else run_lock(config.root)
        with lock, open_memory(config) as store:
            yield store
        return
    with existing_store(config) as store:
        yield store


@contextmanager
def _remembered(
    config: Config, edition: Edition, store: Database | None
) -> Iterator[Memory | None]:
    """Yield what is known of the edition; None for the sandbox, which starts clean each time."""
    if config.relay:
        with remembered(config, edition, store) as memory:
            yield memory
    else:
        yield None


@contextmanager
def _way_out(config: Config, memory: Memory | None) -> Iterator[tuple[Ledger, Relay, Path | None]]:
    """Yield the ledger to send by, the relay, and the outbox if it is the sandbox.

    What an earlier sandbox caught is cleared here, and not before: a send that does not come to
    pass leaves it alone.
    """
    if config.relay and memory:
        yield memory.ledger, config.relay, None
        return
    with (
        delivery.Sandbox(config.outbox) as sandbox,
        SQLite.open(sandbox.ledger_path, {"delivery": MIGRATIONS}) as database,
    ):
        yield Ledger(database), sandbox.relay, sandbox.folder


@contextmanager
def _roll(
    config: Config, edition: Edition, options: SendOptions, store: Database | None
) -> Iterator[Roll]:
    """Read the list, and stop at fields that nobody on it can have."""
    only = OnlyExpression(options.whom.only) if options.whom.only is not None else None
    listing = ListFile.open(_list_path(config, options))
    with Roll.read(listing, suppressed=suppressed(store), only=only) as roll:
        _check_only(only, roll, listing.path)
        if options.whom.strict_list and roll.problems:
            raise ListError(roll.problems, hint="correct the rows, or leave --strict-list out")
        _check_somebody(roll, listing.path)
        unknown = edition.unknown_fields(roll.columns)
        if unknown:
            raise IssueError(unknown)
        yield roll


def _check_somebody(roll: Roll, path: Path) -> None:
    """A list of which no row is usable is a mistake, not a list on which everybody is done."""
    if roll.counts.rows and roll.counts.invalid == roll.counts.rows:
        nobody = Problem(path, None, "nobody on the list can be sent to")
        raise ListError([nobody, *roll.problems], hint="correct the rows")


def _list_path(config: Config, options: SendOptions) -> Path:
    return (
        here_or_in(config.root, options.whom.recipients)
        if options.whom.recipients
        else config.recipients
    )


def _check_only(only: OnlyExpression | None, roll: Roll, path: Path) -> None:
    """A field that the list does not have would quietly leave everybody out."""
    unknown = sorted(only.fields - roll.columns) if only else []
    if unknown:
        raise UsageError(
            f"--only asks for {', '.join(unknown)}, and {path.name} has no such column",
            hint=f"it has {', '.join(sorted(roll.columns))}",
        )


def _plan(
    config: Config,
    edition: Edition,
    options: SendOptions,
    roll: Roll,
    choice: Choice,
    memory: Memory | None,
    signer: "delivery.Signer | None",
    now: datetime,
) -> Plan:
    """Fill everybody's copy before anybody is sent to, and count who has it already."""
    path = _list_path(config, options)
    survey = Survey(edition)
    places: Counter[Place] = Counter()
    may_lack = 0
    people: list[Recipient] = []
    for recipient in roll.recipients():
        place = choice.place(recipient)
        places[place] += 1
        if place in TO_SEND:
            people += [recipient] if len(people) < SHOWN else []
            survey.see(recipient)
            may_lack += choice.may_lack(recipient)
    to_send = sum(places[place] for place in TO_SEND)
    if faults := survey.faults(path):
        raise MergeError(faults, hint=FILL)
    report = gate_report(config, Audience(edition, survey, path, roll), now) if to_send else None
    return Plan(
        edition=edition,
        relay=config.relay,
        list_path=path,
        counts=roll.counts,
        problems=roll.problems,
        already=places["already"],
        settled=places["settled"],
        to_send=to_send,
        to_try=to_send if options.whom.limit is None else min(to_send, options.whom.limit),
        people=tuple(people),
        first=signed(signer, edition.message_for(people[0])) if people else None,
        first_subject=edition.subject_for(people[0]) if people else "",
        by_hand=places["by_hand"],
        expired=places["given_up"],
        did_not_get=places["did_not_get"],
        again_uncertain=places["uncertain"],
        again_refused=places["refused"],
        again_expired=places["expired"],
        may_lack=may_lack,
        signed_by=signer.records if signer else (),
        stops=_stops(options, roll, choice, memory, to_send, places["given_up"]),
        report=report or NOTHING_FOUND,
        held=held_by(report, options.nevertheless.force) if report else (),
        closed_at=memory.closed_at if memory and to_send else None,
        warning=memory.warning if memory else None,
    )


def _stops(
    options: SendOptions,
    roll: Roll,
    choice: Choice,
    memory: Memory | None,
    people: int,
    given_up: int,
) -> tuple[Stop, ...]:
    """What speaks against the send."""
    if memory is None:
        return ()
    return memory.stops(
        _audience(options, roll),
        force=options.nevertheless.force,
        again=options.nevertheless.again,
        corrects=choice.corrects,
        people=people,
        given_up=given_up,
    )


def _nothing_sent(plan: Plan, memory: Memory | None, *, confirmed: bool) -> Summary:
    if memory:
        memory.close_receipt()
    return Summary(
        plan,
        confirmed,
        sent=0,
        refused=0,
        deferred=0,
        uncertain=0,
        not_tried=plan.to_send,
        named=_named(plan, memory.ledger) if memory else (),
    )


def _summary(
    plan: Plan, result: RunResult, ledger: Ledger, outbox: Path | None, copy: EditorsCopy | None
) -> Summary:
    tried = result.sent + result.refused + result.deferred + result.uncertain
    rest = plan.to_send - tried
    open_still = ledger.totals(plan.edition.name).pending if ledger.is_shared else rest
    by_others = max(0, rest - open_still)
    return Summary(
        plan=plan,
        confirmed=True,
        sent=result.sent,
        refused=result.refused,
        deferred=result.deferred,
        uncertain=result.uncertain,
        not_tried=rest - by_others,
        stopped=result.stopped,
        interrupted=result.interrupted,
        exit_status=result.exit_status,
        named=_named(plan, ledger),
        outbox=outbox,
        copy=copy,
        by_others=by_others,
    )


def _named(plan: Plan, ledger: Ledger) -> tuple[Entry, ...]:
    """Everybody who was refused or is uncertain, now or in an earlier run."""
    name = plan.edition.name
    return (*ledger.entries(name, "refused"), *ledger.entries(name, "uncertain"))
