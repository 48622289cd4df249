"""One SMTP connection to the relay (RFC 5321, RFC 6409), secured by TLS (RFC 3207, RFC 8314).

The dialogue is ours, because what decides between *deferred* and *uncertain* is which byte left
when; ``smtplib`` is used below that, for lines, replies and the list of extensions. One
transaction has one recipient, so that every reply belongs to one person.

Honest limits: a time limit holds for each read or write, so a relay that sends its reply byte by
byte can take longer; and the number of lines in one reply is not bounded.
"""

import binascii
import ipaddress
import re
import smtplib
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Self

from briefmail.config import Relay
from briefmail.delivery.outcome import Delivery, Scope, Step, judge
from briefmail.delivery.reply import Reply, printable
from briefmail.delivery.wire import is_path, wire_data
from briefmail.edition.message import Message
from briefmail.errors import BriefmailError, LoginRefused, RelayUnavailable

_BLOCK = 65_536  # what one time limit covers while the message is sent
_HOST_NAME = re.compile(r"[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long to wait at each step, in seconds.

    The figures are the least that RFC 5321 section 4.5.3.2 allows. It gives none for making the
    connection or for the commands before MAIL, and nothing is lost by not waiting for QUIT.
    """

    connect: float = 30
    greeting: float = 300
    command: float = 300
    mail: float = 300
    rcpt: float = 300
    data: float = 120
    block: float = 180
    dot: float = 600
    quit: float = 5


class Session:
    """A connection, ready for mail inside ``with``: greeted, secured and logged in.

    Entering raises :class:`RelayUnavailable` if the relay cannot be reached, cannot be trusted or
    has no time, and :class:`LoginRefused` if it refuses the user name or the password. Leaving
    says QUIT and raises nothing: what was answered before stays true.
    """

    def __init__(self, relay: Relay, timeouts: Timeouts = Timeouts()) -> None:
        self.relay = relay
        self._host = relay.host.strip("[]")
        self._timeouts = timeouts
        self._smtp = smtplib.SMTP(local_hostname="localhost")
        self.usable = False
        """Whether the connection is good for another message; once False, it stays so."""

    def __enter__(self) -> Self:
        try:
            self._connect()
            self._say_hello()
            if self.relay.security == "starttls":
                self._start_tls()
            if self.relay.username:
                self._log_in()
        except BaseException:
            self._abandon()
            raise
        self.usable = True
        return self

    def __exit__(self, exc_type: object, *_: object) -> None:
        if self.usable and exc_type is None:
            # Whatever becomes of QUIT, every message has had its reply (section 4.1.1.10).
            with suppress(RelayUnavailable):
                self._command("QUIT", timeout=self._timeouts.quit)
        self._abandon()

    # --- one message ------------------------------------------------------------------------------

    def deliver(self, message: Message, claim: Callable[[], bool]) -> Delivery | None:
        """Send one message and say what became of it.

        ``claim`` is called when all but the final dot has been sent. It must have made the claim
        durable when it returns True. If it returns False, the connection is closed without the
        dot, so that the relay drops the message, and the result is None: nothing was decided here.

        Raises :class:`LoginRefused` if the relay first wants a login, and, before anything is
        sent, :class:`BriefmailError` if the message is not fit for the wire, which is a bug.
        """
        body = wire_data(message.data)
        if refusal := self._preclude(message):
            return refusal
        try:
            if failure := self._open_transaction(message) or self._send_body(body):
                return failure
            claimed = claim()
        except RelayUnavailable as error:
            self._abandon()
            reason = f"{error.message}; the message was not complete"
            return Delivery("deferred", "connection", None, reason, Scope.SESSION)
        except BaseException:
            self._abandon()
            raise
        if not claimed:
            self._abandon()
            return None
        return self._finish()

    def _preclude(self, message: Message) -> Delivery | None:
        """Name what makes the dialogue pointless, before it begins."""
        if not is_path(message.reverse_path):
            raise BriefmailError(f"{message.reverse_path!a} cannot be a reverse-path")
        if not is_path(message.recipient):
            # RFC 6531 section 3.2: not even asked for, as long as SMTPUTF8 is not spoken here.
            reason = "the address cannot be written in SMTP without SMTPUTF8"
            return Delivery("refused", "connection", None, reason)
        # RFC 1870: no number, or 0, means that the relay does not say.
        limit = self._smtp.esmtp_features.get("size", "")
        if limit.isdecimal() and 0 < int(limit) < len(message.data):
            reason = f"the message has {len(message.data)} octets, the relay takes {int(limit)}"
            return Delivery("deferred", "connection", None, reason, Scope.MESSAGE)
        return None

    def _open_transaction(self, message: Message) -> Delivery | None:
        """Say MAIL, RCPT and DATA; a Delivery means that the relay said no to one of them."""
        size = f" SIZE={len(message.data)}" if self._smtp.has_extn("size") else ""
        limits = self._timeouts
        mail = self._command("MAIL", f"FROM:<{message.reverse_path}>{size}", timeout=limits.mail)
        if mail.code == 530:
            raise LoginRefused(
                f"{self.relay.host} wants a login first: {mail}",
                hint="set SMTP_USERNAME and SMTP_PASSWORD in .env or the environment",
            )
        if not mail.positive:
            return self._failure("MAIL", mail)
        rcpt = self._command("RCPT", f"TO:<{message.recipient}>", timeout=limits.rcpt)
        if not rcpt.positive:
            return self._failure("RCPT", rcpt)
        data = self._command("DATA", timeout=limits.data, intermediate=354)
        if data.positive:
            raise RelayUnavailable(f"{self.relay.host} answered {data} to DATA")
        return None if data.code == 354 else self._failure("DATA", data)

    def _failure(self, step: Step, reply: Reply) -> Delivery:
        """Sort a refusal, and make the connection ready for the next person if it can be."""
        delivery = judge(step, reply)
        if delivery.scope is Scope.SESSION:
            self.usable = False
        elif step != "dot":
            try:
                self.usable = self._command("RSET", timeout=self._timeouts.command).positive
            except RelayUnavailable:
                self._abandon()
        return delivery

    def _send_body(self, body: bytes) -> Delivery | None:
        """Send everything but the dot; a Delivery means that the relay did not wait for it."""
        for start in range(0, len(body), _BLOCK):
            self._send(body[start : start + _BLOCK], "the message")
        # A relay that has already closed, or has said 421, must be noticed before the claim: then
        # the outcome is deferred, and not uncertain for want of a reply to the dot.
        waiting = self._unread()
        if waiting is None:
            raise RelayUnavailable(f"{self.relay.host} closed the connection")
        if waiting:
            early = self._reply("the message", self._timeouts.block)
            self.usable = False
            reason = "the relay answered before the end of the message"
            return Delivery("deferred", "DATA", early, reason, Scope.SESSION)
        return None

    def _finish(self) -> Delivery:
        """Send the dot. From its first byte on only a reply can tell what became of the message.

        RFC 1047, and RFC 5321 section 4.5.3.2.6 for the ten minutes of patience.
        """
        try:
            self._send(b".\r\n", "the end of the message")
            reply = self._final(
                self._reply("the end of the message", self._timeouts.dot), "the dot"
            )
        except RelayUnavailable as error:
            self._abandon()
            reason = f"{error.message}; the relay may have the message or not"
            return Delivery("uncertain", "dot", None, reason, Scope.SESSION)
        except BaseException:
            self._abandon()
            raise
        return judge("dot", reply) if reply.positive else self._failure("dot", reply)

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
        self._smtp.sock = raw
        # The dot follows the message in a write of its own; it must not wait 40 ms for an ACK.
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.relay.security == "none":
            self._insist_on_loopback(raw)
        if self.relay.security == "tls":
            self._wrap(raw)
        greeting = self._reply("its greeting", self._timeouts.greeting)
        self._expect(220, greeting, "does not greet us")

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
        self._set_timeout(self._timeouts.command)
        with _Step(self.relay.host, "EHLO"):
            code, text = self._smtp.ehlo(self._client_name())
        self._expect(250, _parse(self.relay.host, code, text), "refuses EHLO")

    def _client_name(self) -> str:
        """Who we are for EHLO: the name of this machine, else its address (section 4.1.4).

        A relay on this machine gets the address without a look-up, which may take long offline.
        """
        assert self._smtp.sock is not None
        own = ipaddress.ip_address(self._smtp.sock.getsockname()[0].partition("%")[0])
        if not own.is_loopback and _HOST_NAME.fullmatch(name := socket.getfqdn()):
            return name
        return f"[{own}]" if own.version == 4 else f"[IPv6:{own}]"

    def _start_tls(self) -> None:
        if not self._smtp.has_extn("starttls"):
            raise RelayUnavailable(
                f"{self.relay.host} does not offer STARTTLS; nothing was sent in clear",
                hint="use SMTP_SECURITY=tls with port 465 if the relay offers that; if it did offer"
                " STARTTLS before, somebody on the way may be suppressing it",
            )
        reply = self._command("STARTTLS", timeout=self._timeouts.command)
        self._expect(220, reply, "does not start TLS")
        if self._unread() != b"":
            raise RelayUnavailable(
                f"{self.relay.host} sent more than its reply before TLS; that is an attack or a"
                " broken relay",
                hint="try again from another network",
            )
        assert self._smtp.sock is not None
        self._wrap(self._smtp.sock)
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
        self._smtp.sock = secured
        self._smtp.file = None  # it reads from the socket below TLS

    def _log_in(self) -> None:
        """Authenticate with PLAIN (RFC 4616) or LOGIN, once.

        ``smtplib.login`` would try each mechanism with a wrong password, which locks accounts,
        and knows no password beyond ASCII.
        """
        offered = self._smtp.esmtp_features.get("auth", "").upper().split()
        user, password = self.relay.username.encode(), self.relay.password.encode()
        if "PLAIN" in offered:
            reply = self._authenticate("PLAIN " + _base64(b"\0" + user + b"\0" + password))
        elif "LOGIN" in offered:
            reply = self._authenticate("LOGIN", _base64(user), _base64(password))
        else:
            raise LoginRefused(
                f"{self.relay.host} offers no way to log in that briefmail knows (PLAIN, LOGIN)",
                hint="if it needs no login, remove SMTP_USERNAME; else look for another port",
            )
        if reply.transient:
            raise RelayUnavailable(
                f"{self.relay.host} cannot check the login now: {reply}", hint="try again later"
            )
        if not reply.positive:
            raise LoginRefused(
                f"{self.relay.host} refuses the login of {self.relay.username}: {reply}",
                hint="check SMTP_USERNAME and SMTP_PASSWORD; nothing was sent",
            )

    def _authenticate(self, mechanism: str, *answers: str) -> Reply:
        reply = self._command("AUTH", mechanism, timeout=self._timeouts.command, intermediate=334)
        for answer in answers:
            if reply.code != 334:
                return reply
            reply = self._command(
                answer, timeout=self._timeouts.command, intermediate=334, name="AUTH"
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
        self._set_timeout(timeout)
        with _Step(self.relay.host, name or verb):
            self._smtp.putcmd(verb, argument)
        reply = self._reply(name or verb, timeout)
        return reply if reply.code == intermediate else self._final(reply, name or verb)

    def _send(self, octets: bytes, name: str) -> None:
        self._set_timeout(self._timeouts.block)
        with _Step(self.relay.host, name):
            self._smtp.send(octets)

    def _reply(self, name: str, timeout: float) -> Reply:
        self._set_timeout(timeout)
        with _Step(self.relay.host, name):
            code, text = self._smtp.getreply()
        return _parse(self.relay.host, code, text)

    def _final(self, reply: Reply, name: str) -> Reply:
        """Let 2yz, 4yz and 5yz pass; an intermediate reply that nobody asked for is no answer."""
        if 300 <= reply.code <= 399:
            raise RelayUnavailable(f"{self.relay.host} answered {reply} to {name}")
        return reply

    def _expect(self, code: int, reply: Reply, failure: str) -> None:
        if reply.code != code:
            raise RelayUnavailable(f"{self.relay.host} {failure}: {reply}", hint="try again later")

    def _unread(self) -> bytes | None:
        """Return what the relay has said beyond the last reply, None if it has hung up."""
        sock, replies = self._smtp.sock, self._smtp.file
        assert sock is not None
        assert replies is not None
        sock.settimeout(0)
        try:
            # peek() shows the buffer and fills it when it is empty, but gives b"" both for
            # silence and for the end; the raw read tells them apart.
            waiting = replies.peek() or replies.raw.read(1)
        except (ssl.SSLWantReadError, BlockingIOError):
            return b""
        except OSError:
            return None
        return b"" if waiting is None else waiting or None

    def _set_timeout(self, seconds: float) -> None:
        if self._smtp.sock is not None:
            self._smtp.sock.settimeout(seconds)

    def _abandon(self) -> None:
        """Close the connection at once, without a word."""
        self.usable = False
        self._smtp.close()


class _Step:
    """Turns every fault of the connection at one step into :class:`RelayUnavailable`."""

    def __init__(self, host: str, name: str) -> None:
        self._host, self._name = host, name

    def __enter__(self) -> None:
        pass

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, OSError):  # smtplib's own exceptions are OSErrors too
            if isinstance(error.__context__, OSError):
                error = error.__context__
            what = "no answer in time" if isinstance(error, TimeoutError) else _words(error)
            raise RelayUnavailable(
                f"{self._host}: connection lost at {self._name}: {what}", hint="try again later"
            ) from error


def _parse(host: str, code: int, text: bytes) -> Reply:
    try:
        return Reply.parse(code, text)
    except ValueError:
        shown = printable(text.decode("ascii", "backslashreplace"))[:100]
        raise RelayUnavailable(f"{host} does not speak SMTP: {shown}") from None


def _base64(octets: bytes) -> str:
    return binascii.b2a_base64(octets, newline=False).decode()


def _words(error: Exception) -> str:
    return printable(getattr(error, "strerror", None) or str(error))
