"""``briefmail.toml``: its tables, each setting read, every problem with its line."""

import difflib
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from briefmail.config.settings import SETTINGS
from briefmail.errors import Problem


def read_toml(path: Path, problems: list[Problem]) -> dict[str, Any]:
    """Return the tables as TOML says them, unchecked; none if there is no such file."""
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


def parse_tables(
    path: Path, tables: Mapping[str, Any], problems: list[Problem]
) -> dict[str, dict[str, Any]]:
    """Return, for each table of :data:`SETTINGS`, the attributes that were set and are right."""
    values: dict[str, dict[str, Any]] = {}
    for table, content in tables.items():
        known = SETTINGS.get(table)
        if known is None or not isinstance(content, dict):
            text = f"[{table}] is not a table that briefmail knows{_suggest(table, SETTINGS)}"
            if known is not None:
                text = f"{table} must be a table: [{table}] on a line of its own"
            problems.append(Problem(path, line_of(path, table, None), text))
            continue
        values[table] = {}
        for key, value in content.items():
            if key not in known:
                text = f"{table}.{key} is not a setting{_suggest(key, known)}"
                problems.append(Problem(path, line_of(path, table, key), text))
                continue
            attribute, parse = known[key]
            try:
                values[table][attribute] = parse(value)
            except ValueError as error:
                text = f"{table}.{key} {error}"
                problems.append(Problem(path, line_of(path, table, key), text))
    return values


def _suggest(word: str, known: Mapping[str, Any]) -> str:
    close = difflib.get_close_matches(word, known, n=1)
    return f"; did you mean '{close[0]}'?" if close else f"; known: {', '.join(known)}"


def line_of(path: Path, table: str, key: str | None) -> int | None:
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
