"""The letters that the theme is tested with: the repository's own issues, and awkward ones.

``issues/`` beside this file holds the awkward ones: long words, wide tables, nothing but
paragraphs, another language. They are copied into a folder of their own with some pictures.
"""

import datetime as dt
import shutil
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from briefmail import config
from briefmail.audience import Recipient
from briefmail.edition import Edition, build_edition
from briefmail.issue import read_issue

REPOSITORY = Path(__file__).parents[2]
AWKWARD = Path(__file__).parent / "issues"
ISSUES = tuple(sorted([*REPOSITORY.glob("issues/*.md"), *AWKWARD.glob("*.md")]))
NOW = dt.datetime(2016, 9, 7, 9, 0, tzinfo=dt.UTC)

FIELDS = {
    "email": "morag@example.org",
    "first_name": "Mòrag",
    "organisation": "Orravay Harbour Trust",
    "region": "Fife",
}
MORAG = Recipient("morag@example.org", "morag@example.org", "Mòrag", FIELDS, 2)
NOBODY = Recipient("a@example.org", "a@example.org", "", {"email": "a@example.org"}, 3)
"""Somebody about whom nothing is known, so that every condition says no."""


def make_folder(folder: Path) -> Path:
    """Make a newsletter's folder of the awkward issues, and return it."""
    shutil.copytree(AWKWARD, folder / "issues")
    shutil.copytree(REPOSITORY / "images", folder / "images")
    (folder / "issues" / "briefmail.toml").rename(folder / "briefmail.toml")
    return folder


def edition_of(issue: Path, awkward: Path) -> Edition:
    """Build the edition of one of ``ISSUES``; ``awkward`` is what :func:`make_folder` made."""
    root = awkward if issue.parent == AWKWARD else REPOSITORY
    return build_edition(read_issue(root / "issues" / issue.name), config.load(root, {}), NOW)


def html_for(edition: Edition, recipient: Recipient, folder: Path) -> str:
    """Return the HTML part of a recipient's message, its pictures laid out in ``folder``."""
    message = message_from_bytes(edition.message_for(recipient).data, policy=policy.default)
    assert isinstance(message, EmailMessage)
    body = message.get_body(("html",))
    assert body is not None
    page = str(body.get_content())
    for number, part in enumerate(message.walk()):
        if content_id := part["Content-ID"]:
            picture = folder / f"{number}.{part.get_content_subtype()}"
            picture.write_bytes(part.get_content())
            page = page.replace(f"cid:{content_id.strip('<>')}", picture.as_uri())
    return page
