"""CommonMark to clean HTML and to our tree, by markdown-it-py and nh3.

The dialect: CommonMark with tables, strike-through, smart quotes, footnotes, attributes
(``{width=300}``), ``::: pull-out`` boxes, and a line of statements (``{% if ... %}``) as a block
of its own. A paragraph that is nothing but a bold link is a button.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from html import unescape as html_unescape
from typing import Any

import nh3
from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.token import Token
from mdit_py_plugins.attrs import attrs_plugin
from mdit_py_plugins.container import container_plugin
from mdit_py_plugins.footnote import footnote_plugin

from briefmail.issue.model import Content, Node, NodeKind
from briefmail.issue.tags import STATEMENT_TOKEN, Swapper

AUTHOR_ATTRIBUTES = ("width", "height", "class", "lang", "dir", "title")
MORE = re.compile(r"\s*<!--\s*(?:more|truncate|excerpt)\s*-->\s*")
_STATEMENT_LINE = re.compile(rf"(?:{STATEMENT_TOKEN.pattern}[ \t]*)+")
# A comment, or an opening tag: what looks like a comment inside an attribute is none.
_COMMENT_OR_TAG = re.compile(r"<!--(.*?)-->|<[a-z](?:[^\">]|\"[^\"]*\")*>", re.DOTALL)
# The mark of a comment that was written here, and not by the author.
_OURS = "briefmail:"
MAX_DEPTH = 100

# What may stand in a mail. No style attributes (a malformed one stops the inliner), no h1 (the
# title is the only one), no forms, scripts or frames (no mail client runs them).
_TAGS = frozenset(
    """
    a abbr b blockquote br cite code dd del div dl dt em h2 h3 h4 h5 h6 hr i img kbd li ol p pre
    q s small span strong sub sup table tbody td th thead tr u ul
    """.split()  # noqa: SIM905 -- a list to be read, not counted
)
_ATTRIBUTES = {
    "*": {"class", "dir", "lang", "title"},
    "a": {"href"},
    "img": {"alt", "height", "src", "width"},
    "ol": {"start"},
    "td": {"align", "colspan", "rowspan"},
    "th": {"align", "colspan", "rowspan", "scope"},
}
_SCHEMES = {"http", "https", "mailto", "tel"}
_CONDITIONAL_SCHEME = re.compile(
    rf"((?:{STATEMENT_TOKEN.pattern})+(?:{'|'.join(sorted(_SCHEMES))})):", re.IGNORECASE
)
_RAW_LINK = re.compile(r"<a (?:[^>]*? )?href=\"([^\"]*)\"")

# markdown-it's token types -> our kinds; those that are not here carry no meaning of their own.
_KINDS: Mapping[str, NodeKind] = {
    "paragraph": "paragraph",
    "heading": "heading",
    "bullet_list": "list",
    "ordered_list": "list",
    "list_item": "item",
    "blockquote": "quote",
    "table": "table",
    "tr": "row",
    "th": "cell",
    "td": "cell",
    "container_pull-out": "pull-out",
    "note": "footnote",
    "em": "emphasis",
    "strong": "strong",
    "s": "deleted",
    "link": "link",
}


class NestingError(ValueError):
    """Emphasis in emphasis, or pictures in pictures, deeper than anybody can mean."""

    def __init__(self, line: int) -> None:
        super().__init__(f"is nested more than {MAX_DEPTH} deep")
        self.line = line


class Markdown:
    """The parser and both ways out of it, for one issue (whose tags ``swapper`` holds)."""

    def __init__(self, swapper: Swapper) -> None:
        self._swapper = swapper
        self._md = _parser()
        self._md.add_render_rule("footnote_ref", _render_note_ref)
        self._md.add_render_rule("statement", _render_statement)

    def parse(self, text: str) -> tuple[list[Token], dict[int, list[Token]]]:
        """Return the tokens of ``text``, and those of each footnote by its number, from 1.

        Raises :class:`NestingError` with the line in ``text``, from 0.
        """
        try:
            tokens = self._md.parse(text)
        except RecursionError:
            raise NestingError(0) from None
        for token in tokens:
            if max((child.level for child in token.children or []), default=0) > MAX_DEPTH:
                raise NestingError(token.map[0] if token.map else 0)
            self._restore_code(token)
        start = next((n for n, t in enumerate(tokens) if t.type == "footnote_block_open"), None)
        if start is None:
            return tokens, {}
        return tokens[:start], _footnotes(tokens[start:])

    def content(self, tokens: Sequence[Token], level: int, line: int = 0) -> Content:
        """Turn tokens into running text.

        ``level`` is the rank of the heading that the text stands under; the headings in it come
        below that. ``line`` is the line of the issue file at which the Markdown began.
        """
        prepared = _prepare(tokens, level)
        html = clean(self._md.renderer.render(prepared, self._md.options, {}))
        return Content(html, tuple(_Tree(line).nodes(prepared))) if prepared else Content()

    def inline(self, token: Token, line: int = 0) -> Content:
        """Turn the inline token of a heading into running text."""
        html = self._md.renderer.render([token], self._md.options, {})
        return Content(clean(html), tuple(_Tree(line).inline(token)))

    def _restore_code(self, token: Token) -> None:
        """Tags inside code are what the reader is to see, not what is to be filled."""
        if token.type in {"fence", "code_block", "code_inline"}:
            token.content = self._swapper.as_written(token.content)
            token.info = self._swapper.as_written(token.info)
        for child in token.children or []:
            self._restore_code(child)


def clean(html: str) -> str:
    """Take out of HTML what must not be mailed; comments too, but for our own statements."""
    cleaned = nh3.clean(
        html,
        tags=set(_TAGS),
        attributes=_ATTRIBUTES,
        # An address that begins with a condition has a token before its scheme.
        url_schemes=_SCHEMES | {scheme.lower() for scheme in _CONDITIONAL_SCHEME.findall(html)},
        link_rel=None,
        strip_comments=False,
    )
    return _COMMENT_OR_TAG.sub(_without_comment, cleaned).strip()


def _without_comment(match: re.Match[str]) -> str:
    if match[1] is None:
        return match[0]
    return f"<!--{match[1].removeprefix(_OURS)}-->" if match[1].startswith(_OURS) else ""


def plain(nodes: Sequence[Node]) -> str:
    """The bare words of running text, on one line."""
    words = "".join(
        " " if node.kind.endswith("break") else node.text for top in nodes for node in top.walk()
    )
    return re.sub(r"\s+", " ", words).strip()


# --- the parser -----------------------------------------------------------------------------------


def _parser() -> MarkdownIt:
    # "replacements" stays off: it turns "Section 3(c)" into a copyright sign.
    md = MarkdownIt("commonmark", {"html": True, "typographer": True})
    md.enable(["table", "smartquotes", "strikethrough"])
    md.use(footnote_plugin)
    md.use(attrs_plugin, spans=True, allowed=AUTHOR_ATTRIBUTES)
    md.use(container_plugin, "pull-out")
    md.block.ruler.before(
        "fence",
        "statement",
        _statement_rule,
        {"alt": ["paragraph", "reference", "blockquote", "list"]},
    )
    # Every link is let through here, and judged in issue/source.py, which can name its line.
    md.validateLink = lambda url: True  # type: ignore[method-assign]
    return md


def _statement_rule(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """A line that holds statements only is a block: around it, paragraphs and lists end."""
    if state.is_code_block(start):
        return False
    text = state.src[state.bMarks[start] + state.tShift[start] : state.eMarks[start]].strip()
    if not _STATEMENT_LINE.fullmatch(text):
        return False
    if not silent:
        for word in STATEMENT_TOKEN.findall(text):
            token = state.push("statement", "", 0)
            token.content = word
            token.map = [start, start + 1]
        state.line = start + 1
    return True


def _footnotes(tokens: Sequence[Token]) -> dict[int, list[Token]]:
    notes: dict[int, list[Token]] = {}
    number = 0
    for token in tokens:
        if token.type == "footnote_open":
            number = token.meta["id"] + 1
            notes[number] = []
        elif token.type not in {
            "footnote_block_open",
            "footnote_block_close",
            "footnote_close",
            "footnote_anchor",
        }:
            notes[number].append(token)
    return notes


# --- HTML -----------------------------------------------------------------------------------------


def _render_note_ref(self: Any, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    # No link: an anchor inside a mail fails in several clients.
    return f'<sup class="note-ref">{tokens[index].meta["id"] + 1}</sup>'


def _render_statement(
    self: Any, tokens: Sequence[Token], index: int, options: Any, env: Any
) -> str:
    # A comment may stand anywhere between blocks, even between table rows.
    return f"<!--{_OURS}{tokens[index].content}-->\n"


def _prepare(tokens: Sequence[Token], level: int) -> list[Token]:
    """Copy tokens with the changes that a mail needs: ranks of headings, alignment, classes."""
    prepared = [token.copy(attrs=dict(token.attrs)) for token in tokens]
    quotes = 0
    rank = 0  # of the last heading; the next one is at most one below it, or a level is skipped
    for index, token in enumerate(prepared):
        quotes += token.nesting if token.tag == "blockquote" else 0
        if token.type == "heading_open":
            rank = min(max(int(token.tag[1:]) - 2, 1), rank + 1)
            token.tag = f"h{min(level + rank, 6)}"
        elif token.type == "heading_close":
            token.tag = f"h{min(level + rank, 6)}"
        elif token.type in {"th_open", "td_open"} and "style" in token.attrs:
            token.attrs["align"] = str(token.attrs.pop("style")).rpartition(":")[2]
        elif token.type == "paragraph_open":
            if is_button(prepared[index + 1]):
                token.attrJoin("class", "button")
            elif _is_image(prepared[index + 1]):
                token.attrJoin("class", "image")
            elif quotes and prepared[index + 1].content.startswith("— "):
                token.attrJoin("class", "attribution")
    return prepared


def is_button(inline: Token) -> bool:
    """Is it nothing but a bold link, either way round?"""
    types = [child.type for child in inline.children or [] if child.type != "text" or child.content]
    if types.count("link_open") != 1:
        return False
    ends = (types[:2], types[-2:])
    return ends in (
        (["strong_open", "link_open"], ["link_close", "strong_close"]),
        (["link_open", "strong_open"], ["strong_close", "link_close"]),
    )


def _is_image(inline: Token) -> bool:
    types = [child.type for child in inline.children or [] if child.type != "text" or child.content]
    return types == ["image"]


# --- the tree -------------------------------------------------------------------------------------


class _Tree:
    """Builds nodes from markdown-it's flat list of tokens."""

    def __init__(self, line: int) -> None:
        self._line = line

    def nodes(self, tokens: Sequence[Token]) -> list[Node]:
        """Turn block tokens into nodes."""
        nodes: list[Node] = []
        index = 0
        while index < len(tokens):
            token = tokens[index]
            if token.nesting == 1:
                end = _closing(tokens, index)
                nodes += self._block(token, tokens[index + 1 : end])
                index = end
            elif token.type == "inline":
                nodes += self.inline(token)
            elif token.type != "inline":
                nodes += self._leaf(token)
            index += 1
        return nodes

    def _block(self, opening: Token, inside: Sequence[Token]) -> list[Node]:
        kind = _KINDS.get(opening.type.removesuffix("_open"))
        children = tuple(self.nodes(inside))
        if kind is None:
            return list(children)
        attributes: dict[str, str] = {}
        if kind == "heading":
            attributes["level"] = opening.tag[1:]
        elif opening.type == "ordered_list_open":
            attributes["start"] = str(opening.attrs.get("start", 1))
        elif kind == "cell":
            attributes["align"] = str(opening.attrs.get("align", ""))
            attributes["header"] = "yes" if opening.tag == "th" else ""
        elif kind == "paragraph" and opening.hidden:
            attributes["tight"] = "yes"
        elif kind == "footnote":
            attributes["number"] = str(opening.meta["number"])
        elif kind == "paragraph" and is_button(inside[0]):
            link = next(node for child in children for node in child.walk() if node.kind == "link")
            return [Node("button", "", link.children, link.attributes, self._at(opening))]
        return [Node(kind, "", children, attributes, self._at(opening))]

    def _leaf(self, token: Token) -> list[Node]:
        line = self._at(token)
        match token.type:
            case "fence" | "code_block":
                return [Node("code", token.content.rstrip("\n"), line=line)]
            case "hr":
                return [Node("rule", line=line)]
            case "statement":
                return [Node("statement", token.content, line=line)]
            case "html_block":
                text = _without_tags(token.content)
                return [Node("html", text, line=line)] if text.strip() else []
        return []

    def inline(self, token: Token) -> list[Node]:
        """Turn what stands in a paragraph, heading or cell into nodes."""
        line = self._at(token)
        stack: list[tuple[Token | None, list[Node]]] = [(None, [])]
        for child in _visible(token.children or []):
            if child.nesting == 1:
                stack.append((child, []))
            elif child.nesting == -1:
                _close_raw_link(stack, line)
                opening, inside = stack.pop()
                stack[-1][1].extend(_inline_node(opening, inside, line))
            elif child.type == "html_inline" and (href := _raw_link(child.content)):
                _close_raw_link(stack, line)
                stack.append((Token("link_open", "raw", 0, {"href": href}), []))
            elif child.type == "html_inline" and child.content.lower().startswith("</a"):
                _close_raw_link(stack, line)
            else:
                stack[-1][1].extend(_inline_leaf(child, line))
                if child.type in {"softbreak", "hardbreak"} and line is not None:
                    line += 1
        _close_raw_link(stack, line)
        return stack[0][1]

    def _at(self, token: Token) -> int | None:
        return token.map[0] + self._line if token.map else None


def _visible(children: Sequence[Token]) -> Iterator[Token]:
    """Leave out what cleaning takes out with its tags: scripts and styles in running text."""
    ends = ""
    for child in children:
        html = child.content.lower() if child.type == "html_inline" else ""
        if ends:
            ends = "" if html.startswith(ends) else ends
        elif match := re.match(r"<(script|style)\b", html):
            ends = f"</{match[1]}"
        else:
            yield child


def _closing(tokens: Sequence[Token], start: int) -> int:
    depth = 0
    for index in range(start, len(tokens)):
        depth += tokens[index].nesting
        if depth == 0:
            return index
    return len(tokens)


def _raw_link(html: str) -> str:
    """The address of a link written as HTML; none if cleaning takes it out."""
    match = _RAW_LINK.match(clean(html))
    return html_unescape(match[1]) if match else ""


def _close_raw_link(stack: list[tuple[Token | None, list[Node]]], line: int | None) -> None:
    """End a link that was written as HTML: at its end, or where what it stands in ends."""
    opening = stack[-1][0]
    if opening is not None and opening.tag == "raw":
        _, inside = stack.pop()
        stack[-1][1].extend(_inline_node(opening, inside, line))


def _inline_node(opening: Token | None, inside: list[Node], line: int | None) -> list[Node]:
    kind = _KINDS.get(opening.type.removesuffix("_open")) if opening else None
    if opening is None or kind is None:
        return inside
    attributes = {"href": str(opening.attrs["href"])} if kind == "link" else {}
    return [Node(kind, "", tuple(inside), attributes, line)]


def _inline_leaf(token: Token, line: int | None) -> list[Node]:
    match token.type:
        case "text":
            return [Node("text", token.content, line=line)] if token.content else []
        case "code_inline":
            return [Node("code_span", token.content, line=line)]
        case "softbreak":
            return [Node("soft_break", line=line)]
        case "hardbreak":
            return [Node("hard_break", line=line)]
        case "footnote_ref":
            return [Node("note_ref", attributes={"number": str(token.meta["id"] + 1)}, line=line)]
        case "image":
            alt = plain(_Tree(0).inline(token))
            attributes = {"src": str(token.attrs["src"]), "alt": alt}
            attributes.update(
                {
                    name: str(token.attrs[name])
                    for name in ("width", "height")
                    if name in token.attrs
                }
            )
            return [Node("image", attributes=attributes, line=line)]
        case "html_inline":
            return (
                [Node("hard_break", line=line)] if re.match(r"<br\b", token.content, re.I) else []
            )
    return []


def _without_tags(html: str) -> str:
    """The words in a block of raw HTML, for the plain text."""
    spaced = re.sub(r"</(?:p|div|h\d|li|tr|dd|dt|blockquote)>|<br\s*/?>", r"\g<0>\n", html)
    return html_unescape(nh3.clean(spaced, tags=set())).strip()
