"""Headings: what a screen reader moves by, and a hurried eye."""

from collections.abc import Iterator

from lxml import html

from briefmail.checks.proof import Proof
from briefmail.checks.rule import Found, rule
from briefmail.issue import plain

_RANKS = ("h1", "h2", "h3", "h4", "h5", "h6")


@rule(
    "heading-title",
    "warning",
    cure="in your own templates, keep the title as the only h1",
    source="WCAG 2.2 technique G141; good-email-code",
)
def heading_title(proof: Proof) -> Iterator[Found]:
    """More than one heading of the first rank, or none.

    The title is the only one: it says what the whole mail is. The packaged theme sees to it; a
    folder's own templates have to.
    """
    count = sum(1 for _ in proof.page.iter("h1"))
    if count != 1:
        yield Found(f"the mail has {count or 'no'} headings of the first rank (h1)", 1)


@rule(
    "heading-skips",
    "warning",
    cure="go down one rank at a time",
    source="WCAG 2.2 technique G141",
)
def heading_skips(proof: Proof) -> Iterator[Found]:
    """A heading that is two ranks below the one before it.

    Who moves from heading to heading by ear looks for the one between. Headings in Markdown are
    moved up by themselves; one that is written as HTML is not.
    """
    before = 0
    for element in _headings(proof):
        rank = int(element.tag[1])
        if rank > before + 1:
            words = proof.words(element.text_content().strip())
            text = f"the heading {words!r} is an h{rank} below an h{before}"
            if before:
                yield Found(text, proof.line_of(element))
        before = rank


@rule(
    "heading-empty",
    "warning",
    cure="write its words, or take it out",
    source="WCAG 2.2 success criterion 2.4.6",
)
def heading_empty(proof: Proof) -> Iterator[Found]:
    """A heading without words. A screen reader announces it all the same."""
    for story in proof.issue.stories:
        nodes = list(story.headline.walk())
        if not plain(nodes) and not any(node.kind == "image" for node in nodes):
            yield Found("a heading has no words", story.line)


def _headings(proof: Proof) -> Iterator[html.HtmlElement]:
    yield from proof.page.iter(*_RANKS)
