"""From clean story HTML to what mail clients need: pictures with a size, buttons as tables.

Pictures in the folder are embedded and named by ``cid:`` (RFC 2392); those on the web stay there.
"""

import hashlib
import mimetypes
import re
from dataclasses import dataclass
from pathlib import Path

import imagesize
from lxml import etree, html
from markupsafe import Markup, escape

from briefmail.edition.inline import DOCTYPE
from briefmail.edition.theme import Theme
from briefmail.errors import InputError, Problem
from briefmail.issue import Issue

CONTENT_WIDTH = 536
"""How wide a picture can be in the packaged theme's column, in CSS pixels."""

_REMOTE = re.compile(r"(?:https?|cid):", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class EmbeddedImage:
    """A picture that travels with the mail. ``content_id`` is without angle brackets."""

    path: Path
    content_id: str
    mime_type: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Dressed:
    """A page that is ready for its styles to be inlined, and the pictures that it shows."""

    page: str
    images: tuple[EmbeddedImage, ...]


def dress(page: str, issue: Issue, root: Path, theme: Theme) -> Dressed:
    """Embed the pictures of ``page`` and build its buttons.

    A path of a picture is relative to the issue's file, else to the folder ``root``. Raises
    :class:`InputError` for every picture that is not there, at the line where it is used.
    """
    tree = html.document_fromstring(page)
    images: dict[str, EmbeddedImage] = {}
    problems: list[Problem] = []
    for element in tree.iter("img"):
        source = element.get("src", "")
        if not source or _REMOTE.match(source):
            continue
        found = images.get(source) or _embed(source, issue, root)
        if isinstance(found, Problem):
            problems.append(found)
            continue
        images[source] = found
        element.set("src", f"cid:{found.content_id}")
        _set_size(element, found)
    if problems:
        raise InputError(problems)
    for paragraph in [p for p in tree.iter("p") if "button" in p.get("class", "").split()]:
        _build_button(paragraph, theme)
    dressed = etree.tostring(tree, encoding="unicode", method="html", doctype=DOCTYPE)
    return Dressed(dressed, tuple({image.content_id: image for image in images.values()}.values()))


def _embed(source: str, issue: Issue, root: Path) -> EmbeddedImage | Problem:
    line = next(
        (n.line for n in issue.nodes() if n.kind == "image" and n.attributes["src"] == source), None
    )
    path = find_file(source, issue.path, root)
    if path is None:
        return Problem(issue.path, line, f"the picture {source} is not in the folder")
    mime_type = mimetypes.guess_type(path.name)[0] or ""
    if not mime_type.startswith("image/"):
        return Problem(issue.path, line, f"{source} is not a picture that a mail can show")
    data = path.read_bytes()
    digest = hashlib.sha256(data).hexdigest()[:20]
    return EmbeddedImage(path, f"{digest}@briefmail", mime_type, data)


def find_file(name: str, issue_path: Path, root: Path) -> Path | None:
    """Find a file that an issue names: beside the issue, else from ``root``; never outside it."""
    for folder in (issue_path.parent, root):
        path = (folder / name).resolve()
        if path.is_file() and path.is_relative_to(root.resolve()):
            return path
    return None


def _set_size(element: html.HtmlElement, image: EmbeddedImage) -> None:
    """Write width and height, which Outlook goes by; style sheets do the rest elsewhere."""
    width, height = imagesize.get(image.path)
    if width <= 0 or height <= 0:
        return
    wanted = int(element.get("width") or 0) or min(int(width), CONTENT_WIDTH)
    shown = min(wanted, CONTENT_WIDTH)
    element.set("width", str(shown))
    element.set("height", str(round(shown * height / width)))


def _build_button(paragraph: html.HtmlElement, theme: Theme) -> None:
    link = next(paragraph.iter("a"))
    label = Markup(escape(link.text or "") + "".join(_outer(child) for child in link))  # noqa: S704
    button = theme.render("button.html", href=link.get("href", ""), label=label)
    new = html.fragment_fromstring(button.strip())
    new.tail = paragraph.tail
    parent = paragraph.getparent()
    assert parent is not None
    parent.replace(paragraph, new)


def _outer(element: html.HtmlElement) -> str:
    return etree.tostring(element, encoding="unicode", method="html", with_tail=True)
