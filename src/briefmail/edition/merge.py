"""Merge fields: a small part of Jinja2's language, checked once and filled for each recipient.

Allowed are names, literals, comparisons, ``and``/``or``/``not``, the filters of
:data:`FILTERS` and ``if``/``elif``/``else``; whatever else Jinja2 can do is an error with its
line. A recipient's values are data: they are never compiled, and always escaped for the place
they land in.

A field that is empty for somebody counts as missing: ``default`` takes over, a condition is
false, and printing it without a default is an error that names the field.
"""

import difflib
import html
import re
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import quote

from jinja2 import Environment, Template, TemplateSyntaxError, Undefined, nodes

from briefmail.edition.quoted_printable import SOFT_BREAK, encode, encode_slot
from briefmail.errors import Problem
from briefmail.issue import TOKEN, Tag

FILTERS = ("default", "upper", "lower", "capitalize", "title", "trim", "int")
STANDARD_FIELDS = frozenset({"email", "name", "first_name", "last_name"})
"""Fields that every list may be asked for, whether it has such a column or not."""
UNSUBSCRIBE_FIELD = "briefmail_unsubscribe_url"
"""What the theme's link for leaving is filled from; no list has it."""

_GRAMMAR = (
    nodes.Name, nodes.Const, nodes.List, nodes.Tuple, nodes.Compare, nodes.Operand,
    nodes.And, nodes.Or, nodes.Not, nodes.Filter, nodes.Neg,
)  # fmt: skip
# Lone surrogates are no characters: they cannot be encoded at all.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_HEADER_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_LINK = re.compile(r"(?:https?://|mailto:|tel:)[^\s<>\"]+", re.IGNORECASE)


class FillError(Exception):
    """A tag that cannot be filled for one recipient; ``field`` is what is missing, if that is why.

    It is caught in this room and becomes a :class:`~briefmail.errors.Problem`.
    """

    def __init__(self, text: str, field: str = "") -> None:
        super().__init__(text)
        self.text = text
        self.field = field


class _Missing(Undefined):  # noqa: PLW1641 -- __hash__ is one of those that fail
    """A field that somebody lacks: false in a condition, an error where it would be printed."""

    __slots__ = ()

    def _fail(self, *args: Any, **kwargs: Any) -> NoReturn:
        name = str(self._undefined_name)
        raise FillError(f"{name} is empty and has no default", name)

    __str__ = __iter__ = __len__ = __hash__ = __int__ = _fail
    __lt__ = __le__ = __gt__ = __ge__ = __contains__ = _fail

    def __eq__(self, other: object) -> bool:
        return other == "" or isinstance(other, _Missing)

    def __bool__(self) -> bool:
        return False


# --- places ---------------------------------------------------------------------------------------


class Place(Enum):
    """Where a value lands, which decides how it is escaped."""

    HTML = "html"  # text, or an attribute that is no address
    HTML_LINK = "html_link"  # a whole address
    HTML_LINK_PART = "html_link_part"  # a part of one
    TEXT = "text"
    TEXT_LINK_PART = "text_link_part"
    HEADER = "header"


def _escaped(value: object) -> str:
    return html.escape(_printable(value), quote=True)


def _printable(value: object) -> str:
    text = str(value)
    if _CONTROL.search(text):
        raise FillError(f"{text!r} holds control characters")
    return text


def _link(value: object) -> str:
    text = _printable(value)
    if not _LINK.fullmatch(text):
        raise FillError(
            f"{text!r} is not an address that a link can have (https://, mailto:, tel:)"
        )
    return text


def _header(value: object) -> str:
    text = str(value)
    if _HEADER_CONTROL.search(text):
        raise FillError(f"{text!r} holds control characters")
    return text


_ESCAPES: Mapping[Place, Callable[[object], str]] = {
    Place.HTML: lambda value: encode_slot(_escaped(value)),
    Place.HTML_LINK: lambda value: encode_slot(html.escape(_link(value), quote=True)),
    Place.HTML_LINK_PART: lambda value: encode_slot(quote(_printable(value), safe="@")),
    Place.TEXT: lambda value: encode_slot(_printable(value)),
    Place.TEXT_LINK_PART: lambda value: encode_slot(quote(_printable(value), safe="@")),
    Place.HEADER: _header,
}


# --- grammar --------------------------------------------------------------------------------------


def _environment() -> Environment:
    environment = Environment(
        autoescape=False,  # noqa: S701 -- every value is escaped for its own place
        undefined=_Missing,
        newline_sequence="\r\n",
        keep_trailing_newline=True,
    )
    environment.filters = {name: environment.filters[name] for name in FILTERS}
    environment.filters["default"] = _default
    environment.filters |= {place.value: escape for place, escape in _ESCAPES.items()}
    environment.globals = {}
    environment.tests = {}
    return environment


def _default(value: Any, other: Any = "", also_if_empty: Any = True) -> Any:
    """As Jinja2's own with its second value set, as many people know it: empty is missing."""
    return other if isinstance(value, Undefined) or value == "" else value


_ENVIRONMENT = _environment()


@dataclass(frozen=True, slots=True)
class _Statement:
    """A tag, understood: its expression as Jinja2 source, and its keyword ("" prints)."""

    tag: Tag
    keyword: str
    source: str
    fields: frozenset[str]
    required: frozenset[str]
    """Fields that are asked for without a default."""


def _understand(tag: Tag) -> _Statement | str:
    """Return what a tag means, or what is wrong with it."""
    inner = tag.source[2:-2].removeprefix("-").removeprefix("+").removesuffix("-").strip()
    if tag.kind == "expression":
        return _expression(tag, "", inner)
    keyword = re.split(r"\W", inner, maxsplit=1)[0]
    rest = inner.removeprefix(keyword).strip()
    if keyword in {"else", "endif"} and not rest:
        return _Statement(tag, keyword, "", frozenset(), frozenset())
    if keyword in {"if", "elif"}:
        return _expression(tag, keyword, rest)
    return f"{tag.source} is not allowed; statements are if, elif, else and endif"


def _expression(tag: Tag, keyword: str, source: str) -> _Statement | str:
    if not source:
        return f"{tag.source} is empty"
    try:
        root = _parse(source)
    except TemplateSyntaxError as error:
        what = "write == to compare" if "got '='" in str(error.message) else error.message
        return f"{tag.source} is not understood: {what}"
    for node in _inside(root):
        fault = _grammar_fault(node)
        if fault:
            return f"{tag.source}: {fault}"
    names = {node.name for node in _inside(root) if isinstance(node, nodes.Name)}
    return _Statement(tag, keyword, source, frozenset(names), frozenset(_required(root)))


def _parse(source: str) -> nodes.Output:
    """Parse one expression, which must mean the same in the parentheses that it is put into.

    By itself ``a) or (b`` means nothing; in parentheses it would be two values, and only the
    second would reach the filter that escapes it.
    """
    _ENVIRONMENT.parse("{{ " + source + " }}")
    (root,) = _ENVIRONMENT.parse("{{ (" + source + ") }}").body
    if not isinstance(root, nodes.Output) or len(root.nodes) != 1:
        raise TemplateSyntaxError("it is not one expression", 1)
    return root


def _inside(node: nodes.Node) -> Iterator[nodes.Node]:
    for child in node.iter_child_nodes():
        yield child
        yield from _inside(child)


def _grammar_fault(node: nodes.Node) -> str:
    if isinstance(node, nodes.Filter):
        if node.name not in FILTERS:
            return f"there is no filter {node.name}; there are {', '.join(FILTERS)}"
        if node.kwargs or node.dyn_args or node.dyn_kwargs:
            return f"the filter {node.name} takes no named values"
        if len(node.args) > (2 if node.name == "default" else 0):
            return f"the filter {node.name} has too many values"
        return ""
    if not isinstance(node, _GRAMMAR):
        return (
            "only names, text and numbers, comparisons, and/or/not and filters can be used here,"
            f" no {_SPOKEN.get(type(node), type(node).__name__.lower())}"
        )
    return ""


def _unknown(name: str, columns: set[str], *, in_condition: bool) -> str:
    """Say what the list has in the place of a field, and what to write for one that it may lack."""
    near = difflib.get_close_matches(name.lower(), columns, n=1)
    if near:
        return f"the list has no field {name}; did you mean {near[0]}?"
    printed = f'{{{{ {name} | default("...") }}}}'
    way = f'{{% if {name} | default("") == "..." %}}' if in_condition else printed
    has = ", ".join(sorted(columns))
    return f"the list has no field {name}, it has {has}; if only some lists have it, write {way}"


_SPOKEN: Mapping[type[nodes.Node], str] = {
    nodes.Getattr: "'.'",
    nodes.Getitem: "[...]",
    nodes.Call: "calls",
    nodes.CondExpr: "if inside {{ }}; write {% if %}",
    nodes.Add: "sums",
    nodes.Sub: "sums",
    nodes.Mul: "'*'",
    nodes.Div: "'/'",
    nodes.Pow: "'**'",
    nodes.Concat: "'~'",
    nodes.Test: "'is'",
}


def _required(node: nodes.Node) -> Iterator[str]:
    """Yield the names that stand anywhere but right before ``| default(...)``."""
    for child in node.iter_child_nodes():
        covered = (
            isinstance(child, nodes.Filter)
            and child.name == "default"
            and isinstance(child.node, nodes.Name)
        )
        if covered:
            for argument in child.args:  # type: ignore[attr-defined]
                yield from _required(nodes.Output([argument]))
        elif isinstance(child, nodes.Name):
            yield child.name
        else:
            yield from _required(child)


# --- the tags of one issue ------------------------------------------------------------------------


@dataclass(slots=True)
class _Chain:
    """An ``if`` whose ``endif`` has not come yet; ``ended`` once its ``else`` has."""

    tag: Tag
    container: Hashable
    ended: bool = False


class MergeTags:
    """All tags of an issue, understood. ``problems`` are those that are not."""

    def __init__(self, tags: Sequence[Tag], path: Path) -> None:
        self._path = path
        self._statements: dict[str, _Statement] = {}
        self.problems: list[Problem] = []
        for tag in tags:
            meaning = _understand(tag)
            if isinstance(meaning, str):
                self.problems.append(Problem(path, tag.line, meaning))
            else:
                self._statements[tag.token] = meaning

    def check_nesting(self, places: Iterable[tuple[str, Hashable]]) -> None:
        """Add a problem for each ``if``, ``else`` and ``endif`` that has no partner.

        ``places`` are tokens in reading order, each with the element (or attribute, or header)
        that it stands in: a condition must end in the one where it began.
        """
        chains: list[_Chain] = []
        for token, container in places:
            statement = self._statements.get(token)
            if statement is None or statement.tag.kind == "expression":
                continue
            if statement.keyword == "if":
                chains.append(_Chain(statement.tag, container))
            elif not chains:
                self._problem(statement.tag, f"{statement.tag.source} without an {{% if %}}")
            else:
                self._link(chains, statement, container)
        for chain in chains:
            self._problem(chain.tag, f"{chain.tag.source} has no {{% endif %}}")

    def _link(self, chains: list["_Chain"], statement: _Statement, container: Hashable) -> None:
        chain = chains[-1]
        if container != chain.container:
            text = (
                f"{statement.tag.source} is not in the same paragraph, list item, cell or emphasis"
                f" as its {{% if %}} on line {chain.tag.line}"
            )
            self._problem(statement.tag, text)
        elif chain.ended and statement.keyword != "endif":
            self._problem(statement.tag, f"{statement.tag.source} after {{% else %}}")
        chain.ended = chain.ended or statement.keyword == "else"
        if statement.keyword == "endif":
            chains.pop()

    def _problem(self, tag: Tag, text: str) -> None:
        self.problems.append(Problem(self._path, tag.line, text))

    def unknown_fields(self, known: Iterable[str]) -> list[Problem]:
        """Name each field without a default that no recipient can have, with its line."""
        columns = set(known) | STANDARD_FIELDS
        return [
            Problem(
                self._path,
                statement.tag.line,
                _unknown(name, columns, in_condition=bool(statement.keyword)),
            )
            for statement in self._statements.values()
            for name in sorted(statement.required - columns - {UNSUBSCRIBE_FIELD})
        ]

    def defaults(self) -> dict[str, int]:
        """The fields whose default somebody may read, each with the first line that prints it."""
        found: dict[str, int] = {}
        for statement in self._statements.values():
            if not statement.keyword:
                for name in sorted(statement.fields - statement.required):
                    found.setdefault(name, statement.tag.line)
        return found

    def source(self, token: str, place: Place) -> str:
        """Jinja2 source that prints, or decides, what ``token`` stands for."""
        statement = self._statements[token]
        if statement.tag.kind == "expression":
            return "{{ (" + statement.source + ") | " + place.value + " }}"
        condition = f" ({statement.source})" if statement.source else ""
        return "{% " + statement.keyword + condition + " %}"

    def refused(self, error: FillError, fields: Mapping[str, str]) -> list[Problem]:
        """Say on which lines a value is missing, or is one that cannot stand there."""
        found = {
            statement.tag.line
            for statement in self._statements.values()
            if (not error.field or error.field in statement.fields)
            and _refuses(statement, error, fields)
        }
        lines: list[int | None] = [*sorted(found)] or [None]
        return [Problem(self._path, line, error.text) for line in lines]

    def diagnose(self, fields: Mapping[str, str]) -> Problem | None:
        """Find the tag that cannot be evaluated for somebody, for a failure without a field."""
        for statement in self._statements.values():
            try:
                _fill(statement, Place.HEADER, fields)
            except FillError:
                continue
            except Exception as error:  # whatever an operator makes of a value
                why = _COMPARED if "not supported between" in str(error) else str(error)
                text = f"{statement.tag.source} cannot be worked out: {why}"
                return Problem(self._path, statement.tag.line, text)
        return None


_COMPARED = "a field is text; write 'field | int' to compare it with a number"


def _fill(statement: _Statement, place: Place, fields: Mapping[str, str]) -> None:
    """Work out one tag by itself."""
    source = statement.source or "true"  # else, endif
    if statement.keyword:
        _compiled("{% if (" + source + ") %}{% endif %}").render(fields)
    else:
        _compiled("{{ (" + source + ") | " + place.value + " }}").render(fields)


@lru_cache(maxsize=1000)
def _compiled(source: str) -> Template:
    """Compile once what is asked for every recipient whose copy cannot be filled."""
    return compile_source(source)


def _refuses(statement: _Statement, why: FillError, fields: Mapping[str, str]) -> bool:
    """Is this a tag that fails in the same way, wherever its value lands?"""
    for place in Place:
        try:
            _fill(statement, place, fields)
        except FillError as error:
            if error.text == why.text:
                return True
        except Exception:  # noqa: S112 -- it is another tag that was asked about
            continue
    return False


# --- templates ------------------------------------------------------------------------------------


def encoded_source(text: str, place_of: Callable[[int], Place], tags: MergeTags) -> str:
    """Turn text with tokens into Jinja2 source of quoted-printable.

    ``place_of`` says, for the position of a token in ``text``, where its value lands.
    """
    pieces: list[str] = []
    position = 0
    for match in TOKEN.finditer(text):
        pieces += [
            _constant(text[position : match.start()]),
            tags.source(match[0], place_of(match.start())),
        ]
        position = match.end()
    return "".join([*pieces, encode(text[position:])])


def _constant(text: str) -> str:
    """A constant before a slot: it ends at the beginning of a line, whatever that line holds."""
    encoded = encode(text)
    if encoded == "" or encoded.endswith("\r\n"):
        return encoded
    return encoded + SOFT_BREAK


def header_source(text: str, tags: MergeTags) -> str:
    """Turn header text with tokens into Jinja2 source of plain text."""
    pieces: list[str] = []
    position = 0
    for match in TOKEN.finditer(text):
        pieces += [_literal(text[position : match.start()]), tags.source(match[0], Place.HEADER)]
        position = match.end()
    return "".join([*pieces, _literal(text[position:])])


def _literal(text: str) -> str:
    return text.replace("{", "{{ '{' }}")


def compile_source(source: str) -> Template:
    """Compile Jinja2 source that was made here."""
    return _ENVIRONMENT.from_string(source)


def compile_condition(
    source: str,
) -> tuple[Callable[[Mapping[str, str]], bool], frozenset[str]] | str:
    """Compile an expression into a question to a recipient's fields, with the fields it asks for.

    Returns what is wrong with it as text. Raises nothing for a value that it cannot work out:
    the condition does not hold then.
    """
    tag = Tag("", "{% if " + source + " %}", "statement", 1)
    meaning = _expression(tag, "if", source.strip())
    if isinstance(meaning, str):
        return meaning.removeprefix(f"{tag.source}").lstrip(": ")
    template = compile_source("{% if (" + source + ") %}yes{% endif %}")

    def holds(fields: Mapping[str, str]) -> bool:
        try:
            return template.render(fields) == "yes"
        except (FillError, TypeError, ValueError):
            return False

    return holds, meaning.fields
