"""Reading an issue file: bytes to an :class:`Issue`, or every problem at once."""

import re
from collections.abc import Iterable, Iterator, Set
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, NoReturn

from briefmail.errors import IssueError, Problem
from briefmail.issue.frontmatter import FrontMatter, split_front_matter
from briefmail.issue.markdown import Markdown, NestingError
from briefmail.issue.model import Issue, Node
from briefmail.issue.outline import Outline, outline
from briefmail.issue.tags import MAX_TAGS, STATEMENT_TOKEN, TOKEN, UNCLOSED, Swapper, without_tags

MAX_BYTES = 2_000_000  # some twenty times what Gmail shows of a mail
LINK_SCHEMES = ("https", "http", "mailto", "tel")
_SCHEME = re.compile(r"\s*([A-Za-z][A-Za-z0-9+.-]*):")
_ADDRESS = re.compile(r"\s*(?:https?://[^/]|(?!https?:)[^:]+:.)", re.IGNORECASE | re.DOTALL)
_COMMENTED = re.compile(rf"<!--\s*({STATEMENT_TOKEN.pattern})\s*-->")
_FILE_DATE = re.compile(r"(\d{4}-\d{2}-\d{2})(?!\d)")


def read_issue(path: Path) -> Issue:
    """Read the issue file at ``path``.

    Raises :class:`IssueError` with all problems, each with its line where it has one.
    """
    text = read_text(path)
    matter = split_front_matter(text)
    swapper = Swapper(text)
    title_subject = matter.values.get("subject", "")
    body = swapper.swap(matter.body, matter.body_line)
    try:
        parts = outline(body, matter.body_line, Markdown(swapper), swapper, title_subject)
    except NestingError as error:
        _stop(path, [*matter.faults, (matter.body_line + error.line, f"the text {error}")])
    issue = _assemble(path, matter, parts, swapper)
    tokens = _tokens(issue)
    faults = [
        *matter.faults,
        *parts.faults,
        *_subject_faults(issue, matter),
        *_link_faults(issue),
        *_unclosed([*parts.heading.walk(), *issue.nodes()], body, matter),
        *_token_faults(tokens, swapper, text),
        *_commented(tokens, swapper, body, matter.body_line),
    ]
    if faults:
        _stop(path, faults)
    swapper.keep(tokens)
    return replace(issue, tags=swapper.tags, markdown=swapper.with_literals(body))


def _stop(path: Path, faults: Iterable[tuple[int, str]]) -> NoReturn:
    raise IssueError(Problem(path, line, text) for line, text in sorted(set(faults)))


def _subject_faults(issue: Issue, matter: FrontMatter) -> Iterator[tuple[int, str]]:
    said = not matter.complete or any(text.startswith("subject") for _, text in matter.faults)
    if not issue.subject and not said:
        line = matter.lines.get("subject", 1)
        hint = "write 'subject: ...' between two lines --- at the top, or begin with '# A title'"
        if "title" in matter.extra:  # what most site generators call it
            line, hint = matter.lines.get("title", 1), "write 'subject' in the place of 'title'"
        yield line, f"the issue has no subject; {hint}"


def _assemble(path: Path, matter: FrontMatter, parts: Outline, swapper: Swapper) -> Issue:
    def swapped(key: str) -> str:
        return swapper.swap(matter.values.get(key, ""), matter.lines.get(key, 1))

    subject = swapped("subject") or parts.title
    values: dict[str, Any] = {
        key: value for key, value in matter.values.items() if key not in _RENAMED
    }
    values.update(preheader=swapped("preheader"), date=matter.values.get("date", file_date(path)))
    if "from" in matter.values:
        values["sender"] = matter.values["from"]
    return Issue(
        path=path,
        name=matter.values.get("slug", path.stem),
        subject=subject,
        title=parts.title or subject,
        introduction=parts.introduction,
        sections=parts.sections,
        nonce=swapper.nonce,
        markdown_line=matter.body_line,
        extra=matter.extra,
        lines=matter.lines,
        **values,
    )


_RENAMED = {"subject", "slug", "from"}


def file_date(path: Path) -> date | None:
    """Return the day that a file's name begins with, None if it begins otherwise."""
    match = _FILE_DATE.match(path.stem)
    try:
        return date.fromisoformat(match[1]) if match else None
    except ValueError:
        return None


# --- bytes ----------------------------------------------------------------------------------------


def read_text(path: Path) -> str:
    """Return the text of an issue file, with LF line ends; :class:`IssueError` if it has none."""
    return _decode(path, _read(path))


def _read(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            text = (
                f"is {size / 1e6:.1f} MB; an issue over {MAX_BYTES / 1e6:.0f} MB cannot be mailed"
            )
            raise IssueError([Problem(path, None, text)])
        return path.read_bytes()
    except FileNotFoundError:
        raise IssueError(
            [Problem(path, None, "there is no such file")],
            hint="'briefmail new \"A title\"' begins an issue",
        ) from None
    except OSError as error:
        raise IssueError([Problem(path, None, f"cannot be read: {error.strerror}")]) from error


def _decode(path: Path, data: bytes) -> str:
    """Return the text with LF line ends and without a BOM; it must be UTF-8."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        text = f"is not UTF-8 (it looks like {_guess(data)}); save it as UTF-8"
        raise IssueError([Problem(path, line, text)]) from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        guess = _guess(data)
        text = f"holds a NUL character (it looks like {guess}); save it as UTF-8 text"
        raise IssueError([Problem(path, line, text)])
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _guess(data: bytes) -> str:
    """Name the encoding of bytes that are not UTF-8 text, for a person."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or data[:200].count(0) > len(data[:200]) // 4:
        return "UTF-16, which Windows calls 'Unicode'"
    if b"\0" in data:
        return "a binary file"
    if any(byte in range(0x80, 0xA0) for byte in data):
        return "Windows-1252"
    return "Latin-1 or Windows-1252"


# --- links and tags -------------------------------------------------------------------------------


def _link_faults(issue: Issue) -> Iterator[tuple[int, str]]:
    for node in issue.nodes():
        if node.kind in {"link", "button"}:
            fault = _link_fault(node.attributes["href"])
        elif node.kind == "image":
            fault = _image_fault(node)
        else:
            continue
        if fault:
            yield node.line or 1, fault


def _link_fault(href: str) -> str:
    if not href:
        return "a link without an address"
    if STATEMENT_TOKEN.match(href):
        return _branches_fault(href)
    if href.startswith("#") or TOKEN.match(href):
        return ""
    scheme = _SCHEME.match(href)
    if not scheme:
        return f"the link {_short(href)} leads nowhere in a mail; write the whole https:// address"
    if not _ADDRESS.match(href):
        return f"the link {_short(href)} leads nowhere in a mail; write the whole address"
    if scheme[1].lower() not in LINK_SCHEMES:
        return f"a {scheme[1].lower()}: link is not safe in a mail; use {', '.join(LINK_SCHEMES)}"
    return ""


def _branches_fault(href: str) -> str:
    """Judge an address that begins with a condition by its first branch, and by each scheme."""
    branches = [branch for branch in STATEMENT_TOKEN.split(href) if branch]
    if not branches:
        return "a link without an address"
    judged = [branches[0], *(branch for branch in branches[1:] if _SCHEME.match(branch))]
    return next(filter(None, map(_link_fault, judged)), "")


def _image_fault(node: Node) -> str:
    source = node.attributes["src"]
    scheme = _SCHEME.match(source)
    # "C:\picture.png" has a scheme of one letter: it is a path on a Windows disk.
    if scheme and scheme[1].lower() not in {"http", "https"} and len(scheme[1]) > 1:
        return f"an image cannot come from a {scheme[1].lower()}: address; save it as a file"
    for name in ("width", "height"):
        value = node.attributes.get(name, "1")
        if not value.isdigit():
            return f"{name}={_short(value)} must be a number of pixels, such as {name}=300"
    return ""


def _unclosed(nodes: Iterable[Node], body: str, matter: FrontMatter) -> Iterator[tuple[int, str]]:
    """Find braces that look like a merge tag and are none."""
    text = "a merge tag is not closed on its line; inside code (`{{`) it would be plain text"
    for node in nodes:
        words = node.text if node.kind in {"text", "html"} else ""
        if any(UNCLOSED.search(found) for found in (words, *node.attributes.values())):
            yield _line_near(body, node.line, matter.body_line), text
    for key in ("subject", "preheader"):
        if UNCLOSED.search(without_tags(matter.values.get(key, ""))):
            yield matter.lines.get(key, 1), text


def _line_near(body: str, line: int | None, body_line: int) -> int:
    """The first line with an unclosed tag at or after the one where its block begins."""
    lines: Iterable[tuple[int, str]] = enumerate(body.split("\n"), start=body_line)
    return next((n for n, words in lines if n >= (line or 1) and UNCLOSED.search(words)), line or 1)


def _tokens(issue: Issue) -> Set[str]:
    """All that can be taken for a token in what is mailed."""
    words = [issue.subject, issue.title, issue.preheader]
    words += [content.html for content in issue.contents()]
    for section in issue.sections:
        words += [*section.before, *section.after]
    for story in issue.stories:
        words += [*story.before, *story.after]
    for node in issue.nodes():
        words += [node.text, *node.attributes.values()]
    return {token for text in words for token in TOKEN.findall(text)}


def _token_faults(tokens: Set[str], swapper: Swapper, text: str) -> Iterator[tuple[int, str]]:
    strangers = {*TOKEN.findall(text), *tokens} - {tag.token for tag in swapper.tags}
    for stranger in strangers:
        line = text.count("\n", 0, max(0, text.find(stranger))) + 1
        yield line, f"the word {stranger} cannot be used: briefmail marks merge tags in this way"
    if swapper.surplus:
        yield swapper.surplus.line, f"more than {MAX_TAGS:,} merge tags; is the file what it seems?"


def _commented(
    tokens: Set[str], swapper: Swapper, body: str, body_line: int
) -> Iterator[tuple[int, str]]:
    """Find ``<!-- {% if ... %} -->``: what it stands around would go to everybody, in silence."""
    dropped = {tag.token for tag in swapper.tags} - tokens
    for match in _COMMENTED.finditer(body):
        if match[1] in dropped:
            line = body_line + body.count("\n", 0, match.start())
            yield line, "a condition in a comment does nothing; take the <!-- and --> away"


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")
