"""Ctrl-C and SIGTERM during a send run: a wish the first time, an end at once the second.

Both are heard when the run comes to look, between two turns. An exception in the middle of one
could come between what the relay has said and writing it down.
"""

import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any


class Interrupt:
    """Makes the first Ctrl-C or SIGTERM a wish, kept in ``asked``, and the second ``at_once``.

    A third one is a KeyboardInterrupt. ``terminated`` is whether the first one was SIGTERM;
    ``withdrawn`` whether the wish was no signal at all, but that of somebody who wants the run to
    end.
    """

    def __init__(self) -> None:
        self.asked = self.at_once = self.terminated = self.withdrawn = False
        self.wake: Callable[[], None] = lambda: None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> None:
        # Only the main thread may set handlers, and only there does Python raise the exception.
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._ask)

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            # None: a handler that was not set from Python, and cannot be set again from here.
            signal.signal(number, handler or signal.SIG_DFL)

    def withdraw(self) -> None:
        """Wish that the run ends; safe in another thread. A signal that came before it counts."""
        if not self.asked:
            self.asked = self.withdrawn = True
            self.wake()

    def _ask(self, number: int, _frame: FrameType | None) -> None:
        self.asked, self.withdrawn = True, False
        self.terminated = number == signal.SIGTERM
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, self._insist)
        self.wake()

    def _insist(self, _number: int, _frame: FrameType | None) -> None:
        self.at_once = True
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        signal.signal(signal.SIGINT, self._before[signal.SIGINT] or signal.default_int_handler)
        self.wake()
