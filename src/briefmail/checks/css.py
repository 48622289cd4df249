"""Style sheets and style attributes as a mail client reads them, by tinycss2 (CSS Syntax Level 3).

What :func:`winners` computes is the cascade of CSS Cascading Level 4 section 6, as far as a mail
has one: attributes, style attributes, and the rules of the ``<style>`` blocks that were kept.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import tinycss2
from cssselect import HTMLTranslator, SelectorError, parse
from lxml import html
from tinycss2.color4 import parse_color

Scheme = Literal["light", "dark"]


@dataclass(frozen=True, slots=True)
class Declaration:
    """One property and its value: ``padding: 0 16px !important``. The name is in lower case."""

    name: str
    value: str
    important: bool = False


@dataclass(frozen=True, slots=True)
class StyleRule:
    """Selectors and what they declare.

    ``conditions`` are the at-rules around it, the outermost first, as they are written.
    """

    selectors: tuple[str, ...]
    declarations: tuple[Declaration, ...]
    conditions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StyleSheet:
    """The rules of one ``<style>`` block.

    ``fonts`` are the families that it loads, in lower case; ``nested`` are the at-rules and rules
    that stand in another where Gmail allows none.
    """

    rules: tuple[StyleRule, ...]
    fonts: tuple[str, ...] = ()
    nested: tuple[str, ...] = ()


@lru_cache(maxsize=4096)
def declarations(style: str) -> tuple[Declaration, ...]:
    """Read a style attribute; what is not understood is left out."""
    return tuple(_declarations(tinycss2.parse_blocks_contents(style)))


@lru_cache(maxsize=32)
def style_sheet(css: str) -> StyleSheet:
    """Read what stands in a ``<style>`` block; what is not understood is left out."""
    rules: list[StyleRule] = []
    fonts: list[str] = []
    nested: list[str] = []
    _read(tinycss2.parse_stylesheet(css), (), rules, fonts, nested)
    return StyleSheet(tuple(rules), tuple(fonts), tuple(nested))


def style_blocks(page: html.HtmlElement) -> Iterator[str]:
    """Yield the text of each ``<style>`` block."""
    return (str(block.text or "") for block in page.iter("style"))


def _read(
    nodes: list[Any],
    conditions: tuple[str, ...],
    rules: list[StyleRule],
    fonts: list[str],
    nested: list[str],
) -> None:
    for node in nodes:
        if node.type == "qualified-rule":
            inside = tinycss2.parse_blocks_contents(node.content)
            rules.append(
                StyleRule(_selectors(node.prelude), tuple(_declarations(inside)), conditions)
            )
            nested += [_head(one) for one in inside if one.type in {"at-rule", "qualified-rule"}]
        elif node.type == "at-rule" and node.content is not None:
            inside = tinycss2.parse_blocks_contents(node.content)
            if conditions:
                nested.append(_head(node))
            if node.lower_at_keyword == "font-face":
                fonts += [
                    one.value.strip("\"' ").lower()
                    for one in _declarations(inside)
                    if one.name == "font-family"
                ]
            elif "keyframes" not in node.lower_at_keyword:
                _read(inside, (*conditions, _head(node)), rules, fonts, nested)


def _declarations(nodes: list[Any]) -> Iterator[Declaration]:
    for node in nodes:
        if node.type == "declaration":
            yield Declaration(node.lower_name, _source(node.value), node.important)


def _selectors(prelude: list[Any]) -> tuple[str, ...]:
    """Part a list of selectors at its own commas; those within brackets are not."""
    parts: list[list[Any]] = [[]]
    for one in prelude:
        if one == ",":
            parts.append([])
        else:
            parts[-1].append(one)
    return tuple(map(_source, parts))


def _head(node: Any) -> str:
    """What stands before the braces."""
    if node.type == "qualified-rule":
        return _source(node.prelude)
    return f"@{node.at_keyword} {_source(node.prelude)}".strip()


def _source(tokens: list[Any]) -> str:
    return re.sub(r"\s+", " ", tinycss2.serialize(tokens)).strip()


# --- the cascade ----------------------------------------------------------------------------------

_XPATH = HTMLTranslator()
_Rank = tuple[bool, bool, tuple[int, int, int], int]
"""What decides between two declarations: importance, style attribute, specificity, order."""


def holds(conditions: tuple[str, ...], scheme: Scheme) -> bool:
    """Whether at-rules let their rules through in a colour scheme, in a window of usual width."""
    for condition in conditions:
        features = re.findall(r"\(([^()]*)\)", condition)
        if condition.startswith("@supports"):
            continue
        if not condition.startswith("@media") or re.search(r"\bprint\b", condition):
            return False
        if features and [re.sub(r"\s", "", one) for one in features] != [
            f"prefers-color-scheme:{scheme}"
        ]:
            return False
    return True


@lru_cache(maxsize=4)  # several rules ask for the same page
def winners(page: html.HtmlElement, scheme: Scheme) -> Mapping[html.HtmlElement, dict[str, str]]:
    """What each element that is styled at all is to look like, by property.

    Of the shorthands ``background`` counts as ``background-color``; the others stay what they are.
    """
    ranked: defaultdict[html.HtmlElement, dict[str, tuple[_Rank, str]]] = defaultdict(dict)
    order = 0
    for element in page.iter("*"):
        for one in declarations(element.get("style", "")):
            order += 1
            _compete(ranked[element], one, (one.important, True, (0, 0, 0), order))
    for css in style_blocks(page):
        for rule in style_sheet(css).rules:
            if not holds(rule.conditions, scheme):
                continue
            for selector in rule.selectors:
                for element, specificity in _matches(page, selector):
                    for one in rule.declarations:
                        order += 1
                        rank = (one.important, False, specificity, order)
                        _compete(ranked[element], one, rank)
    return {
        element: {name: value for name, (_, value) in found.items()}
        for element, found in ranked.items()
    }


def _compete(found: dict[str, tuple[_Rank, str]], one: Declaration, rank: _Rank) -> None:
    name, value = one.name, one.value
    if name == "background":
        words = re.findall(r"#\w+|\w+\([^()]*\)|[\w-]+", value)
        colour = next((word for word in words if parse_color(word) is not None), "transparent")
        name, value = "background-color", colour
    if name not in found or found[name][0] <= rank:
        found[name] = rank, value


def _matches(
    page: html.HtmlElement, selector: str
) -> Iterator[tuple[html.HtmlElement, tuple[int, int, int]]]:
    compiled = _compiled(selector)
    if compiled is not None:
        path, specificity = compiled
        for element in page.getroottree().xpath(path):
            yield element, specificity


@lru_cache(maxsize=512)
def _compiled(selector: str) -> tuple[str, tuple[int, int, int]] | None:
    """A selector as XPath, and its specificity; None if it matches nothing that is at rest."""
    try:
        (parsed,) = parse(selector)
        if parsed.pseudo_element is not None:
            return None
        return _XPATH.selector_to_xpath(parsed, "descendant-or-self::"), parsed.specificity()
    except (SelectorError, ValueError):
        return None
