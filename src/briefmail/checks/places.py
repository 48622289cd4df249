"""Where what the page shows was written: a line of the issue, or of the folder's own theme.

The page is HTML that Markdown, a theme and an inliner have been over, so nothing in it says where
it came from. It is found by kind and words, in reading order: the second paragraph with the same
words is the second one in the issue. What an author wrote as HTML, and what a template holds, is
found by its tag, attributes and first words.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path

from lxml import html

from briefmail.checks.finding import Severity
from briefmail.checks.rule import Found
from briefmail.edition.theme import TEMPLATES
from briefmail.issue import Issue, Node, plain

_KINDS: Mapping[str, str] = {
    "h1": "heading", "h2": "heading", "h3": "heading", "h4": "heading", "h5": "heading",
    "h6": "heading", "p": "paragraph", "ul": "list", "ol": "list", "li": "item",
    "blockquote": "quote", "pre": "code", "hr": "rule",
    "table": "table", "tr": "row", "td": "cell", "th": "cell",
    "a": "link", "img": "image", "code": "code_span", "em": "emphasis", "i": "emphasis",
    "strong": "strong", "b": "strong", "s": "deleted", "del": "deleted",
}  # fmt: skip
_INLINE = {
    "a", "abbr", "b", "bdi", "br", "cite", "code", "del", "em", "i", "img", "kbd", "q", "s",
    "small", "span", "strong", "sub", "sup", "u",
}  # fmt: skip
# What the inliner and the dressing write, so that it is no evidence of where an element stood.
_WRITTEN = {"style", "bgcolor", "valign", "align", "role", "cellpadding", "cellspacing", "border"}
_LAYOUT = "presentation"

Key = tuple[str, str]


class Places:
    """The lines of an issue and of its own templates, by the elements of its page."""

    def __init__(self, issue: Issue, page: html.HtmlElement, root: Path) -> None:
        self._issue = issue
        self._page = page
        self._own = root / TEMPLATES

    def line_of(self, element: html.HtmlElement) -> int | None:
        """The line of the issue file that an element comes from; None if it is the theme's."""
        line = self._lines.get(element) or self._raw_line(element)
        if line is None and element.tag in _INLINE and (parent := element.getparent()) is not None:
            return self.line_of(parent)
        return line

    def found(
        self,
        element: html.HtmlElement,
        text: str,
        cure: str = "",
        severity: Severity | None = None,
    ) -> Found:
        """Say something of an element, at its line of the issue, else of the folder's theme."""
        line = self.line_of(element)
        path, line = (None, line) if line else self._template_of(element)
        return Found(text, line, path, cure, severity)

    def found_in_theme(
        self, words: str, text: str, *names: str, cure: str = "", severity: Severity | None = None
    ) -> Found:
        """Say something of the theme, at the first line of its own files with ``words`` on it.

        ``names`` are the files that are searched; else all. The first that is there is named even
        if the words are not in it.
        """
        path, line = self.template_with(words, *names)
        return Found(text, line, path, cure, severity)

    def template_with(self, words: str, *names: str) -> tuple[Path | None, int | None]:
        """The first line of the folder's own theme, or of these files of it, with ``words``."""
        files = {path: lines for path, lines in self._templates.items() if path.name in names}
        for path, lines in (files if names else self._templates).items():
            for number, line in enumerate(lines, 1):
                if words.lower() in line.lower():
                    return path, number
        return next(iter(files), None), None

    def _template_of(self, element: html.HtmlElement) -> tuple[Path | None, int | None]:
        for path, lines in self._templates.items():
            if path.suffix == ".html" and (index := _markup(lines, element)) is not None:
                return path, index + 1
        return None, None

    @cached_property
    def _templates(self) -> Mapping[Path, Sequence[str]]:
        paths = [*sorted(self._own.glob("*.html")), *sorted(self._own.glob("*.css"))]
        return {path: path.read_text("utf-8", "replace").split("\n") for path in paths}

    @cached_property
    def _lines(self) -> Mapping[html.HtmlElement, int]:
        written = _written(self._issue)
        seen: defaultdict[Key, int] = defaultdict(int)
        lines = {}
        for element in self._page.iter(*_KINDS):
            if element.get("role") == _LAYOUT:
                continue
            for key in _keys_of_element(element):
                if key in written:
                    # Raw HTML can repeat what is written once; then it is the last of those.
                    lines[element] = written[key][min(seen[key], len(written[key]) - 1)]
                    seen[key] += 1
                    break
        return lines

    def _raw_line(self, element: html.HtmlElement) -> int | None:
        index = _markup(self._issue.markdown.split("\n"), element)
        return None if index is None else index + self._issue.markdown_line


def _written(issue: Issue) -> Mapping[Key, Sequence[int]]:
    """The lines on which each key of the issue stands, in reading order."""
    written: defaultdict[Key, list[int]] = defaultdict(list)
    for node, line in _with_lines([*_nodes(issue)], None):
        if line:
            for key in _keys_of_node(node):
                written[key].append(line)
    return written


def _nodes(issue: Issue) -> Iterator[Node]:
    """Yield the blocks of an issue in reading order, labels and headlines as the headings of it."""
    yield from issue.introduction.nodes
    for section in issue.sections:
        yield Node("heading", "", section.label.nodes, line=section.line)
        yield from section.introduction.nodes
        for story in section.stories:
            yield Node("heading", "", story.headline.nodes, line=story.line)
            yield from (*story.teaser.nodes, *story.rest.nodes, *story.notes.nodes)


def _with_lines(nodes: Sequence[Node], line: int | None) -> Iterator[tuple[Node, int | None]]:
    """Yield nodes in reading order, each with its line, or that of what it stands in."""
    for node in nodes:
        yield node, node.line or line
        yield from _with_lines(node.children, node.line or line)


def _keys_of_element(element: html.HtmlElement) -> Iterator[Key]:
    kind, words = _KINDS[str(element.tag)], _squeezed("".join(_texts(element)))
    if kind == "link":
        yield kind, f"{element.get('href')} {words}"
        yield kind, element.get("href", "")
    elif kind == "image":
        yield kind, _squeezed(element.get("alt", ""))
    elif words or kind == "rule":
        yield kind, words


def _texts(element: html.HtmlElement) -> Iterator[str]:
    """What an element says, without the numbers of footnotes, which nobody wrote like that."""
    yield element.text or ""
    for child in element:
        if isinstance(child.tag, str) and "note-ref" not in child.get("class", "").split():
            yield from _texts(child)
        yield child.tail or ""


def _keys_of_node(node: Node) -> Iterator[Key]:
    words = _squeezed(plain([node]))
    if node.kind in {"link", "button"}:
        yield "link", f"{node.attributes['href']} {words}"
        yield "link", node.attributes["href"]
    elif node.kind == "image":
        yield "image", _squeezed(node.attributes["alt"])
    elif words or node.kind == "rule":
        yield node.kind, words


def _squeezed(text: str) -> str:
    """Words without their blanks: HTML and Markdown have them in different places."""
    return re.sub(r"\s+", "", text)


def _markup(lines: Sequence[str], element: html.HtmlElement) -> int | None:
    """The index of the line on which an element was written as HTML; None if on none.

    Its attributes tell, else the words that it begins with: its tag is on their line or above.
    """
    tag = re.compile(rf"<{re.escape(str(element.tag))}\b", re.IGNORECASE)
    opens = [index for index, line in enumerate(lines) if tag.search(line)]
    values = [value for name, value in element.attrib.items() if name not in _WRITTEN and value]
    scores = {index: sum(f'"{one}"' in lines[index] for one in values) for index in opens}
    best = max(opens, key=lambda index: (scores[index], -index), default=None)
    if best is not None and scores[best]:
        return best
    start = next((text.strip() for text in element.itertext() if text.strip()), "")
    start = start.partition("\n")[0][:24]
    for index, line in enumerate(lines if len(start) > 1 else ()):
        above = max((one for one in opens if one <= index), default=None)
        # An empty line ends what was written as HTML.
        if start in line and above is not None and all(map(str.strip, lines[above : index + 1])):
            return above
    return None
