"""One SMTP connection to the relay (RFC 5321, RFC 6409), secured by TLS (RFC 3207, RFC 8314).

Here it is made: greeting, TLS, login. The mail that then goes over it is the matter of
:mod:`briefmail.delivery.channel`, because what decides between *deferred* and *uncertain* is which
byte left when.
"""

import binascii
import ipaddress
import re
import selectors
import socket
import ssl
from collections.abc import Callable
from time import monotonic
from typing import Self, TypeVar

from briefmail.config import Relay
from briefmail.delivery.channel import Channel, ClaimWanted, Closed, Decided, Event, Facts
from briefmail.delivery.credentials import Credentials
from briefmail.delivery.line import Line
from briefmail.delivery.outcome import Delivery
from briefmail.delivery.reply import Reply, ReplyReader, printable
from briefmail.delivery.timeouts import PATIENCE, Timeouts
from briefmail.edition.message import Message
from briefmail.errors import LoginRefused, RelayUnavailable

T = TypeVar("T")
_READ = 65_536

# RFC 5321 section 4.5.3.1.4, without CRLF; a longer initial response is said on a line of its own
# (RFC 4954 section 4), as Microsoft's tokens have to be.
_COMMAND_LINE = 510
_HOST_NAME = re.compile(r"[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")


class Session:
    """A connection, ready for mail inside ``with``: greeted, secured and logged in.

    Entering raises :class:`RelayUnavailable` if the relay cannot be reached, cannot be trusted or
    has no time, :class:`LoginRefused` if it refuses the user name or the password, and
    :class:`SecretMissing` if there is no password to be had. Leaving says QUIT and raises nothing:
    what was answered before stays true.

    ``credentials`` are shared by the connections of a run, so that they are looked up once.
    """

    def __init__(
        self,
        relay: Relay,
        timeouts: Timeouts = PATIENCE,
        *,
        credentials: Credentials | None = None,
    ) -> None:
        self.relay = relay
        self._credentials = credentials or Credentials(relay.secret)
        self._host = relay.host.strip("[]")
        self._timeouts = timeouts
        self._sock: socket.socket | None = None
        self._reader = ReplyReader()
        self._extensions: dict[str, str] = {}
        self._line: Line[None] | None = None

    def __enter__(self) -> Self:
        try:
            self._connect()
            self._say_hello()
            if self.relay.security == "starttls":
                self._start_tls()
            if self.relay.username:
                self._log_in()
            if not self._reader.empty:
                raise RelayUnavailable(f"{self.relay.host} says more than it was asked")
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, exc_type: object, *_: object) -> None:
        if self._sock is not None and exc_type is None:
            self._single()
        if self._line and self._line.channel.usable and exc_type is None:
            # Whatever becomes of QUIT, every message has had its reply (section 4.1.1.10).
            self._line.channel.quit()
            while self._line.channel.usable:
                _next_events(self._line)
        self.close()

    def _facts(self) -> Facts:
        # RFC 1870: no number, or 0, means that the relay does not say how much it takes.
        size = self._extensions.get("SIZE", "")
        return Facts(
            host=self.relay.host,
            pipelining="PIPELINING" in self._extensions,
            asks_size="SIZE" in self._extensions,
            size_limit=int(size) if size.isdecimal() else 0,
        )

    # --- one message ------------------------------------------------------------------------------

    def line(self) -> Line[T]:
        """Hand the connection over to somebody who keeps many at a time; once, instead of use."""
        return self._hand_over(self.relay.messages_per_connection)

    def _hand_over(self, messages: int | None) -> Line[T]:
        assert self._sock is not None
        line: Line[T] = Line(self._sock, Channel(self._facts(), self._timeouts, messages))
        self._sock = None
        return line

    def deliver(self, message: Message, claim: Callable[[], bool]) -> Delivery | None:
        """Send one message and say what became of it.

        ``claim`` is called when the relay waits for the message. It must have made the claim
        durable when it returns True. If it returns False, the connection is closed without the
        message, and the result is None: nothing was decided here.

        Raises :class:`LoginRefused` if the relay first wants a login, and, before anything is
        sent, :class:`BriefmailError` if the message is not fit for the wire, which is a bug.
        """
        line = self._single()
        if refusal := line.channel.preclude(message):
            return refusal
        line.channel.begin(None, message)
        try:
            return self._converse(line, claim)
        except BaseException:
            line.channel.abandon()
            raise
        finally:
            if not line.channel.usable:
                line.close()

    def _single(self) -> Line[None]:
        if self._line is None:
            self._line = self._hand_over(None)
        return self._line

    def _converse(self, line: Line[None], claim: Callable[[], bool]) -> Delivery | None:
        while True:
            for event in _next_events(line):
                match event:
                    case ClaimWanted():
                        if not claim():
                            line.channel.withhold()
                            return None
                        line.channel.grant()
                    case Decided():
                        return event.delivery
                    case Closed(error) if error:
                        raise error

    @property
    def usable(self) -> bool:
        """Whether the connection is good for another message; once False, it stays so."""
        return self._line.channel.usable if self._line else self._sock is not None

    # --- the connection ---------------------------------------------------------------------------

    def _connect(self) -> None:
        address = (self._host, self.relay.port)
        try:
            raw = socket.create_connection(address, self._timeouts.connect)
        except (OSError, UnicodeError) as error:
            raise RelayUnavailable(
                f"{self.relay.host}:{self.relay.port} cannot be reached: {_words(error)}",
                hint="check SMTP_HOST and SMTP_PORT, and the network; then try again",
            ) from error
        self._sock = raw
        # Each write is a whole turn of the dialogue; none may wait 40 ms for an ACK.
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.relay.security == "none":
            self._insist_on_loopback(raw)
        if self.relay.security == "tls":
            self._wrap(raw)
        code, text = self._reply("its greeting", self._timeouts.greeting)
        self._expect(220, Reply.parse(code, text), "does not greet us")

    def _insist_on_loopback(self, raw: socket.socket) -> None:
        """Keep readable mail on this machine, wherever a name such as localhost may lead."""
        peer = ipaddress.ip_address(raw.getpeername()[0].partition("%")[0])
        if self.relay.username or not peer.is_loopback:
            raise RelayUnavailable(
                f"{self.relay.host} is not used without TLS",
                hint="set SMTP_SECURITY to starttls or tls; none is for a relay on this machine"
                " without a login",
            )

    def _say_hello(self) -> None:
        """EHLO. What an earlier one taught about the relay is forgotten (RFC 3207 section 4.2)."""
        code, text = self._ask(f"EHLO {self._client_name()}", self._timeouts.command, "EHLO")
        self._expect(250, Reply.parse(code, text), "refuses EHLO")
        lines = text.decode("ascii", "replace").upper().splitlines()[1:]
        words = [line.strip().partition(" ") for line in lines]
        self._extensions = {name: parameters for name, _, parameters in words}

    def _client_name(self) -> str:
        """Who we are for EHLO: the name of this machine, else its address (section 4.1.4).

        A relay on this machine gets the address without a look-up, which may take long offline.
        """
        assert self._sock is not None
        own = ipaddress.ip_address(self._sock.getsockname()[0].partition("%")[0])
        if not own.is_loopback and _HOST_NAME.fullmatch(name := socket.getfqdn()):
            return name
        return f"[{own}]" if own.version == 4 else f"[IPv6:{own}]"

    def _start_tls(self) -> None:
        if "STARTTLS" not in self._extensions:
            raise RelayUnavailable(
                f"{self.relay.host} does not offer STARTTLS; nothing was sent in clear",
                hint="use SMTP_SECURITY=tls with port 465 if the relay offers that; if it did offer"
                " STARTTLS before, somebody on the way may be suppressing it",
            )
        reply = self._command("STARTTLS", timeout=self._timeouts.command)
        self._expect(220, reply, "does not start TLS")
        if self._has_unread():
            raise RelayUnavailable(
                f"{self.relay.host} sent more than its reply before TLS; that is an attack or a"
                " broken relay",
                hint="try again from another network",
            )
        assert self._sock is not None
        self._wrap(self._sock)
        self._say_hello()

    def _wrap(self, raw: socket.socket) -> None:
        """Begin TLS, verifying the certificate and that it is for this host."""
        raw.settimeout(self._timeouts.command)
        try:
            secured = ssl.create_default_context().wrap_socket(raw, server_hostname=self._host)
        except (OSError, ValueError) as error:  # ValueError: a host that no certificate can name
            raise RelayUnavailable(
                f"{self.relay.host}: no TLS: {_words(error)}",
                hint="SMTP_HOST must be the name in the relay's certificate. A certificate of your"
                " own authority is trusted if SSL_CERT_FILE names it",
            ) from error
        self._sock = secured

    def _log_in(self) -> None:
        """Authenticate once, whatever else is offered, unless a token seems to have expired.

        Each further try with a wrong password brings an account nearer to being locked.
        """
        mechanism = self._mechanism()
        secret = self._credentials.get()
        reply = self._authenticate(mechanism, secret)
        if reply.code == 535 and (another := self._credentials.renew(secret)):
            secret = another
            reply = self._authenticate(mechanism, secret)
        if reply.transient:
            raise RelayUnavailable(
                f"{self.relay.host} cannot check the login now: {reply}", hint="try again later"
            )
        if not reply.positive:
            raise LoginRefused(
                f"{self.relay.host} refuses the login of {self.relay.username}: {reply}",
                hint=f"check SMTP_USERNAME and {self._credentials.variable}; nothing was sent",
            )
        self._credentials.accepted(secret)

    def _mechanism(self) -> str:
        """Choose among what is offered; the secret is not looked up for what is of no use."""
        offered = self._extensions.get("AUTH", "").split()
        if self._credentials.is_token:
            known, hint = ["XOAUTH2"], "a password may do: SMTP_PASSWORD"
        else:
            known, hint = ["PLAIN", "LOGIN"], "if it needs no login, remove SMTP_USERNAME"
            if "XOAUTH2" in offered:
                hint = "it takes a token: SMTP_TOKEN_COMMAND"
        for mechanism in known:
            if mechanism in offered:
                return mechanism
        raise LoginRefused(
            f"{self.relay.host} offers no way to log in that briefmail knows ({', '.join(known)})",
            hint=f"{hint}; else look for another port",
        )

    def _authenticate(self, mechanism: str, secret: str) -> Reply:
        """Say PLAIN (RFC 4616), LOGIN, or XOAUTH2 as Google and Microsoft describe it."""
        user = self.relay.username
        match mechanism:
            case "PLAIN":
                return self._auth(mechanism, f"\0{user}\0{secret}")
            case "LOGIN":
                return self._auth(mechanism, None, user, secret)
        reply = self._auth(mechanism, f"user={user}\1auth=Bearer {secret}\1\1")
        if reply.code == 334:  # the error in JSON, which has to be answered before it counts
            reply = self._command("", timeout=self._timeouts.command, name="AUTH")
        return reply

    def _auth(self, mechanism: str, initial: str | None, *answers: str) -> Reply:
        """Say AUTH, with the initial response if the line has room for it, and then the answers."""
        lines = [f"{mechanism} {_base64(initial)}" if initial else mechanism]
        if initial and len(f"AUTH {lines[0]}") > _COMMAND_LINE:
            lines = [mechanism, _base64(initial)]
        first, *more = [*lines, *map(_base64, answers)]
        reply = self._command("AUTH", first, timeout=self._timeouts.command, intermediate=334)
        for line in more:
            if reply.code != 334:
                break
            reply = self._command(
                line, timeout=self._timeouts.command, intermediate=334, name="AUTH"
            )
        return reply

    # --- lines ------------------------------------------------------------------------------------

    def _command(
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
        code, text = self._ask(" ".join([verb, argument]).rstrip(), timeout, name or verb)
        reply = Reply.parse(code, text)
        if 300 <= code <= 399 and code != intermediate:
            raise RelayUnavailable(f"{self.relay.host} answered {reply} to {name or verb}")
        return reply

    def _ask(self, line: str, timeout: float, name: str) -> tuple[int, bytes]:
        assert self._sock is not None
        try:
            self._sock.settimeout(timeout)
            self._sock.sendall(f"{line}\r\n".encode())
        except OSError as error:
            raise self._lost(name, error) from error
        return self._reply(name, timeout)

    def _reply(self, name: str, timeout: float) -> tuple[int, bytes]:
        """Read one reply, within one time limit for the whole of it."""
        assert self._sock is not None
        until = monotonic() + timeout
        try:
            while (reply := self._reader.next()) is None:
                self._sock.settimeout(max(until - monotonic(), 0.001))
                octets = self._sock.recv(_READ)
                if not octets:
                    raise ConnectionError("the relay has closed it")
                self._reader.feed(octets)
        except OSError as error:
            raise self._lost(name, error) from error
        except ValueError as error:
            raise RelayUnavailable(f"{self.relay.host} does not speak SMTP: {error}") from None
        return reply

    def _lost(self, name: str, error: OSError) -> RelayUnavailable:
        what = "no answer in time" if isinstance(error, TimeoutError) else _words(error)
        return RelayUnavailable(
            f"{self.relay.host}: connection lost at {name}: {what}", hint="try again later"
        )

    def _expect(self, code: int, reply: Reply, failure: str) -> None:
        if reply.code != code:
            raise RelayUnavailable(f"{self.relay.host} {failure}: {reply}", hint="try again later")

    def _has_unread(self) -> bool:
        """Whether the relay has said more than its last reply."""
        assert self._sock is not None
        if not self._reader.empty:
            return True
        self._sock.setblocking(False)
        try:
            return bool(self._sock.recv(1))
        except BlockingIOError:
            return False
        except OSError as error:
            raise self._lost("STARTTLS", error) from error

    def close(self) -> None:
        """Close the connection at once, without a word."""
        if self._line is not None:
            self._line.channel.abandon()
            self._line.close()
        if self._sock is not None:
            self._sock.close()
            self._sock = None


def _next_events(line: Line[None]) -> list[Event[None]]:
    """Write and read until something has happened, or the relay has taken too long."""
    with selectors.DefaultSelector() as selector:
        selector.register(line.sock, selectors.EVENT_READ)
        while not (events := line.write()):
            selector.modify(line.sock, line.interest)
            if selector.select(line.remaining):
                events = line.read()
            if events := events or line.expired():
                break
        return events


def _base64(text: str) -> str:
    return binascii.b2a_base64(text.encode(), newline=False).decode()


def _words(error: Exception) -> str:
    return printable(getattr(error, "strerror", None) or str(error))
