"""How many connections a run keeps, and what follows when one of them fails.

Until the relay has accepted somebody there is one connection only: whatever is wrong with the
login, the sender or the content is found out with a handful of people in hand, not with hundreds.

A connection that fails is made anew at once, because many relays hang up after so many messages. If
it fails three times in a row it is given up. When the last one is, or none could be made to begin
with, the relay is *away*: nothing is tried until the back-off says so, and then with a single
connection. A relay that has been failing for longer than that allows stops the run; anything that
it answers about a person, good or bad, ends the failing.
"""

from briefmail.delivery.backoff import BackOff
from briefmail.delivery.journal import Copy
from briefmail.delivery.lines import Lines
from briefmail.errors import RelayUnavailable, RelayUnusable

FAILURES_IN_A_ROW = 3


class Reconnecting:
    """Opens the connections of a run."""

    def __init__(self, lines: Lines[Copy], back_off: BackOff) -> None:
        self._lines = lines
        self._back_off = back_off
        self._wanted = self._affordable = 1
        self._reopen: list[int] = []  # failures in a row of connections to be made anew
        self._connected = False
        self._away = False
        self._again_at = 0.0  # on the clock of the run
        self.failing_since: float | None = None
        """When the relay first failed after its last success; None while all is well."""
        self.error = ""
        """Why the relay was given up last."""

    @property
    def away_until(self) -> float | None:
        """When to try the relay again, on the clock of the run; None unless it is away.

        It stays away until :attr:`missing` is asked after that.
        """
        return self._again_at if self._away else None

    @property
    def missing(self) -> int:
        """How many more connections the run could use."""
        if self._away:
            if self._back_off.clock() < self._again_at:
                return 0
            self._away = False
        return self._wanted - len(self._lines) - self._lines.opening

    def open(self, worth: int) -> None:
        """Begin to make the missing ones, at most as many as are ``worth`` it."""
        for _ in range(min(self.missing, worth)):
            self._lines.open(self._reopen.pop() if self._reopen else 0)

    def opened(self) -> None:
        """Take note that a connection has been made."""
        self._connected = True

    def want(self, connections: int) -> None:
        """Keep so many from now on."""
        self._wanted = self._affordable = connections

    def works(self) -> None:
        """Take note that the relay does its work again."""
        self.failing_since = None
        if self.error:
            self.error, self._wanted = "", self._affordable

    def not_opened(self, error: RelayUnavailable, failures: int) -> RelayUnavailable | None:
        """Draw the consequence of a connection that could not be made: what stops the run."""
        if self._connected:
            return self.failed(error, failures, final=False)
        return self.failed(error, FAILURES_IN_A_ROW, final=isinstance(error, RelayUnusable))

    def failed(
        self, error: RelayUnavailable, failures: int, *, final: bool
    ) -> RelayUnavailable | None:
        """Draw the consequence of a connection that has ended: what stops the run, if it does.

        It had failed ``failures`` times in a row before. ``final`` says that the next would fail
        alike.
        """
        failures += 1
        if self.failing_since is None:
            self.failing_since = self._back_off.clock()
        if final:
            return error
        if self._away:  # several failed at once, and that has been dealt with
            return None
        if failures < FAILURES_IN_A_ROW:
            self._reopen.append(failures)
        elif len(self._lines) + self._lines.opening + len(self._reopen) > 0:
            self._wanted -= 1
        else:
            return self._leave_alone(error, self.failing_since)
        return None

    def _leave_alone(self, error: RelayUnavailable, since: float) -> RelayUnavailable | None:
        """Wait with the relay, or give it up."""
        again_at = self._back_off.next_try(since)
        if again_at is None:
            minutes = round((self._back_off.clock() - since) / 60)
            so_long = f", and for {minutes} min nothing has got through" if minutes else ""
            return RelayUnavailable(f"{error}{so_long}", hint=error.hint)
        self.error, self._away, self._again_at = error.message, True, again_at
        self._wanted = 1
        self._reopen = [FAILURES_IN_A_ROW - 1]  # that one counts alone
        return None
