"""Somebody else wants a run to end: it is asked, every second, whether anybody does."""

import threading
from collections.abc import Callable
from contextlib import suppress

from briefmail.delivery.interrupt import Interrupt
from briefmail.errors import StoreError

EVERY = 1.0
"""Seconds between two looks."""


class Lookout:
    """Asks in a thread of its own, inside ``with``, and makes a yes the wish of the interrupt.

    So a run that waits, for a slow relay or for its pace, hears of it as soon as of Ctrl-C.
    ``is_unwanted`` is called in that thread: it needs a database connection of its own.
    """

    def __init__(self, is_unwanted: Callable[[], bool], interrupt: Interrupt) -> None:
        self._is_unwanted = is_unwanted
        self._interrupt = interrupt
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(EVERY):
            # If the database has failed, the run itself finds that out.
            with suppress(StoreError):
                if self._is_unwanted():
                    self._interrupt.withdraw()
                    return
