"""One SMTP connection to the relay (RFC 5321, RFC 6409), secured by TLS (RFC 3207, RFC 8314).

Here it is made: greeting, TLS, login. The mail that then goes over it is the matter of
:mod:`briefmail.delivery.channel`, because what decides between *deferred* and *uncertain* is which
byte left when.
"""

import ipaddress
import re
import selectors
import socket
import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Self, TypeVar

from briefmail.config import Relay
from briefmail.delivery.channel import Channel, ClaimWanted, Closed, Decided, Event, Facts, Greeting
from briefmail.delivery.credentials import Credentials
from briefmail.delivery.dialogue import Dialogue, in_words
from briefmail.delivery.line import Line
from briefmail.delivery.login import Login
from briefmail.delivery.outcome import Delivery
from briefmail.delivery.reply import Reply
from briefmail.delivery.timeouts import PATIENCE, Timeouts
from briefmail.edition.message import Message
from briefmail.errors import RelayUnavailable, RelayUnusable

T = TypeVar("T")
_HOST_NAME = re.compile(r"[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")


class Session:
    """A connection, ready for mail inside ``with``: greeted, secured and logged in.

    Entering raises :class:`RelayUnavailable` if the relay cannot be reached or has no time,
    :class:`RelayUnusable` if it cannot be trusted or does not want us, :class:`LoginRefused` if it
    refuses the user name or the password, and :class:`SecretMissing` if there is no password to be
    had. Leaving says QUIT and raises nothing: what was answered before stays true.

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
        self._dialogue: Dialogue | None = None  # until the mail begins
        self._extensions: dict[str, str] = {}
        self._line: Line[None] | None = None
        self._certificate_until: datetime | None = None

    def __enter__(self) -> Self:
        try:
            dialogue = self._connect()
            self._say_hello(dialogue)
            if self.relay.security == "starttls":
                self._start_tls(dialogue)
            if self.relay.username:
                self._log_in(dialogue)
            if not dialogue.silent:
                raise RelayUnusable(f"{self.relay.host} says more than it was asked")
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, exc_type: object, *_: object) -> None:
        if self._dialogue is not None and exc_type is None:
            self._single()
        if self._line and self._line.channel.usable and exc_type is None:
            # Whatever becomes of QUIT, every message has had its reply (section 4.1.1.10).
            self._line.channel.quit()
            while self._line.channel.usable:
                _next_events(self._line)
        self.close()

    @property
    def greeting(self) -> Greeting:
        """What the relay has said, before any mail."""
        return Greeting(self._facts(), self._certificate_until)

    def _facts(self) -> Facts:
        # RFC 1870: no number, or 0, means that the relay does not say how much it takes.
        size = self._extensions.get("SIZE", "")
        return Facts(
            host=self.relay.host,
            pipelining="PIPELINING" in self._extensions,
            asks_size="SIZE" in self._extensions,
            size_limit=int(size) if size.isdecimal() else 0,
            smtputf8="SMTPUTF8" in self._extensions,
        )

    # --- one message ------------------------------------------------------------------------------

    def line(self) -> Line[T]:
        """Hand the connection over to somebody who keeps many at a time; once, instead of use."""
        return self._hand_over(self.relay.messages_per_connection)

    def _hand_over(self, messages: int | None) -> Line[T]:
        assert self._dialogue is not None
        channel: Channel[T] = Channel(self._facts(), self._timeouts, messages)
        line = Line(self._dialogue.sock, channel)
        self._dialogue = None
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
        return self._line.channel.usable if self._line else self._dialogue is not None

    # --- the connection ---------------------------------------------------------------------------

    def _connect(self) -> Dialogue:
        address = (self._host, self.relay.port)
        try:
            raw = socket.create_connection(address, self._timeouts.connect)
        except (OSError, UnicodeError) as error:
            kind = RelayUnusable if _is_no_name(error) else RelayUnavailable
            raise kind(
                f"{self.relay.host}:{self.relay.port} cannot be reached: {in_words(error)}",
                hint="check SMTP_HOST and SMTP_PORT, and the network; then try again",
            ) from error
        self._dialogue = dialogue = Dialogue(raw, self.relay.host)
        try:
            # Each write is a whole turn of the dialogue; none may wait 40 ms for an ACK.
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            peer = raw.getpeername()[0]
        except OSError as error:  # it was reset as soon as it was there
            raise dialogue.lost("its greeting", error) from error
        if self.relay.security == "none":
            self._insist_on_loopback(peer)
        if self.relay.security == "tls":
            self._wrap(dialogue)
        code, text = dialogue.reply("its greeting", self._timeouts.greeting)
        dialogue.expect(220, Reply.parse(code, text), "does not greet us")
        return dialogue

    def _insist_on_loopback(self, address: str) -> None:
        """Keep readable mail on this machine, wherever a name such as localhost may lead."""
        peer = ipaddress.ip_address(address.partition("%")[0])
        if self.relay.username or not peer.is_loopback:
            raise RelayUnusable(
                f"{self.relay.host} is not used without TLS",
                hint="set SMTP_SECURITY to starttls or tls; none is for a relay on this machine"
                " without a login",
            )

    def _say_hello(self, dialogue: Dialogue) -> None:
        """EHLO. What an earlier one taught about the relay is forgotten (RFC 3207 section 4.2)."""
        hello = f"EHLO {_client_name(dialogue.sock)}"
        code, text = dialogue.ask(hello, self._timeouts.command, "EHLO")
        dialogue.expect(250, Reply.parse(code, text), "refuses EHLO")
        lines = text.decode("ascii", "replace").upper().splitlines()[1:]
        words = [line.strip().partition(" ") for line in lines]
        self._extensions = {name: parameters for name, _, parameters in words}

    def _start_tls(self, dialogue: Dialogue) -> None:
        if "STARTTLS" not in self._extensions:
            raise RelayUnusable(
                f"{self.relay.host} does not offer STARTTLS; nothing was sent in clear",
                hint="use SMTP_SECURITY=tls with port 465 if the relay offers that; if it did offer"
                " STARTTLS before, somebody on the way may be suppressing it",
            )
        reply = dialogue.command("STARTTLS", timeout=self._timeouts.command)
        dialogue.expect(220, reply, "does not start TLS")
        if dialogue.has_unread():
            raise RelayUnusable(
                f"{self.relay.host} sent more than its reply before TLS; that is an attack or a"
                " broken relay",
                hint="try again from another network",
            )
        self._wrap(dialogue)
        self._say_hello(dialogue)

    def _wrap(self, dialogue: Dialogue) -> None:
        """Begin TLS, verifying the certificate and that it is for this host."""
        dialogue.sock.settimeout(self._timeouts.command)
        context = ssl.create_default_context()
        try:
            secured = context.wrap_socket(dialogue.sock, server_hostname=self._host)
        except (OSError, ValueError) as error:  # ValueError: a host that no certificate can name
            kind = RelayUnavailable if _is_lost(error) else RelayUnusable
            raise kind(
                f"{self.relay.host}: no TLS: {in_words(error)}",
                hint="SMTP_HOST must be the name in the relay's certificate. A certificate of your"
                " own authority is trusted if SSL_CERT_FILE names it",
            ) from error
        dialogue.sock = secured
        until = (secured.getpeercert() or {}).get("notAfter")
        if isinstance(until, str):
            self._certificate_until = datetime.fromtimestamp(ssl.cert_time_to_seconds(until), UTC)

    def _log_in(self, dialogue: Dialogue) -> None:
        offered = self._extensions.get("AUTH", "").split()
        timeout = self._timeouts.command
        Login(dialogue, self.relay, self._credentials, offered, timeout).log_in()

    def close(self) -> None:
        """Close the connection at once, without a word."""
        if self._line is not None:
            self._line.channel.abandon()
            self._line.close()
        if self._dialogue is not None:
            self._dialogue.sock.close()
            self._dialogue = None


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


def _client_name(sock: socket.socket) -> str:
    """Who we are for EHLO: the name of this machine, else its address (section 4.1.4).

    A relay on this machine gets the address without a look-up, which may take long offline.
    """
    own = ipaddress.ip_address(sock.getsockname()[0].partition("%")[0])
    if not own.is_loopback and _HOST_NAME.fullmatch(name := socket.getfqdn()):
        return name
    return f"[{own}]" if own.version == 4 else f"[IPv6:{own}]"


def _is_no_name(error: OSError | UnicodeError) -> bool:
    """Whether there is no host of that name; one that cannot be asked for now is another matter."""
    if isinstance(error, socket.gaierror):
        return error.errno == socket.EAI_NONAME
    return isinstance(error, UnicodeError)


def _is_lost(error: OSError | ValueError) -> bool:
    """Whether a handshake ended because the connection did."""
    if isinstance(error, ssl.SSLError):
        return isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError | ssl.SSLSyscallError)
    return isinstance(error, OSError)
