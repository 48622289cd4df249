"""The brake: what a relay refused for good is not asked of it again at every dispatch.

A wrong password said 288 times a day locks an account, and the same message refused as often makes
a bad name. So after such an end nothing is tried for an hour, unless what could mend it has
changed: the settings or the password's file for a login; these or the edition for the content.
``send`` by hand knows nothing of it.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from briefmail.config import CONFIG_NAME, ENV_NAME, Config
from briefmail.errors import BriefmailError, ContentRefused, LoginRefused, SecretMissing
from briefmail.schedule import Brake, Diary

LOGIN = (LoginRefused, SecretMissing)
"""Every issue, and the editor's mail, would meet with the same."""
_KINDS = {kind.__name__: kind for kind in (*LOGIN, ContentRefused)}
_EVERY = ""


@dataclass(frozen=True, slots=True)
class Braked:
    """What is not tried again before ``until``, and the ``error`` that it ended with."""

    error: BriefmailError
    until: datetime


class Brakes:
    """The brakes of a folder. ``diary`` is None where nothing is remembered yet.

    The files are looked at here and not after a try: what is mended meanwhile counts as a change.
    Machines that share their memory have files, and so brakes, of their own.
    """

    def __init__(self, config: Config, diary: Diary | None) -> None:
        self._diary = diary
        self._looks = [repr(config.relay), *(_look_of(path) for path in _files(config))]

    def login(self, now: datetime) -> Braked | None:
        """Whether it is too early to log in."""
        return self._braked(_EVERY, now, self._stamp())

    def content(self, edition: str, fingerprint: str, now: datetime) -> Braked | None:
        """Whether it is too early for this version of an edition."""
        return self._braked(edition, now, self._stamp(fingerprint))

    def _braked(self, edition: str, now: datetime, stamp: str) -> Braked | None:
        brake = self._diary.brake(edition, stamp) if self._diary else None
        if brake is None or not brake.holds(now):
            return None
        return Braked(_KINDS[brake.kind](brake.message, hint=brake.hint), brake.until)

    def note(
        self, error: BriefmailError | None, now: datetime, edition: str = "", fingerprint: str = ""
    ) -> None:
        """Remember how a try ended, if it is one of these errors: then nothing is tried for now."""
        if isinstance(error, LOGIN):
            self._put(_EVERY, now, self._stamp(), error)
        elif isinstance(error, ContentRefused):
            self._put(edition, now, self._stamp(fingerprint), error)

    def _put(self, edition: str, now: datetime, stamp: str, error: BriefmailError) -> None:
        assert self._diary
        kind = type(error).__name__
        self._diary.put_brake(Brake(edition, stamp, now, kind, error.message, error.hint))

    def _stamp(self, fingerprint: str = "") -> str:
        """Stand for all that could mend it, and hold no secret: of files only time and size count.

        What ``SMTP_PASSWORD_COMMAND`` prints is not asked for here.
        """
        return hashlib.sha256("\0".join([fingerprint, *self._looks]).encode()).hexdigest()


def _files(config: Config) -> Iterator[Path]:
    yield from (config.root / CONFIG_NAME, config.root / ENV_NAME)
    secret = config.relay.secret if config.relay else None
    if secret and secret.path:
        yield secret.path


def _look_of(path: Path) -> str:
    try:
        found = path.stat()
    except OSError:
        return ""
    return f"{found.st_mtime_ns} {found.st_size}"
