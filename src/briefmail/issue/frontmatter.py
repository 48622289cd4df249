"""Front matter: YAML between ``---`` lines, TOML between ``+++`` lines, or none.

It is data. YAML is read with the safe loader, without aliases (a few lines of them can stand
for gigabytes) and without a key that comes twice.
"""

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import yaml

from briefmail.config import CONTROL, LANG, Mailbox
from briefmail.issue.model import Status

SLUG = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
MAX_FRONT_MATTER = 65_536


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """What stood above the text. ``lines`` has the line of each key, ``body_line`` of the text.

    ``faults`` are ``(line, what is wrong)``.
    """

    values: Mapping[str, Any]
    extra: Mapping[str, Any]
    lines: Mapping[str, int]
    body: str
    body_line: int
    faults: tuple[tuple[int, str], ...] = ()


@dataclass(slots=True)
class _Raw:
    """Keys and values before anybody has looked at their types."""

    values: dict[str, Any] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    faults: list[tuple[int, str]] = field(default_factory=list)


def split_front_matter(text: str) -> FrontMatter:
    """Take the front matter off ``text`` (LF line ends) and read it; faults are values."""
    fence = text[:3]
    if fence not in {"---", "+++"} or text[3:].partition("\n")[0].strip():
        return FrontMatter({}, {}, {}, text, 1)
    lines = text.split("\n")
    end = next((n for n, line in enumerate(lines[1:], 1) if line.rstrip() == fence), None)
    if end is None:
        fault = (1, f"the front matter is not closed; end it with a line {fence}")
        return FrontMatter({}, {}, {}, "", len(lines), (fault,))
    source = "\n".join(lines[1:end])
    if len(source) > MAX_FRONT_MATTER:
        raw = _Raw(faults=[(1, "the front matter is longer than 64 kB; the text belongs below it")])
    else:
        raw = _read_yaml(source) if fence == "---" else _read_toml(source)
    values, extra = _typed(raw)
    body = "\n".join(lines[end + 1 :])
    return FrontMatter(values, extra, raw.lines, body, end + 2, tuple(sorted(raw.faults)))


# --- the two notations ----------------------------------------------------------------------------


class _Loader(yaml.SafeLoader):
    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(
                problem="an alias (*) cannot be used here", problem_mark=mark
            )
        return super().compose_node(parent, index)


def _read_yaml(source: str) -> _Raw:
    raw = _Raw()
    try:
        loader = _Loader(source)
        root = loader.get_single_node()
    except (yaml.YAMLError, RecursionError) as error:
        raw.faults.append(_yaml_fault(error))
        return raw
    if root is None:
        return raw
    if not isinstance(root, yaml.MappingNode):
        raw.faults.append((2, "the front matter must be lines such as 'subject: A headline'"))
        return raw
    for key_node, value_node in root.value:
        key, line = str(key_node.value), key_node.start_mark.line + 2
        if key in raw.lines:
            raw.faults.append((line, f"{key} is there twice (first on line {raw.lines[key]})"))
            continue
        raw.lines[key] = line
        try:
            raw.values[key] = loader.construct_object(value_node, deep=True)
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            where, what = _yaml_fault(error)
            raw.faults.append((max(where, line), f"{key}: {what}"))
    return raw


def _yaml_fault(error: Exception) -> tuple[int, str]:
    if isinstance(error, RecursionError):
        return 2, "the front matter is nested too deeply"
    if not isinstance(error, yaml.MarkedYAMLError):
        return 2, re.sub(r"\s+", " ", str(error)).split(" in ", maxsplit=1)[0]
    line = error.problem_mark.line + 2 if error.problem_mark else 2
    what = error.problem or "is not YAML"
    if "\\t" in what:
        what = "a tab cannot indent YAML; use blanks"
    elif "mapping values are not allowed" in what:
        what = "a second colon on the line; put the text in quotes"
    elif "could not determine a constructor" in what:
        what = f"the YAML tag {what.rpartition(' ')[2]} is not allowed; write plain text"
    return line, f"the front matter is not YAML: {what}" if "YAML" not in what else what


def _read_toml(source: str) -> _Raw:
    raw = _Raw()
    for number, line in enumerate(source.split("\n"), start=2):
        if match := re.match(r"\s*\[?\s*['\"]?([\w-]+)['\"]?\s*[\]=.]", line):
            raw.lines.setdefault(match[1], number)
    try:
        raw.values = tomllib.loads(source)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        place = re.search(r" \(at line (\d+),.*\)$", str(error))
        what = str(error)[: place.start()] if place else str(error)
        raw.faults.append(
            (int(place[1]) + 1 if place else 2, f"the front matter is not TOML: {what}")
        )
    return raw


# --- the keys -------------------------------------------------------------------------------------


def _typed(raw: _Raw) -> tuple[dict[str, Any], dict[str, Any]]:
    """Sort the keys into known ones, checked, and the rest, left alone."""
    values: dict[str, Any] = {}
    extra: dict[str, Any] = {}
    for key, value in raw.values.items():
        read = KEYS.get(key)
        if read is None:
            extra[key] = value
        elif value is not None:
            try:
                values[key] = read(value)
            except ValueError as error:
                raw.faults.append((raw.lines.get(key, 2), f"{key} {error}"))
    return values, extra


def _text(value: Any) -> str:
    if not isinstance(value, str):
        kind = "a list" if isinstance(value, list) else f"{value!r}"
        raise ValueError(f"must be text, not {kind}; put it in quotes")
    if CONTROL.search(value.strip()):
        raise ValueError("must be one line without control characters")
    return value.strip()


def _subject(value: Any) -> str:
    if not _text(value):
        raise ValueError("is empty")
    return _text(value)


def _date(value: Any) -> date:
    if isinstance(value, datetime):
        raise ValueError("must be a day such as 2016-08-24; a time belongs in send_at")
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(_text(value))
    except ValueError:
        raise ValueError(f"must be a day such as 2016-08-24, not {value!r}") from None


def _moment(value: Any) -> datetime:
    if isinstance(value, datetime):
        return value
    try:
        return datetime.fromisoformat(_text(value))
    except ValueError:
        raise ValueError(f"must be a time such as 2016-08-24T09:00, not {value!r}") from None


def _status(value: Any) -> Status:
    match value:
        case "draft":
            return "draft"
        case "ready":
            return "ready"
    raise ValueError(f"must be draft or ready, not {value!r}")


def _mailbox(value: Any) -> Mailbox:
    return Mailbox.parse(_text(value))


def _slug(value: Any) -> str:
    if not SLUG.fullmatch(_text(value)):
        raise ValueError("may hold letters, digits, '.', '_' and '-' only")
    return _text(value)


def _lang(value: Any) -> str:
    if not LANG.fullmatch(_text(value)):
        raise ValueError(f"must be a language such as 'en' or 'gd', not {value!r}")
    return _text(value)


def _paths(value: Any) -> tuple[str, ...]:
    paths = [value] if isinstance(value, str) else value
    if not isinstance(paths, list) or not all(isinstance(path, str) and path for path in paths):
        raise ValueError("must be the path of a file, or a list of paths")
    return tuple(_text(path) for path in paths)


# To add a front matter key: a line here, an attribute in issue/model.py, a line in docs/issue.md.
KEYS: Mapping[str, Callable[[Any], Any]] = {
    "subject": _subject,
    "date": _date,
    "preheader": _text,
    "status": _status,
    "send_at": _moment,
    "from": _mailbox,
    "reply_to": _mailbox,
    "slug": _slug,
    "lang": _lang,
    "attachments": _paths,
}
