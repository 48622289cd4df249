"""Contrast, computed: each piece of text against what is painted behind it, light and dark.

The ratio is WCAG 2.2's (section 1.4.3). Pictures behind text are not counted: what is measured is
what those see who have them switched off.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from lxml import html
from tinycss2.color4 import parse_color

from briefmail.checks.css import Scheme, declarations, winners
from briefmail.issue import STATEMENT_TOKEN

Rgb = tuple[float, float, float]
Rgba = tuple[float, float, float, float]

LARGE = 24.0
LARGE_BOLD = 18.66
_SIZES = {
    "xx-small": 9.0, "x-small": 10.0, "small": 13.0, "medium": 16.0, "large": 18.0,
    "x-large": 24.0, "xx-large": 32.0,
    "h1": 32.0, "h2": 24.0, "h3": 18.72, "h4": 16.0, "h5": 13.28, "h6": 10.72,
}  # fmt: skip
_BOLD = {"b", "strong", "th", "h1", "h2", "h3", "h4", "h5", "h6"}
_UNSEEN = {"style", "script", "title", "head", "template", "noscript"}
# Blanks, also those of no width that pad the preheader.
_BLANK = re.compile(r"[\s\u00ad\u034f\u200b-\u200f\u2060\ufeff]+")


@dataclass(frozen=True, slots=True)
class Ink:
    """How text is painted. Colours are opaque, each channel from 0 to 1; ``size`` in pixels."""

    colour: Rgb
    ground: Rgb
    size: float = 16.0
    bold: bool = False

    @property
    def ratio(self) -> float:
        """The contrast: from 1, which nobody can read, to 21."""
        low, high = sorted((_luminance(self.colour), _luminance(self.ground)))
        return (high + 0.05) / (low + 0.05)

    @property
    def need(self) -> float:
        """The least contrast that text of this size needs."""
        return 3.0 if self.size >= LARGE or (self.bold and self.size >= LARGE_BOLD) else 4.5


@dataclass(frozen=True, slots=True)
class Painted:
    """A piece of text, the element that it stands in, and how it is painted."""

    words: str
    element: html.HtmlElement
    ink: Ink


@lru_cache(maxsize=4)  # several rules ask for the same page
def painted(page: html.HtmlElement, scheme: Scheme) -> tuple[Painted, ...]:
    """Return every piece of text that can be seen, in reading order, as a colour scheme has it."""
    body = page.find("body")
    if body is None:
        return ()
    adapts = scheme == "dark" and page.find(".//meta[@name='color-scheme']") is not None
    paper = Ink((1.0, 1.0, 1.0), (0.07, 0.07, 0.07)) if adapts else Ink((0, 0, 0), (1, 1, 1))
    return tuple(_paint(body, paper, winners(page, scheme)))


def as_hex(colour: Rgb) -> str:
    """A colour as it is written in a style sheet: ``#0b5d4e``."""
    return "#" + "".join(f"{round(channel * 255):02x}" for channel in colour)


@lru_cache(maxsize=512)
def rgba(value: str) -> Rgba | None:
    """Read a colour; None if it is none, or names another one (``inherit``)."""
    colour = parse_color(value)
    if colour is None or isinstance(colour, str):
        return None
    if colour.space not in {"srgb", "hsl", "hwb"}:
        return None
    in_rgb = colour if colour.space == "srgb" else colour.to("srgb")
    red, green, blue = (min(max(float(one or 0), 0.0), 1.0) for one in in_rgb.coordinates)
    return red, green, blue, float(colour.alpha)


def ground_of(style: Mapping[str, str], element: html.HtmlElement) -> Rgba | None:
    """The colour that an element has behind its text; None if it has none of its own."""
    value = style.get("background-color") or element.get("bgcolor", "")
    colour = rgba(value)
    return colour if colour and colour[3] else None


def _paint(
    element: html.HtmlElement, ink: Ink, styles: Mapping[html.HtmlElement, dict[str, str]]
) -> Iterator[Painted]:
    style = styles.get(element, {})
    if not isinstance(element.tag, str) or element.tag in _UNSEEN or hidden(element, style):
        return
    ink = _inked(element, style, ink)
    if words := _words(element.text):
        yield Painted(words, element, ink)
    for child in element:
        yield from _paint(child, ink, styles)
        if words := _words(child.tail):
            yield Painted(words, element, ink)


def _words(text: str | None) -> str:
    return _BLANK.sub(" ", STATEMENT_TOKEN.sub("", text or "")).strip()


def hidden(element: html.HtmlElement, style: Mapping[str, str] | None = None) -> bool:
    """Whether an element is not to be seen, by its own style attribute unless told another."""
    if style is None:
        style = {one.name: one.value for one in declarations(element.get("style", ""))}
    return (
        style.get("display") == "none"
        or style.get("visibility") in {"hidden", "collapse"}
        or style.get("opacity") == "0"
        or ("display" not in style and "hidden" in element.attrib)
        or (style.get("max-height") in {"0", "0px"} and style.get("overflow") == "hidden")
    )


def _inked(element: html.HtmlElement, style: Mapping[str, str], ink: Ink) -> Ink:
    ground = ground_of(style, element)
    if ground is not None:
        ink = replace(ink, ground=_over(ground, ink.ground))
    colour = _colour(element, style)
    if colour is not None:
        ink = replace(ink, colour=_over(colour, ink.ground))
    size = _size(element, style, ink.size)
    return replace(ink, size=size, bold=_bold(element, style, ink.bold))


def _colour(element: html.HtmlElement, style: Mapping[str, str]) -> Rgba | None:
    if "color" in style:
        return rgba(style["color"])
    attribute = {"font": "color", "body": "text"}.get(str(element.tag))
    if attribute and (colour := rgba(element.get(attribute, ""))):
        return colour
    return rgba("#0000ee") if element.tag == "a" and element.get("href") else None


def _size(element: html.HtmlElement, style: Mapping[str, str], inherited: float) -> float:
    value = style.get("font-size") or _size_of_shorthand(style.get("font", ""))
    match = re.match(r"([\d.]+)(px|pt|em|rem|%)", value)
    if match:
        scale = {"px": 1.0, "pt": 4 / 3, "em": inherited, "rem": 16.0, "%": inherited / 100}
        return float(match[1]) * scale[match[2]]
    return _SIZES.get(value or str(element.tag), inherited)


def _size_of_shorthand(font: str) -> str:
    match = re.search(r"\b[\d.]+(?:px|pt|em|rem|%)", font)
    return match[0] if match else ""


def _bold(element: html.HtmlElement, style: Mapping[str, str], inherited: bool) -> bool:
    weight = style.get("font-weight", "")
    if not weight and (match := re.search(r"\b(?:bold|[1-9]00)\b", style.get("font", ""))):
        weight = match[0]
    if not weight:
        return inherited or element.tag in _BOLD
    return weight.startswith("bold") or weight[0] in "6789"


def _over(top: Rgba, below: Rgb) -> Rgb:
    """Paint a colour, which may let through what is below it."""
    red, green, blue = (
        channel * top[3] + under * (1 - top[3])
        for channel, under in zip(top[:3], below, strict=True)
    )
    return red, green, blue


@lru_cache(maxsize=512)
def _luminance(colour: Rgb) -> float:
    red, green, blue = (
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in colour
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
