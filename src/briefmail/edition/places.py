"""Where the tokens of a finished page or text stand, and so how each value is escaped."""

import re
from collections.abc import Callable, Hashable, Iterator

from lxml import etree, html

from briefmail.edition.merge import Place
from briefmail.issue import STATEMENT_TOKEN, TOKEN

LINK_ATTRIBUTES = {"href", "src", "background", "action", "cite"}
_MARKUP = re.compile(r"<!--.*?-->|<[A-Za-z/!](?:[^<>\"']|\"[^\"]*\"|'[^']*')*>", re.DOTALL)
_ATTRIBUTE = re.compile(r"([\w:-]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
_STATEMENT_COMMENT = re.compile(rf"<!--({STATEMENT_TOKEN.pattern})-->")
_LINK_RUN = re.compile(r"(?:https?://|mailto:|tel:)\S*\Z", re.IGNORECASE)


def bare_statements(page: str) -> str:
    """Take the tokens of statements between blocks out of their comments."""
    return _STATEMENT_COMMENT.sub(r"\1", page)


def html_places(page: str) -> Callable[[int], Place]:
    """Say for each token of an HTML page, by its position, where its value lands."""
    places: dict[int, Place] = {}
    for markup in _MARKUP.finditer(page):
        for attribute in _ATTRIBUTE.finditer(markup[0]):
            group = 2 if attribute[2] is not None else 3
            start = markup.start() + attribute.start(group)
            for token in TOKEN.finditer(attribute[group]):
                before = TOKEN.sub("", attribute[group][: token.start()])
                places[start + token.start()] = _attribute_place(attribute[1].lower(), before)
    return lambda position: places.get(position, Place.HTML)


def _attribute_place(name: str, before: str) -> Place:
    if name not in LINK_ATTRIBUTES:
        return Place.HTML
    return Place.HTML_LINK_PART if before else Place.HTML_LINK


def text_places(text: str) -> Callable[[int], Place]:
    """Say for each token of plain text, by its position, where its value lands."""

    def place(position: int) -> Place:
        before = text[max(0, position - 2000) : position]
        return Place.TEXT_LINK_PART if _LINK_RUN.search(before) else Place.TEXT

    return place


def html_containers(page: str) -> Iterator[tuple[str, Hashable]]:
    """Yield the tokens of a page in reading order, each with the element that it stands in."""
    yield from _containers(html.document_fromstring(page))


def _containers(element: etree._Element) -> Iterator[tuple[str, Hashable]]:
    if isinstance(element, etree._Comment):
        for token in TOKEN.findall(element.text or ""):
            yield token, element.getparent()
        return
    for name, value in element.attrib.items():
        for token in TOKEN.findall(str(value)):
            yield token, (element, name)
    for token in TOKEN.findall(element.text or ""):
        yield token, element
    for child in element:
        yield from _containers(child)
        for token in TOKEN.findall(child.tail or ""):
            yield token, element
