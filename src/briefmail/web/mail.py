"""The mail as its frame shows it: in one colour scheme, with its own pictures or without any."""

import re
from typing import Literal
from urllib.parse import quote

from briefmail.newsletter import Preview

Scheme = Literal["light", "dark"]
PLACEHOLDER = """<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">
<title>Nothing to show</title></head><body style="padding: 2em; font: 16px sans-serif;
white-space: pre-wrap; background: #fff; color: #222">{text}</body></html>"""
# A browser asks the system which scheme it likes; here it is the button that says.
_SCHEME = re.compile(r"\(\s*prefers-color-scheme\s*:\s*(light|dark)\s*\)")
_PICTURE = re.compile(r"(<img\b[^>]*?\bsrc=)([\"'])(.*?)\2", re.IGNORECASE | re.DOTALL)


def mail_page(shown: Preview, base: str, *, scheme: Scheme, pictures: bool) -> str:
    """Return a page for the frame.

    The media queries for the colour scheme are decided, embedded pictures come from below ``base``,
    and pictures on the web are left out: the preview calls nobody.
    """
    person = quote(shown.recipient.key)

    def source(match: re.Match[str]) -> str:
        cid = match[3].removeprefix("cid:")
        if not pictures or cid == match[3]:
            return f"{match[1]}{match[2]}{match[2]}"
        return f"{match[1]}{match[2]}{base}/picture/{quote(cid)}?as={person}{match[2]}"

    page = _SCHEME.sub(
        lambda asked: "(min-width: 0)" if asked[1] == scheme else "(max-width: 0)", shown.html
    )
    return _PICTURE.sub(source, page)
