"""CSS into ``style`` attributes, by premailer, behind one function that checks what came out.

premailer has not changed since 2021. What it is known to get wrong is either switched off,
refused before it is called, or found afterwards; ``tests/edition/test_inline.py`` has a case for
each. Styles that must not be inlined (dark mode, phones) stand in a ``<style
data-premailer="ignore">`` block, which is kept byte for byte.
"""

import logging
import re
from collections import Counter
from pathlib import Path

from lxml import etree, html

from briefmail.errors import BriefmailError, InputError, Problem
from briefmail.issue import TOKEN

END_MARK = "<!--end of mail-->"
DOCTYPE = "<!DOCTYPE html>"
MAX_DEPTH = 200  # libxml2 drops what lies deeper than 256, and says nothing
_EMPTY_LINK = re.compile(r"<a\b[^>]*?\bhref=\"([^\"]*)\"[^>]*>\s*</a>", re.IGNORECASE)
_STYLE_BLOCK = re.compile(r"<style\b[^>]*>(.*?)</style>", re.DOTALL | re.IGNORECASE)


def inline_css(page: str, source: Path) -> str:
    """Return ``page`` with its style sheet inlined.

    Raises :class:`InputError` naming ``source`` when a style sheet holds what cannot be
    inlined safely, or when the result lost a slot, a link or its end.
    """
    _refuse(page, source)
    try:
        inlined = _premailer(page)
    except Exception as error:  # it raises what its parsers happen to raise
        raise BriefmailError(
            f"the styles of {source.name} could not be inlined: {error}",
            hint="look at what changed last in templates/email/",
        ) from error
    if not inlined.lstrip()[:9].lower().startswith("<!doctype"):
        inlined = f"{DOCTYPE}\n{inlined}"
    _verify(page, inlined, source)
    return inlined.rstrip() + "\n"


def _premailer(page: str) -> str:
    import cssutils
    from premailer import Premailer

    # Shortened colours (#112233 -> #123) are lost on some clients.
    cssutils.ser.prefs.minimizeColorHash = False
    cssutils.log.setLevel(logging.CRITICAL)
    return str(
        Premailer(
            page,
            strip_important=False,  # or phone and dark rules lose to the inlined value
            allow_network=False,
            disable_validation=True,
            disable_basic_attributes=["width", "height"],  # Outlook rejects width="auto"
            preserve_handlebar_syntax=False,
            cssutils_logging_level=logging.CRITICAL,
        ).transform(pretty_print=False)
    )


def _refuse(page: str, source: Path) -> None:
    """Stop at what premailer would get wrong without a word."""
    problems = [
        # cssutils fetches it over the network whatever it is told, and then drops it
        Problem(source, None, "@import cannot be used in a mail's style sheet")
        for css in _STYLE_BLOCK.findall(page)
        if re.search(r"@import", css, re.IGNORECASE)
    ]
    if re.search(r"<link\b[^>]*\bstylesheet\b", page, re.IGNORECASE):
        problems.append(Problem(source, None, "a linked style sheet cannot be used in a mail"))
    # HTML 4, which libxml2 goes by, has no tables and such in a link: it leaves them after it.
    problems += [
        Problem(
            source, None, f"the link to {href} has no words; a block cannot stand inside a link"
        )
        for href in _EMPTY_LINK.findall(page)
    ]
    if problems:
        raise InputError(problems)


def _verify(before: str, after: str, source: Path) -> None:
    """Hold the result against what went in: slots, links, depth and the end marker."""
    if Counter(TOKEN.findall(before)) != Counter(TOKEN.findall(after)):
        raise _damaged(source, "a merge field was lost or doubled")
    if _links(before) != _links(after):
        raise _damaged(source, "a link was lost")
    if END_MARK in before and END_MARK not in after:
        raise _damaged(source, "the end of the mail was lost")
    tree = html.document_fromstring(after)
    if max(_depths(tree)) > MAX_DEPTH:
        raise _damaged(source, f"elements are nested more than {MAX_DEPTH} deep")


def _links(page: str) -> int:
    return len(re.findall(r"<a\b[^>]*\bhref=", page, re.IGNORECASE))


def _depths(root: etree._Element) -> list[int]:
    depths, level = [0], [root]
    while level:
        depths.append(depths[-1] + 1)
        level = [child for element in level for child in element]
    return depths


def _damaged(source: Path, what: str) -> InputError:
    return InputError(
        [Problem(source, None, f"{what} when the styles were inlined")],
        hint="raw HTML in the issue, or a template in templates/email/, is not well nested",
    )
