"""Commands and replies one at a time: what is said on a connection before the mail begins."""

import socket
from time import monotonic

from briefmail.delivery.reply import Reply, ReplyReader, printable
from briefmail.errors import RelayUnavailable, RelayUnusable

_READ = 65_536


class Dialogue:
    """A connected socket, and the replies that come over it.

    ``sock`` may be replaced when TLS begins. Everything raises :class:`RelayUnavailable` if the
    connection is lost, an answer takes too long, or what comes is no reply.
    """

    def __init__(self, sock: socket.socket, host: str) -> None:
        self.sock = sock
        self._host = host
        self._reader = ReplyReader()

    def command(
        self,
        verb: str,
        argument: str = "",
        *,
        timeout: float,
        intermediate: int | None = None,
        name: str = "",
    ) -> Reply:
        """Say one command. The reply is 2yz, 4yz, 5yz, or the one 3yz that is ``intermediate``.

        ``name`` stands in errors for a verb that is a secret.
        """
        code, text = self.ask(" ".join([verb, argument]).rstrip(), timeout, name or verb)
        reply = Reply.parse(code, text)
        if 300 <= code <= 399 and code != intermediate:
            raise RelayUnavailable(f"{self._host} answered {reply} to {name or verb}")
        return reply

    def ask(self, line: str, timeout: float, name: str) -> tuple[int, bytes]:
        """Say a line and return the reply as it came, whatever it is."""
        try:
            self.sock.settimeout(timeout)
            self.sock.sendall(f"{line}\r\n".encode())
        except OSError as error:
            raise self.lost(name, error) from error
        return self.reply(name, timeout)

    def reply(self, name: str, timeout: float) -> tuple[int, bytes]:
        """Read one reply, within one time limit for the whole of it."""
        until = monotonic() + timeout
        try:
            while (reply := self._reader.next()) is None:
                self.sock.settimeout(max(until - monotonic(), 0.001))
                octets = self.sock.recv(_READ)
                if not octets:
                    raise ConnectionError("the relay has closed it")
                self._reader.feed(octets)
        except OSError as error:
            raise self.lost(name, error) from error
        except ValueError as error:
            raise RelayUnusable(f"{self._host} does not speak SMTP: {error}") from None
        return reply

    def lost(self, name: str, error: OSError) -> RelayUnavailable:
        """Name the error of a connection that has ended while ``name`` was waited for."""
        what = "no answer in time" if isinstance(error, TimeoutError) else in_words(error)
        return RelayUnavailable(
            f"{self._host}: connection lost at {name}: {what}", hint="try again later"
        )

    def expect(self, code: int, reply: Reply, failure: str) -> None:
        """Raise for any other code, saying that the relay ``failure``; for 5yz it is unusable."""
        if reply.code != code:
            kind = RelayUnusable if reply.permanent else RelayUnavailable
            raise kind(f"{self._host} {failure}: {reply}", hint="try again later")

    def has_unread(self) -> bool:
        """Whether the relay has said more than its last reply."""
        if not self._reader.empty:
            return True
        self.sock.setblocking(False)
        try:
            return bool(self.sock.recv(1))
        except BlockingIOError:
            return False
        except OSError as error:
            raise self.lost("STARTTLS", error) from error

    @property
    def silent(self) -> bool:
        """Whether nothing has been read that was not a reply to what was said."""
        return self._reader.empty


def in_words(error: Exception) -> str:
    """Say what an error of the system is, fit to be printed."""
    return printable(getattr(error, "strerror", None) or str(error))
