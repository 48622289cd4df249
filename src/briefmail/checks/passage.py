"""Passages: the running text of an issue, block by block, each character with its line.

A paragraph, a heading, a cell of a table is one passage, whatever emphasis and links are in it.
Code is not read: it may say anything. What stands in its place, and in that of a merge tag, is
:data:`GAP`, which is no part of any word.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from briefmail.issue import TOKEN, Issue, Node

GAP = "\N{OBJECT REPLACEMENT CHARACTER}"
_BLOCKS = {
    "paragraph", "heading", "list", "item", "quote", "code", "rule", "table", "row", "cell",
    "pull-out", "button", "footnote", "statement", "html",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Passage:
    """A block's words. ``kind`` is that of its node; ``starts`` has where each line begins.

    A start is ``(offset in text, line of the issue file)``, in ascending order.
    """

    text: str
    kind: str
    starts: tuple[tuple[int, int | None], ...]

    def line(self, offset: int = 0) -> int | None:
        """The line of the issue file on which the character at ``offset`` stands."""
        return [line for start, line in self.starts if start <= offset][-1]


def passages_of(issue: Issue) -> tuple[Passage, ...]:
    """Return the text of an issue: subject, preheader, the title heading, then block by block."""
    found = []
    for kind in ("subject", "preheader"):
        if line := issue.lines.get(kind):
            found.append(Passage(without_tags(getattr(issue, kind)), kind, ((0, line),)))
    if line := _title_line(issue):
        found.append(Passage(without_tags(issue.title), "title", ((0, line),)))
    for content in issue.contents():
        found += _passages(content.nodes, "heading")
    return tuple(found)


def without_tags(text: str) -> str:
    """Put a gap in the place of each merge tag's token."""
    return TOKEN.sub(GAP, text)


def _title_line(issue: Issue) -> int | None:
    """The line of the title heading, the first of its rank; None if its words are the subject's."""
    if "subject" in issue.lines and issue.title == issue.subject:
        return None
    lines = enumerate(issue.markdown.split("\n"), issue.markdown_line)
    return next((number for number, line in lines if re.match(r" {0,3}# ", line)), None)


def _passages(nodes: Sequence[Node], kind: str) -> Iterator[Passage]:
    """Yield what stands directly in a block of this kind, then what stands in the blocks in it."""
    inline = [node for node in nodes if node.kind not in _BLOCKS]
    if inline:
        yield _passage(inline, kind)
    for node in nodes:
        if node.kind == "html":
            yield Passage(without_tags(node.text), "html", ((0, node.line),))
        elif node.kind in _BLOCKS:
            yield from _passages(node.children, node.kind)


def _passage(nodes: Sequence[Node], kind: str) -> Passage:
    text = ""
    starts: list[tuple[int, int | None]] = []
    for top in nodes:
        for node in top.walk():
            if not node.children and (not starts or starts[-1][1] != node.line):
                starts.append((len(text), node.line))
            text += _words(node)
    return Passage(text, kind, tuple(starts))


def _words(node: Node) -> str:
    match node.kind:
        case "soft_break" | "hard_break":
            return " "
        case "code_span" | "image" | "note_ref":
            return GAP
    return without_tags(node.text)
