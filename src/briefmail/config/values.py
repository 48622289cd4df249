"""The settings as values: a frozen table for each of the toml, and the whole.

An attribute's default is what holds where the editor set nothing.
"""

import os
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from pathlib import Path
from typing import Literal, get_args

# RFC 5321 section 4.1.2, the dot-string form with a domain name; what an editor may use for the
# addresses of the newsletter itself. Recipients are validated by the audience room.
ADDR_SPEC = re.compile(
    r"(?=.{1,254}$)(?=[^@]{1,64}@)"  # section 4.5.3.1
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])"
)
# Stricter than RFC 5322, which lets a comma, a colon or a bracket in a bare name turn it into a
# list, a group or a comment: what is not plainly one mailbox is refused, never guessed at.
_MAILBOX = re.compile(
    r"""(?P<bare>[^\s"<>]+)
      | (?: "(?P<quoted>(?:[^"\\]|\\.)*)" | (?P<name>[^"<>@,;:\\]*) ) \s* <(?P<angle>[^\s<>]+)>""",
    re.VERBOSE,
)
# A lone surrogate is no character: YAML can write one, as "\ud800", and nothing can encode it.
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
COLOUR = re.compile(r"#[0-9A-Fa-f]{6}")
FONT = re.compile(r"[A-Za-z0-9 ,'-]+")
LANG = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")  # BCP 47, as far as a theme needs it
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "last": -1}

Security = Literal["starttls", "tls", "none"]
KeyKind = Literal["rsa", "ed25519"]
MailClient = Literal[
    "apple-mail", "aol", "fastmail", "gmail", "gmx", "outlook", "outlook-windows", "protonmail",
    "samsung-email", "thunderbird", "web-de", "yahoo",
]  # fmt: skip
"""A program that mail is read with; ``outlook-windows`` is the one that Word lays out."""
MAIL_CLIENTS: tuple[MailClient, ...] = get_args(MailClient)
SecretVariable = Literal[
    "SMTP_PASSWORD", "SMTP_PASSWORD_FILE", "SMTP_PASSWORD_COMMAND", "SMTP_TOKEN_COMMAND"
]
SECRET_VARIABLES: tuple[SecretVariable, ...] = get_args(SecretVariable)


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A display name, which may be empty, and an addr-spec (RFC 5322 section 3.4)."""

    name: str
    address: str

    @classmethod
    def parse(cls, text: str) -> "Mailbox":
        """Read ``Name <user@example.org>`` or ``user@example.org``; ValueError if it is neither.

        A name with a comma, a colon or an ``@`` in it has to stand in double quotes.
        """
        match = None if CONTROL.search(text) else _MAILBOX.fullmatch(text.strip())
        address = (match["bare"] or match["angle"]) if match else ""
        if not match or not ADDR_SPEC.fullmatch(address):
            hint = "; a name with , ; : or @ in it needs quotes" if "<" in text else ""
            raise ValueError(
                f"is not an address such as 'The Briefing <briefing@example.org>'{hint}"
            )
        quoted = re.sub(r"\\(.)", r"\1", match["quoted"] or "")
        return cls((quoted or match["name"] or "").strip(), address)

    @property
    def domain(self) -> str:
        """What follows the @, in lower case."""
        return self.address.rpartition("@")[2].lower()

    def aligns_with(self, domain: str) -> bool:
        """Whether a signature by ``domain`` speaks for this address in the eyes of DMARC.

        RFC 7489 section 3.1.1, relaxed; without a list of public suffixes, only a domain above or
        below the address's, or the very same, is known to.
        """
        signs, sends = f".{domain}", f".{self.domain}"
        return sends.endswith(signs) or signs.endswith(sends)

    def __str__(self) -> str:
        return f"{self.name} <{self.address}>" if self.name else self.address


@dataclass(frozen=True, slots=True)
class Newsletter:
    """``[newsletter]``: who we are. ``sender`` is None until the editor has set ``from``."""

    name: str = "Newsletter"
    sender: Mailbox | None = None
    reply_to: Mailbox | None = None
    lang: str = "en"
    postal_address: str = ""
    public_url: str = ""
    list_id: str = ""


@dataclass(frozen=True, slots=True)
class Mail:
    """``[mail]``: the addresses behind the scenes."""

    bounce_address: str = ""
    unsubscribe_address: str = ""
    unsubscribe_url: str = ""


@dataclass(frozen=True, slots=True)
class Theme:
    """``[theme]``: colours as ``#rrggbb`` for the light and the dark scheme, fonts and a logo.

    An empty value means that the packaged theme decides. ``logo`` is a path in the folder and is
    embedded in the mail, or an ``https:`` address.
    """

    accent: str = ""
    accent_dark: str = ""
    background: str = ""
    background_dark: str = ""
    surface: str = ""
    surface_dark: str = ""
    text: str = ""
    text_dark: str = ""
    muted: str = ""
    muted_dark: str = ""
    font: str = ""
    heading_font: str = ""
    logo: str = ""
    logo_alt: str = ""
    logo_width: int = 160


@dataclass(frozen=True, slots=True)
class Every:
    """Every so many weeks, or months."""

    count: int
    unit: Literal["weeks", "months"]


@dataclass(frozen=True, slots=True)
class Day:
    """A day of the week, 0 for Monday; with ``nth``, such a day of the month, -1 for its last."""

    weekday: int
    nth: int | None = None


@dataclass(frozen=True, slots=True)
class Schedule:
    """``[schedule]``: when issues go out, by the clock on the wall of ``timezone``.

    Without ``every`` there is no calendar, and each issue has its own date; ``on`` is set wherever
    ``every`` is, with a ``nth`` for months only. ``skipped`` are days of the calendar without an
    issue. An issue that could not go out goes out by itself up to ``not_after`` late; whoever could
    not be sent to within ``give_up`` of its beginning is given up. Without ``timezone`` it is this
    machine's.
    """

    every: Every | None = None
    on: tuple[Day, ...] = ()
    at: time = time(9, 0)
    start: date | None = None
    timezone: str = ""
    give_up: timedelta = timedelta(days=2)
    skipped: tuple[date, ...] = ()
    not_after: timedelta = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Test:
    """``[test]``: who gets the copies of ``send --test`` unless it names somebody."""

    __test__ = False  # pytest takes every class of this name for a test

    to: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Editor:
    """``[editor]``: who writes the newsletter. With ``copy`` the last message of a send is theirs.

    ``email`` is set wherever ``copy`` is.
    """

    email: str = ""
    copy: bool = False


@dataclass(frozen=True, slots=True)
class Checks:
    """``[checks]``: what ``check`` is to leave alone, and what the readers read with.

    ``silence`` has rule ids, each with a reason; ``clients`` are those that a mail has to suit;
    ``allow_links`` is how addresses begin that ``check --links`` does not ask for.
    """

    clients: tuple[MailClient, ...] = ("apple-mail", "gmail", "outlook", "outlook-windows", "yahoo")
    silence: Mapping[str, str] = field(default_factory=dict)
    allow_links: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DkimKey:
    """One key of ``[dkim]``: its kind, the selector of its DNS record, and its file as written."""

    kind: KeyKind
    selector: str
    path: str

    @property
    def setting(self) -> str:
        """What the file's name is called in the toml."""
        return "key" if self.kind == "rsa" else "ed25519_key"

    def file(self, root: Path) -> Path:
        """Where the file is, for the newsletter in ``root``."""
        return root / Path(self.path).expanduser()


@dataclass(frozen=True, slots=True)
class Dkim:
    """``[dkim]``: whose signature the mail carries. Without any key it carries none.

    ``selector`` and ``key`` are set together, as are ``ed25519_selector`` and ``ed25519_key``.
    An empty ``domain`` means that of ``newsletter.from``.
    """

    domain: str = ""
    selector: str = ""
    key: str = ""
    ed25519_selector: str = ""
    ed25519_key: str = ""

    @property
    def keys(self) -> tuple[DkimKey, ...]:
        """What to sign with, RSA first."""
        both = (
            DkimKey("rsa", self.selector, self.key),
            DkimKey("ed25519", self.ed25519_selector, self.ed25519_key),
        )
        return tuple(key for key in both if key.path)


@dataclass(frozen=True, slots=True)
class Secret:
    """What proves to the relay that it is us, or where that is to be had once it is needed.

    ``text`` is the password, the name of a file, or a command, as ``variable`` says; a relative
    name is seen from ``folder``, and the command runs there. ``repr`` leaves the text out, so that
    it cannot reach a log: even a command may have a password in it.
    """

    variable: SecretVariable
    text: str = field(repr=False)
    folder: Path = Path()

    @property
    def is_token(self) -> bool:
        """Whether it is an access token, which XOAUTH2 takes, and no password."""
        return self.variable == "SMTP_TOKEN_COMMAND"

    @property
    def path(self) -> Path | None:
        """The file whose first line it is."""
        if self.variable != "SMTP_PASSWORD_FILE":
            return None
        return self.folder / Path(self.text).expanduser()

    @property
    def command(self) -> list[str]:
        """The words of the command that prints it; none unless there is one.

        Quotes work as in a shell, and nothing else does. Raises ValueError if one is left open.
        """
        if not self.variable.endswith("_COMMAND"):
            return []
        words = shlex.shlex(self.text, posix=True, punctuation_chars=False)
        words.whitespace_split, words.commenters = True, ""
        if os.name == "nt":
            words.escape = ""  # there a backslash parts the folders of a path
        return list(words)


@dataclass(frozen=True, slots=True)
class Rate:
    """At most ``count`` messages in any ``seconds``: a second, a minute, an hour or a day."""

    count: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Relay:
    """The host that mail is submitted to, with what it takes to log in there, and how fast.

    ``messages_per_connection`` None means that one connection may carry any number.

    ``secret`` is set wherever ``username`` is.
    """

    host: str
    port: int
    security: Security
    username: str = ""
    secret: Secret | None = None
    rates: tuple[Rate, ...] = ()
    messages_per_connection: int | None = None


@dataclass(frozen=True, slots=True)
class Config:
    """An opened folder's settings. ``relay`` None means that the sandbox stands in for one."""

    root: Path
    path: Path | None
    newsletter: Newsletter = Newsletter()
    mail: Mail = Mail()
    theme: Theme = Theme()
    schedule: Schedule = Schedule()
    test: Test = Test()
    editor: Editor = Editor()
    dkim: Dkim = Dkim()
    checks: Checks = Checks()
    relay: Relay | None = None
    secret: str = field(default="", repr=False)
    database_url: str = field(default="", repr=False)
    """The PostgreSQL server that the memory is on, "" for the file in the folder."""

    @property
    def recipients(self) -> Path:
        """The list that is sent to unless another is named."""
        return self.root / "recipients.csv"

    @property
    def issues(self) -> Path:
        """Where issue files are kept."""
        return self.root / "issues"

    @property
    def outbox(self) -> Path:
        """Where the sandbox files what it caught."""
        return self.root / "outbox"
