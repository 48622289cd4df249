"""When to try again what a relay has put off: itself, or one person.

The first wait is half a minute; then as long as it has been going on, so that each wait doubles the
whole, as in Postfix's queue manager (qmgr(8)), up to five minutes: without jitter at 0:30, 1:00,
2:00, 4:00, 8:00 and 13:00. Greylisting in its usual form wants five minutes (Postgrey's --delay is
300 s), and a relay that is down sees fewer than one attempt a minute after the first two.

RFC 5321 section 4.5.4.1 would have half an hour between tries, over days: that is for servers with
a queue. Here it is what a second run of the same command is for, and the first one ends.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import TypeVar

T = TypeVar("T")

SHORTEST = 30.0
LONGEST = 300.0
JITTER = 0.25
"""By how much a wait may be longer, so that those put off at once do not come back at once."""


def sleep(wait: Callable[[float], T], seconds: float) -> T:
    """Wait for so long, or until there is news: what a run does when it has nothing else to do."""
    return wait(seconds)


@dataclass(frozen=True, slots=True)
class BackOff:
    """How a run waits.

    ``retry_for`` is how many seconds after the first failure the last try may be; below
    :data:`SHORTEST` there is none. ``clock`` gives seconds that nobody sets back, ``jitter``
    numbers from 0 to 1.
    """

    retry_for: float = 0.0
    clock: Callable[[], float] = monotonic
    jitter: Callable[[], float] = random.random
    sleep: Callable[[Callable[[float], T], float], T] = sleep

    def next_try(self, since: float) -> float | None:
        """Return when to try again what has failed since then, and now; None if not any more."""
        now = self.clock()
        wait = min(max(now - since, SHORTEST), LONGEST) * (1 + JITTER * self.jitter())
        return now + wait if now + wait <= since + self.retry_for else None


@dataclass(frozen=True, slots=True)
class Wait:
    """What a run waits for, to be told to whoever watches.

    ``seconds`` are left until the next try. ``people`` were deferred and will be tried again.
    ``relay`` is what is wrong with the relay, "" if it is only those people who are waited for.
    """

    seconds: float
    people: int
    relay: str
