"""References: the links and the pictures of an issue, Markdown's and those written as HTML.

The finished HTML has them all, and the tree, which knows the lines, those of the Markdown: the two
are read side by side.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape

from lxml import html

from briefmail.issue import Content, Issue


@dataclass(frozen=True, slots=True)
class Link:
    """A link or a button. ``href`` and ``text`` have tokens in the place of merge fields.

    ``alts`` are the descriptions of the pictures in it.
    """

    href: str
    text: str
    line: int | None
    alts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture. ``alt`` None means that nobody gave one; ``link`` is the link that it stands in.

    ``width`` and ``height`` are what the author wrote, however little it means.
    """

    src: str
    alt: str | None
    line: int | None
    link: Link | None = None
    width: str = ""
    height: str = ""


@dataclass(frozen=True, slots=True)
class References:
    """All links and all pictures, each in reading order."""

    links: tuple[Link, ...]
    pictures: tuple[Picture, ...]


@dataclass(slots=True)
class _Found:
    line: int
    """Up to where the issue has been read."""
    links: list[Link] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)


def references_of(issue: Issue) -> References:
    """Find every link and every picture of an issue, with its line."""
    found = _Found(issue.markdown_line)
    for content in issue.contents():
        if "<a" in content.html or "<img" in content.html:
            _read(content, issue, found)
    return References(tuple(found.links), tuple(found.pictures))


def _read(content: Content, issue: Issue, found: _Found) -> None:
    tree = html.fragment_fromstring(content.html, create_parent="div")
    links: dict[html.HtmlElement, Link] = {}
    for element, target, line in _targets(content, tree, issue, found):
        if element.tag == "a":
            links[element] = _link(element, target, line)
            found.links.append(links[element])
        else:
            around = next((links[a] for a in element.iterancestors("a") if a in links), None)
            found.pictures.append(_picture(element, line, around))


def _link(element: html.HtmlElement, href: str, line: int | None) -> Link:
    text = re.sub(r"\s+", " ", str(element.text_content())).strip()
    alts = tuple(image.get("alt", "").strip() for image in element.iter("img"))
    return Link(href, text, line, alts)


def _picture(element: html.HtmlElement, line: int | None, link: Link | None) -> Picture:
    width, height = element.get("width", ""), element.get("height", "")
    return Picture(element.get("src", ""), element.get("alt"), line, link, width, height)


def _targets(
    content: Content, tree: html.HtmlElement, issue: Issue, found: _Found
) -> Iterator[tuple[html.HtmlElement, str, int | None]]:
    """Yield each link and picture with its address and its line, in reading order."""
    known = [
        (node.attributes.get("href") or node.attributes.get("src", ""), node.line)
        for node in content.walk()
        if node.kind in {"link", "button", "image"}
    ]
    elements = list(tree.iter("a", "img"))
    there = {element.get("href") or element.get("src") for element in elements}
    for element in elements:
        target = element.get("href" if element.tag == "a" else "src")
        if target is None and known and known[0][0] not in there:
            target = known[0][0]  # cleaning took it away: it can be no address
        place = next((n for n, (seen, _) in enumerate(known[:5]) if seen == target), None)
        if place is not None:
            line = known[place][1]
            del known[: place + 1]
        elif target is not None:
            line = _line_in_source(target, issue, found.line)
        else:
            continue  # the mark of an anchor, or what is left of a link that was taken out
        found.line = line or found.line
        yield element, target or "", line


def _line_in_source(target: str, issue: Issue, after: int) -> int | None:
    """The first line from ``after`` on that has the address of a reference written as HTML."""
    for number, line in enumerate(issue.markdown.split("\n"), issue.markdown_line):
        if number >= after and (target in line or escape(target) in line):
            return number
    return None
