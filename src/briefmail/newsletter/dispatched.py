"""What became of a dispatch, or would: values that do nothing."""

from dataclasses import dataclass
from datetime import datetime

from briefmail.errors import BriefmailError, LoginRefused, RelayUnavailable, SecretMissing
from briefmail.newsletter.plan import Plan, Summary
from briefmail.notices import Notice
from briefmail.schedule import Standing


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one issue that was due: a send, or the ``error`` that kept it from beginning.

    ``plan`` alone is what a dry run has. ``standing`` is None where nobody can tell what is due.
    With ``not_before`` it was not tried: ``error`` is how the last try ended, and before that
    moment there is no other unless what could mend it changes.
    """

    standing: Standing | None
    plan: Plan | None = None
    summary: Summary | None = None
    error: BriefmailError | None = None
    not_before: datetime | None = None

    @property
    def issue(self) -> str:
        """The name of its edition, "" for none."""
        return self.standing.issue.name if self.standing else ""

    @property
    def exit_status(self) -> int:
        """The status for the shell, as after ``send``."""
        if self.error:
            return self.error.exit_status
        return self.summary.exit_status if self.summary else 0

    @property
    def fault(self) -> BriefmailError | None:
        """What kept it from going, or from going on."""
        return self.error or (self.summary.stopped if self.summary else None)

    @property
    def ends_everything(self) -> bool:
        """Whether it would be the same with another issue, or somebody wants an end."""
        same = isinstance(self.fault, LoginRefused | SecretMissing | RelayUnavailable)
        return same or bool(self.summary and self.summary.interrupted)


@dataclass(frozen=True, slots=True)
class Dispatched:
    """What a dispatch did, or with ``dry_run`` would do; nothing if another one is at work.

    ``notices`` are what the editor was told, or could not be, as ``fault`` says. ``ignored`` are
    ready issues that the first dispatch in a folder found to be from before it.
    """

    outcomes: tuple[Outcome, ...] = ()
    notices: tuple[Notice, ...] = ()
    ignored: tuple[Standing, ...] = ()
    fault: BriefmailError | None = None
    dry_run: bool = False

    @property
    def exit_status(self) -> int:
        """The status for the shell: that of the first issue for which it is not 0."""
        statuses = [outcome.exit_status for outcome in self.outcomes]
        statuses.append(self.fault.exit_status if self.fault else 0)
        return next((status for status in statuses if status), 0)
