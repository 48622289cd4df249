"""The issue: what the editor wrote, before anybody has decided how it looks.

An :class:`Issue` has an introduction and sections; a :class:`Section` has stories; a
:class:`Story` has a headline, a teaser and a rest. Every piece of running text is a
:class:`Content`, kept twice: as clean HTML for the mail and as a tree of :class:`Node` for the
plain-text part and the terminal.

Merge tags (``{{ first_name }}``, ``{% if ... %}``) stand in both as opaque *tokens*, ASCII words
that Markdown, HTML and URLs all leave alone; :attr:`Issue.tags` says what each of them means.
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from briefmail.config import Mailbox

Status = Literal["draft", "ready"]
TagKind = Literal["expression", "statement"]
NodeKind = Literal[
    # blocks
    "paragraph", "heading", "list", "item", "quote", "code", "rule",
    "table", "row", "cell", "pull-out", "button", "footnote", "statement", "html",
    # inline
    "text", "emphasis", "strong", "deleted", "code_span", "link", "image", "note_ref",
    "soft_break", "hard_break",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tag:
    """One merge tag as it stands in the issue: ``source`` with its braces, at ``line``.

    ``token`` stands for it everywhere else. A tag inside code is not one: it is text.
    """

    token: str
    source: str
    kind: TagKind
    line: int


@dataclass(frozen=True, slots=True)
class Node:
    """A piece of running text. ``attributes`` by kind:

    heading ``level`` · paragraph ``tight`` (in a list without empty lines) · list ``start``
    (ordered only) · cell ``header``, ``align`` · link and button ``href`` · image ``src``,
    ``alt``, ``width``, ``height`` · footnote and note_ref ``number``.

    ``text`` is set for text, code_span, code, html (stripped of tags) and for statement, whose
    text is the token.
    """

    kind: NodeKind
    text: str = ""
    children: tuple["Node", ...] = ()
    attributes: Mapping[str, str] = field(default_factory=dict)
    line: int | None = None

    def walk(self) -> Iterator["Node"]:
        """Yield this node and all below it, in reading order."""
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass(frozen=True, slots=True)
class Content:
    """Running text, as clean HTML and as a tree. False when there is none."""

    html: str = ""
    nodes: tuple[Node, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.nodes or self.html)

    def walk(self) -> Iterator[Node]:
        """Yield every node, in reading order."""
        for node in self.nodes:
            yield from node.walk()


@dataclass(frozen=True, slots=True)
class Story:
    """A headline, the teaser that stands before ``<!-- more -->``, and the rest after it.

    ``level`` is the rank of the headline in the mail's outline: 1 when it is the title itself,
    2 below the title, 3 below a section. ``before`` and ``after`` are the tokens of statements
    around the whole story, so that a condition can take all of it away.
    """

    headline: Content
    teaser: Content
    rest: Content
    notes: Content
    level: int
    line: int
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """Stories under a label ("On the ground"); the label is empty for stories before any."""

    label: Content
    introduction: Content
    stories: tuple[Story, ...]
    line: int
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Issue:
    """One issue file, read and understood.

    ``name`` is what the ledger knows it by: the ``slug``, else the file's stem. ``title``,
    ``subject`` and ``preheader`` are text with tokens; ``nonce`` is what all tokens of this issue
    have in common, and nothing else in it. ``markdown`` is the text below the front matter as it
    was written, with tokens, and begins at ``markdown_line``. ``extra`` holds the front matter's
    unknown keys, which templates see as ``issue.<key>``.
    """

    path: Path
    name: str
    subject: str
    title: str
    introduction: Content
    sections: tuple[Section, ...]
    tags: tuple[Tag, ...] = ()
    nonce: str = ""
    markdown: str = ""
    markdown_line: int = 1
    date: dt.date | None = None
    send_at: dt.datetime | None = None
    status: Status | None = None
    preheader: str = ""
    sender: Mailbox | None = None
    reply_to: Mailbox | None = None
    lang: str = ""
    attachments: tuple[str, ...] = ()
    silence: Mapping[str, str] = field(default_factory=dict)
    """Ids of checks that are not to speak of this issue, each with the reason."""
    extra: Mapping[str, Any] = field(default_factory=dict)
    lines: Mapping[str, int] = field(default_factory=dict)
    """The line of each front matter key, for messages."""

    @property
    def stories(self) -> tuple[Story, ...]:
        """All stories, in reading order."""
        return tuple(story for section in self.sections for story in section.stories)

    def contents(self) -> Iterator[Content]:
        """Yield every piece of running text, in reading order."""
        yield self.introduction
        for section in self.sections:
            yield section.label
            yield section.introduction
            for story in section.stories:
                yield from (story.headline, story.teaser, story.rest, story.notes)

    def nodes(self) -> Iterator[Node]:
        """Yield every node of every piece of running text, in reading order."""
        for content in self.contents():
            yield from content.walk()
