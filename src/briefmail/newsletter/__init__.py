"""An opened newsletter: the folder, and everything that can be done with it.

This is the public Python interface; the command line, cron and the web go through it too, so
that each verb exists once. :class:`Newsletter` only says what there is; each verb is a module.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

from briefmail.audience import Address, Recipient, Suppression
from briefmail.checks import RULES, DnsNames, Finding, Names, Report, Rule, Severity
from briefmail.config import CONFIG_NAME, Config, KeyKind, Relay, load
from briefmail.delivery import (
    REASONS,
    Delivery,
    DkimRecord,
    EditionStatus,
    Entry,
    Issued,
    ReplyGroup,
    Stop,
    Totals,
    Wait,
    WorkerStatus,
)
from briefmail.delivery.reply import printable
from briefmail.edition import Edition, Message, build_edition
from briefmail.issue import Issue, read_issue
from briefmail.newsletter import holding, keeping, lists, scheduling, signing, starting
from briefmail.newsletter.checking import Enquiries, check_issue
from briefmail.newsletter.desk import Checked, Desk, Layout
from briefmail.newsletter.dispatched import Dispatched, Outcome
from briefmail.newsletter.dispatching import dispatch, forecast
from briefmail.newsletter.examining import examine
from briefmail.newsletter.failures import FailuresWritten, write_failures
from briefmail.newsletter.holding import Hold
from briefmail.newsletter.lists import Suppressed
from briefmail.newsletter.migrating import Migrated, migrate_to
from briefmail.newsletter.plan import (
    How,
    Nevertheless,
    Plan,
    SendOptions,
    Summary,
    Watch,
    Whom,
)
from briefmail.newsletter.previewing import Preview, preview_issue
from briefmail.newsletter.sending import plan_send, send_issue
from briefmail.newsletter.settling import Settled, SettlePlan, settle_issue
from briefmail.newsletter.signing import NewKey
from briefmail.newsletter.status import Advice, Person, Status, editions, status_of, who
from briefmail.newsletter.testing import TestResult, send_tests
from briefmail.notices import Notice
from briefmail.schedule import Slot, Standing, Unit, local, moment_of

__all__ = [
    "REASONS",
    "RULES",
    "Address",
    "Advice",
    "Checked",
    "Config",
    "Delivery",
    "Desk",
    "Dispatched",
    "DkimRecord",
    "Edition",
    "EditionStatus",
    "Entry",
    "FailuresWritten",
    "Finding",
    "Hold",
    "How",
    "Issue",
    "Issued",
    "Layout",
    "Message",
    "Migrated",
    "Nevertheless",
    "NewKey",
    "Newsletter",
    "Notice",
    "Outcome",
    "Person",
    "Plan",
    "Preview",
    "Recipient",
    "Relay",
    "ReplyGroup",
    "Report",
    "Rule",
    "SendOptions",
    "SettlePlan",
    "Settled",
    "Severity",
    "Slot",
    "Standing",
    "Status",
    "Stop",
    "Summary",
    "Suppressed",
    "Suppression",
    "TestResult",
    "Totals",
    "Unit",
    "Wait",
    "Whom",
    "WorkerStatus",
    "find_root",
    "printable",
]


class Newsletter:
    """A newsletter's folder, opened. It holds nothing open and writes nothing by itself.

    ``now`` gives the present moment, with a time zone.
    """

    def __init__(
        self, config: Config, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self.config = config
        self._now = now

    @classmethod
    def open(
        cls, path: Path | str = ".", *, environ: Mapping[str, str] | None = None
    ) -> "Newsletter":
        """Open the newsletter that ``path`` lies in: its folder, or any file or folder below it.

        ``environ`` stands in for the environment. Raises :class:`~briefmail.errors.ConfigError`
        with every problem of the settings.
        """
        return cls(load(find_root(Path(path)), environ))

    @staticmethod
    def init(folder: Path | str) -> list[Path]:
        """Make a folder that sends at once through the sandbox; return the files it created.

        Nothing that is there already is touched: if one of the files is, none is written.
        """
        return starting.init(Path(folder), datetime.now(UTC).astimezone().date())

    @property
    def root(self) -> Path:
        """The newsletter's folder."""
        return self.config.root

    def new(self, title: str, day: date | None = None) -> Path:
        """Begin an issue, for ``day`` or the next day of the cadence without one; its path."""
        today = self.local(self._now()).date()
        return starting.new_issue(self.config, title, day, today)

    def issue(self, path: Path | str) -> Issue:
        """Read an issue file; :class:`~briefmail.errors.IssueError` with all its problems.

        ``path`` is seen from the working directory, else from the newsletter's folder.
        """
        return read_issue(lists.here_or_in(self.root, Path(path)))

    def edition(self, path: Path | str) -> Edition:
        """Read an issue file and render it."""
        return build_edition(self.issue(path), self.config, self._now())

    def preview(self, path: Path | str, *, as_address: str | None = None) -> Preview:
        """Show an issue as one recipient would get it, with links for leaving that do nothing.

        ``as_address`` is somebody on the list; without it, it is the first person there.
        """
        return preview_issue(self.config, self.edition(path), as_address)

    def desk(self, path: Path | str) -> Desk:
        """Lay an issue out for its editor; whatever it is made from is read again as it changes."""
        return Desk(self.root, lists.here_or_in(self.root, Path(path)), now=self._now)

    def check(
        self,
        path: Path | str,
        *,
        links: bool = False,
        dns: bool = False,
        spam: bool = False,
        on_progress: Callable[[int, int | None], None] = lambda done, total: None,
    ) -> Report:
        """Hold an issue and everybody's copy of it against every rule; send nothing.

        ``links`` asks for each link once, and ``dns`` for each domain on the list, over the network
        and within a minute; good answers are remembered for a day. ``spam`` asks the spam filter
        of this machine. ``on_progress`` is told how many people have been looked at, of how many;
        None while the list is read. What cannot be read is a finding, too.
        """
        file = lists.here_or_in(self.root, Path(path))
        enquiries = Enquiries(links=links, names=DnsNames() if dns else None, spam=spam)
        return check_issue(self.config, file, self._now(), enquiries, on_progress)

    def doctor(self, names: Names | None = None) -> Report:
        """Look at who sends: the relay, the domain's records, the clock, the ledger.

        ``names`` stands in for the domain name system. Nothing is sent.
        """
        return examine(self.config, self._now(), names)

    def plan(self, path: Path | str, options: SendOptions | None = None) -> Plan:
        """Work out what ``send`` would do: read the list, fill every copy, change nothing.

        Raises :class:`~briefmail.errors.MergeError` naming whoever lacks a field.
        """
        edition = self.edition(path)
        return plan_send(self.config, edition, options or SendOptions(), self._now)

    def send(
        self,
        path: Path | str,
        options: SendOptions | None = None,
        *,
        confirm: Callable[[Plan], bool] = lambda plan: True,
        on_progress: Callable[[Recipient, Delivery], None] = lambda recipient, delivery: None,
        on_wait: Callable[[Wait], None] = lambda wait: None,
    ) -> Summary:
        """Send an issue to everybody on the list who has not had it.

        ``confirm`` is asked once everything is ready and nothing has left. ``on_progress`` is
        called after each outcome is on disk: more than once for somebody who is deferred and tried
        again; ``on_wait`` when there is nothing to do until then. Without a relay it goes to the
        sandbox. Expected failures are in the summary; what stops it before the first message is
        raised.
        """
        edition = self.edition(path)
        watch = Watch(on_progress, on_wait)
        return send_issue(self.config, edition, options or SendOptions(), confirm, watch, self._now)

    def send_test(self, path: Path | str, to: str, *, as_address: str | None = None) -> TestResult:
        """Send one marked copy to any address, as any recipient; no memory is kept of it."""
        return self.send_tests(path, [to], as_address=as_address)[0]

    def send_tests(
        self, path: Path | str, to: Sequence[str] = (), *, as_address: str | None = None
    ) -> list[TestResult]:
        """Send such a copy to each address of ``to``, else where ``[test]`` says."""
        return send_tests(self.config, self.edition(path), to, as_address, self._now)

    def settle(
        self,
        path: Path | str,
        *,
        confirm: Callable[[SettlePlan], bool] = lambda plan: True,
    ) -> Settled:
        """Write down that an issue went out by other means: ``send`` then sends it to nobody."""
        return settle_issue(self.config, self.edition(path), confirm)

    def dispatch(
        self, how: How | None = None, *, say: Callable[[Notice], None] = lambda notice: None
    ) -> Dispatched:
        """Send what is due, the oldest first, as :meth:`send` does, and tell the editor by mail.

        ``say`` is called with each notice that is not mailed: without ``[editor] email`` all, else
        what the relay does not take. Each counts as told after that. It does nothing while another
        one is at work. Raises :class:`~briefmail.errors.ConfigError` without a relay.
        """
        return dispatch(self.config, how or How(), self._now, say)

    def forecast(self, at: datetime | None = None) -> Dispatched:
        """What :meth:`dispatch` would send now, or at a moment if nothing changed until then.

        A moment without a zone is by the newsletter's clock.
        """
        moment = moment_of(self.config.schedule, at) if at else self._now()
        return forecast(self.config, moment)

    def hold(self, issue: Path | str) -> Hold:
        """Hold an issue back, also while it is being sent, until :meth:`unhold`."""
        return holding.hold(self.config, issue, self._now())

    def unhold(self, issue: Path | str) -> Hold:
        """Let an issue go on that is held back."""
        return holding.unhold(self.config, issue)

    def holds(self) -> Mapping[str, datetime]:
        """The issues that are held back, by name, and since when."""
        return holding.holds(self.config)

    def dates(self, count: int) -> list[Slot]:
        """The next dates, today's among them, with the issue that each has or lacks.

        They are the calendar's days, and those of issues on other days.
        """
        return scheduling.dates(self.config, count, self._now())

    def local(self, moment: datetime) -> datetime:
        """A moment by the clock that the newsletter goes by."""
        return local(self.config.schedule, moment)

    def crontab(self) -> str:
        """The line for cron that sends what is due, with absolute paths for this folder."""
        return scheduling.crontab(self.config)

    def systemd(self) -> tuple[Unit, Unit]:
        """The service and the timer for systemd that do the same."""
        return scheduling.systemd(self.config)

    def editions(self) -> list[EditionStatus]:
        """Where every edition stands, the newest first. It may be asked while a send is at work."""
        return editions(self.config)

    def status(self, issue: Path | str) -> Status:
        """Where one edition stands, by its issue's file or its name, and how to go on."""
        return status_of(self.config, issue)

    def who(self, address: str) -> Person:
        """What one address has had of every edition."""
        return who(self.config, address)

    def write_failures(self, issue: Path | str, target: Path | str) -> FailuresWritten:
        """Write those who may lack an issue to a new file, as a list that can be sent to."""
        return write_failures(self.config, issue, Path(target))

    def migrate_to(self, url: str) -> Migrated:
        """Copy the memory to an empty PostgreSQL database, which several machines can use."""
        return migrate_to(self.config, url)

    def backup(self, path: Path | str) -> None:
        """Copy the memory to a new file, complete, also while a send is at work."""
        keeping.backup(self.config, Path(path))

    def new_dkim_key(self, kind: KeyKind = "rsa", selector: str | None = None) -> NewKey:
        """Make a key that signs the mail, and write it to a file that is not there yet."""
        return signing.new_key(self.config, kind, selector)

    def dkim_records(self) -> tuple[DkimRecord, ...]:
        """What DNS must have for the keys that are set; nothing is asked of DNS here."""
        return signing.records(self.config)

    def suppress(self, address: str, reason: str = "") -> Address:
        """Never mail an address again, whatever a list says, until :meth:`unsuppress`."""
        return self.suppress_all([address], reason)[0].address

    def suppress_all(self, addresses: Sequence[str], reason: str = "") -> list[Suppressed]:
        """Suppress several, or none of them if one is no address: ``UsageError`` names each."""
        return lists.suppress(self.config, addresses, reason, self._now())

    def unsuppress(self, address: str) -> bool:
        """Let an address be mailed again; False if it was not suppressed."""
        return self.unsuppress_all([address])[0]

    def unsuppress_all(self, addresses: Sequence[str]) -> list[bool]:
        """Let several be mailed again, or none of them if one is no address."""
        return lists.unsuppress(self.config, addresses)

    def suppressions(self) -> list[Suppression]:
        """Everybody who is never mailed."""
        return lists.suppressions(self.config)


def find_root(path: Path) -> Path:
    """Find the newsletter's folder from a file or folder in it, upwards.

    It is the nearest one with a ``briefmail.toml``; else the one that holds the ``issues``
    folder of an issue file, or its own.
    """
    start = Path(os.path.abspath(path))  # noqa: PTH100 -- resolve() would leave a linked folder
    folder = start if lists.exists(start) and start.is_dir() else start.parent
    for candidate in (folder, *folder.parents):
        if lists.exists(candidate / CONFIG_NAME):
            return candidate
    return folder.parent if folder.name == "issues" else folder
