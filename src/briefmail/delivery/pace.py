"""How fast messages may begin, by the rates that the editor has set for the relay.

A rate for a second or a minute is waited for: messages begin evenly spaced, and never more than
allowed in any second or minute of a run. One for an hour or a day is an allowance: once it is used
up there is nothing to wait for, and the run ends. What counts against it is what the ledger says
may have gone out in the last hour or 24 hours, whatever the edition, so a second run keeps to it
too. The window rolls, as Google's does (support.google.com/a/answer/166852): midnight changes
nothing.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from time import monotonic

from briefmail.config import Rate
from briefmail.errors import RelayUnavailable

PATIENT = 60
"""Rates over so many seconds are waited for, those over more are allowances."""
_TICK = 0.02  # seconds; what may begin within one begins together, and the loop wakes up less
_NAMES = {3600: "an hour", 86_400: "a day"}


class Window:
    """At most ``count`` events in any ``seconds``, on whatever clock the caller has."""

    def __init__(self, count: int, seconds: float) -> None:
        self.count = count
        self.seconds = seconds
        self._times: deque[float] = deque(maxlen=count)

    @classmethod
    def spaced(cls, rate: Rate) -> "Window":
        """Return a narrower window that keeps to ``rate`` without spending it in one burst."""
        together = max(1, int(rate.count * _TICK / rate.seconds))
        return cls(together, rate.seconds / (rate.count // together))

    def wait(self, now: float) -> float:
        """Return the seconds until the next event may be, 0 if it may be now."""
        if len(self._times) < self.count:
            return 0.0
        return max(0.0, self._times[0] + self.seconds - now)

    def take(self, now: float) -> None:
        """Take note of an event."""
        self._times.append(now)

    def fill(self, times: Iterable[float]) -> None:
        """Forget everything and take note of these events, the earliest first."""
        self._times = deque(times, self.count)

    @property
    def renewed(self) -> float:
        """The moment when all that is known now has left the window."""
        return self._times[-1] + self.seconds


class Pace:
    """Says when the next message may begin. Without rates that is always now.

    ``share`` is how many machines use the same account of the relay at once, each at an equal part
    of its rates. ``now`` gives the present moment in the time zone in which the editor is to be
    told of it, and ``clock`` seconds that nobody sets back.
    """

    def __init__(
        self,
        rates: Sequence[Rate],
        now: Callable[[], datetime] = lambda: datetime.now().astimezone(),
        clock: Callable[[], float] = monotonic,
        share: int = 1,
    ) -> None:
        self._now = now
        self._clock = clock
        self._share = share
        self._spacing = [
            Window.spaced(Rate(rate.count, rate.seconds * share))
            for rate in rates
            if rate.seconds <= PATIENT
        ]
        self._allowances = [
            Window(max(1, rate.count // share), rate.seconds)
            for rate in rates
            if rate.seconds > PATIENT
        ]

    @property
    def delay(self) -> float:
        """The seconds for which the next message has to wait; allowances have no part in it."""
        now = self._clock()
        return max((window.wait(now) for window in self._spacing), default=0.0)

    @property
    def used_up(self) -> RelayUnavailable | None:
        """What to tell the editor if an allowance is used up, None if there is some of each."""
        if not self._allowances:
            return None
        now = self._now()
        longest = max(self._allowances, key=lambda window: window.wait(now.timestamp()))
        wait = longest.wait(now.timestamp())
        return _used_up(longest, now, wait) if wait > 0 else None

    def take(self) -> None:
        """Take note that a message begins now."""
        for window in self._spacing:
            window.take(self._clock())
        for window in self._allowances:
            window.take(self._now().timestamp())

    def recall(self, handed_over: Callable[[datetime, int], Sequence[datetime]]) -> None:
        """Count the allowances anew, by what :meth:`Ledger.handed_over` says."""
        for window in self._allowances:
            since = self._now() - timedelta(seconds=window.seconds)
            # All machines' are in the ledger, so what is counted as ours is an equal part of them.
            found = handed_over(since, window.count * self._share)
            window.fill(moment.timestamp() for moment in found[:: self._share])


def _used_up(window: Window, now: datetime, wait: float) -> RelayUnavailable:
    count, unit = f"{window.count:,}", _NAMES[int(window.seconds)]
    first = now + timedelta(seconds=wait)
    last = datetime.fromtimestamp(window.renewed, now.tzinfo)
    return RelayUnavailable(
        f"{count} of {count} {unit} are used; the same command goes on from {in_words(first, now)}",
        hint=f"from {in_words(last, now)} on all {count} are free again; smtp.rate sets the limit",
    )


def in_words(moment: datetime, now: datetime) -> str:
    """Write a moment soon after ``now`` as a clock time, not before it, and the day if it helps."""
    minute = moment.replace(second=0, microsecond=0)
    if minute < moment:
        minute += timedelta(minutes=1)
    days = (minute.date() - now.date()).days
    day = {0: "", 1: " tomorrow"}.get(days, f" on {minute:%Y-%m-%d}")
    return f"{minute:%H:%M}{day}"
