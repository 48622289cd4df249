"""The two texts of a message: whoever reads the plain one must get the same letter."""

import re
from collections.abc import Iterator

from lxml import html

from briefmail.checks.proof import Proof
from briefmail.checks.rule import Found, rule

SHARE = 0.8
FEW = 8
"""How many of the words of one text the other must have; by a few the theme's own may differ.

What an inbox shows, the page has once more, and hidden: it does not count.
"""
UNSEEN = {"title", "style", "script"}
_WORD = re.compile(r"[^\W\d_]{3,}")


@rule(
    "text-differs",
    "warning",
    cure="see what templates/email/ adds to the page or leaves out: the plain text is made of the"
    " issue, not of the page",
    source="SpamAssassin, MPART_ALT_DIFF; RFC 2046 section 5.1.4",
)
def text_differs(proof: Proof) -> Iterator[Found]:
    """The plain text is not the same letter as the page.

    Some people read only the one and some only the other, and spam filters compare them.
    """
    specimen = proof.specimen
    inbox = _words(f"{specimen.subject} {specimen.preheader}")
    page, text = _words_of_page(specimen.html) - inbox, _words(specimen.text) - inbox
    for here, there, name in ((page, text, "plain text"), (text, page, "page")):
        lacking = sorted(here - there)
        if len(lacking) > max(FEW, len(here) * (1 - SHARE)):
            told = ", ".join(lacking[:5])
            yield Found(f"the {name} lacks {len(lacking)} of the other's {len(here)} words: {told}")


def _words_of_page(source: str) -> set[str]:
    page = html.document_fromstring(source or "<p></p>")
    pieces = []
    for element in page.iter():
        if isinstance(element.tag, str) and element.tag not in UNSEEN:
            pieces += [element.text or "", element.get("alt", "")]
        pieces.append(element.tail or "")
    # With a blank between any two elements: a cell's last word does not run into the next one's.
    return _words(" ".join(pieces))


def _words(text: str) -> set[str]:
    return {word.lower() for word in _WORD.findall(text)}
