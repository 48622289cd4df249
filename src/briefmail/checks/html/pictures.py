"""Pictures on the page: their size, how many words come with them, what dark mode does to them."""

import re
from collections.abc import Iterator
from email.message import Message

from lxml import html

from briefmail.checks.colours import ground_of, painted
from briefmail.checks.css import winners
from briefmail.checks.proof import Proof
from briefmail.checks.rule import Found, rule
from briefmail.edition.dress import CONTENT_WIDTH

FEW_WORDS = 1_200
ORNAMENT = 120
"""Up to so many pixels wide a picture is an icon, and not what the mail is about."""


@rule(
    "img-width",
    "error",
    cure=f'write the width in pixels, at most {CONTENT_WIDTH}: `width="300"`',
    source="leemunroe/responsive-html-email-template issue 91; Outlook on Windows",
)
def img_width(proof: Proof) -> Iterator[Found]:
    """A picture of the theme that Outlook on Windows shows too wide.

    It goes by the width attribute and by no style: a plain number of pixels, at most the width of
    the text. Without one it shows the picture as wide as its file is. A picture of the issue is
    looked at where it is written, and one in the folder gets its width by itself.
    """
    for picture in _of_theme(proof):
        width = picture.get("width", "").strip()
        if not re.fullmatch(r"[1-9][0-9]*", width):
            said = f'has width="{width}", which is no number' if width else "has no width"
            yield proof.places.found(picture, f"{_name(proof, picture)} {said}")
        elif int(width) > CONTENT_WIDTH:
            text = f"{_name(proof, picture)} is {width} pixels wide, the text {CONTENT_WIDTH}"
            yield proof.places.found(picture, text)


@rule(
    "img-height",
    "warning",
    cure='write the height in pixels: `height="120"`; a picture in the folder gets it by itself',
    source="Outlook on Windows; zurb/foundation-emails issue 784",
)
def img_height(proof: Proof) -> Iterator[Found]:
    """A picture of the theme without a height.

    While it loads, or if it is switched off, it has no room of its own, and the text jumps.
    """
    for picture in _of_theme(proof):
        if not re.fullmatch(r"[1-9][0-9]*", picture.get("height", "").strip()):
            yield proof.places.found(picture, f"{_name(proof, picture)} has no height in pixels")


def _of_theme(proof: Proof) -> Iterator[html.HtmlElement]:
    return (one for one in proof.page.iter("img") if proof.line_of(one) is None)


@rule(
    "img-ratio",
    "warning",
    cure="say in words what the picture says, too",
    source="SpamAssassin HTML_IMAGE_ONLY_04 to _12 (1.2 to 2.1 points)",
)
def img_ratio(proof: Proof) -> Iterator[Found]:
    """A picture with few words around it.

    Spam is sent as pictures, so filters count the text: below some 1,200 characters a picture
    makes a mail suspicious. The logo, and what is as small as an icon, is not counted here.
    """
    pictures = proof.page.iter("img")
    large = [one for one in pictures if not _is_ornament(one) and not _is_logo(proof, one)]
    letters = sum(len(one.words) for one in painted(proof.page, "light"))
    if large and letters < FEW_WORDS:
        text = f"{len(large)} picture{'s' * (len(large) > 1)} with {letters} characters of text"
        yield proof.places.found(large[0], text)


@rule(
    "dark-logo",
    "info",
    cure="give .logo a light background-color in the dark part of head.css",
    source="hteumeuleu/email-bugs issue 68",
)
def dark_logo(proof: Proof) -> Iterator[Found]:
    """A logo that lets the dark ground through in dark mode.

    Dark lines on a transparent ground cannot be seen there. The packaged theme lays a light
    ground below the logo.
    """
    styles = winners(proof.page, "dark")
    parts = proof.specimen.pictures
    for picture in proof.page.iter("img"):
        part = parts.get(picture.get("src", ""))
        if part is None or not _is_logo(proof, picture) or not _is_transparent(part):
            continue
        if ground_of(styles.get(picture, {}), picture) is None:
            text = "the logo is transparent, and has no ground of its own in dark mode"
            yield proof.places.found(picture, text)


def _name(proof: Proof, picture: html.HtmlElement) -> str:
    alt = proof.words(picture.get("alt", "")).strip()
    return f'the picture "{alt[:40]}{"…" * (len(alt) > 40)}"' if alt else "a picture"


def _is_ornament(picture: html.HtmlElement) -> bool:
    width = picture.get("width", "").strip()
    return width.isascii() and width.isdigit() and int(width) <= ORNAMENT


def _is_logo(proof: Proof, picture: html.HtmlElement) -> bool:
    alt = proof.config.theme.logo_alt
    return "logo" in picture.get("class", "").split() or (alt != "" and picture.get("alt") == alt)


def _is_transparent(part: Message) -> bool:
    """Whether a picture is a PNG with an alpha channel, or with a transparent colour.

    PNG section 11.2.1: the colour type is the 26th byte, and those of 4 and 6 have alpha; 11.3.1:
    tRNS comes before the first IDAT.
    """
    data = bytes(part.get_payload(decode=True))
    if not data.startswith(b"\x89PNG\r\n\x1a\n"):
        return False
    return data[25] in {4, 6} or b"tRNS" in data.partition(b"IDAT")[0]
