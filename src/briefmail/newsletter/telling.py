"""Telling the editor, each thing once: by mail, and where that cannot be, by saying it."""

import shlex
from collections.abc import Callable, Iterable
from datetime import datetime

from briefmail.config import Config
from briefmail.delivery import EditionStatus, History, Ledger
from briefmail.errors import (
    BriefmailError,
    ConfigError,
    LoginRefused,
    Problem,
    RelayUnavailable,
    SecretMissing,
)
from briefmail.newsletter.scheduling import timings
from briefmail.newsletter.signing import own_signer, signed
from briefmail.newsletter.status import advice_for
from briefmail.newsletter.testing import connector, hand_over
from briefmail.notices import Notice, Step, Told, compose, report
from briefmail.schedule import Begun, local
from briefmail.store import Database

FAILED = ("refused", "uncertain", "expired")
"""Who is named in a report."""


class Telling:
    """Reports from the store, and the mail that takes them to the editor.

    ``say`` is called with what is not mailed: everything without ``[editor] email``, and what a
    fault of the relay keeps from being mailed, that once a day. A notice counts as told only after
    that, or after the relay has taken the mail.
    """

    def __init__(
        self,
        config: Config,
        store: Database,
        now: Callable[[], datetime],
        say: Callable[[Notice], None],
    ) -> None:
        self._config = config
        self._history = History(store)
        self._ledger = Ledger(store)
        self._told = Told(store)
        self._now = now
        self._say = say

    # --- reports ----------------------------------------------------------------------------------

    def finished(self, begun: Begun) -> Notice | None:
        """The report of an edition that is closed; None if it is not, or was told of."""
        if self._told.is_told(Notice(begun.edition, "finished", "", "", "")):
            return None
        status = self._history.edition(begun.edition)
        if status is None or status.record.closed_at is None:
            return None
        return self._report(status, begun, None)

    def left(self, begun: Begun, stopped: BriefmailError | None) -> Notice | None:
        """The report of a run that left some people, because of ``stopped`` if it is not None."""
        status = self._history.edition(begun.edition)
        return self._report(status, begun, stopped) if status else None

    def _report(
        self, status: EditionStatus, begun: Begun, stopped: BriefmailError | None
    ) -> Notice:
        name, schedule = begun.edition, self._config.schedule
        return report(
            status,
            numbers=begun.numbers,
            failed={state: self._ledger.entries(name, state) for state in FAILED},
            stopped=stopped,
            steps=self._steps(status),
            clock=lambda moment: local(schedule, moment),
        )

    def _steps(self, status: EditionStatus) -> list[Step]:
        """The commands that go on, as they can be typed anywhere."""
        where = shlex.join(["briefmail", "-C", str(self._config.root)])
        issue = shlex.quote(self._file_of(status.record.id))
        show = Step(f"{where} status {issue}", "shows where it stands")
        return [show] + [
            Step(f"{where} {advice.verb} {issue} {advice.options}".rstrip(), advice.why)
            for advice in advice_for(status.totals)
        ]

    def _file_of(self, edition: str) -> str:
        """The file of an edition, as seen from the folder, also where it has a slug."""
        paths = (timing.path for timing in timings(self._config) if timing.name == edition)
        path = next(paths, self._config.issues / f"{edition}.md")
        return path.relative_to(self._config.root).as_posix()

    # --- telling ----------------------------------------------------------------------------------

    def news(self, notices: Iterable[Notice]) -> tuple[Notice, ...]:
        """Those of which the editor does not know yet."""
        return tuple(notice for notice in notices if not self._told.is_told(notice))

    def tell(
        self, notices: tuple[Notice, ...], trouble: BriefmailError | None
    ) -> BriefmailError | None:
        """Tell the editor; return why it could not be done by mail.

        ``trouble`` is what kept an issue from going: where the login was refused for it, it is
        not tried again for this. Raises :class:`StoreError` if the store fails.
        """
        if not notices:
            return None
        if not self._config.editor.email:
            self._speak(notices, for_good=True)
            return None
        if isinstance(trouble, LoginRefused | SecretMissing):
            fault: BriefmailError | None = trouble
        else:
            fault = self._mail(notices)
        if fault is None:
            for notice in notices:
                self._told.note(notice, self._now(), mailed=True)
            return None
        # What kept the issue from going is among the notices.
        more = () if fault is trouble else (_unmailed(fault),)
        self._speak((*notices, *more), for_good=False)
        return fault

    def _speak(self, notices: Iterable[Notice], *, for_good: bool) -> None:
        now = self._now()
        for notice in notices:
            if not self._told.was_said(notice, now):
                self._say(notice)
                self._told.note(notice, now, mailed=for_good)

    def _mail(self, notices: tuple[Notice, ...]) -> BriefmailError | None:
        assert self._config.relay
        sender = self._config.newsletter.sender
        assert sender
        message = compose(self._config, sender, notices, self._now())
        try:
            signer = own_signer(self._config, sender.domain, self._now)
            done = hand_over(connector(self._config.relay)(), signed(signer, message))
        except BriefmailError as error:
            return error
        if done.state == "sent":
            return None
        text = f"the editor's mail to {message.recipient}: {done}"
        if done.state == "refused":
            return ConfigError([Problem(self._config.path or self._config.root, None, text)])
        return RelayUnavailable(text)


def _unmailed(fault: BriefmailError) -> Notice:
    hint = f"\n\n{fault.hint}" if fault.hint else ""
    text = f"{fault.message}{hint}"
    return Notice("", "mail", type(fault).__name__, "This could not be mailed", text)
