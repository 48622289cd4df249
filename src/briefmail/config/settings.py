"""What may be set, and how one setting is read: every key of ``briefmail.toml`` is here.

A reader takes what TOML, or a variable, says and returns the value of the attribute. It raises
ValueError with words that continue the key's name: ``must be text in quotes``.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from briefmail.config.values import (
    COLOUR,
    CONTROL,
    FONT,
    LANG,
    MAIL_CLIENTS,
    ORDINALS,
    WEEKDAYS,
    Day,
    Every,
    Mailbox,
    MailClient,
    Rate,
    Security,
)


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


def _reasons(value: Any) -> dict[str, str]:
    if not isinstance(value, dict) or not all(
        isinstance(reason, str) and reason.strip() for reason in value.values()
    ):
        raise ValueError('must be rules and reasons such as {link-text = "our house style"}')
    return {name: _text(reason) for name, reason in value.items()}


def _web_links(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(
        isinstance(link, str) and re.match(r"https?://[^\s/]", link) for link in value
    ):
        raise ValueError('must be a list of addresses such as ["https://example.org/members/"]')
    return tuple(map(_text, value))


def _clients(value: Any) -> tuple[MailClient, ...]:
    if not isinstance(value, list) or not value or not set(map(str, value)) <= set(MAIL_CLIENTS):
        raise ValueError(f"must be a list of: {', '.join(MAIL_CLIENTS)}")
    return tuple(client for client in MAIL_CLIENTS if client in value)


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


def _every(value: Any) -> Every:
    match = re.fullmatch(r"(?:([1-9]\d?) )?(week|month)s?", _text(value), re.ASCII)
    if not match:
        raise ValueError("must be like '1 week', '2 weeks' or 'month'")
    return Every(int(match[1] or 1), "weeks" if match[2] == "week" else "months")


def _days(value: Any) -> tuple[Day, ...]:
    if value == []:
        raise ValueError("must be a weekday, or a list of them; without a calendar, leave it out")
    return tuple(map(_day, value if isinstance(value, list) else [value]))


def _day(value: Any) -> Day:
    *nth, weekday = _text(value).casefold().split() or [""]
    names = [day.casefold() for day in WEEKDAYS]
    if weekday not in names or len(nth) > 1 or (nth and nth[0] not in ORDINALS):
        raise ValueError(
            f"must be a weekday: {', '.join(WEEKDAYS)}; or one of a month, such as 'first Tuesday'"
            " or 'last Friday'; or a list"
        )
    return Day(names.index(weekday), ORDINALS[nth[0]] if nth else None)


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


def _dates(value: Any) -> tuple[date, ...]:
    return tuple(map(_date, value if isinstance(value, list) else [value]))


def _duration(value: Any) -> timedelta:
    match = re.fullmatch(r"([1-9]\d{0,3}) (minute|hour|day)s?", _text(value), re.ASCII)
    if not match:
        raise ValueError("must be like '90 minutes', '24 hours' or '2 days'")
    return timedelta(**{f"{match[2]}s": int(match[1])})


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

_domain = _matching(
    re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])"),
    "a domain in small letters such as 'example.org'",
)
# RFC 6376 section 3.1: labels, with dots between them.
_selector = _matching(
    re.compile(
        r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
        r"(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*"
    ),
    "letters, digits and hyphens such as 'briefmail'",
)
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
        "every": ("every", _every),
        "on": ("on", _days),
        "at": ("at", _time),
        "from": ("start", _date),
        "timezone": ("timezone", _timezone),
        "give_up": ("give_up", _duration),
        "except": ("skipped", _dates),
        "not_after": ("not_after", _duration),
    },
    "test": {"to": ("to", _addresses)},
    "editor": {"email": ("email", _address), "copy": ("copy", _flag)},
    "checks": {
        "clients": ("clients", _clients),
        "silence": ("silence", _reasons),
        "allow_links": ("allow_links", _web_links),
    },
    "dkim": {
        "domain": ("domain", _domain),
        "selector": ("selector", _selector),
        "key": ("key", _text),
        "ed25519_selector": ("ed25519_selector", _selector),
        "ed25519_key": ("ed25519_key", _text),
    },
    "smtp": {
        "host": ("host", _host),
        "port": ("port", _port),
        "username": ("username", _text),
        "security": ("security", _security),
        "rate": ("rates", _rates),
        "messages_per_connection": ("messages_per_connection", _messages),
    },
}
