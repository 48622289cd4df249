"""The outline of an issue: introduction, sections, stories, and the conditions around them.

A lone leading ``#`` with no other ``#`` is the title; otherwise ``#`` headings are sections.
``##`` headings are stories, and a story's teaser ends at ``<!-- more -->``.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from markdown_it.token import Token

from briefmail.config import CONTROL
from briefmail.issue.markdown import MORE, Markdown, plain
from briefmail.issue.model import Content, Section, Story
from briefmail.issue.tags import Swapper

_COMMENT = re.compile(r"\s*(?:<!--(?:(?!-->).)*-->\s*)*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Outline:
    """The parts of an issue. ``title`` and ``heading`` are empty without a title heading.

    ``title`` is the bare words of ``heading``. ``faults`` are ``(line, what is wrong)``.
    """

    title: str
    heading: Content
    introduction: Content
    sections: tuple[Section, ...]
    faults: tuple[tuple[int, str], ...]


@dataclass(slots=True)
class _Part:
    """A heading (none for what stands before the first) and the blocks below it.

    ``rank`` is 0 for the introduction, 1 for a section, 2 for a story. ``before`` and ``after``
    are statements around the whole of it; ``section_after`` those around its whole section.
    """

    rank: int
    heading: Token | None
    line: int
    blocks: list[Token] = field(default_factory=list)
    before: list[str] = field(default_factory=list)
    after: list[str] = field(default_factory=list)
    section_after: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a statement stands: in which part, and whether only statements follow it there."""

    token: str
    part: int
    at_end: bool


def outline(text: str, line: int, markdown: Markdown, swapper: Swapper, subject: str) -> Outline:
    """Read the Markdown ``text``, which begins at ``line`` of the issue file.

    ``subject`` is the title where the text has none; a story with that very headline carries it.
    """
    tokens, notes = markdown.parse(text)
    parts = _parts(tokens, line)
    faults: list[tuple[int, str]] = []
    title_token = _take_title(parts)
    heading = markdown.inline(title_token, line) if title_token else Content()
    title = plain(heading.nodes)
    faults += _title_faults(heading)
    _lift_statements(parts, swapper, faults)
    builder = _Builder(markdown, notes, line, title or subject, faults, parts)
    return Outline(title, heading, builder.introduction(), builder.sections(), tuple(faults))


def _parts(tokens: Sequence[Token], line: int) -> list[_Part]:
    parts = [_Part(0, None, line)]
    index = 0
    while index < len(tokens):
        token = tokens[index]
        if token.type == "heading_open" and token.level == 0 and token.tag in {"h1", "h2"}:
            at = (token.map[0] if token.map else 0) + line
            parts.append(_Part(int(token.tag[1]), tokens[index + 1], at))
            index += 3
        else:
            parts[-1].blocks.append(token)
            index += 1
    return parts


def _take_title(parts: list[_Part]) -> Token | None:
    """Take a lone leading ``#`` out of the parts and return the inline token of its words."""
    ranks = [part.rank for part in parts]
    if ranks.count(1) != 1 or ranks[1] != 1 or not all(map(_is_comment, parts[0].blocks)):
        return None
    heading = parts.pop(1)
    parts[0].blocks = heading.blocks
    return heading.heading


def _title_faults(heading: Content) -> Iterator[tuple[int, str]]:
    for node in heading.walk():
        if CONTROL.search(node.text):
            yield node.line or 1, "the title must be one line without control characters"
        if node.kind == "note_ref":
            yield node.line or 1, "the title cannot have a footnote; put it into the text"


# --- conditions around whole stories and sections -------------------------------------------------


def _lift_statements(parts: list[_Part], swapper: Swapper, faults: list[tuple[int, str]]) -> None:
    """Take the statements that reach over headings out of the text and put them around parts."""
    lifted: set[str] = set()
    for chain in _chains(parts, swapper):
        if len({place.part for place in chain}) == 1:
            continue
        fault = _misplaced(chain, parts)
        if fault:
            faults.append((swapper.line(fault.token), _MISPLACED))
            continue
        around_sections = _next_rank(chain[0], parts) == 1
        for place in chain:
            lifted.add(place.token)
            part = parts[place.part]
            if place is chain[0]:
                parts[place.part + 1].before.append(place.token)
            elif around_sections:
                part.section_after.append(place.token)
            else:
                part.after.append(place.token)
    for part in parts:
        part.blocks = [token for token in part.blocks if token.content not in lifted]


_MISPLACED = (
    "a condition begins in one story and ends in another; put {% if %} and {% endif %} right"
    " around whole stories or whole sections, or both inside one"
)


def _chains(parts: Sequence[_Part], swapper: Swapper) -> Iterator[list[_Place]]:
    """Yield the places of each ``if … elif … else … endif`` that stands between blocks."""
    open_chains: list[list[_Place]] = []
    for place in _places(parts):
        keyword = swapper.keyword(place.token)
        if keyword == "if":
            open_chains.append([place])
        elif keyword in {"elif", "else", "endif"} and open_chains:
            open_chains[-1].append(place)
            if keyword == "endif":
                yield open_chains.pop()


def _places(parts: Sequence[_Part]) -> Iterator[_Place]:
    for number, part in enumerate(parts):
        end = len(part.blocks)
        while end and part.blocks[end - 1].type == "statement":
            end -= 1
        for index, token in enumerate(part.blocks):
            if token.type == "statement" and token.level == 0:
                yield _Place(token.content, number, index >= end)


def _next_rank(place: _Place, parts: Sequence[_Part]) -> int:
    """The rank of the part that follows; the end of the issue ends a section too."""
    return parts[place.part + 1].rank if place.part + 1 < len(parts) else 1


def _misplaced(chain: Sequence[_Place], parts: Sequence[_Part]) -> _Place | None:
    """The first statement of a chain that does not stand between whole parts of one kind."""
    first = chain[0]
    for place in chain:
        if not place.at_end:
            return place
        ranks = [part.rank for part in parts[first.part + 1 : place.part + 1]]
        crosses_section = _next_rank(first, parts) == 2 and 1 in ranks
        inside_section = _next_rank(first, parts) == 1 and _next_rank(place, parts) != 1
        if crosses_section or inside_section:
            return place
    return None


# --- building -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Builder:
    markdown: Markdown
    notes: Mapping[int, list[Token]]
    line: int
    title: str
    faults: list[tuple[int, str]]
    parts: Sequence[_Part]

    def introduction(self) -> Content:
        blocks = [block for block in self.parts[0].blocks if not _is_more(block)]
        return self._content([*blocks, *self._notes(blocks)], 1)

    def sections(self) -> tuple[Section, ...]:
        groups: list[list[_Part]] = []
        for part in self.parts[1:]:
            if part.rank == 1 or not groups:
                groups.append([])
            groups[-1].append(part)
        return tuple(self._section(group) for group in groups)

    def _section(self, group: Sequence[_Part]) -> Section:
        head = group[0] if group[0].rank == 1 else None
        stories = group[1:] if head else group
        blocks = [block for block in head.blocks if not _is_more(block)] if head else []
        return Section(
            label=self._heading(head),
            introduction=self._content([*blocks, *self._notes(blocks, head)], 2),
            stories=tuple(self._story(part, 3 if head else 2) for part in stories),
            line=group[0].line,
            before=tuple(head.before) if head else (),
            after=tuple(token for part in group for token in part.section_after),
        )

    def _story(self, part: _Part, level: int) -> Story:
        headline = self._heading(part)
        if len(self.parts) == 2 and _same_words(plain(headline.nodes), self.title):
            level = 1
        marks = [index for index, block in enumerate(part.blocks) if _is_more(block)]
        if len(marks) > 1:
            second = part.blocks[marks[1]]
            at = (second.map[0] if second.map else 0) + self.line
            self.faults.append((at, "a second <!-- more --> in one story; the teaser ends once"))
        cut = marks[0] if marks else len(part.blocks)
        rest = [block for block in part.blocks[cut:] if not _is_more(block)]
        return Story(
            headline=headline,
            teaser=self._content(part.blocks[:cut], level),
            rest=self._content(rest, level),
            notes=self._content(self._notes(part.blocks, part), level),
            level=level,
            line=part.line,
            before=tuple(part.before),
            after=tuple(part.after),
        )

    def _heading(self, part: _Part | None) -> Content:
        if part is None or part.heading is None:
            return Content()
        return self.markdown.inline(part.heading, self.line)

    def _content(self, tokens: Sequence[Token], level: int) -> Content:
        return self.markdown.content(tokens, level, self.line)

    def _notes(self, blocks: Sequence[Token], under: _Part | None = None) -> list[Token]:
        """The footnotes that these blocks refer to, and the heading they are under, in order."""
        heading = [under.heading] if under and under.heading else []
        places = dict(_note_places([*heading, *blocks]))
        queue = list(places)
        while queue:  # a footnote can refer to a further one
            number = queue.pop(0)
            for found, place in _note_places(self.notes[number]):
                if found not in places:
                    places[found] = place or places[number]
                    queue.append(found)
        return [token for number, at in places.items() for token in self._note(number, at)]

    def _note(self, number: int, at: list[int] | None) -> list[Token]:
        attributes: dict[str, str | int | float] = {"class": "note"}
        opening = Token("note_open", "div", 1, attributes, block=True, meta={"number": number})
        closing = Token("note_close", "div", -1, block=True)
        # An inline footnote, ^[like this], has no place of its own: it stands where it is used.
        placed = [token if token.map else token.copy(map=at) for token in self.notes[number]]
        return [opening, *_numbered(placed, number), closing]


def _note_places(blocks: Sequence[Token]) -> Iterator[tuple[int, list[int] | None]]:
    """Yield the number of each footnote that is referred to, and the lines of the reference."""
    for block in blocks:
        for child in block.children or []:
            if child.type == "footnote_ref":
                yield child.meta["id"] + 1, block.map


def _numbered(note: Sequence[Token], number: int) -> list[Token]:
    """Put a footnote's number in front of its first words."""
    tokens = list(note)
    mark = Token("html_inline", "", 0, content=f'<sup class="note-ref">{number}</sup> ')
    first = next((index for index, token in enumerate(tokens) if token.type == "inline"), None)
    if first is None:  # nothing at all, or nothing but code
        words = Token("inline", "", 0, children=[mark], block=True)
        return [
            Token("paragraph_open", "p", 1, block=True),
            words,
            Token("paragraph_close", "p", -1, block=True),
            *tokens,
        ]
    tokens[first] = tokens[first].copy(children=[mark, *(tokens[first].children or [])])
    return tokens


def _same_words(headline: str, title: str) -> bool:
    """Quotation marks do not count: a headline has curly ones, front matter often straight."""
    straight = str.maketrans("‘’“”", "''\"\"")
    return headline.translate(straight) == title.translate(straight)


def _is_comment(token: Token) -> bool:
    return token.type == "html_block" and bool(_COMMENT.fullmatch(token.content))


def _is_more(token: Token) -> bool:
    return token.type == "html_block" and token.level == 0 and bool(MORE.fullmatch(token.content))
