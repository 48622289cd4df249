"""What mail programs cannot show: a page held against a trimmed copy of caniemail.com's table.

Only what breaks reading is looked for, and only where nothing stands in for it: what a style
sheet in the head adds is extra, and a program that knows none of it still has a whole mail. The
data is in ``data/caniemail.json``; ``tools/trim_caniemail.py`` makes it.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from cssselect import SelectorError
from lxml import html

from briefmail.checks.colours import hidden
from briefmail.checks.css import Declaration, declarations, style_blocks, style_sheet

DATA = Path(__file__).with_name("data") / "caniemail.json"

_IGNORED = "the whole declaration is ignored"
_SPACE = "the space is lost"
_SHOWN = "what is hidden is shown"
_NOT_SHOWN = "the picture is not shown"

# slug of caniemail.com -> what a reader sees where it is not known
FEATURES: Mapping[str, str] = {
    "css-aspect-ratio": "the box has no height",
    "css-at-font-face": "the text falls back to Times New Roman",
    "css-block-inline-size": "the width is lost",
    "css-display-flex": "columns stand below each other",
    "css-display-grid": "columns stand below each other",
    "css-function-clamp": _IGNORED,
    "css-function-light-dark": _IGNORED,
    "css-function-max": _IGNORED,
    "css-function-min": _IGNORED,
    "css-inset": "it stays where it would stand without",
    "css-margin-inline-block": _SPACE,
    "css-margin-inline-start-end": _SPACE,
    "css-modern-color": _IGNORED,
    "css-object-fit": "the picture is stretched",
    "css-opacity": _SHOWN,
    "css-padding-inline-block": _SPACE,
    "css-padding-inline-start-end": _SPACE,
    "css-position": "it stays where it would stand without",
    "css-pseudo-class-active": "the text is never shown",
    "css-pseudo-class-checked": "the text is never shown",
    "css-pseudo-class-focus": "the text is never shown",
    "css-pseudo-class-hover": "the text is never shown",
    "css-pseudo-class-target": "the text is never shown",
    "css-rgba": _IGNORED,
    "css-unit-calc": _IGNORED,
    "css-unit-ch": _IGNORED,
    "css-unit-rem": _IGNORED,
    "css-unit-vh": _IGNORED,
    "css-unit-vmax": _IGNORED,
    "css-unit-vmin": _IGNORED,
    "css-unit-vw": _IGNORED,
    "css-variables": _IGNORED,
    "css-visibility": _SHOWN,
    "css-white-space": "line breaks are lost",
    "css-writing-mode": "the text runs the other way",
    "html-audio": "the sound cannot be played",
    "html-dialog": "its text stands open, or is lost",
    "html-hidden": _SHOWN,
    "html-image-maps": "the areas lead nowhere",
    "html-meter": "the bar is not shown",
    "html-popover": "its text stands open, or is lost",
    "html-progress": "the bar is not shown",
    "html-svg": "the drawing is not shown",
    "image-avif": _NOT_SHOWN,
    "image-base64": _NOT_SHOWN,
    "image-bmp": _NOT_SHOWN,
    "image-heif": _NOT_SHOWN,
    "image-ico": _NOT_SHOWN,
    "image-mp4": _NOT_SHOWN,
    "image-svg": _NOT_SHOWN,
    "image-tiff": _NOT_SHOWN,
    "image-webp": _NOT_SHOWN,
}

_ELEMENTS = {tag: f"html-{tag}" for tag in ("audio", "dialog", "meter", "progress", "svg")}
_ATTRIBUTES = {"hidden": "html-hidden", "popover": "html-popover", "usemap": "html-image-maps"}
_PSEUDO = {name: f"css-pseudo-class-{name}" for name in ("active", "checked", "focus", "hover")} | {
    "target": "css-pseudo-class-target"
}
_PICTURES = {
    "avif": "avif", "bmp": "bmp", "heic": "heif", "heif": "heif", "ico": "ico", "mp4": "mp4",
    "svg": "svg", "svg+xml": "svg", "tif": "tiff", "tiff": "tiff", "webp": "webp",
    "vnd.microsoft.icon": "ico", "x-icon": "ico", "x-ms-bmp": "bmp",
}  # fmt: skip
# Nobody reads worse without it.
_DECORATION = re.compile(
    r"animation|border-radius|box-shadow|filter|letter-spacing|outline|text-shadow|"
    r"text-underline|transform|transition|word-spacing|mso-|-webkit-|max-|min-"
)
# slug, properties, values
_STYLES = tuple(
    (slug, re.compile(names), re.compile(values))
    for slug, names, values in (
        ("css-aspect-ratio", r"aspect-ratio", r""),
        ("css-block-inline-size", r"(block|inline)-size", r""),
        ("css-display-flex", r"display", r"(inline-)?flex"),
        ("css-display-grid", r"display", r"(inline-)?grid"),
        ("css-function-clamp", r".*", r".*\bclamp\("),
        ("css-function-light-dark", r".*", r".*\blight-dark\("),
        ("css-function-max", r".*", r".*\bmax\("),
        ("css-function-min", r".*", r".*\bmin\("),
        ("css-inset", r"inset", r""),
        ("css-margin-inline-block", r"margin-(inline|block)", r""),
        ("css-margin-inline-start-end", r"margin-(inline|block)-(start|end)", r""),
        ("css-modern-color", r".*", r".*\b(rgba?|hsla?)\(\s*[\d.%]+\s+[\d.]|.*\bok(lch|lab)\("),
        ("css-object-fit", r"object-fit", r""),
        ("css-opacity", r"opacity", r"0(\.0+)?$"),
        ("css-padding-inline-block", r"padding-(inline|block)", r""),
        ("css-padding-inline-start-end", r"padding-(inline|block)-(start|end)", r""),
        ("css-position", r"position", r"absolute|fixed|relative|sticky"),
        ("css-rgba", r".*", r".*\brgba\([^)]*,"),
        ("css-unit-calc", r".*", r".*\bcalc\("),
        *((f"css-unit-{one}", r".*", rf".*\d{one}\b") for one in ("ch", "rem", "vh", "vw")),
        *((f"css-unit-{one}", r".*", rf".*\d{one}\b") for one in ("vmax", "vmin")),
        ("css-variables", r".*", r".*\bvar\("),
        ("css-visibility", r"visibility", r"hidden"),
        ("css-white-space", r"white-space", r"pre"),
        ("css-writing-mode", r"writing-mode", r"vertical|sideways"),
    )
)


@dataclass(frozen=True, slots=True)
class Loss:
    """A feature that the page uses, and the programs that do not know it.

    ``title`` is caniemail's, ``lost`` what a reader sees there, ``first`` the first element that
    uses it, of ``count``. ``notes`` are caniemail's on those programs.
    """

    title: str
    lost: str
    clients: tuple[str, ...]
    first: html.HtmlElement
    count: int
    tested: str
    notes: tuple[str, ...] = ()


def losses(
    page: html.HtmlElement, types: Mapping[str, str], clients: Iterable[str]
) -> Iterator[Loss]:
    """Yield what one of ``clients`` does not know at all, once for each feature.

    ``types`` are the media types of embedded pictures by their ``cid:`` address.
    """
    found: dict[str, list[html.HtmlElement]] = {}
    for slug, element in _uses(page, types):
        found.setdefault(slug, []).append(element)
    wanted = tuple(clients)
    for slug, elements in found.items():
        feature = table()["features"][slug]
        lacking = {
            name: feature["support"].get(platform, "u")
            for client in wanted
            for platform, name in table()["clients"][client].items()
            if feature["support"].get(platform, "u").startswith("n")
        }
        if lacking:
            numbers = dict.fromkeys(n for value in lacking.values() for n in value.split()[1:])
            yield Loss(
                feature["title"],
                FEATURES[slug],
                tuple(lacking),
                elements[0],
                len(elements),
                feature["tested"],
                tuple(feature["notes"][n] for n in numbers if n in feature["notes"]),
            )


@cache
def table() -> Mapping[str, Any]:
    """The data: ``date``, ``clients`` with their platforms, ``features`` with their support."""
    data: Mapping[str, Any] = json.loads(DATA.read_text("utf-8"))
    return data


def _uses(
    page: html.HtmlElement, types: Mapping[str, str]
) -> Iterator[tuple[str, html.HtmlElement]]:
    fonts = {font for css in style_blocks(page) for font in style_sheet(css).fonts}
    for element in page.iter("*"):
        style = element.get("style", "")
        for slug, name in _used_in(style):
            if not _stands_in(slug, name, element):
                yield slug, element
        if fonts and _without_fallback(style, fonts):
            yield "css-at-font-face", element
        if element.tag in _ELEMENTS:
            yield _ELEMENTS[str(element.tag)], element
        for attribute in _ATTRIBUTES.keys() & element.attrib.keys():
            if "display:none" not in style.replace(" ", ""):
                yield _ATTRIBUTES[attribute], element
        if element.tag == "img" and (slug := _picture(element.get("src", ""), types)):
            yield slug, element
    yield from _revealed(page)


@lru_cache(maxsize=4096)
def _used_in(style: str) -> tuple[tuple[str, str], ...]:
    """The features in a style attribute, each with the property that uses it."""
    return tuple(
        (slug, one.name)
        for one in declarations(style)
        if not _DECORATION.match(one.name)
        for slug, names, values in _STYLES
        if names.fullmatch(one.name) and values.match(one.value)
    )


def _stands_in(slug: str, name: str, element: html.HtmlElement) -> bool:
    """Is there something for those who do not know it: an attribute, or the element itself?"""
    if slug == "css-white-space":
        return str(element.tag) == "pre"
    if slug in {"css-opacity", "css-visibility"}:
        return any(
            one == Declaration("display", "none") for one in declarations(element.get("style", ""))
        )
    return name in {"width", "height"} and element.get(name) is not None


def _without_fallback(style: str, fonts: set[str]) -> bool:
    return any(
        {family.strip("\"' ").lower() for family in one.value.split(",")} <= fonts
        for one in declarations(style)
        if one.name == "font-family"
    )


def _picture(source: str, types: Mapping[str, str]) -> str:
    """The feature that a picture's format is; empty for what every program shows."""
    if source.startswith("data:"):
        return "image-base64"
    path = re.split(r"[?#]", source, maxsplit=1)[0]
    kind = types.get(source, "").partition("/")[2] or path.rpartition(".")[2]
    known = _PICTURES.get(kind.lower())
    return f"image-{known}" if known else ""


def _revealed(page: html.HtmlElement) -> Iterator[tuple[str, html.HtmlElement]]:
    """Yield what is hidden until a pseudo class shows it, which some programs never do."""
    for css in style_blocks(page):
        for rule in style_sheet(css).rules:
            if not any(_shows(one) for one in rule.declarations):
                continue
            for selector in rule.selectors:
                for name in re.findall(r"(?<!:):([a-z]+)", selector):
                    if name in _PSEUDO:
                        for element in _hidden(page, selector):
                            yield _PSEUDO[name], element


def _shows(one: Declaration) -> bool:
    return (one.name, one.value) in {("visibility", "visible"), ("opacity", "1")} or (
        one.name == "display" and one.value != "none"
    )


def _hidden(page: html.HtmlElement, selector: str) -> list[html.HtmlElement]:
    try:
        found = page.cssselect(re.sub(rf":(?:{'|'.join(_PSEUDO)})\b", "", selector))
    except SelectorError:
        return []
    return [element for element in found if hidden(element) and "".join(element.itertext()).strip()]
