"""Merge tags, found before Markdown can touch them and swapped for tokens that it leaves alone.

A token is ``bm``, eight hex digits that do not occur in the issue, ``e`` for an expression
(``{{ ... }}``) or ``s`` for a statement (``{% ... %}``), four digits and ``x``: one ASCII word,
which is the only form that Markdown, HTML parsers and URL escaping all pass through unchanged.
What a tag means is not decided here; the edition compiles it.
"""

import hashlib
import re
from collections.abc import Iterable, Set

from briefmail.issue.model import Tag, TagKind

# Quoted strings may hold anything; outside them a back-tick cannot be part of a tag, so that
# "`{{` and `}}`" in running text is two pieces of code and not one tag.
_TAG = re.compile(
    r"""
    \{\{ (?: [^{}"'`\n] | "[^"\n]*" | '[^'\n]*' )* \}\}
  | \{%  (?: [^{}%"'`\n] | %(?!\}) | "[^"\n]*" | '[^'\n]*' )* %\}
    """,
    re.VERBOSE,
)
TOKEN = re.compile(r"bm[0-9a-f]{8}[es]\d{4}x")
STATEMENT_TOKEN = re.compile(r"bm[0-9a-f]{8}s\d{4}x")
UNCLOSED = re.compile(r"\{\{|\{%|%7B%7B|%7B%25", re.IGNORECASE)
# A token has four digits, and the numbers above these belong to the slots of the theme.
MAX_TAGS = 9_000
_KEYWORD = re.compile(r"\{%[-+]?\s*(\w+)")


class Swapper:
    """Swaps the tags of one issue, numbering them through all its texts.

    ``nonce`` is eight hex digits that all its tokens have and that the issue does not contain.
    """

    def __init__(self, source: str) -> None:
        self.nonce = _unused_nonce(source)
        self._tags: dict[str, Tag] = {}
        self._literal: set[str] = set()

    @property
    def tags(self) -> tuple[Tag, ...]:
        """The tags that are to be filled, in the order in which they were found."""
        return tuple(tag for tag in self._tags.values() if tag.token not in self._literal)

    @property
    def surplus(self) -> Tag | None:
        """The first tag beyond :data:`MAX_TAGS`."""
        return next(iter(list(self._tags.values())[MAX_TAGS:]), None)

    def keep(self, tokens: Set[str]) -> None:
        """Make every tag but these plain text: it stood in a comment, or in an unused footnote."""
        self._literal |= self._tags.keys() - tokens

    def swap(self, text: str, line: int) -> str:
        """Return ``text``, which begins at ``line``, with a token in the place of each tag."""

        def token_for(match: re.Match[str]) -> str:
            kind: TagKind = "expression" if match[0].startswith("{{") else "statement"
            token = f"bm{self.nonce}{kind[0]}{len(self._tags):04d}x"
            self._tags[token] = Tag(
                token, match[0], kind, line + text.count("\n", 0, match.start())
            )
            return token

        return _TAG.sub(token_for, text)

    def as_written(self, text: str) -> str:
        """Put the tags back as the editor wrote them: they stand in code and are plain text."""

        def source_of(match: re.Match[str]) -> str:
            if match[0] not in self._tags:
                return match[0]
            self._literal.add(match[0])
            return self._tags[match[0]].source

        return TOKEN.sub(source_of, text)

    def with_literals(self, text: str) -> str:
        """Put back only the tags that turned out to stand in code."""
        return TOKEN.sub(
            lambda match: self._tags[match[0]].source if match[0] in self._literal else match[0],
            text,
        )

    def keyword(self, token: str) -> str:
        """The first word of a statement: ``if``, ``elif``, ``else``, ``endif`` or anything."""
        match = _KEYWORD.match(self._tags[token].source) if token in self._tags else None
        return match[1] if match else ""

    def line(self, token: str) -> int:
        """The line in the issue file on which a tag stands."""
        return self._tags[token].line


def without_tags(text: str) -> str:
    """Return ``text`` as written, but for its tags: what still has braces has a broken one."""
    return _TAG.sub("", text)


def show_tags(text: str, tags: Iterable[Tag]) -> str:
    """Return ``text`` with its tokens turned back into what the editor wrote."""
    sources = {tag.token: tag.source for tag in tags}
    return TOKEN.sub(lambda match: sources.get(match[0], match[0]), text)


def _unused_nonce(source: str) -> str:
    """Eight hex digits that the issue does not contain; the same for the same issue."""
    digest = hashlib.sha256(source.encode()).hexdigest()
    return next(
        digest[start : start + 8]
        for start in range(len(digest) - 7)
        if "bm" + digest[start : start + 8] not in source
    )
