"""Words that are not meant for the reader: notes to oneself, placeholders, traces of typing."""

import re
from collections.abc import Iterator

from briefmail.checks.finding import Severity
from briefmail.checks.passage import Passage
from briefmail.checks.proof import Proof
from briefmail.checks.rule import Found, rule

# What nobody writes to a reader; below it what might be meant: kisses, a Roman 30.
_SURE_NOTE = re.compile(
    r"(?<=\[)(?:TK|TODO|TBD|TBC|XXX|FIXME)\b|\b(?:TODO|FIXME)(?=:|\()|^(?:TODO|FIXME|TK)\b"
    r"|\bTKTK\w*|(?i:lorem ipsum dolor)"
)
_NOTE = re.compile(r"\b(?:TODO|FIXME|TK|XXX|TBD|TBC)\b(?![-\d])|(?i:\blorem ipsum\b)")
_FOREIGN_TAG = re.compile(
    r"\*?\|[A-Z0-9_:]{2,}\|\*?"  # Mailchimp; its stars become emphasis
    r"|%%?[A-Z]+(?:_[A-Z]+)+%%?|%(?:NAME|EMAIL)%|%recipient\.\w+%"
    r"|\[\[?(?:FIRST|LAST|FULL|YOUR)?[ _]?NAME\]?\]|\[(?:LINK|URL|DATE|TITLE|SUBJECT|EMAIL)\]"
    r"|\[(?:INSERT|ADD) [^\]]{1,60}\]|<<\s?\w+\s?>>|(?<!\$)\{(?:first|last)?_?name\}"
)
_DOUBLED = re.compile(
    r"\b(the|a|an|of|to|and|for|with|from|by|our|their|its|my|your|or|if)\s+\1\b", re.IGNORECASE
)
_MOJIBAKE = re.compile("â€.|Ã[\x80-\xbf©¨¤¶¼±³§¡º®]|Â[£§©«»°·\xa0\x80-\x9f]|ï»¿|ï¿½|\ufffd")
_MARKDOWN = re.compile(
    r"\]\(\s*(?:https?:|[^\s)]+\))|\]\[\w|\[[^\]]+\]\[\]|(?<![\w*])\*\*(?=\w)|(?<=\w)\*\*(?![\w*])|^\s*#{2,6}(?=\w)"
    r"|<!--|-->"
)
_ENTITY = re.compile(
    r"&(?:amp|nbsp|quot|lt|gt|apos|[mn]dash|hellip|[lr][sd]quo|#x?[0-9a-f]+);", re.I
)


@rule(
    "leftover-note",
    "warning",
    cure="write what is missing, or take the note out",
    source="Buttondown's preflight; 'TK' is what journalists write for 'to come'",
)
def leftover_note(proof: Proof) -> Iterator[Found]:
    """A note to oneself: TODO, TK, FIXME, XXX, TBD, lorem ipsum.

    It is an error where nobody could mean it for the reader (`TODO:`, `[TK]`, a paragraph that
    begins with it), and a warning where it might be meant. Code is not looked at.
    """
    for passage in proof.passages:
        sure = list(_SURE_NOTE.finditer(passage.text))
        places = {match.start() for match in sure}
        maybe = [each for each in _NOTE.finditer(passage.text) if each.start() not in places]
        for match in (*sure, *maybe):
            severity: Severity = "error" if match in sure else "warning"
            text = f"{match[0]!r} was left in the {_where(passage)}"
            yield Found(text, passage.line(match.start()), severity=severity)


@rule(
    "leftover-placeholder",
    "error",
    cure="write {{ first_name }} for a merge field, or put the words there that belong there",
    source="the merge tags of Mailchimp, Mailgun, MailerLite and Word's mail merge",
)
def leftover_placeholder(proof: Proof) -> Iterator[Found]:
    """A placeholder that nobody fills: `*|FNAME|*`, `%FIRST_NAME%`, `[NAME]`, `[INSERT DATE]`.

    They come with a text from another program, or from a template, and everybody sees them.
    """
    for passage in proof.passages:
        for match in _FOREIGN_TAG.finditer(passage.text):
            yield Found(f"nobody fills {match[0]!r}", passage.line(match.start()))


@rule(
    "doubled-word",
    "warning",
    cure="take one of them out",
    source="the oldest slip of all; across a line end it is hard to see",
)
def doubled_word(proof: Proof) -> Iterator[Found]:
    """A little word that stands there twice, in English.

    Only words that are never right twice in a row are looked for: "that that" may well be.
    """
    if proof.language == "en":
        for passage in proof.passages:
            for match in _DOUBLED.finditer(passage.text):
                words = re.sub(r"\s+", " ", match[0])
                yield Found(f"{words!r} stands there twice over", passage.line(match.start()))


@rule(
    "wrong-characters",
    "error",
    cure="type the character anew, or copy the text again from where it is right",
    source="UTF-8 read as Windows-1252",
)
def wrong_characters(proof: Proof) -> Iterator[Found]:
    """Characters that were read in the wrong encoding before they got here: `â€™` for `’`.

    They come from copying out of a damaged page or mail, and every reader sees them.
    """
    for passage in proof.passages:
        if match := _MOJIBAKE.search(passage.text):
            around = passage.text[max(0, match.start() - 10) : match.end() + 10]
            yield Found(f"wrong characters in {around!r}", passage.line(match.start()))


@rule(
    "markdown-shown",
    "warning",
    cure="a blank after the #, no blank between ] and (, every ** closed, every [name] defined",
    source="seen in a fifth of the newsletters that are kept in Markdown",
)
def markdown_shown(proof: Proof) -> Iterator[Found]:
    """Markdown that was not understood, so that the reader sees its signs.

    A heading without a blank after its `##`, a link whose reference is not defined, stars that
    are not closed, half a comment.
    """
    for passage in proof.passages:
        if passage.kind not in {"subject", "preheader"} and (
            match := _MARKDOWN.search(passage.text)
        ):
            around = passage.text[max(0, match.start() - 15) : match.end() + 15].strip()
            yield Found(f"the reader sees {around!r}", passage.line(match.start()))


@rule(
    "entity-shown",
    "warning",
    cure="write the character itself",
    source="HTML escaped twice, as a web page's editor does",
)
def entity_shown(proof: Proof) -> Iterator[Found]:
    """A character's HTML name that the reader sees as it stands: `&amp;`, `&nbsp;`.

    In the text one `&amp;` is fine; in the front matter, or escaped twice, it is shown.
    """
    for passage in proof.passages:
        if match := _ENTITY.search(passage.text):
            yield Found(f"the reader sees {match[0]!r}", passage.line(match.start()))


def _where(passage: Passage) -> str:
    return passage.kind if passage.kind in {"subject", "preheader", "title"} else "text"
