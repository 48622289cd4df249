"""A channel and its socket: whatever is ready is read or written, and nothing waits."""

import selectors
import socket
import ssl
from collections.abc import Callable
from time import monotonic
from typing import Generic, TypeVar

from briefmail.delivery.channel import Channel, Event
from briefmail.delivery.reply import printable

T = TypeVar("T")
_READ = 65_536
# RFC 8446 section 5.1: the most that one record of TLS carries.
_RECORD = 16_384
_NOT_NOW = (BlockingIOError, InterruptedError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Line(Generic[T]):
    """An open connection of a run. ``failures`` counts how often in a row it has failed.

    The socket, plain or TLS, belongs to the line from now on and is closed with it.
    """

    def __init__(
        self, sock: socket.socket, channel: Channel[T], clock: Callable[[], float] = monotonic
    ) -> None:
        sock.setblocking(False)
        self.sock = sock
        self.channel = channel
        self.failures = 0
        self._secured = isinstance(sock, ssl.SSLSocket)
        self._clock = clock
        self._moved = clock()
        self._stuck = False  # TLS wants to write, whatever we want

    @property
    def interest(self) -> int:
        """What to wait for: the mask of :mod:`selectors`."""
        if self._stuck or self.channel.output:
            return selectors.EVENT_READ | selectors.EVENT_WRITE
        return selectors.EVENT_READ

    @property
    def remaining(self) -> float | None:
        """The seconds left before the relay has taken too long; None if nothing is due."""
        patience = self.channel.patience
        return None if patience is None else self._moved + patience - self._clock()

    def expired(self) -> list[Event[T]]:
        """Give the relay up if it has taken too long."""
        remaining = self.remaining
        if remaining is None:
            self._moved = self._clock()  # what is idle is not late
            return []
        if remaining > 0:
            return []
        return self.channel.lost("no answer in time")

    def read(self) -> list[Event[T]]:
        """Take what has come in."""
        events: list[Event[T]] = []
        while self.channel.usable:
            try:
                octets = self.sock.recv(_READ)
            except _NOT_NOW as error:
                self._stuck = isinstance(error, ssl.SSLWantWriteError)
                break
            except OSError as error:
                return events + self.channel.lost(_words(error))
            self._stuck = False
            if not octets:
                return events + self.channel.lost("the relay has closed it")
            heard = self.channel.heard
            events += self.channel.receive(octets)
            if self.channel.heard > heard:
                self._moved = self._clock()
            # What is left makes the socket ready again, except where TLS has read it already. And
            # a relay that hangs up must be noticed before the claim: then nobody is in doubt.
            if not (self._secured or self.channel.waits_for_claim):
                break
        return events + self.channel.ask()

    def write(self) -> list[Event[T]]:
        """Write as much as the network takes now."""
        channel = self.channel
        while output := channel.output:
            piece = output[:_RECORD] if self._secured else output
            try:
                count = self.sock.send(piece)
            except _NOT_NOW as error:
                self._stuck = isinstance(error, ssl.SSLWantWriteError)
                if self._secured:  # a part of the record may have left
                    channel.risk(len(piece))
                break
            except OSError as error:
                if self._secured:
                    channel.risk(len(piece))
                # What the relay said before it went away says more than that it did.
                return self.read() or channel.lost(_words(error))
            channel.wrote(count)
            self._moved = self._clock()
        return []

    def close(self) -> None:
        """Close the connection at once, without a word."""
        self.sock.close()


def _words(error: OSError) -> str:
    return printable(error.strerror or str(error))
