"""From clean story HTML to what mail clients need: pictures with a size, buttons as tables.

Pictures in the folder are embedded and named by ``cid:`` (RFC 2392); those on the web stay there.
"""

import hashlib
import mimetypes
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

import imagesize
from lxml import etree, html
from markupsafe import Markup, escape

from briefmail.config import CONFIG_NAME
from briefmail.edition.inline import DOCTYPE
from briefmail.edition.theme import Theme
from briefmail.errors import InputError, Problem
from briefmail.issue import TOKEN, Issue, show_tags

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
        # What begins with a recipient's value is an address on the web: nothing else is let in.
        if not source or _REMOTE.match(source) or TOKEN.match(source):
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
        link = paragraph.find(".//a[@href]")
        # An author can give the class to a paragraph with other words in it; they stay.
        if link is not None and _words(link) == _words(paragraph):
            _replace_by_button(paragraph, link, theme)
    dressed = etree.tostring(tree, encoding="unicode", method="html", doctype=DOCTYPE)
    return Dressed(dressed, tuple({image.content_id: image for image in images.values()}.values()))


def _embed(source: str, issue: Issue, root: Path) -> EmbeddedImage | Problem:
    line = next(
        (n.line for n in issue.nodes() if n.kind == "image" and n.attributes["src"] == source), None
    )
    # Markdown writes a blank or an accent as %20 or %C3%A9, as in any address.
    path = find_file(source, issue.path, root) or find_file(unquote(source), issue.path, root)
    if path is None and not any(source in content.html for content in issue.contents()):
        # It comes from the theme: as a rule it is the logo.
        return Problem(
            root / CONFIG_NAME, None, f"the theme's picture {source} is not in the folder"
        )
    if path is None:
        written = show_tags(unquote(source), issue.tags)
        return Problem(issue.path, line, f"the picture {written} is not in the folder")
    mime_type = mimetypes.guess_type(path.name, strict=False)[0] or ""
    if not mime_type.startswith("image/"):
        return Problem(issue.path, line, f"{source} is not a picture that a mail can show")
    data = path.read_bytes()
    digest = hashlib.sha256(data).hexdigest()[:20]
    return EmbeddedImage(path, f"{digest}@briefmail", mime_type, data)


def find_file(name: str, issue_path: Path, root: Path) -> Path | None:
    """Find a file that an issue names: beside the issue, else from ``root``; never outside it."""
    for folder in (issue_path.parent, root):
        try:
            path = (folder / name).resolve()
            if path.is_file() and path.is_relative_to(root.resolve()):
                return path
        except (OSError, ValueError):  # a name that no file can have
            continue
    return None


def _set_size(element: html.HtmlElement, image: EmbeddedImage) -> None:
    """Write width and height, which Outlook goes by; style sheets do the rest elsewhere."""
    width, height = imagesize.get(image.path)
    if width <= 0 or height <= 0:
        return
    # Raw HTML can say anything here, such as "50%": then the picture's own width counts.
    asked = element.get("width", "")
    wanted = int(asked) if re.fullmatch(r"0*[1-9][0-9]{0,4}", asked) else int(width)
    shown = min(wanted, CONTENT_WIDTH)
    element.set("width", str(shown))
    element.set("height", str(max(1, round(shown * height / width))))


def _replace_by_button(paragraph: html.HtmlElement, link: html.HtmlElement, theme: Theme) -> None:
    label = escape(link.text or "") + Markup("".join(map(_outer, link)))  # noqa: S704
    button = theme.render("button.html", href=link.get("href", ""), label=label)
    new = html.fragment_fromstring(button.strip())
    new.tail = paragraph.tail
    parent = paragraph.getparent()
    assert parent is not None
    parent.replace(paragraph, new)


def _words(element: html.HtmlElement) -> str:
    return "".join(element.itertext()).strip()


def _outer(element: html.HtmlElement) -> str:
    return etree.tostring(element, encoding="unicode", method="html", with_tail=True)
