"""A relay on loopback that behaves like one, except where a test has told it what to answer.

It keeps what it has taken over in ``received``, for whom it has said so in ``acknowledged``, every
command in ``commands``, and those that came before TLS also in ``in_clear``. ``struck`` counts how
often it did as a test had told it.
"""

import base64
import re
import socket
import ssl
import struct
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal, Self

from briefmail.config import Relay, Secret, Security

Verb = Literal[
    "CONNECT", "EHLO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA", "BODY", "DOT", "RSET", "QUIT"
]
"""BODY is the first line of message data, DOT its end; they and DATA have the recipient as
argument."""

DROP = ""
"""An answer: none, the connection is closed. At the dot the message has been taken over."""
RESET = "reset"
"""None, and the connection is reset. At the dot the message has not been taken over."""
SILENCE = "silence"
"""None, and the connection stays. In a body nothing more of it is read."""
DRIP = "drip"
"""What is usual, too slowly to be waited for. In a body it is the relay that reads so slowly."""
DRIP_SECONDS = 0.1
"""The time that one octet takes then."""

_COMMANDS = {"EHLO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA", "RSET", "QUIT"}
_TOKEN_ERROR = base64.b64encode(b'{"status":"401","schemes":"bearer"}').decode()

Answer = str | Callable[[], str]


@dataclass(frozen=True)
class Received:
    """A message that the relay has taken over, dot-stuffing undone."""

    reverse_path: str
    recipient: str
    data: bytes


@dataclass
class _Rule:
    verb: Verb
    answer: Answer
    part: str
    times: int
    after: int

    def strikes(self, verb: Verb, argument: str) -> bool:
        """Whether its turn has come, which counts as one of its times."""
        if self.verb != verb or self.part not in argument or self.times == 0:
            return False
        if self.after > 0:
            self.after -= 1
            return False
        self.times -= 1
        return True


class FakeRelay:
    """Listens inside ``with``. ``users`` maps names to secrets; given, a login is needed.

    What is wrong with a token is told as Google and Microsoft do: in JSON, before the 535.
    """

    def __init__(
        self,
        *,
        extensions: Iterable[str] = ("SIZE 10000000", "8BITMIME"),
        tls: ssl.SSLContext | None = None,
        security: Security = "none",
        users: Mapping[str, str] | None = None,
        mechanisms: str = "PLAIN LOGIN",
        injected: str = "",
    ) -> None:
        self.received: list[Received] = []
        self.acknowledged: list[str] = []
        self.commands: list[str] = []
        self.in_clear: list[str] = []
        self.connections = 0
        self.struck = 0
        self._extensions = list(extensions)
        self._tls, self._security = tls, security
        self.users, self._mechanisms = users or {}, mechanisms
        self._injected = injected
        self._rules: list[_Rule] = []
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self.over = threading.Event()

    def on(
        self,
        verb: Verb,
        answer: Answer,
        *,
        part: str = "",
        times: int = 1_000_000,
        after: int = 0,
    ) -> Self:
        """Give ``answer`` to the next ``times`` of a command whose argument has ``part`` in it.

        The first ``after`` of them are answered as usual.
        """
        self._rules.append(_Rule(verb, answer, part, times, after))
        return self

    def heal(self) -> None:
        """Behave from now on."""
        self._rules.clear()

    def wait_until_alone(self) -> None:
        """Wait until everybody has hung up, and what they had said has been dealt with."""
        for thread in self._threads[1:]:
            thread.join(timeout=10)
            assert not thread.is_alive()

    def forget(self) -> None:
        """Behave from now on, whatever was told before."""
        self._rules.clear()

    @property
    def port(self) -> int:
        return int(self._server.getsockname()[1])

    def relay(
        self, host: str = "127.0.0.1", username: str = "", secret: str | Secret = ""
    ) -> Relay:
        """Return the settings with which this relay is reached."""
        if isinstance(secret, str):
            secret = Secret("SMTP_PASSWORD", secret)
        return Relay(host, self.port, self._security, username, secret)

    @property
    def recipients(self) -> list[str]:
        """Who got a message, in the order of arrival."""
        return [message.recipient for message in self.received]

    def __enter__(self) -> Self:
        self._server = socket.create_server(("127.0.0.1", 0))
        # Each connection inherits it. Left alone, the system lets it grow to many megabytes, and a
        # large message has left whole, dot and all, before the relay has read any of it.
        self._server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        with suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        for connection in self._sockets:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()
        for thread in self._threads:
            thread.join(timeout=5)

    def _start(self, work: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        thread.start()
        self._threads.append(thread)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._server.accept()
                self._sockets.append(connection)
                self.connections += 1
                self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        dialogue = _Dialogue(self, connection)
        with suppress(OSError):
            dialogue.run()
        dialogue.hang_up()

    def scripted(self, verb: Verb, argument: str) -> str | None:
        """Return what a test wants answered here, None if the relay may behave."""
        for rule in self._rules:
            if rule.strikes(verb, argument):
                self.struck += 1
                return rule.answer() if callable(rule.answer) else rule.answer
        return None


def _taken_apart(mechanism: str, response: str) -> tuple[str, str]:
    """Return the name and the password or token in an initial response."""
    if mechanism == "PLAIN":
        _, user, password = response.split("\0")
        return user, password
    match = re.fullmatch("user=([^\1]*)\1auth=Bearer ([^\1]*)\1\1", response)
    assert match, response
    return match[1], match[2]


class _HangupError(OSError):
    """The relay hangs up."""


class _Dialogue:
    """One connection."""

    def __init__(self, relay: FakeRelay, connection: socket.socket) -> None:
        self._relay = relay
        self._secured = False
        self._user = ""
        self._reverse_path = self._recipient = ""
        self._connection = connection

    def _use(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connection = connection
        self._lines = connection.makefile("rb")

    def run(self) -> None:
        self._use(self._connection)
        if self._relay._security == "tls":
            self._secure()
        self._answer("CONNECT", "", "220 relay.example.org ESMTP")
        while (line := self._lines.readline()).endswith(b"\n"):
            text = line.decode().rstrip("\r\n")
            self._relay.commands.append(text)
            if not self._secured:
                self._relay.in_clear.append(text)
            verb, _, argument = text.partition(" ")
            if verb in _COMMANDS:
                getattr(self, f"_{verb.lower()}")(argument)
            else:
                self._say("500 5.5.1 what?")

    def hang_up(self) -> None:
        """Close the connection as it is now, which TLS may have taken over."""
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)
        self._connection.close()

    def _say(self, text: str) -> None:
        self._connection.sendall((text + "\r\n").encode("utf-8", "surrogateescape"))

    def _answer(self, verb: Verb, argument: str, usual: str) -> str:
        """Say what is scripted or usual; 421 and DROP end the connection."""
        scripted = self._relay.scripted(verb, argument)
        return self._give(usual if scripted is None else scripted, usual)

    def _give(self, answer: str, usual: str) -> str:
        if answer == RESET:
            self._reset()
        elif answer == SILENCE:
            self._relay.over.wait()
        elif answer == DRIP:
            self._drip(usual)
        if answer in {DROP, RESET, SILENCE, DRIP}:
            raise _HangupError
        self._say(answer)
        if answer.startswith("421"):
            raise _HangupError
        return answer

    def _reset(self) -> None:
        """Close without lingering, which the peer sees as a reset."""
        no_lingering = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, no_lingering)
        self._lines.close()
        self._connection.close()

    def _drip(self, reply: str) -> None:
        for octet in reply.encode():
            self._connection.sendall(bytes([octet]))
            if self._relay.over.wait(DRIP_SECONDS):
                return

    def _ehlo(self, argument: str) -> None:
        extensions = list(self._relay._extensions)
        if self._relay._security == "starttls" and self._relay._tls and not self._secured:
            extensions.append("STARTTLS")
        elif self._relay.users:
            extensions.append(f"AUTH {self._relay._mechanisms}")
        lines = ["relay.example.org", *extensions]
        reply = "\r\n".join(f"250-{line}" for line in lines[:-1]) + f"\r\n250 {lines[-1]}"
        self._answer("EHLO", argument, reply)

    def _starttls(self, argument: str) -> None:
        reply = "220 go ahead" + (f"\r\n{self._relay._injected}" if self._relay._injected else "")
        if self._answer("STARTTLS", argument, reply).startswith("220"):
            self._secure()

    def _secure(self) -> None:
        assert self._relay._tls
        secured = self._relay._tls.wrap_socket(self._connection, server_side=True)
        self._relay._sockets.append(secured)  # first: it is useless, but open, if the peer has left
        self._use(secured)
        self._secured = True

    def _auth(self, argument: str) -> None:
        mechanism, _, initial = argument.partition(" ")
        if len(argument) > 505:  # RFC 5321 section 4.5.3.1.4
            self._say("500 5.5.6 line too long")
            return
        if mechanism == "LOGIN":
            user, password = self._ask("VXNlcm5hbWU6"), self._ask("UGFzc3dvcmQ6")
        else:
            response = base64.b64decode(initial).decode() if initial else self._ask("")
            user, password = _taken_apart(mechanism, response)
        right = self._relay.users.get(user) == password
        reply = "235 2.7.0 welcome" if right else "535 5.7.8 wrong name or password"
        if mechanism == "XOAUTH2" and not right and self._ask(_TOKEN_ERROR) != "":
            reply = "501 5.5.2 an empty line was wanted"
        if self._answer("AUTH", argument, reply).startswith("235"):
            self._user = user

    def _ask(self, challenge: str) -> str:
        self._say(f"334 {challenge}")
        return base64.b64decode(self._lines.readline()).decode()

    def _mail(self, argument: str) -> None:
        self._reverse_path = argument.partition("<")[2].partition(">")[0]
        known = self._user or not self._relay.users
        usual = "250 2.1.0 ok" if known else "530 5.7.0 log in first"
        self._answer("MAIL", argument, usual)

    def _rcpt(self, argument: str) -> None:
        self._recipient = ""
        if self._answer("RCPT", argument, "250 2.1.5 ok").startswith("2"):
            self._recipient = argument.partition("<")[2].rpartition(">")[0]

    def _data(self, argument: str) -> None:
        usual = "354 go ahead" if self._recipient else "503 5.5.1 nobody to send to"
        if not self._answer("DATA", self._recipient, usual).startswith("354"):
            return
        lines: list[bytes] = []
        while (line := self._lines.readline()) != b".\r\n":
            if not line:
                raise _HangupError
            if not lines and (early := self._relay.scripted("BODY", self._recipient)) is not None:
                self._interrupt(early)
            lines.append(line.removeprefix(b"."))
        self._dot(b"".join(lines))

    def _interrupt(self, answer: str) -> None:
        """Speak, or do something else, in the middle of a message, and hang up."""
        while answer == DRIP and self._lines.read(1) and not self._relay.over.wait(DRIP_SECONDS):
            pass
        self._give(answer, "")
        raise _HangupError

    def _dot(self, data: bytes) -> None:
        scripted = self._relay.scripted("DOT", self._recipient)
        usual = "250 2.0.0 queued" if self._recipient else "554 5.5.1 nobody to send to"
        answer = usual if scripted is None else scripted
        taken = answer in {DROP, DRIP} or answer.startswith("2")
        if taken and self._recipient:
            self._relay.received.append(Received(self._reverse_path, self._recipient, data))
        if answer.startswith("2"):
            self._relay.acknowledged.append(self._recipient)
        self._recipient = ""
        self._give(answer, usual)

    def _rset(self, argument: str) -> None:
        self._recipient = ""
        self._answer("RSET", argument, "250 2.0.0 ok")

    def _quit(self, argument: str) -> None:
        self._answer("QUIT", argument, "221 2.0.0 bye")
        raise _HangupError
