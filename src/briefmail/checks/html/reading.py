"""Whether it can be read: contrast in light and dark, words that are too long for a phone."""

import re
from collections.abc import Iterator

from lxml import html

from briefmail.checks.colours import Rgb, as_hex, painted
from briefmail.checks.css import Scheme, declarations
from briefmail.checks.proof import Proof
from briefmail.checks.rule import Found, rule
from briefmail.config import CONFIG_NAME
from briefmail.config.tomlfile import line_of as toml_line
from briefmail.edition.theme import TEMPLATES
from briefmail.edition.theme import settings as theme_settings
from briefmail.issue import TOKEN

LONG = 30
_COLOURS = ("accent", "background", "surface", "text", "muted")
# A line can end after a hyphen, and anywhere in scripts that are written without blanks.
_UNBROKEN = re.compile(
    r"[^\s\u00ad\u200b\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\ud7ff\uf900-\ufaff\uff00-\uffef-]"
    rf"{{{LONG + 1},}}"
)
_BREAKING = {
    "word-break": {"break-word", "break-all"},
    "overflow-wrap": {"break-word", "anywhere"},
    "word-wrap": {"break-word"},
}


@rule(
    "contrast",
    "warning",
    cure="choose a darker colour for the text, or a lighter one for its ground",
    source="WCAG 2.2 section 1.4.3; SpamAssassin HTML_FONT_LOW_CONTRAST",
)
def contrast(proof: Proof) -> Iterator[Found]:
    """Text that stands out too little from its ground.

    Every piece of text is held against the colour that is painted behind it. It needs a contrast
    of 4.5 to 1, and from 24 pixels on (bold: 18.66) 3 to 1. Pictures behind text do not count:
    many readers have them switched off. Each pair of colours is said once.
    """
    return _contrast(proof, "light")


@rule(
    "contrast-dark",
    "warning",
    cure="choose a lighter colour for the text in dark mode, or a darker one for its ground",
    source="WCAG 2.2 section 1.4.3; measured with @media (prefers-color-scheme: dark) applied",
)
def contrast_dark(proof: Proof) -> Iterator[Found]:
    """Text that stands out too little from its ground in dark mode.

    As ``contrast``, with the rules of ``head.css`` for dark mode applied. A ground with a colour of
    its own and no dark rule is the usual cause: the text on it turns pale, and it does not.
    """
    return _contrast(proof, "dark")


def _contrast(proof: Proof, scheme: Scheme) -> Iterator[Found]:
    seen: set[tuple[Rgb, Rgb]] = set()
    for one in painted(proof.page, scheme):
        ink = one.ink
        pair = ink.colour, ink.ground
        if ink.ratio < ink.need and pair not in seen:
            seen.add(pair)
            words = proof.words(" ".join(one.words.split()[:6]))
            text = (
                f'"{words}" is {as_hex(ink.colour)} on {as_hex(ink.ground)} in {scheme} mode:'
                f" {ink.ratio:.1f} to 1, and it needs {ink.need}"
            )
            yield _coloured(proof, scheme, pair, one.element, text)


def _coloured(
    proof: Proof, scheme: Scheme, pair: tuple[Rgb, Rgb], element: html.HtmlElement, text: str
) -> Found:
    """Say it where it can be mended: a template, a setting, or else a line of the issue.

    A colour that stands in the folder's templates and is no setting is the likeliest cause.
    """
    settings = _settings(proof, scheme)
    for colour in pair:
        template, line = proof.places.template_with(as_hex(colour))
        if template and as_hex(colour) not in settings.values():
            return Found(text, line, template, "change the colour there")
    names = [name for colour in pair for name in settings if settings[name] == as_hex(colour)]
    cure = f"change {' or '.join(names)} under [theme] in {CONFIG_NAME}" if names else ""
    mine = [name for name in names if getattr(proof.config.theme, name)]
    if mine and proof.config.path:
        line = toml_line(proof.config.path, "theme", mine[0])
        return Found(text, line, proof.config.path, cure)
    if scheme == "dark" and {as_hex(one) for one in pair} & {*_settings(proof, "light").values()}:
        cure = "a colour of light mode has no rule for dark mode in head.css; add one"
        return proof.places.found_in_theme("prefers-color-scheme", text, "head.css", cure=cure)
    return proof.places.found(element, text, cure)


def _settings(proof: Proof, scheme: Scheme) -> dict[str, str]:
    """The theme's colours in a scheme, by the names of their settings."""
    values = theme_settings(proof.config.theme, proof.config.root / TEMPLATES)
    names = (name + ("_dark" if scheme == "dark" else "") for name in _COLOURS)
    return {name: str(values[name]).lower() for name in names}


@rule(
    "overflow",
    "warning",
    cure="put words in its place: [the timetable](https://…)",
    source="measured in Chromium at 375 pixels: a long address widens the whole mail",
)
def overflow(proof: Proof) -> Iterator[Found]:
    """A word so long that it makes a phone's page wider than the phone.

    Then the reader has to push every line to and fro. The packaged theme lets long words break,
    except in tables of data.
    """
    for one in painted(proof.page, "light"):
        long = _UNBROKEN.search(TOKEN.sub(" ", one.words))
        if long and not _breaks(one.element):
            text = f"{long[0][:LONG]}… has {len(long[0])} characters and cannot be broken"
            yield proof.places.found(one.element, text)


def _breaks(element: html.HtmlElement) -> bool:
    """Whether long words break in an element: the nearest to say so decides, for each property."""
    undecided = dict(_BREAKING)
    for one in (element, *element.iterancestors()):
        for declared in declarations(one.get("style", "")):
            if declared.value in undecided.pop(declared.name, ()):
                return True
    return False


@rule(
    "black-text",
    "info",
    cure="a very dark grey, such as #22282a, looks the same and stays readable",
    source="hteumeuleu/email-bugs issue 68: Gmail and Outlook recolour in dark mode",
)
def black_text(proof: Proof) -> Iterator[Found]:
    """Text in pure black.

    Some programs that recolour a mail for dark mode leave #000000 as it is, on the dark ground.
    """
    for one in painted(proof.page, "light"):
        if as_hex(one.ink.colour) == "#000000":
            yield _coloured(
                proof,
                "light",
                (one.ink.colour, one.ink.colour),
                one.element,
                f'"{proof.words(" ".join(one.words.split()[:6]))}" is pure black',
            )
            return


@rule(
    "color-scheme",
    "info",
    cure='write `<meta name="color-scheme" content="light dark">` into page.html',
    source="Apple Mail; Cerberus; good-email-code.com",
)
def color_scheme(proof: Proof) -> Iterator[Found]:
    """A page that does not say that it has a dark mode.

    Apple Mail then recolours it by its own lights instead of reading the dark rules.
    """
    if proof.page.find("head/meta[@name='color-scheme']") is None:
        text = "the page has no color-scheme"
        yield proof.places.found_in_theme("<head", text, "page.html")
