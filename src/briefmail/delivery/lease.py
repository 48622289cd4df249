"""The lease on which a worker has people in hand, and the clock that it runs by.

A machine that is cut off from the database, or stopped, cannot know whether the others have gone on
without it. So its lease has to be renewed, and once it has lapsed nothing more is written to any
connection: what had no dot will have none.
"""

import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Self

from briefmail.errors import LeaseLapsed, StoreError

LEASE = 900.0
"""Seconds for which a worker has people in hand without having been heard of."""
RENEWALS = 15
"""How often a lease is renewed in its length."""


def awake_or_not() -> float:
    """Return seconds by a clock that nobody sets back and that goes on while the machine sleeps.

    Linux has one of its own for that (clock_gettime(2)); macOS's CLOCK_MONOTONIC does, unlike
    Python's; and so does Windows's.
    """
    if sys.platform == "linux":
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    if sys.platform == "darwin":
        return time.clock_gettime(time.CLOCK_MONOTONIC)
    return time.monotonic()


class Lease:
    """Renews itself in a thread of its own, inside ``with``.

    ``renew`` says whether the others still know of the worker; it is called in that thread, so it
    needs a connection of its own, and it may raise :class:`StoreError`: then it is tried again for
    as long as the lease lasts. ``began`` is a moment on ``clock`` before the lease was written
    down, so that it ends here before it ends on the server.
    """

    def __init__(
        self,
        renew: Callable[[], bool],
        began: float,
        length: float = LEASE,
        clock: Callable[[], float] = awake_or_not,
    ) -> None:
        self._renew = renew
        self._length = length
        self._clock = clock
        self._until = began + length
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._keep, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    @property
    def held(self) -> bool:
        """Whether it has not lapsed."""
        return self._clock() < self._until

    def check(self) -> None:
        """Raise :class:`LeaseLapsed` if it has lapsed; to be asked right before each write."""
        if not self.held:
            raise LeaseLapsed(
                "this machine was cut off from the others, or asleep, for too long: they go on"
                " without it",
                hint="the same command joins them again",
            )

    def _keep(self) -> None:
        while not self._over.wait(self._length / RENEWALS):
            before = self._clock()
            if before >= self._until:  # once lapsed, always lapsed
                return
            with suppress(StoreError):
                if not self._renew():
                    self._until = before
                    return
                self._until = before + self._length
