"""The password or the token of a run: had when the first connection logs in, and shared by all.

Nobody is ever asked for it: a command gets no input and, except on Windows, no terminal.
"""

import subprocess
from threading import Lock

from briefmail.config import CONTROL, Secret
from briefmail.delivery.reply import printable
from briefmail.errors import SecretMissing

COMMAND_TIMEOUT = 30.0
"""Seconds that a command has to print a secret."""

_SHOWN = 300
_MASKED = 4


class Credentials:
    """What ``secret`` stands for, looked up once; several threads may ask.

    A token expires, and a password may be changed, while a long run makes new connections. So one
    that the relay has taken before and refuses now is looked up anew.
    """

    def __init__(self, secret: Secret | None, timeout: float = COMMAND_TIMEOUT) -> None:
        self._secret = secret
        self._timeout = timeout
        self._lock = Lock()
        self._current = ""
        self._accepted = False

    @property
    def is_token(self) -> bool:
        """Whether XOAUTH2 is to be used, and nothing else."""
        return self._secret is not None and self._secret.is_token

    @property
    def variable(self) -> str:
        """What the editor has to look at if it is wrong."""
        return self._secret.variable if self._secret else "SMTP_PASSWORD"

    def get(self) -> str:
        """Return the password or the token.

        Raises :class:`SecretMissing` if the file or the command does not yield any.
        """
        with self._lock:
            self._current = self._current or self._look_up()
            return self._current

    def accepted(self, value: str) -> None:
        """Note that the relay has taken it."""
        with self._lock:
            self._accepted = self._accepted or value == self._current

    def renew(self, refused: str) -> str | None:
        """Return another one for what the relay has refused; None if it may not be tried again.

        What was never taken is wrong rather than expired, and each try with something wrong brings
        an account nearer to being locked; so does the same one said twice.
        """
        with self._lock:
            if self._current != refused:  # another connection has been here already
                return self._current
            if not self._accepted:
                return None
            self._current, self._accepted = self._look_up(), False
            return self._current if self._current != refused else None

    def _look_up(self) -> str:
        if self._secret is None:
            return ""
        if self._secret.path:
            return self._first_line(self._read())
        if self._secret.command:
            return self._first_line(self._run(self._secret.command))
        return self._secret.text

    def _first_line(self, octets: bytes) -> str:
        try:
            text = octets.decode("utf-8-sig").strip()
        except UnicodeDecodeError:
            raise self._missing("yields what is not UTF-8") from None
        line = text.split("\n", 1)[0].strip()
        if not line:
            raise self._missing("yields nothing")
        if CONTROL.search(line):
            raise self._missing("yields a line with control characters in it")
        return line

    def _read(self) -> bytes:
        assert self._secret
        assert self._secret.path
        try:
            return self._secret.path.read_bytes()
        except OSError as error:
            raise self._missing(f"cannot be read: {error.strerror}") from error

    def _run(self, command: list[str]) -> bytes:
        assert self._secret
        try:
            done = subprocess.run(  # noqa: S603 - the editor's own command, and no shell
                command,
                cwd=self._secret.folder,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                start_new_session=True,  # without a terminal it cannot ask there either
                timeout=self._timeout,
                check=False,
            )
        except subprocess.TimeoutExpired:
            # Raised without its cause, which holds what has been printed so far.
            raise self._missing(f"is not done in {self._timeout:g} seconds") from None
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or "not a command"
            raise self._missing(f"cannot be run: {why}") from error
        if done.returncode:
            said = _without(done.stderr, done.stdout)
            status = f"ended with status {done.returncode}"
            raise self._missing(f"{status}: {said}" if said else status)
        return done.stdout

    def _missing(self, what: str) -> SecretMissing:
        if self.variable.endswith("_FILE"):
            hint = "the password has to be the first line of the file"
        else:
            hint = "run the command yourself: it has to print the secret, and to ask for nothing"
        return SecretMissing(f"{self.variable} {what}", hint=hint)


def _without(complaint: bytes, output: bytes) -> str:
    """Return the end of what a command complains about, without any word of what it printed."""
    text = complaint.decode("utf-8", "replace")
    words = {word for word in output.decode("utf-8", "replace").split() if len(word) >= _MASKED}
    for word in sorted(words, key=len, reverse=True):
        text = text.replace(word, "***")
    return printable(" ".join(text.split())[-_SHOWN:])
