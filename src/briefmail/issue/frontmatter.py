"""Front matter: YAML between ``---`` lines, TOML between ``+++`` lines, or none.

It is data. YAML is read with the safe loader, without aliases (a few lines of them can stand
for gigabytes) and without a key that comes twice.
"""

import difflib
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import yaml

from briefmail.config import CONTROL, LANG, Mailbox
from briefmail.issue.model import Status

SLUG = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
MAX_FRONT_MATTER = 65_536
# Line ends were normalised before; what is left of these only looks like a blank, or like nothing.
_INVISIBLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """What stood above the text. ``lines`` has the line of each key, ``body_line`` of the text.

    ``faults`` are ``(line, what is wrong)``. ``complete`` is False when not all of it could be
    read, so that a key that seems to be missing may well be there.
    """

    values: Mapping[str, Any]
    extra: Mapping[str, Any]
    lines: Mapping[str, int]
    body: str
    body_line: int
    faults: tuple[tuple[int, str], ...] = ()
    complete: bool = True


@dataclass(slots=True)
class _Raw:
    """Keys and values before anybody has looked at their types."""

    values: dict[str, Any] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    faults: list[tuple[int, str]] = field(default_factory=list)
    complete: bool = True

    def unreadable(self, line: int, what: str) -> None:
        """Note a fault that hides other keys."""
        self.faults.append((line, what))
        self.complete = False


def split_front_matter(text: str) -> FrontMatter:
    """Take the front matter off ``text`` (LF line ends) and read it; faults are values."""
    fence = text[:3]
    if fence not in {"---", "+++"} or text[3:].partition("\n")[0].strip():
        return FrontMatter({}, {}, {}, text, 1)
    lines = text.split("\n")
    end = next((n for n, line in enumerate(lines[1:], 1) if line.rstrip() == fence), None)
    if end is None:
        fault = (1, f"the front matter is not closed; end it with a line {fence}")
        return FrontMatter({}, {}, {}, "", len(lines), (fault,), complete=False)
    raw = _read(fence, lines[1:end])
    values, extra = _typed(raw)
    return FrontMatter(
        values,
        extra,
        raw.lines,
        body="\n".join(lines[end + 1 :]),
        body_line=end + 2,
        faults=tuple(sorted(raw.faults)),
        complete=raw.complete,
    )


def _read(fence: str, lines: Sequence[str]) -> _Raw:
    """Read the lines between the fences, the first of which is line 2 of the file."""
    raw = _Raw()
    for number, line in enumerate(lines, start=2):
        if found := _INVISIBLE.search(line):
            code = f"U+{ord(found[0]):04X}"
            raw.unreadable(number, f"an invisible character ({code}) in the front matter")
    source = "\n".join(lines)
    if len(source) > MAX_FRONT_MATTER:
        raw.unreadable(1, "the front matter is longer than 64 kB; the text belongs below it")
    elif raw.complete and fence == "---":
        _read_yaml(source, raw)
    elif raw.complete:
        _read_toml(source, raw)
    return raw


# --- the two notations ----------------------------------------------------------------------------


class _Loader(yaml.SafeLoader):
    """The safe loader, without aliases and explicit tags. ``tags`` are ``(line, tag)``.

    Even the tags that it knows make its constructors fail in unforeseen ways (``!!bool maybe``).
    """

    def __init__(self, source: str) -> None:
        super().__init__(source)
        self.tags: list[tuple[int, str]] = []

    def compose_node(self, parent: Any, index: Any) -> Any:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        mark: Any = event.start_mark
        if isinstance(event, yaml.AliasEvent):
            raise yaml.MarkedYAMLError(
                problem="an alias (*) cannot be used here", problem_mark=mark
            )
        if tag := getattr(event, "tag", None):
            event.tag = None
            if tag != "!":  # title: ! 'text', as some programs write it, is plain text
                self.tags.append((mark.line + 2, tag.replace("tag:yaml.org,2002:", "!!")))
        return super().compose_node(parent, index)


def _read_yaml(source: str, raw: _Raw) -> None:
    try:
        loader = _Loader(source)
        root = loader.get_single_node()
    except (yaml.YAMLError, RecursionError) as error:
        raw.unreadable(*_yaml_fault(error, source))
        return
    raw.faults += [
        (line, f"the YAML tag {tag} is not allowed; write plain text") for line, tag in loader.tags
    ]
    if isinstance(root, yaml.MappingNode):
        for key_node, value_node in root.value:
            _read_yaml_key(loader, key_node, value_node, raw)
    elif root is not None:
        raw.unreadable(2, "the front matter must be lines such as 'subject: A headline'")


def _read_yaml_key(loader: _Loader, key_node: yaml.Node, value_node: yaml.Node, raw: _Raw) -> None:
    key, line = key_node.value, key_node.start_mark.line + 2
    if not isinstance(key, str):
        raw.faults.append((line, "a key must be a word"))
    elif key in raw.lines:
        raw.faults.append((line, f"{key} is there twice (first on line {raw.lines[key]})"))
    else:
        raw.lines[key] = line
        try:
            raw.values[key] = loader.construct_object(value_node, deep=True)
        except yaml.MarkedYAMLError as error:
            where, what = _yaml_fault(error, "")
            raw.faults.append((max(where, line), f"{key}: {what}"))
        except (ValueError, OverflowError):  # a day or a number that there is not
            raw.faults.append((line, f"{key} cannot be {_shown(value_node.value)}"))


def _yaml_fault(error: Exception, source: str) -> tuple[int, str]:
    if not isinstance(error, yaml.MarkedYAMLError):
        return 2, "the front matter is nested too deeply"
    line = error.problem_mark.line + 2 if error.problem_mark else 2
    # YAML takes {{ for a table, and notices on this line or the next that it is none.
    before = source.split("\n")[max(0, line - 3) : line - 1]
    tagged = [number for number, text in enumerate(before, line + 1 - len(before)) if "{{" in text]
    if tagged:
        example = "subject: 'News for {{ first_name | default(\"you\") }}'"
        return tagged[-1], f"a text with a merge field stands in single quotes: {example}"
    what = error.problem or "it is not understood"
    if "\\t" in what:
        what = "a tab cannot indent YAML; use blanks"
    elif "mapping values are not allowed" in what:
        what = "a second colon on the line; put the text in quotes"
    return line, f"the front matter is not YAML: {what}" if "YAML" not in what else what


def _read_toml(source: str, raw: _Raw) -> None:
    for number, line in enumerate(source.split("\n"), start=2):
        if match := re.match(r"\s*\[?\s*['\"]?([\w-]+)['\"]?\s*[\]=.]", line):
            raw.lines.setdefault(match[1], number)
    try:
        raw.values = tomllib.loads(source)
    except (ValueError, RecursionError) as error:  # a number can be too long, an array too deep
        place = re.search(r" \(at line (\d+),.*\)$", str(error))
        what = str(error)[: place.start()] if place else str(error)
        at = int(place[1]) + 1 if place else 2
        raw.unreadable(at, f"the front matter is not TOML: {what}")


# --- the keys -------------------------------------------------------------------------------------


def _typed(raw: _Raw) -> tuple[dict[str, Any], dict[str, Any]]:
    """Sort the keys into known ones, checked, and the rest, left alone."""
    values: dict[str, Any] = {}
    extra: dict[str, Any] = {}
    for key, value in raw.values.items():
        read = KEYS.get(key)
        line = raw.lines.get(key, 2)
        if read is None and (meant := _nearly(key)):
            raw.faults.append((line, f"{key} is not a key; did you mean '{meant}'?"))
        elif read is None:
            extra[key] = value
        elif key == "status" and value is None:
            raw.faults.append((line, "status is empty; write draft or ready, or take it out"))
        elif value is not None:
            try:
                values[key] = read(value)
            except ValueError as error:
                raw.faults.append((line, f"{key} {error}"))
    return values, extra


def _nearly(key: str) -> str | None:
    """The known key that a key was probably meant to be: a 'Status: draft' must not be sent."""
    alike = key.lower().replace("-", "_")
    if alike in KEYS:
        return alike
    return next(iter(difflib.get_close_matches(alike, KEYS, n=1, cutoff=0.8)), None)


def _shown(value: Any) -> str:
    """A wrong value as the editor may know it again, shortened."""
    if isinstance(value, list):
        return "a list"
    if isinstance(value, dict):
        return "a table"
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"must be text, not {_shown(value)}; put it in quotes")
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
        raise ValueError(f"must be a day such as 2016-08-24, not {_shown(value)}") from None


def _moment(value: Any) -> datetime:
    if isinstance(value, datetime):
        return value
    try:
        return datetime.fromisoformat(_text(value))
    except ValueError:
        raise ValueError(f"must be a time such as 2016-08-24T09:00, not {_shown(value)}") from None


def _status(value: Any) -> Status:
    match value:
        case "draft":
            return "draft"
        case "ready":
            return "ready"
    raise ValueError(f"must be draft or ready, not {_shown(value)}")


def _mailbox(value: Any) -> Mailbox:
    return Mailbox.parse(_text(value))


def _slug(value: Any) -> str:
    if not SLUG.fullmatch(_text(value)):
        raise ValueError("may hold letters, digits, '.', '_' and '-' only")
    return _text(value)


def _lang(value: Any) -> str:
    if not LANG.fullmatch(_text(value)):
        raise ValueError(f"must be a language such as 'en' or 'gd', not {_shown(value)}")
    return _text(value)


def _paths(value: Any) -> tuple[str, ...]:
    paths = [value] if isinstance(value, str) else value
    if not isinstance(paths, list) or not all(isinstance(path, str) and path for path in paths):
        raise ValueError("must be the path of a file, or a list of paths")
    return tuple(_text(path) for path in paths)


def _reasons(value: Any) -> dict[str, str]:
    if not isinstance(value, dict) or not all(
        isinstance(text, str) and text.strip() for pair in value.items() for text in pair
    ):
        raise ValueError("must be lines such as 'link-text: our house style', indented below it")
    return {name: _text(reason) for name, reason in value.items()}


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
    "silence": _reasons,
}
