"""Logging in: PLAIN, LOGIN or XOAUTH2, by what the relay offers (RFC 4954)."""

import binascii

from briefmail.config import Relay
from briefmail.delivery.credentials import Credentials
from briefmail.delivery.dialogue import Dialogue
from briefmail.delivery.reply import Reply
from briefmail.errors import LoginRefused, RelayUnavailable

# RFC 5321 section 4.5.3.1.4, without CRLF; a longer initial response is said on a line of its own
# (RFC 4954 section 4), as Microsoft's tokens have to be.
_COMMAND_LINE = 510


class Login:
    """The login of one connection. ``offered`` are the mechanisms that the relay has named."""

    def __init__(
        self,
        dialogue: Dialogue,
        relay: Relay,
        credentials: Credentials,
        offered: list[str],
        timeout: float,
    ) -> None:
        self._dialogue = dialogue
        self._relay = relay
        self._credentials = credentials
        self._offered = offered
        self._timeout = timeout

    def log_in(self) -> None:
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
                f"{self._relay.host} cannot check the login now: {reply}", hint="try again later"
            )
        if not reply.positive:
            raise LoginRefused(
                f"{self._relay.host} refuses the login of {self._relay.username}: {reply}",
                hint=f"check SMTP_USERNAME and {self._credentials.variable}; nothing was sent",
            )
        self._credentials.accepted(secret)

    def _mechanism(self) -> str:
        """Choose among what is offered; the secret is not looked up for what is of no use."""
        if self._credentials.is_token:
            known, hint = ["XOAUTH2"], "a password may do: SMTP_PASSWORD"
        else:
            known, hint = ["PLAIN", "LOGIN"], "if it needs no login, remove SMTP_USERNAME"
            if "XOAUTH2" in self._offered:
                hint = "it takes a token: SMTP_TOKEN_COMMAND"
        for mechanism in known:
            if mechanism in self._offered:
                return mechanism
        raise LoginRefused(
            f"{self._relay.host} offers no way to log in that briefmail knows ({', '.join(known)})",
            hint=f"{hint}; else look for another port",
        )

    def _authenticate(self, mechanism: str, secret: str) -> Reply:
        """Say PLAIN (RFC 4616), LOGIN, or XOAUTH2 as Google and Microsoft describe it."""
        user = self._relay.username
        match mechanism:
            case "PLAIN":
                return self._auth(mechanism, f"\0{user}\0{secret}")
            case "LOGIN":
                return self._auth(mechanism, None, user, secret)
        reply = self._auth(mechanism, f"user={user}\1auth=Bearer {secret}\1\1")
        if reply.code == 334:  # the error in JSON, which has to be answered before it counts
            reply = self._dialogue.command("", timeout=self._timeout, name="AUTH")
        return reply

    def _auth(self, mechanism: str, initial: str | None, *answers: str) -> Reply:
        """Say AUTH, with the initial response if the line has room for it, and then the answers."""
        lines = [f"{mechanism} {_base64(initial)}" if initial else mechanism]
        if initial and len(f"AUTH {lines[0]}") > _COMMAND_LINE:
            lines = [mechanism, _base64(initial)]
        first, *more = [*lines, *map(_base64, answers)]
        reply = self._dialogue.command("AUTH", first, timeout=self._timeout, intermediate=334)
        for line in more:
            if reply.code != 334:
                break
            reply = self._dialogue.command(
                line, timeout=self._timeout, intermediate=334, name="AUTH"
            )
        return reply


def _base64(text: str) -> str:
    return binascii.b2a_base64(text.encode(), newline=False).decode()
