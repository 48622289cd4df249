"""``dispatch``: send what is due, the oldest first, and tell the editor what they should know.

All of it happens under the folder's lock, so one dispatch at a time decides, sends and tells.
Machines that share their memory each have one at work: they join each other's sends, and what is
to be told is told by whoever is there last.
Everything it goes by is in the store, so that a dispatch that dies is taken up by the next one.
"""

from collections.abc import Callable, Container, Iterator, Sequence
from datetime import datetime, timedelta

from briefmail.config import Config
from briefmail.delivery import History, Ledger
from briefmail.edition import build_edition
from briefmail.errors import (
    BriefmailError,
    ConfigError,
    InputError,
    IssueError,
    LockHeld,
    Problem,
    StoreError,
)
from briefmail.issue import read_issue
from briefmail.newsletter.braking import Braked, Brakes
from briefmail.newsletter.dispatched import Dispatched, Outcome
from briefmail.newsletter.lists import check_folder, open_memory
from briefmail.newsletter.plan import How, Plan, SendOptions, Watch
from briefmail.newsletter.scheduling import memory_of, timings
from briefmail.newsletter.sending import plan_send, send_issue
from briefmail.newsletter.status import reading
from briefmail.newsletter.telling import Telling
from briefmail.notices import Notice, nobody, stopped, warnings
from briefmail.schedule import GOES, Diary, Standing, empty_slots, local, standings
from briefmail.store import Database, run_lock


def dispatch(
    config: Config, how: How, now: Callable[[], datetime], say: Callable[[Notice], None]
) -> Dispatched:
    """Send what is due. ``say`` is called with each notice that cannot be mailed, or is not to be.

    Raises :class:`ConfigError` without a relay, and :class:`StoreError` if the memory or the disk
    fails: of that nothing can be remembered, so it is raised each time.
    """
    check_folder(config.root)
    if config.relay is None:
        problem = Problem(config.root / ".env", None, "SMTP_HOST is not set, so nothing can go out")
        raise ConfigError([problem], hint="dispatch never uses the sandbox; 'briefmail send' does")
    try:
        with run_lock(config.root), open_memory(config) as store:
            return _Dispatch(config, store, how, now, say).run()
    except LockHeld:
        return Dispatched()


def forecast(config: Config, at: datetime) -> Dispatched:
    """Say what a dispatch would send at a moment, if nothing changed until then; change nothing."""
    check_folder(config.root)
    with reading(config) as store:
        found = standings(at, config.schedule, timings(config), memory_of(config, store))
        brakes = Brakes(config, Diary(store) if store else None)
        going = [each for each in found if each.state in GOES]
        outcomes = tuple(_planned(config, brakes, each, at) for each in going)
    return Dispatched((*outcomes, *_unreadable(config, found, at)), dry_run=True)


def _planned(config: Config, brakes: Brakes, standing: Standing, at: datetime) -> Outcome:
    if braked := brakes.login(at):
        return _waiting(standing, braked)
    try:
        edition = build_edition(read_issue(standing.issue.path), config, at)
        if braked := brakes.content(edition.name, edition.fingerprint, at):
            return _waiting(standing, braked)
        plan = plan_send(config, edition, SendOptions(), lambda: at)
        return Outcome(standing, plan, error=plan.refusal)
    except StoreError:
        raise
    except BriefmailError as error:
        return Outcome(standing, error=error)


def _waiting(standing: Standing, braked: Braked) -> Outcome:
    return Outcome(standing, error=braked.error, not_before=braked.until)


def _unreadable(config: Config, found: Sequence[Standing], now: datetime) -> Iterator[Outcome]:
    """Issues that may be due, and of which nobody can tell."""
    not_after = config.schedule.not_after
    for each in found:
        if each.state != "unreadable" or each.at is None:
            continue
        if timedelta(0) <= now - each.at <= not_after:
            yield Outcome(each, error=IssueError(each.issue.problems))


class _Dispatch:
    """One dispatch at work, under the lock."""

    def __init__(
        self,
        config: Config,
        store: Database,
        how: How,
        now: Callable[[], datetime],
        say: Callable[[Notice], None],
    ) -> None:
        self._config = config
        self._how = how
        self._store = store
        self._now = now
        self._diary = Diary(store)
        self._brakes = Brakes(config, self._diary)
        self._telling = Telling(config, store, now, say)

    def run(self) -> Dispatched:
        """Send and tell; raises :class:`StoreError`."""
        try:
            return self._run()
        except InputError as error:  # a receipt that cannot be read: nobody can tell what is due
            return self._tell((Outcome(None, error=error),), [stopped("", error)])

    def _run(self) -> Dispatched:
        ignored: tuple[Standing, ...] = ()
        if self._diary.first_dispatch() is None:
            self._diary.note_first_dispatch(self._now())
            ignored = tuple(each for each in self._standings() if each.state == "before_first")
        outcomes, found = self._send_what_is_due()
        if any(outcome.summary and outcome.summary.interrupted for outcome in outcomes):
            return Dispatched(outcomes, ignored=ignored)
        return self._tell(outcomes, [*self._about(outcomes), *self._warnings(found)], ignored)

    def _tell(
        self,
        outcomes: tuple[Outcome, ...],
        notices: Sequence[Notice],
        ignored: tuple[Standing, ...] = (),
    ) -> Dispatched:
        trouble = next((outcome.fault for outcome in outcomes if outcome.fault), None)
        if braked := self._brakes.login(self._now()):
            trouble = braked.error
        with self._store.exclusively("telling"):  # several machines may have the same to tell
            news = self._telling.news(notices)
            fault = self._telling.tell(news, trouble)
        if fault is not trouble:
            self._brakes.note(fault, self._now())
        return Dispatched(outcomes, news, ignored, fault)

    def _standings(self) -> list[Standing]:
        memory = memory_of(self._config, self._store)
        return standings(self._now(), self._config.schedule, timings(self._config), memory)

    # --- sending ----------------------------------------------------------------------------------

    def _send_what_is_due(self) -> tuple[tuple[Outcome, ...], list[Standing]]:
        """Send one after the other, each once, and ask anew what is due after each.

        Returns what became of them, and where all issues stand at the end.
        """
        outcomes: dict[str, Outcome] = {}
        found = self._standings()
        while due := [each for each in found if _goes(each, outcomes)]:
            outcome = self._send(due[0])
            outcomes[outcome.issue] = outcome
            found = self._standings()
            if outcome.ends_everything:
                break
        return (*outcomes.values(), *_unreadable(self._config, found, self._now())), found

    def _send(self, standing: Standing) -> Outcome:
        """Send an issue as ``briefmail send`` does, with nobody to ask."""

        def begin(plan: Plan) -> bool:
            self._diary.begin(plan.edition.name, self._now(), plan.numbers())
            return True

        if braked := self._brakes.login(self._now()):
            return _waiting(standing, braked)
        options = SendOptions(how=self._how)
        try:
            issue = read_issue(standing.issue.path)
            edition = build_edition(issue, self._config, self._now())
            if braked := self._brakes.content(edition.name, edition.fingerprint, self._now()):
                return _waiting(standing, braked)
            summary = send_issue(
                self._config, edition, options, begin, Watch(), self._now, locked=True
            )
            self._brakes.note(summary.stopped, self._now(), edition.name, edition.fingerprint)
        except StoreError:
            raise
        except BriefmailError as error:
            # It may have been given up, because it has been open for too long: that is an end.
            return Outcome(standing, error=None if self._is_closed(standing) else error)
        if isinstance(summary.stopped, StoreError):
            raise summary.stopped
        return Outcome(standing, summary.plan, summary)

    def _is_closed(self, standing: Standing) -> bool:
        status = History(self._store).edition(standing.issue.name)
        return status is not None and status.record.closed_at is not None

    # --- telling ----------------------------------------------------------------------------------

    def _about(self, outcomes: Sequence[Outcome]) -> Iterator[Notice]:
        """What is to be told of the issues that went, or should have."""
        begun = {each.edition: each for each in self._diary.begun()}
        # Also those that an earlier dispatch finished, and died before it had told of them.
        finished = [notice for each in begun.values() if (notice := self._telling.finished(each))]
        yield from finished
        for outcome in outcomes:
            if outcome.issue in {notice.issue for notice in finished}:
                continue
            if outcome.error and not outcome.not_before:
                yield stopped(outcome.issue, outcome.error)
            elif outcome.issue not in begun:
                if not outcome.error:
                    yield nobody(outcome.issue)
            elif Ledger(self._store).at_work(outcome.issue):
                continue  # another machine goes on with it; the last one tells
            elif notice := self._telling.left(begun[outcome.issue], outcome.fault):
                yield notice

    def _warnings(self, found: Sequence[Standing]) -> Iterator[Notice]:
        now, schedule = self._now(), self._config.schedule
        empty = empty_slots(now, schedule, found)
        return warnings(found, empty, now=now, clock=lambda moment: local(schedule, moment))


def _goes(standing: Standing, tried: Container[str]) -> bool:
    return standing.state in GOES and standing.issue.name not in tried
