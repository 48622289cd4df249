"""Links that come twice: in this issue, or in an earlier one."""

from collections import defaultdict
from collections.abc import Iterator
from urllib.parse import urlsplit

from briefmail.checks.links.address import is_web
from briefmail.checks.proof import Proof
from briefmail.checks.reference import Link, references_of
from briefmail.checks.rule import Found, rule
from briefmail.issue import Issue

_BRANCHES = ("elif", "else")


@rule(
    "link-doubled",
    "info",
    cure="keep one of them, unless each is wanted where it stands",
    source="a paragraph that was copied and not changed",
)
def link_doubled(proof: Proof) -> Iterator[Found]:
    """The same words with the same target, twice in one issue."""
    first: dict[tuple[str, str], Link] = {}
    for link in proof.references.links:
        before = first.setdefault((_said(link), link.href), link)
        if before is not link and _said(link) and not _either_or(before, link, proof):
            text = f"the link {proof.words(link.text)!r} is on line {before.line} already"
            yield Found(text, link.line)


@rule(
    "link-ambiguous",
    "info",
    cure="let each say where it leads; as often, one address was copied and not changed",
    source="WCAG 2.2 success criterion 2.4.4",
)
def link_ambiguous(proof: Proof) -> Iterator[Found]:
    """The same words with two different targets.

    That is as it should be for the days of a course, or two of one name. Words that say nothing
    by themselves are the business of `link-text`.
    """
    first: dict[str, Link] = {}
    for link in proof.references.links:
        before = first.setdefault(_said(link), link)
        differs = before.href != link.href and len(_said(link)) > 8
        if differs and not _either_or(before, link, proof):
            text = f"the link {proof.words(link.text)!r} leads elsewhere than on line {before.line}"
            yield Found(text, link.line)


@rule(
    "link-earlier",
    "info",
    cure="good if it is meant; else find what is new about it",
    source="asked for by editors (Buttondown #1590)",
)
def link_earlier(proof: Proof) -> Iterator[Found]:
    """A link that was in an earlier issue.

    A site's front page does not count, nor what two earlier issues have: it is there every time.
    """
    seen: defaultdict[str, list[Issue]] = defaultdict(list)
    for issue in proof.earlier:
        for href in {link.href for link in references_of(issue).links}:
            seen[href].append(issue)
    told = set()
    for link in proof.references.links:
        before = seen.get(link.href, [])
        if len(before) == 1 and _is_page(link.href) and link.href not in told:
            told.add(link.href)
            yield Found(f"{proof.words(link.href)} was in {before[0].path.name}", link.line)


def _said(link: Link) -> str:
    return link.text.casefold()


def _is_page(href: str) -> bool:
    try:
        parts = urlsplit(href)
    except ValueError:
        return False
    return is_web(href) and bool(parts.path.strip("/") or parts.query)


def _either_or(one: Link, other: Link, proof: Proof) -> bool:
    """Whether a branch of a condition begins between two links, so that nobody may see both."""
    start, end = one.line or 0, other.line or 0
    return any(
        tag.kind == "statement"
        and start <= tag.line <= end
        and tag.source.strip("{%-+ ").startswith(_BRANCHES)
        for tag in proof.issue.tags
    )
