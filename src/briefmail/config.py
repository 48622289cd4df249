"""What the editor set: ``briefmail.toml``, ``.env`` and the environment, read once and frozen.

The environment wins over ``.env``, and ``.env`` over the toml. Secrets are read from the first
two only. Nothing here writes a file.
"""

import difflib
import ipaddress
import os
import re
import shlex
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, time
from pathlib import Path
from typing import Any, Literal, get_args
from zoneinfo import ZoneInfo

from dotenv.parser import parse_stream

from briefmail.errors import ConfigError, Problem

CONFIG_NAME = "briefmail.toml"
ENV_NAME = ".env"

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
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
COLOUR = re.compile(r"#[0-9A-Fa-f]{6}")
FONT = re.compile(r"[A-Za-z0-9 ,'-]+")
LANG = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")  # BCP 47, as far as a theme needs it
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

Security = Literal["starttls", "tls", "none"]
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
class Schedule:
    """``[schedule]``: when issues go out, in local time. ``every`` is a number of weeks."""

    every: int = 2
    on: int = 2
    at: time = time(9, 0)
    start: date | None = None
    timezone: str = ""


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
    relay: Relay | None = None
    secret: str = field(default="", repr=False)

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


# --- one setting ----------------------------------------------------------------------------------


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("must be text in quotes")
    if CONTROL.search(value):
        raise ValueError("must be one line without control characters")
    return value.strip()


def _lines(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("must be text in quotes")
    return "\n".join(_text(line) for line in value.splitlines()).strip()


def _mailbox(value: Any) -> Mailbox:
    return Mailbox.parse(_text(value))


def _address(value: Any) -> str:
    return Mailbox.parse(_text(value)).address


def _addresses(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        raise ValueError('must be a list of addresses such as ["me@example.org"]')
    return tuple(map(_address, value))


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def _matching(pattern: re.Pattern[str], wanted: str) -> Callable[[Any], str]:
    def parse(value: Any) -> str:
        if not pattern.fullmatch(_text(value)):
            raise ValueError(f"must be {wanted}")
        return _text(value)

    return parse


def _pixels(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 600:
        raise ValueError("must be a number of pixels from 1 to 600")
    return value


def _weeks(value: Any) -> int:
    match = re.fullmatch(r"(?:(\d{1,2}) )?weeks?", _text(value))
    if not match or int(match[1] or 1) == 0:
        raise ValueError("must be like '1 week' or '2 weeks'")
    return int(match[1] or 1)


def _weekday(value: Any) -> int:
    names = [day.casefold() for day in WEEKDAYS]
    if _text(value).casefold() not in names:
        raise ValueError(f"must be a weekday: {', '.join(WEEKDAYS)}")
    return names.index(_text(value).casefold())


def _time(value: Any) -> time:
    try:
        found = value if isinstance(value, time) else time.fromisoformat(_text(value))
    except ValueError:
        raise ValueError("must be a time such as '09:00'") from None
    if found.tzinfo:
        raise ValueError("must be a local time such as '09:00'; schedule.timezone says where")
    return found


def _date(value: Any) -> date:
    if type(value) is date:
        return value
    try:
        return date.fromisoformat(_text(value))
    except ValueError:
        raise ValueError("must be a date such as 2016-08-24") from None


def _timezone(value: Any) -> str:
    try:
        ZoneInfo(_text(value))
    except (OSError, ValueError, KeyError):  # an unknown zone is a KeyError
        raise ValueError("is not a time zone such as 'Europe/London'") from None
    return _text(value)


def _port(value: Any) -> int:
    text = str(value)
    if isinstance(value, bool) or not text.isascii() or not text.isdigit():
        raise ValueError("must be a port number such as 587")
    if not 1 <= int(text) <= 65535:
        raise ValueError("must be a port number from 1 to 65535")
    return int(text)


def _security(value: Any) -> Security:
    match _text(value).lower():
        case "starttls":
            return "starttls"
        case "tls":
            return "tls"
        case "none":
            return "none"
    raise ValueError("must be 'starttls', 'tls' or 'none'")


def _rates(value: Any) -> tuple[Rate, ...]:
    return tuple(map(_rate, value if isinstance(value, list) else [value]))


def _rate(value: Any) -> Rate:
    match = re.fullmatch(r"([1-9]\d{0,8})/(s|second|minute|hour|day)", str(value), re.ASCII)
    if not match:
        raise ValueError("must be like '14/s', '30/minute', '500/hour' or '2000/day', or a list")
    seconds = {"s": 1, "second": 1, "minute": 60, "hour": 3600, "day": 86_400}
    return Rate(int(match[1]), seconds[match[2]])


def _messages(value: Any) -> int:
    if isinstance(value, bool) or not re.fullmatch(r"[1-9]\d{0,8}", str(value), re.ASCII):
        raise ValueError("must be a number of messages such as 20")
    return int(value)


_colour = _matching(COLOUR, "a colour such as '#0b5d4e'")
_font = _matching(FONT, "a list of font names such as 'Georgia, serif'")
_https = _matching(re.compile(r"https://[^\s<>\"']+"), "an address that starts with https://")

_host = _matching(re.compile(r"[^\s/@]+"), "a host name such as 'smtp.example.org'")

# table -> key in the file -> (attribute, reader)
SETTINGS: Mapping[str, Mapping[str, tuple[str, Callable[[Any], Any]]]] = {
    "newsletter": {
        "name": ("name", _text),
        "from": ("sender", _mailbox),
        "reply_to": ("reply_to", _mailbox),
        "lang": ("lang", _matching(LANG, "a language such as 'en' or 'gd'")),
        "postal_address": ("postal_address", _lines),
        "public_url": ("public_url", _https),
        "list_id": (
            "list_id",
            _matching(re.compile(r"[a-z0-9.-]{3,200}"), "like 'news.example.org'"),
        ),
    },
    "mail": {
        "bounce_address": ("bounce_address", _address),
        "unsubscribe_address": ("unsubscribe_address", _address),
        "unsubscribe_url": ("unsubscribe_url", _https),
    },
    "theme": {
        **{
            name + scheme: (name + scheme, _colour)
            for name in ("accent", "background", "surface", "text", "muted")
            for scheme in ("", "_dark")
        },
        "font": ("font", _font),
        "heading_font": ("heading_font", _font),
        "logo": ("logo", _text),
        "logo_alt": ("logo_alt", _text),
        "logo_width": ("logo_width", _pixels),
    },
    "schedule": {
        "every": ("every", _weeks),
        "on": ("on", _weekday),
        "at": ("at", _time),
        "from": ("start", _date),
        "timezone": ("timezone", _timezone),
    },
    "test": {"to": ("to", _addresses)},
    "editor": {"email": ("email", _address), "copy": ("copy", _flag)},
    "smtp": {
        "host": ("host", _host),
        "port": ("port", _port),
        "username": ("username", _text),
        "security": ("security", _security),
        "rate": ("rates", _rates),
        "messages_per_connection": ("messages_per_connection", _messages),
    },
}


# --- the whole ------------------------------------------------------------------------------------


def load(root: Path, environ: Mapping[str, str] | None = None) -> Config:
    """Read the settings of the newsletter in ``root``; a folder without a toml has defaults.

    Raises :class:`ConfigError` with every problem that was found.
    """
    path = root / CONFIG_NAME
    problems: list[Problem] = []
    tables = _read_toml(path, problems)
    values = _parse_tables(path, tables, problems)
    variables = {
        **_read_env_file(root / ENV_NAME, problems),
        **_read_environment(environ if environ is not None else os.environ),
    }
    relay = _relay(path, values.pop("smtp", {}), variables, problems)
    if problems:
        raise ConfigError(problems)
    config = Config(
        root=root,
        path=path if path.exists() else None,
        newsletter=Newsletter(**values.get("newsletter", {})),
        mail=Mail(**values.get("mail", {})),
        theme=Theme(**values.get("theme", {})),
        schedule=Schedule(**values.get("schedule", {})),
        test=Test(**values.get("test", {})),
        editor=Editor(**values.get("editor", {})),
        relay=relay,
        secret=_value(variables, "BRIEFMAIL_SECRET"),
    )
    _check_together(config)
    return config


def _read_toml(path: Path, problems: list[Problem]) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n"))
    except FileNotFoundError:
        return {}
    except UnicodeDecodeError:
        problems.append(Problem(path, None, "is not UTF-8; save it as UTF-8"))
    except OSError as error:
        problems.append(Problem(path, None, f"cannot be read: {error.strerror}"))
    except (ValueError, RecursionError) as error:  # a number can be too long, an array too deep
        place = re.search(r" \(at line (\d+),.*\)$", str(error))
        text = str(error)[: place.start()] if place else str(error)
        problems.append(Problem(path, int(place[1]) if place else None, f"is not TOML: {text}"))
    return {}


def _parse_tables(
    path: Path, tables: Mapping[str, Any], problems: list[Problem]
) -> dict[str, dict[str, Any]]:
    values: dict[str, dict[str, Any]] = {}
    for table, content in tables.items():
        known = SETTINGS.get(table)
        if known is None or not isinstance(content, dict):
            text = f"[{table}] is not a table that briefmail knows{_suggest(table, SETTINGS)}"
            if known is not None:
                text = f"{table} must be a table: [{table}] on a line of its own"
            problems.append(Problem(path, _line_of(path, table, None), text))
            continue
        values[table] = {}
        for key, value in content.items():
            if key not in known:
                text = f"{table}.{key} is not a setting{_suggest(key, known)}"
                problems.append(Problem(path, _line_of(path, table, key), text))
                continue
            attribute, parse = known[key]
            try:
                values[table][attribute] = parse(value)
            except ValueError as error:
                text = f"{table}.{key} {error}"
                problems.append(Problem(path, _line_of(path, table, key), text))
    return values


def _suggest(word: str, known: Mapping[str, Any]) -> str:
    close = difflib.get_close_matches(word, known, n=1)
    return f"; did you mean '{close[0]}'?" if close else f"; known: {', '.join(known)}"


def _line_of(path: Path, table: str, key: str | None) -> int | None:
    """The line of a key in the file, else of its table.

    tomllib keeps no positions, so the text is searched.
    """
    current = ""
    found: dict[tuple[str, str | None], int] = {}
    for number, line in enumerate(path.read_text("utf-8-sig").split("\n"), start=1):
        if match := re.match(r"\s*\[+\s*['\"]?([\w-]+)['\"]?(?:\s*\.\s*([\w-]+))?", line):
            current = match[1]
            found.setdefault((current, match[2]), number)
        elif match := re.match(r"\s*['\"]?([\w-]+)['\"]?\s*(?:\.\s*([\w-]+)\s*)?[.=]", line):
            found.setdefault((current, match[1]) if current else (match[1], match[2]), number)
    return found.get((table, key), found.get((table, None)))


# --- variables and the relay ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Variable:
    """The value of a variable, and where it was set."""

    value: str = field(repr=False)
    path: Path
    line: int | None = None


def _read_env_file(path: Path, problems: list[Problem]) -> dict[str, _Variable]:
    # The parser alone, which interpolates nothing: a password with a $ in it is that password.
    try:
        with path.open(encoding="utf-8-sig") as file:
            bindings = list(parse_stream(file))
    except FileNotFoundError:
        return {}
    except UnicodeDecodeError:
        problems.append(Problem(path, None, "is not UTF-8; save it as UTF-8"))
        return {}
    except OSError as error:
        problems.append(Problem(path, None, f"cannot be read: {error.strerror}"))
        return {}
    variables: dict[str, _Variable] = {}
    for binding in bindings:
        source = binding.original.string
        # A binding begins with the empty lines above it.
        line = binding.original.line + source[: -len(source.lstrip())].count("\n")
        if binding.error:
            text = "is not a line such as SMTP_HOST=smtp.example.org; is a quote left open?"
            problems.append(Problem(path, line, text))
        elif binding.key and binding.value is not None:
            variables[binding.key] = _Variable(binding.value, path, line)
    return variables


def _read_environment(environ: Mapping[str, str]) -> dict[str, _Variable]:
    return {name: _Variable(value, Path("the environment")) for name, value in environ.items()}


def _value(variables: Mapping[str, _Variable], name: str) -> str:
    return variables[name].value if name in variables else ""


def _relay(
    path: Path,
    table: Mapping[str, Any],
    variables: Mapping[str, _Variable],
    problems: list[Problem],
) -> Relay | None:
    def problem(key: str, text: str) -> None:
        """Report a problem where the setting was made that won."""
        name = f"SMTP_{key.upper()}"
        if _value(variables, name):
            where = variables[name]
            problems.append(Problem(where.path, where.line, f"{name} {text}"))
        else:
            problems.append(Problem(path, _line_of(path, "smtp", key), f"smtp.{key} {text}"))

    values = dict(table)
    for key, (attribute, parse) in SETTINGS["smtp"].items():
        if text := _value(variables, f"SMTP_{key.upper()}"):
            try:
                values[attribute] = parse(text)
            except ValueError as error:
                problem(key, str(error))
    if not values.get("host"):
        return None
    relay = _with_defaults(values, _secret(path.parent, variables, problems))
    if relay.username and not relay.secret:
        *others, last = SECRET_VARIABLES[1:]
        text = f"is set but SMTP_PASSWORD is not, nor {', '.join(others)} or {last}"
        problem("username", text)
    if relay.security == "none" and (relay.username or not _is_loopback(relay.host)):
        text = (
            "is 'none', which is only for a relay on this machine without a login; use starttls"
            " or tls, so that nobody on the way can read the mail or the password"
        )
        problem("security", text)
    return relay


def _secret(
    root: Path, variables: Mapping[str, _Variable], problems: list[Problem]
) -> Secret | None:
    """Return the one secret that is set. It is not looked up: a send that logs in does that."""
    names = [name for name in SECRET_VARIABLES if _value(variables, name).strip()]
    if not names:
        return None
    name, *more = names
    secret = Secret(name, variables[name].value, root)
    for other in more:
        where = variables[other]
        text = f"{other} is set, and {name} is too; keep one of them"
        problems.append(Problem(where.path, where.line, text))
    try:
        _ = secret.command
    except ValueError:
        where = variables[name]
        problems.append(Problem(where.path, where.line, f"{name} leaves a quote open"))
    return secret


def _with_defaults(values: Mapping[str, Any], secret: Secret | None) -> Relay:
    security: Security = values.get("security") or (
        "tls" if values.get("port") == 465 else "starttls"
    )
    port = values.get("port") or {"tls": 465, "starttls": 587, "none": 25}[security]
    pace = {key: values[key] for key in ("rates", "messages_per_connection") if key in values}
    return Relay(values["host"], port, security, values.get("username", ""), secret, **pace)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _check_together(config: Config) -> None:
    """Hold settings against each other once each is right by itself."""
    problems = []
    path = config.path or config.root / CONFIG_NAME
    if config.mail.unsubscribe_url and not config.secret:
        text = (
            "mail.unsubscribe_url needs BRIEFMAIL_SECRET in .env or the environment: it signs each"
            " person's link, so that nobody can unsubscribe somebody else"
        )
        problems.append(Problem(path, _line_of(path, "mail", "unsubscribe_url"), text))
    if config.editor.copy and not config.editor.email:
        text = "editor.copy needs editor.email: where the copy goes"
        problems.append(Problem(path, _line_of(path, "editor", "copy"), text))
    if config.relay and not config.newsletter.sender:
        text = "newsletter.from is not set, and a relay is: say who the mail comes from"
        problems.append(Problem(path, None, text))
    if problems:
        raise ConfigError(problems)
