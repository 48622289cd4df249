"""A folder's settings, read once: the toml under ``.env``, and both under the environment."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from briefmail.config.dkim import dkim_problems
from briefmail.config.relay import read_relay
from briefmail.config.tomlfile import line_of, parse_tables, read_toml
from briefmail.config.values import (
    Checks,
    Config,
    Dkim,
    Editor,
    Mail,
    Newsletter,
    Schedule,
    Test,
    Theme,
)
from briefmail.config.variables import read_database_url, read_env_file, read_environment, value_of
from briefmail.errors import ConfigError, Problem

CONFIG_NAME = "briefmail.toml"
ENV_NAME = ".env"


def load(root: Path, environ: Mapping[str, str] | None = None) -> Config:
    """Read the settings of the newsletter in ``root``; a folder without a toml has defaults.

    Raises :class:`ConfigError` with every problem that was found.
    """
    path = root / CONFIG_NAME
    problems: list[Problem] = []
    tables = read_toml(path, problems)
    values = parse_tables(path, tables, problems)
    variables = {
        **read_env_file(root / ENV_NAME, problems),
        **read_environment(environ if environ is not None else os.environ),
    }
    relay = read_relay(path, values.pop("smtp", {}), variables, problems)
    database_url = read_database_url(variables, problems)
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
        checks=Checks(**values.get("checks", {})),
        dkim=Dkim(**values.get("dkim", {})),
        relay=relay,
        secret=value_of(variables, "BRIEFMAIL_SECRET"),
        database_url=database_url,
    )
    _check_together(config)
    return config


def _check_together(config: Config) -> None:
    """Hold settings against each other once each is right by itself."""
    problems = []
    path = config.path or config.root / CONFIG_NAME
    if config.mail.unsubscribe_url and not config.secret:
        text = (
            "mail.unsubscribe_url needs BRIEFMAIL_SECRET in .env or the environment: it signs each"
            " person's link, so that nobody can unsubscribe somebody else"
        )
        problems.append(Problem(path, line_of(path, "mail", "unsubscribe_url"), text))
    if config.editor.copy and not config.editor.email:
        text = "editor.copy needs editor.email: where the copy goes"
        problems.append(Problem(path, line_of(path, "editor", "copy"), text))
    problems += dkim_problems(path, config.dkim, config.newsletter.sender)
    for key, text in _calendar_faults(config.schedule):
        line = line_of(path, "schedule", key)
        problems.append(Problem(path, line, f"schedule.{key} {text}"))
    if config.relay and not config.newsletter.sender:
        text = "newsletter.from is not set, and a relay is: say who the mail comes from"
        problems.append(Problem(path, None, text))
    if problems:
        raise ConfigError(problems)


def _calendar_faults(schedule: Schedule) -> Iterator[tuple[str, str]]:
    """Find what is wrong between ``every`` and ``on``: a calendar has both."""
    every, monthly = schedule.every, schedule.every and schedule.every.unit == "months"
    if every and not schedule.on:
        yield "every", "needs schedule.on: the day, such as 'Wednesday'"
    elif schedule.on and not every:
        yield "on", "needs schedule.every: how often, such as '2 weeks'"
    elif monthly and any(day.nth is None for day in schedule.on):
        yield "on", "must say which of a month: 'first Tuesday', 'last Friday'"
    elif not monthly and any(day.nth for day in schedule.on):
        yield "on", "can be one of a month only with schedule.every = 'month'"
