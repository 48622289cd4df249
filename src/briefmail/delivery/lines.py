"""All connections of a run, in one thread: opened beside it, and served as they become ready."""

import selectors
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from time import monotonic
from typing import TYPE_CHECKING, Generic, Self, TypeVar

from briefmail.delivery.channel import Closed, Event
from briefmail.delivery.line import Line
from briefmail.delivery.timeouts import PATIENCE

if TYPE_CHECKING:
    from briefmail.delivery.session import Session

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Opened(Generic[T]):
    """A connection is ready for mail."""

    line: Line[T]


@dataclass(frozen=True, slots=True)
class NotOpened:
    """A connection could not be made, which had failed ``failures`` times in a row before."""

    error: Exception
    failures: int


@dataclass(frozen=True, slots=True)
class Said(Generic[T]):
    """Something has happened on a connection."""

    line: Line[T]
    event: Event[T]


class Lines(Generic[T]):
    """Connections made by ``connect``; a context manager that leaves none of them open.

    Making one blocks for several round trips, so each is made in a thread of its own and handed
    over when it is ready. Everything else happens in the thread that calls. What ``before_writing``
    raises, it raises instead of writing.
    """

    def __init__(
        self,
        connect: Callable[[], "Session"],
        before_writing: Callable[[], None] = lambda: None,
    ) -> None:
        self._connect = connect
        self._before_writing = before_writing
        self._selector = selectors.DefaultSelector()
        self._interest: dict[Line[T], int] = {}
        self._said: list[Said[T]] = []
        self._made: SimpleQueue[tuple[Session | Exception, int]] = SimpleQueue()
        self._closed = False
        self._ear, self._mouth = socket.socketpair()
        self.opening = 0
        """How many are being made."""

    def __enter__(self) -> Self:
        for end in (self._ear, self._mouth):
            end.setblocking(False)
        self._selector.register(self._ear, selectors.EVENT_READ)
        return self

    def __exit__(self, *_: object) -> None:
        self._closed = True
        for line in [*self]:
            self.drop(line)
        self._discard_made()
        self._selector.close()
        self._ear.close()
        self._mouth.close()

    def __iter__(self) -> Iterator[Line[T]]:
        return iter(self._interest)

    def __len__(self) -> int:
        """How many are open."""
        return len(self._interest)

    def wake(self) -> None:
        """Let :meth:`wait` return; safe in another thread and in a signal handler."""
        with suppress(OSError):  # full: it will wake; closed: nobody sleeps any more
            self._mouth.send(b"\0")

    # --- making and ending ------------------------------------------------------------------------

    def open(self, failures: int = 0) -> None:
        """Begin to make one more connection; :class:`Opened` or :class:`NotOpened` will say."""
        self.opening += 1
        threading.Thread(target=self._make, args=(failures,), daemon=True).start()

    def _make(self, failures: int) -> None:
        try:
            made: Session | Exception = self._connect().__enter__()
        except Exception as error:  # raised again where it can be dealt with
            made = error
        self._made.put((made, failures))
        self.wake()
        if self._closed:
            self._discard_made()

    def _discard_made(self) -> None:
        """Close what nobody waits for any more; both threads may be at it."""
        with suppress(Empty):
            while True:
                made, _ = self._made.get_nowait()
                if not isinstance(made, Exception):
                    made.close()

    def drop(self, line: Line[T]) -> None:
        """Close a connection at once. Its channel should have been asked what that means."""
        self._selector.unregister(line.sock)
        del self._interest[line]
        line.close()

    def take_leave(self, clock: Callable[[], float] = monotonic) -> None:
        """Say QUIT on every connection, all at once, and wait a little for the answers.

        Every message has had its reply by now (RFC 5321 section 4.1.1.10), so nothing is lost.
        """
        for line in self:
            line.channel.quit()
        until = clock() + PATIENCE.quit
        while self._interest and (left := until - clock()) > 0:
            self.flush()
            for news in self.wait(left):
                match news:
                    case Opened(line):  # it comes too late to be of use
                        line.channel.quit()
                    case Said(line, Closed()):
                        self.drop(line)

    # --- reading and writing ----------------------------------------------------------------------

    def flush(self) -> None:
        """Write what there is to write; what a failure means is told by the next :meth:`wait`."""
        for line, interest in self._interest.items():
            if line.channel.output:
                self._before_writing()
                self._said += [Said(line, event) for event in line.write()]
            if line.interest != interest:
                self._interest[line] = line.interest
                self._selector.modify(line.sock, line.interest, line)

    def wait(self, seconds: float | None = None) -> list[Opened[T] | NotOpened | Said[T]]:
        """Return what has happened, as soon as something has, or after ``seconds``, or a wake."""
        found: list[Opened[T] | NotOpened | Said[T]] = [*self._said]
        self._said.clear()
        for key, mask in self._selector.select(0 if found else self._patience(seconds)):
            line: Line[T] | None = key.data
            if line is None:
                found += self._hear()
            elif line.channel.usable:
                events = line.read()
                if mask & selectors.EVENT_WRITE:
                    self._before_writing()
                    events += line.write()
                found += [Said(line, event) for event in events]
        for line in self:
            found += [Said(line, event) for event in line.expired()]
        return found

    def _patience(self, seconds: float | None) -> float | None:
        limits = [left for line in self if (left := line.remaining) is not None]
        if seconds is not None:
            limits.append(seconds)
        return max(0.0, min(limits)) if limits else None

    def _hear(self) -> list[Opened[T] | NotOpened]:
        """Take over the connections that have been made meanwhile."""
        with suppress(OSError):
            self._ear.recv(4096)
        found: list[Opened[T] | NotOpened] = []
        with suppress(Empty):
            while True:
                made, failures = self._made.get_nowait()
                self.opening -= 1
                if isinstance(made, Exception):
                    found.append(NotOpened(made, failures))
                    continue
                line: Line[T] = made.line()
                line.failures = failures
                self._interest[line] = line.interest
                self._selector.register(line.sock, line.interest, line)
                found.append(Opened(line))
        return found
