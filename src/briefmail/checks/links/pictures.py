"""Pictures: what stands for them until they are shown, how large they are, who can show them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

import imagesize

from briefmail.checks.finding import Severity
from briefmail.checks.links.address import is_web
from briefmail.checks.proof import Proof
from briefmail.checks.reference import Picture
from briefmail.checks.rule import Found, rule
from briefmail.edition import CONTENT_WIDTH, find_file

FILE_BYTES = 1_000_000
MAIL_BYTES = 2_500_000
MAIL_TOO_LARGE = 20_000_000
_FILE_NAME = re.compile(
    r".*\.(?:png|jpe?g|gif|webp|svg|avif|heic|bmp|tiff?)|(?:IMG|DSC|PXL|DCIM|P)[_-]?\d{3,}.*"
    r"|screen ?shot\b.*\d.*|(?:image|picture|photo|img|untitled|unnamed)[ _-]?\(?\d*\)?",
    re.IGNORECASE,
)


@rule(
    "alt-missing",
    "error",
    cure='write alt="..." with what the picture shows, or alt="" if it is an ornament',
    source="WCAG 2.2 success criterion 1.1.1; Buttondown's preflight",
)
def alt_missing(proof: Proof) -> Iterator[Found]:
    """A picture without a description, written as HTML or in a folder's own templates.

    A screen reader reads the name of its file aloud instead.
    """
    missing = [one for one in proof.references.pictures if one.alt is None]
    for picture in missing:
        yield Found(f"the picture {_name(picture, proof)} has no description (alt)", picture.line)
    rest = sum(1 for each in proof.page.iter("img") if each.get("alt") is None) - len(missing)
    if rest > 0:
        yield Found("a picture of the theme has no description (alt)", 1)


@rule(
    "alt-empty",
    "info",
    cure="write what it shows between the square brackets, unless it is an ornament",
    source="WCAG 2.2 success criterion 1.1.1; many programs load no pictures unasked",
)
def alt_empty(proof: Proof) -> Iterator[Found]:
    """A picture with an empty description.

    That is right for an ornament. In a link without other words it is a warning: then nobody
    knows where the link leads until the picture is there.
    """
    for picture in proof.references.pictures:
        if picture.alt is not None and not picture.alt.strip():
            name = _name(picture, proof)
            if picture.link and not picture.link.text and not any(picture.link.alts):
                text = f"the picture {name} is a link, and has no description"
                yield Found(text, picture.line, severity="warning")
            else:
                yield Found(f"the picture {name} has no description", picture.line)


@rule(
    "alt-file-name",
    "warning",
    cure="say what the picture shows",
    source="WCAG 2.2 failure F30",
)
def alt_file_name(proof: Proof) -> Iterator[Found]:
    """A description that is only the name of a file, or "image"."""
    for picture in proof.references.pictures:
        alt = (picture.alt or "").strip()
        if _FILE_NAME.fullmatch(alt):
            yield Found(f"the description {alt!r} says nothing", picture.line)


@rule(
    "image-bytes",
    "warning",
    cure="save it smaller: as JPEG, and not much wider than it is shown",
    source="a phone on the road; 1 MB is some ten seconds of slow 3G",
)
def image_bytes(proof: Proof) -> Iterator[Found]:
    """A picture whose file is huge."""
    for file in _files(proof):
        if file.size > FILE_BYTES:
            yield Found(f"{file.path.name} has {file.size / 1e6:.1f} MB", file.picture.line)


@rule(
    "image-pixels",
    "info",
    cure="make it twice as wide as it is shown: more can nobody see",
    source="screens have up to two, phones three pixels for one of CSS",
)
def image_pixels(proof: Proof) -> Iterator[Found]:
    """A picture with over two and a half times the pixels shown; over four times, a warning."""
    for file in _files(proof):
        width = imagesize.get(file.path)[0]
        if width > 2.5 * file.shown:
            text = f"{file.path.name} is {width} pixels wide, and shown {file.shown} wide"
            severity: Severity | None = "warning" if width > 4 * file.shown else None
            yield Found(text, file.picture.line, severity=severity)


@rule(
    "image-size",
    "warning",
    cure='give it width="..." and height="..." in pixels',
    source="Outlook on Windows shows a picture without a width at its full size",
)
def image_size(proof: Proof) -> Iterator[Found]:
    """A picture on the web without its width and height.

    The page jumps while it loads, and Outlook lets a large one break the column. A picture in
    the folder gets both by itself.
    """
    for picture in proof.references.pictures:
        if is_web(picture.src) and not (picture.width and picture.height):
            yield Found(f"{_name(picture, proof)} has no width and height", picture.line)


@rule(
    "image-width",
    "error",
    cure="write the number alone, at most the width of the column: width=536",
    source="Outlook on Windows goes by the attribute; caniemail.com, html-width",
)
def image_width(proof: Proof) -> Iterator[Found]:
    """A width or a height that is no number of pixels, for a picture on the web.

    One that is wider than the column is a warning.
    """
    for picture in proof.references.pictures:
        if is_web(picture.src):
            for name, value in (("width", picture.width), ("height", picture.height)):
                if value and not value.isdecimal():
                    text = f"{name}={value!r} is no number of pixels"
                    yield Found(text, picture.line)
            if picture.width.isdecimal() and int(picture.width) > CONTENT_WIDTH:
                text = (
                    f"{_name(picture, proof)} is {picture.width} wide, the column {CONTENT_WIDTH}"
                )
                yield Found(text, picture.line, severity="warning")


@rule(
    "message-weight",
    "warning",
    cure="save the pictures smaller, and link to attachments instead",
    source="Gmail takes 25 MB, many others 10 MB; encoding adds a third",
)
def message_weight(proof: Proof) -> Iterator[Found]:
    """A mail that is heavy as a whole, pictures and attachments and all.

    Everybody's copy weighs that much, on the relay and in every mailbox. Over 20 MB, where many
    servers refuse it, is an error.
    """
    size = len(proof.specimen.message.data)
    if size > MAIL_BYTES:
        line = proof.line_of_key("attachments") or 1
        severity: Severity | None = "error" if size > MAIL_TOO_LARGE else None
        yield Found(f"each message has {size / 1e6:.1f} MB", line, severity=severity)


@dataclass(frozen=True, slots=True)
class _File:
    """A picture in the folder. ``size`` in bytes; ``shown`` is the width on the page."""

    picture: Picture
    path: Path
    size: int
    shown: int


def _files(proof: Proof) -> Iterator[_File]:
    """Yield the pictures that travel with the mail, each file once."""
    seen = set()
    for picture in proof.references.pictures:
        path = None if is_web(picture.src) else _find(picture.src, proof)
        if path and path not in seen:
            seen.add(path)
            asked = int(picture.width) if picture.width.isdecimal() else CONTENT_WIDTH
            shown = max(1, min(asked, CONTENT_WIDTH))
            yield _File(picture, path, path.stat().st_size, shown)


def _find(src: str, proof: Proof) -> Path | None:
    places = (proof.issue.path, proof.config.root)
    return find_file(src, *places) or find_file(unquote(src), *places)


def _name(picture: Picture, proof: Proof) -> str:
    src = proof.words(picture.src)
    return src if len(src) <= 60 else f"...{src[-57:]}"
