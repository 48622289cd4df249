"""How many connections a run keeps, and what follows when one of them fails.

Until the relay has accepted somebody there is one connection only: whatever is wrong with the
login, the sender or the content is found out with a handful of people in hand, not with hundreds.
A connection that fails is made anew; if it fails three times in a row it is given up, and the last
one stops the run.
"""

from briefmail.delivery.journal import Copy
from briefmail.delivery.lines import Lines
from briefmail.errors import RelayUnavailable

FAILURES_IN_A_ROW = 3


class Reconnecting:
    """Opens the connections of a run."""

    def __init__(self, lines: Lines[Copy]) -> None:
        self._lines = lines
        self._wanted = 1
        self._reopen: list[int] = []  # failures in a row of connections to be made anew
        self._connected = False

    @property
    def missing(self) -> int:
        """How many more connections the run could use."""
        return self._wanted - len(self._lines) - self._lines.opening

    def open(self) -> None:
        """Begin to make the missing ones."""
        for _ in range(self.missing):
            self._lines.open(self._reopen.pop() if self._reopen else 0)

    def opened(self) -> None:
        """Take note that a connection has been made."""
        self._connected = True

    def want(self, connections: int) -> None:
        """Keep so many from now on."""
        self._wanted = connections

    def not_opened(self, error: RelayUnavailable, failures: int) -> RelayUnavailable | None:
        """Draw the consequence of a connection that could not be made: what stops the run."""
        return self.failed(error, failures, final=not self._connected)

    def failed(
        self, error: RelayUnavailable, failures: int, *, final: bool
    ) -> RelayUnavailable | None:
        """Draw the consequence of a connection that has ended: what stops the run, if it does.

        It had failed ``failures`` times in a row before. ``final`` says that the next would fail
        alike.
        """
        failures += 1
        if final:
            return error
        if failures < FAILURES_IN_A_ROW:
            self._reopen.append(failures)
        elif len(self._lines) + self._lines.opening + len(self._reopen) > 0:
            self._wanted -= 1
        else:
            return error
        return None
