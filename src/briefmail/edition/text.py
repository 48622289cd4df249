"""The plain-text part, made from the tree: 72 columns, numbered links after each story.

Tokens of merge tags stay in it and are filled as in the page. A line can become longer than 72
columns when it is filled; quoted-printable carries it whole.
"""

import re
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from briefmail.edition.theme import Words
from briefmail.issue import STATEMENT_TOKEN, TOKEN, Content, Issue, Node, Section, Story

WIDTH = 72
NO_BREAK_SPACE = "\u00a0"


def plain_text(issue: Issue, newsletter: Any, words: Words, unsubscribe: str) -> str:
    """Write the issue as plain text, with its masthead and footer; it ends with a line end.

    ``unsubscribe`` is the slot of the recipient's own address for leaving.
    """
    writer = _Writer(words)
    masthead = [newsletter.name, words.date(issue.date) if issue.date else ""]
    writer.block(" · ".join(part for part in masthead if part))
    writer.heading(issue.title, "=")
    writer.content(issue.introduction)
    writer.link_notes()
    for section in issue.sections:
        _write_section(writer, section)
    writer.block("-" * WIDTH)
    writer.block(newsletter.postal_address)
    if newsletter.public_url:
        writer.block(f"{words['website']}: {newsletter.public_url}")
    writer.block(f"{words['unsubscribe']}:\n{unsubscribe}")
    return writer.text()


def _write_section(writer: "_Writer", section: Section) -> None:
    writer.statements(section.before)
    if section.label:
        writer.heading(writer.inline(section.label.nodes).upper(), "=")
    writer.content(section.introduction)
    writer.link_notes()
    for story in section.stories:
        _write_story(writer, story)
    writer.statements(section.after)


def _write_story(writer: "_Writer", story: Story) -> None:
    writer.statements(story.before)
    if story.level > 1:
        writer.heading(writer.inline(story.headline.nodes), "-")
    for content in (story.teaser, story.rest, story.notes):
        writer.content(content)
    writer.link_notes()
    writer.statements(story.after)


@dataclass(slots=True)
class _Writer:
    """Collects blocks, set apart by empty lines, and the links seen since they were last listed.

    A statement is put right before the block that follows it, with nothing of its own around it,
    so that a block left out leaves no empty line behind.
    """

    words: Words
    _pieces: list[str] = field(default_factory=list)
    _links: dict[str, int] = field(default_factory=dict)
    _noted: int = 0

    def text(self) -> str:
        return "".join(self._pieces).rstrip("\n") + "\n"

    def block(self, text: str, gap: str = "\n\n") -> None:
        if text:
            self._pieces.append(text + gap)

    def statements(self, tokens: Iterable[str]) -> None:
        self._pieces += tokens

    def heading(self, text: str, rule: str) -> None:
        lines = _wrap(text)
        width = max(_width(line) for line in lines.split("\n"))
        self.block(f"{lines}\n{rule * min(width, WIDTH)}")

    def content(self, content: Content) -> None:
        self.nodes(content.nodes, WIDTH)

    def nodes(self, nodes: Iterable[Node], width: int) -> None:
        for node in nodes:
            if node.kind == "statement":
                # What a condition hides takes the addresses of its links with it.
                self.link_notes()
                self._pieces.append(node.text)
            else:
                self.block(self.render(node, width))

    def link_notes(self) -> None:
        """List the addresses of the links since the last list, as the numbers in the text say."""
        fresh = sorted((n, href) for href, n in self._links.items() if n > self._noted)
        self.block("\n".join(f"[{number}] {href}" for number, href in fresh))
        self._noted = max(self._links.values(), default=0)

    # --- blocks

    def render(self, node: Node, width: int) -> str:
        match node.kind:
            case "paragraph":
                return _wrap(self.inline(node.children), width)
            case "heading":
                return _wrap(self.inline(node.children), width)
            case "quote" | "pull-out":
                return _prefix(self.inner(node, width - 2), "> " if node.kind == "quote" else "| ")
            case "list":
                return self._list(node, width)
            case "code":
                return _prefix(node.text, "    ")
            case "rule":
                return "* * *".center(width).rstrip()
            case "table":
                return self._table(node, width)
            case "button":
                return f"{self.inline(node.children)}:\n{node.attributes['href']}"
            case "footnote":
                mark = f"[{_superscript(node.attributes['number'])}] "
                return _hang(self.inner(node, width - len(mark)), mark)
            case "html":
                return "\n".join(
                    _wrap(line, width) for line in node.text.split("\n") if line.strip()
                )
        return _wrap(self.inline([node]), width)

    def inner(self, node: Node, width: int) -> str:
        """The blocks inside a block; a tight list's items hold text without a paragraph."""
        inside = _Writer(self.words, [], self._links, self._noted)
        inside.nodes_inside(node.children, width)
        return inside.text().rstrip("\n")

    def nodes_inside(self, nodes: Iterable[Node], width: int) -> None:
        for node in nodes:
            if node.kind == "statement":
                self._pieces.append(node.text)
            else:
                tight = "tight" in node.attributes
                self.block(self.render(node, width), "\n" if tight else "\n\n")

    def _list(self, node: Node, width: int) -> str:
        start = node.attributes.get("start")
        items: list[str] = []
        for index, item in enumerate(child for child in node.children if child.kind == "item"):
            mark = f"{int(start) + index}. " if start else "- "
            items.append(_hang(self.inner(item, width - len(mark)), mark))
        loose = any("\n\n" in item for item in items)
        return ("\n\n" if loose else "\n").join(items)

    def _table(self, node: Node, width: int) -> str:
        rows = [
            [
                (self.inline(cell.children).replace("\n", " "), cell)
                for cell in row.children
                if cell.kind == "cell"
            ]
            for row in node.walk()
            if row.kind == "row"
        ]
        columns = max(len(row) for row in rows)
        widths = [
            max((_width(r[c][0]) for r in rows if c < len(r)), default=0) for c in range(columns)
        ]
        if sum(widths) + 3 * (columns - 1) > width:
            return self._records([[text for text, _ in row] for row in rows], width)
        lines = []
        for number, row in enumerate(rows):
            cells = [_align(text, widths[c], cell) for c, (text, cell) in enumerate(row)]
            lines.append("   ".join(cells).rstrip())
            if number == 0 and row[0][1].attributes.get("header"):
                lines.append("   ".join("-" * column for column in widths))
        return "\n".join(lines)

    def _records(self, rows: Sequence[Sequence[str]], width: int) -> str:
        """A table too wide for the column, as "Header: value" lines."""
        header, *body = rows
        if not body:
            return "\n".join(header)
        return "\n\n".join(
            "\n".join(
                _wrap(f"{name}: {value}" if name else value, width)
                for name, value in zip(header, row, strict=False)
                if value
            )
            for row in body
        )

    # --- running text

    def inline(self, nodes: Iterable[Node]) -> str:
        return "".join(self._inline(node) for node in nodes)

    def _inline(self, node: Node) -> str:
        match node.kind:
            case "text" | "code_span":
                return node.text
            case "soft_break":
                return " "
            case "hard_break":
                return "\n"
            case "image":
                alt = node.attributes["alt"]
                return f"[{self.words['image']}: {alt}]" if alt else ""
            case "emphasis":
                return f"_{self.inline(node.children)}_"
            case "strong":
                return f"*{self.inline(node.children)}*"
            case "note_ref":
                return f"{NO_BREAK_SPACE}[{_superscript(node.attributes['number'])}]"
            case "link":
                return self._link(node)
        return self.inline(node.children)

    def _link(self, node: Node) -> str:
        href, text = node.attributes["href"], self.inline(node.children)
        if href.startswith("#"):
            return text
        if text in {href, href.removeprefix("mailto:")}:
            return text
        number = self._links.get(href, 0)
        if number <= self._noted:  # new, or listed under a story that is far above by now
            number = max(self._noted, *self._links.values(), 0) + 1
            self._links[href] = number
        return f"{text}{NO_BREAK_SPACE}[{number}]"


def _superscript(number: str) -> str:
    """A footnote is lettered where a link is numbered, so that the two cannot be mixed up."""
    return f"note{NO_BREAK_SPACE}{number}"


# Stand-ins for tokens, as wide as what is likely to be there; no text holds a noncharacter.
_STATEMENT_WIDTH = "\ufdd0"
_VALUE_WIDTH = "\ufdd0" + 7 * "\ufdd1"


def _sized(text: str) -> str:
    bare = re.sub("[\ufdd0\ufdd1]", "", text)
    return TOKEN.sub(_VALUE_WIDTH, STATEMENT_TOKEN.sub(_STATEMENT_WIDTH, bare))


def _width(text: str) -> int:
    return len(_sized(text))


def _wrap(text: str, width: int = WIDTH) -> str:
    """Fold text at blanks; a word that is too long, such as an address, stays whole."""
    tokens = iter(TOKEN.findall(text))
    folded = "\n".join(
        line
        for paragraph in _sized(text).strip().split("\n")
        for line in textwrap.wrap(
            paragraph, max(width, 20), break_long_words=False, break_on_hyphens=False
        )
        or [""]
    )
    return re.sub("\ufdd0\ufdd1*", lambda _: next(tokens), folded)


def _prefix(text: str, mark: str) -> str:
    return "\n".join((mark + line).rstrip() for line in text.split("\n"))


def _hang(text: str, mark: str) -> str:
    blank = " " * len(mark)
    return mark + "\n".join(blank + line if line else "" for line in text.split("\n")).lstrip()


def _align(text: str, width: int, cell: Node) -> str:
    blanks = width - _width(text)
    match cell.attributes.get("align"):
        case "right":
            return blanks * " " + text
        case "center":
            return (blanks // 2) * " " + text + (blanks - blanks // 2) * " "
    return text + blanks * " "
