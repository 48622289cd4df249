"""Who sends: the relay, this machine, and its memory."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from briefmail.checks.names import Names
from briefmail.checks.rule import Found, rule
from briefmail.config import Config
from briefmail.delivery import DkimRecord, Greeting
from briefmail.errors import BriefmailError

SOON = timedelta(days=14)
SHORT_SECRET = 32
NEWEST_THAT_CAN_BE = datetime(2026, 1, 1).astimezone()
"""Before this there was no briefmail: a clock that says so is wrong."""


@dataclass(frozen=True, slots=True)
class Sender:
    """What is known of the sender. ``greeting`` is what the relay said, or why it said nothing.

    It is None without a relay. ``keys`` are the DNS records that our own DKIM keys need, or why
    the keys cannot be used. ``memory`` is what is wrong with the ledger, ``place`` why it is not
    safe where it lies, and ``latest`` the last moment that it knows of; None if nothing is.
    """

    config: Config
    names: Names
    greeting: Greeting | BriefmailError | None
    memory: BriefmailError | None
    place: str | None
    latest: datetime | None
    now: datetime
    keys: tuple[DkimRecord, ...] | BriefmailError = ()

    @property
    def domain(self) -> str | None:
        """The From domain, which has the right to be asked about; None while it is not set."""
        sender = self.config.newsletter.sender
        domain = sender.domain if sender else ""
        reserved = ("example", "example.org", "example.com", "example.net", "test", "invalid")
        return None if not domain or domain.endswith(reserved) else domain


# --- the relay ------------------------------------------------------------------------------------


@rule(
    "no-relay",
    "info",
    cure="set SMTP_HOST in .env when you want to send for real",
    source="docs/settings.md",
)
def no_relay(sender: Sender) -> Iterator[Found]:
    """No relay is set, so every send goes into the sandbox.

    That is how a newsletter begins. Nothing leaves this computer until a relay is named.
    """
    if sender.config.relay is None:
        yield Found("no relay is set: a send goes into outbox/ on this computer", path=None)


@rule(
    "relay-refuses",
    "error",
    cure="see what the relay says, and your provider's page",
    source="RFC 5321 section 3.1, RFC 3207 section 4, RFC 4954 section 4",
)
def relay_refuses(sender: Sender) -> Iterator[Found]:
    """A relay that cannot be reached, cannot be trusted, or does not let us in.

    The connection is made as a send makes it: name, port, TLS with a certificate that is valid and
    for this host, login. Nothing is sent.
    """
    if isinstance(sender.greeting, BriefmailError):
        yield Found(sender.greeting.message, cure=sender.greeting.hint or "")


@rule(
    "relay-certificate",
    "warning",
    cure="tell the relay's operator; on the day it expires nothing can be sent",
    source="RFC 8314 section 3",
)
def relay_certificate(sender: Sender) -> Iterator[Found]:
    """A relay's certificate that expires within two weeks.

    Afterwards no send gets through, because mail goes over a connection that can be trusted, or
    not at all.
    """
    greeting = sender.greeting
    if isinstance(greeting, Greeting) and greeting.certificate_until:
        left = greeting.certificate_until - sender.now
        if left < SOON:
            day = greeting.certificate_until.date().isoformat()
            yield Found(f"the certificate of {greeting.facts.host} expires on {day}")


@rule(
    "relay-slow",
    "info",
    cure="nothing to do; for a large list look for a relay that offers PIPELINING",
    source="RFC 2920",
)
def relay_slow(sender: Sender) -> Iterator[Found]:
    """A relay without PIPELINING.

    Each message then takes four round trips instead of one. A list of a few hundred does not
    notice.
    """
    if isinstance(sender.greeting, Greeting) and not sender.greeting.facts.pipelining:
        yield Found(f"{sender.greeting.facts.host} does not offer PIPELINING")


@rule(
    "relay-size",
    "warning",
    cure="leave attachments out, put pictures on the web, or ask the relay's operator",
    source="RFC 1870",
)
def relay_size(sender: Sender) -> Iterator[Found]:
    """A relay that takes small messages only.

    A letter with two photographs has some megabytes. One that is larger than the relay's limit is
    not even offered to it.
    """
    greeting = sender.greeting
    if isinstance(greeting, Greeting) and 0 < greeting.facts.size_limit < 2_000_000:
        yield Found(
            f"{greeting.facts.host} takes messages of {greeting.facts.size_limit:,} bytes at most"
        )


# --- this machine ---------------------------------------------------------------------------------


@rule(
    "clock",
    "error",
    cure="set the clock, and let it be kept by the network (NTP)",
    source="RFC 5322 section 3.6.1",
)
def clock(sender: Sender) -> Iterator[Found]:
    """A clock that cannot be right.

    A mail is dated by it, and what is due is decided by it. It is compared with the last moment
    that the ledger knows of.
    """
    if sender.now < NEWEST_THAT_CAN_BE:
        yield Found(f"this computer's clock says {sender.now:%Y-%m-%d}")
    elif sender.latest and sender.now < sender.latest - timedelta(minutes=5):
        yield Found(
            f"this computer's clock says {sender.now:%Y-%m-%d %H:%M} UTC, and something was sent at"
            f" {sender.latest:%Y-%m-%d %H:%M} UTC"
        )


@rule("memory", "error", cure="see docs/ledger.md", source="docs/ledger.md")
def memory(sender: Sender) -> Iterator[Found]:
    """A ledger that is damaged, has forgotten something, or lies where it is not safe.

    It knows who has had which issue. All of it is read.
    """
    if sender.memory:
        yield Found(sender.memory.message, cure=sender.memory.hint or "")
    if sender.place:
        yield Found(
            sender.place, severity="warning", cure="keep the folder on a disk of this computer"
        )


@rule(
    "nobody-told",
    "warning",
    cure='set email = "you@example.org" under [editor] in briefmail.toml',
    source="docs/settings.md",
)
def nobody_told(sender: Sender) -> Iterator[Found]:
    """Nobody is told when something goes wrong.

    A send by cron has no terminal to speak to.
    """
    if not sender.config.editor.email:
        yield Found("editor.email is not set: nobody hears of a send that failed")


@rule(
    "secret",
    "warning",
    cure="put a long random one into .env, such as 'openssl rand -hex 32' prints",
    source="RFC 8058 section 3.1",
)
def secret(sender: Sender) -> Iterator[Found]:
    """A secret for the links for leaving that could be guessed.

    Whoever knows it can unsubscribe anybody. Change it only before the first send: links that have
    gone out are good for one secret.
    """
    if 0 < len(sender.config.secret) < SHORT_SECRET:
        yield Found(f"BRIEFMAIL_SECRET has {len(sender.config.secret)} characters only")
