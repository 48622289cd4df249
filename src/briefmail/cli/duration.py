"""A length of time as it is typed: ``15m``, ``2h``, ``90s``, ``0``."""

import re
from datetime import timedelta

import click

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours"}


def duration(_ctx: click.Context, _param: click.Parameter, value: str) -> timedelta:
    """Read an option's number of seconds, minutes or hours; 0 needs no unit."""
    if value == "0":
        return timedelta()
    match = re.fullmatch(r"(\d{1,5})([smh])", value, re.ASCII)
    if not match:
        raise click.BadParameter(f"{value!r} is not a time such as 90s, 15m, 2h or 0")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})
