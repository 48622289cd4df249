"""The relay: ``[smtp]`` under the ``SMTP_*`` variables, and whether the two make sense."""

import ipaddress
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from briefmail.config.settings import SETTINGS
from briefmail.config.tomlfile import line_of
from briefmail.config.values import SECRET_VARIABLES, Relay, Secret, Security
from briefmail.config.variables import Variable, value_of
from briefmail.errors import Problem


def read_relay(
    path: Path,
    table: Mapping[str, Any],
    variables: Mapping[str, Variable],
    problems: list[Problem],
) -> Relay | None:
    """Return the relay that ``table``, which is ``[smtp]``, and the variables name; None if none.

    What is wrong is added to ``problems``, each where the setting was made.
    """

    def problem(key: str, text: str) -> None:
        """Report a problem where the setting was made that won."""
        name = f"SMTP_{key.upper()}"
        if value_of(variables, name):
            where = variables[name]
            problems.append(Problem(where.path, where.line, f"{name} {text}"))
        else:
            problems.append(Problem(path, line_of(path, "smtp", key), f"smtp.{key} {text}"))

    values = dict(table)
    for key, (attribute, parse) in SETTINGS["smtp"].items():
        if text := value_of(variables, f"SMTP_{key.upper()}"):
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
    root: Path, variables: Mapping[str, Variable], problems: list[Problem]
) -> Secret | None:
    """Return the one secret that is set. It is not looked up: a send that logs in does that."""
    names = [name for name in SECRET_VARIABLES if value_of(variables, name).strip()]
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
