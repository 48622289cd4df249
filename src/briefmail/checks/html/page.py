"""The page as a document: its size, its head, its tables and links."""

import re
from collections.abc import Iterator

from lxml import html

from briefmail.checks.colours import hidden
from briefmail.checks.proof import Proof
from briefmail.checks.rule import Found, rule

CLIPPED = 102_400
NEARLY_CLIPPED = 90_000
PADDING = 100
"""How many characters of no width keep the mail's first words out of the preview."""

_PAD = re.compile("[\u034f\u00ad\u200b-\u200f\u2060\ufeff]")
# A byte-order mark between its like pads the preheader.
_BAD = re.compile("[\0\x80-\x9f]|(?<!\u2007)\ufeff(?!\u034f)")
_BLOCKS = (
    "div", "p", "table", "ul", "ol", "li", "blockquote", "pre", "hr",
    "h1", "h2", "h3", "h4", "h5", "h6",
)  # fmt: skip
_ACTIVE = (
    "script", "iframe", "frame", "object", "embed", "applet", "video", "form",
    "input", "select", "textarea", "button",
)  # fmt: skip


@rule(
    "size",
    "error",
    cure="leave the rest of long stories to the web, or send two issues",
    source="Gmail clips at 102 kB (hteumeuleu/email-bugs issue 41); Ghost warns at 100 kB",
)
def size(proof: Proof) -> Iterator[Found]:
    """A mail so long that Gmail cuts it off.

    What is counted is the HTML part as it travels, of the largest copy on the list. Gmail shows
    some 102 kB and hides the rest behind "View entire message", the link for leaving with it. From
    90 kB on it is a warning: a longer name, or a sentence more, and it is too much.
    """
    found = proof.specimen.html_size
    if found > NEARLY_CLIPPED:
        text = f"the largest copy has {found:,} bytes of HTML; Gmail shows {CLIPPED:,}"
        yield Found(text, severity=None if found > CLIPPED else "warning")


@rule(
    "charset",
    "error",
    cure="delete the character; it cannot be seen, so write the words beside it anew",
    source="Gmail clips at C1 controls and where no UTF-8 is declared (email-bugs issue 41)",
)
def charset(proof: Proof) -> Iterator[Found]:
    """A character that is none, or a page that says it is not UTF-8.

    C1 controls (U+0080 to U+009F) come from text that was once saved in a Windows encoding, a
    byte-order mark from a file that was pasted whole. Gmail may cut the mail off there.
    """
    declared = proof.page.find(".//meta[@charset]")
    name = declared.get("charset", "") if declared is not None else "utf-8"
    if name.lower() not in {"utf-8", "utf8"}:
        text = f"the page says that it is {name}, and a mail from here is UTF-8"
        yield proof.places.found_in_theme("charset", text, "page.html", cure="write utf-8")
    first: dict[str, html.HtmlElement] = {}
    for element in proof.page.iter("*"):
        for character in _BAD.findall("".join(_shown(element))):
            first.setdefault(character, element)
    for character, element in first.items():
        text = f"there is a character U+{ord(character):04X} in the text"
        line = proof.line_of_text(character)
        yield Found(text, line) if line else proof.places.found(element, text)


def _shown(element: html.HtmlElement) -> Iterator[str]:
    """What an element itself says."""
    yield from (element.text or "", *(child.tail or "" for child in element))
    yield from element.attrib.values()


@rule(
    "doc",
    "error",
    cure="copy the packaged page.html anew, and make your change again",
    source="good-email-code.com; Cerberus; WCAG 2.2 sections 2.4.2 and 3.1.1",
)
def doc(proof: Proof) -> Iterator[Found]:
    """A page without its language, title, charset or viewport.

    Without a language a screen reader reads Gaelic as English, without a viewport a phone shows a
    page for a desktop, shrunk. The language stands on the wrapper, too: webmail takes the html
    element away. (The doctype is always written.)
    """
    for missing, pattern in _missing(proof):
        text = f"the page has no {missing}"
        yield proof.places.found_in_theme(pattern, text, "page.html")


def _missing(proof: Proof) -> Iterator[tuple[str, str]]:
    """What the page lacks, each with where in page.html it belongs."""
    page = proof.page
    if not page.get("lang"):
        yield "lang on its html element", "<html"
    if page.find("body/*[@lang]") is None:
        yield "lang on the wrapper in its body", "<body"
    if not (page.findtext("head/title") or "").strip():
        yield "<title>", "<head"
    if page.find("head/meta[@charset]") is None:
        yield '<meta charset="utf-8">', "<head"
    if page.find("head/meta[@name='viewport']") is None:
        yield '<meta name="viewport">', "<head"


@rule(
    "title",
    "warning",
    cure="write `<title>{{ issue.subject }}</title>` in page.html",
    source="SpamAssassin HTML_TITLE_SUBJ_DIFF (1.1 to 2.2 points)",
)
def title(proof: Proof) -> Iterator[Found]:
    """A title of the page that is not the subject.

    Spam filters hold the two against each other, and a screen reader says the title first.
    """
    found = (proof.page.findtext("head/title") or "").strip()
    if found and found.split() != proof.issue.subject.split():
        text = f'the title of the page is "{proof.words(found)}", which is not the subject'
        yield proof.places.found_in_theme("<title", text, "page.html")


@rule(
    "tables",
    "error",
    cure='give a table of data a row of headings (th), and one for layout `role="presentation"`',
    source="WCAG 2.2 section 1.3.1; Cerberus; leemunroe/responsive-html-email-template",
)
def tables(proof: Proof) -> Iterator[Found]:
    """A table that a screen reader cannot make sense of.

    It reads a table of data with its headings ("Monday, until now: closed"), and would read a
    table that only sets things beside each other in the same way, cell by cell, unless that says
    that it is for presentation.
    """
    for table in proof.page.iter("table"):
        presents = table.get("role") in {"presentation", "none"}
        has_headings = any(True for th in table.iter("th") if _table_of(th) is table)
        if presents and has_headings:
            yield proof.places.found(table, 'a table with role="presentation" has headings (th)')
        elif not presents and not has_headings:
            text = 'a table has neither headings (th) nor role="presentation"'
            yield proof.places.found(table, text)


def _table_of(cell: html.HtmlElement) -> html.HtmlElement | None:
    return next(cell.iterancestors("table"), None)


@rule(
    "block-link",
    "error",
    cure="link the words in it instead, or make the link a button: a bold link on its own",
    source="TryGhost/Ghost pull request 16486: Outlook on Windows",
)
def block_link(proof: Proof) -> Iterator[Found]:
    """A link around a paragraph, a heading or a table.

    Outlook on Windows lets nobody click on it.
    """
    for link in proof.page.iter("a"):
        block = next(link.iterdescendants(*_BLOCKS), None)
        if block is not None:
            yield proof.places.found(link, f"a link has a whole <{block.tag}> inside")


@rule(
    "active-content",
    "error",
    cure="take it out, and link to a page that has it",
    source="caniemail.com: html-video, html-form; no mail program runs scripts or shows frames",
)
def active_content(proof: Proof) -> Iterator[Found]:
    """A script, a frame, a form or a video.

    Mail programs take them out, some put the mail among the spam for them, and a form asks for
    what is then sent without anybody noticing where to.
    """
    seen = set()
    for element in proof.page.iter(*_ACTIVE):
        inside = any(True for _ in element.iterancestors(*_ACTIVE))
        if element.tag not in seen and not inside:
            seen.add(element.tag)
            yield proof.places.found(element, f"the page has a <{element.tag}>")


@rule(
    "preheader-padding",
    "warning",
    cure="let the packaged page.html write the preheader, or copy its line",
    source="good-email-code.com; Gmail and Apple Mail show some 90 to 140 characters",
)
def preheader_padding(proof: Proof) -> Iterator[Found]:
    """A preheader that the first words of the mail run into.

    The inbox shows what comes next, when the preheader is shorter than its line: the name of the
    newsletter, the date. Some hundred characters of no width after it keep them out.
    """
    wanted = proof.edition.preheader
    if not wanted:
        return
    for element in proof.page.iter("div", "span", "td", "p"):
        if hidden(element) and wanted[:20] in (element.text or ""):
            pads = len(_PAD.findall(element.text_content()))
            if pads < PADDING:
                text = f"only {pads} characters of no width come after the preheader"
                yield proof.places.found(element, text)
            return
    text = "the preheader is not on the page; the inbox shows the mail's first words"
    yield proof.places.found_in_theme("preheader", text, "page.html")
