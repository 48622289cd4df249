"""Where a token stands decides how its value is escaped."""

import re

import pytest

from briefmail.edition.merge import Place
from briefmail.edition.places import bare_statements, html_containers, html_places, text_places

TOKEN = "bm00000000e0000x"
OTHER = "bm00000000e0001x"
IF, END = "bm00000000s0002x", "bm00000000s0003x"


def places(page: str) -> list[Place]:
    """The places of all printing tokens of a page, in their order."""
    place = html_places(page)
    return [place(match.start()) for match in re.finditer(r"bm00000000e\d{4}x", page)]


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        (f"<p>{TOKEN}</p>", Place.HTML),
        (f"<title>{TOKEN}</title>", Place.HTML),
        (f'<img alt="{TOKEN}">', Place.HTML),
        (f"<img alt='{TOKEN}'>", Place.HTML),
        (f'<p title="a > b {TOKEN}">', Place.HTML),
        (f'<!--[if mso]><b title="{TOKEN}"><![endif]-->', Place.HTML),
        (f'<a href="{TOKEN}">', Place.HTML_LINK),
        (f"<a href='{TOKEN}'>", Place.HTML_LINK),
        (f'<a title="x > y" href="{TOKEN}">', Place.HTML_LINK),
        (f'<a title=\'"\' HREF = "{TOKEN}">', Place.HTML_LINK),
        (f'<img src="{TOKEN}">', Place.HTML_LINK),
        (f'<td background="{TOKEN}">', Place.HTML_LINK),
        (f'<!--[if mso]><a href="{TOKEN}"><![endif]-->', Place.HTML_LINK),
        (f'<a href="{IF}{TOKEN}{END}">', Place.HTML_LINK),
        (f'<a href="https://example.org/{TOKEN}">', Place.HTML_LINK_PART),
        (f'<a href="mailto:{TOKEN}">', Place.HTML_LINK_PART),
        (f'<a href="java{TOKEN}">', Place.HTML_LINK_PART),
        (f'<p>&lt;a href="{TOKEN}"&gt;</p>', Place.HTML),
        (f'<p>href="{TOKEN}"</p>', Place.HTML),
        (f'<a href="https://example.org/">{TOKEN}</a>', Place.HTML),
    ],
)
def test_a_place_in_a_page(page: str, expected: Place) -> None:
    """Text and attributes, whole addresses, and parts of addresses."""
    assert places(page) == [expected]


def test_each_token_of_an_attribute_has_its_own_place() -> None:
    """The first is the address, the second a part of it."""
    page = f'<a href="{TOKEN}?q={OTHER}">{TOKEN}</a>'
    assert places(page) == [Place.HTML_LINK, Place.HTML_LINK_PART, Place.HTML]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"Dear {TOKEN}", Place.TEXT),
        (f"[1] {TOKEN}", Place.TEXT),
        (f"https://example.org/ {TOKEN}", Place.TEXT),
        (f"https://example.org/\n{TOKEN}", Place.TEXT),
        (f"[1] https://example.org/?q={TOKEN}", Place.TEXT_LINK_PART),
        (f"MAILTO:{TOKEN}", Place.TEXT_LINK_PART),
        (f"https://example.org/{OTHER}/{IF}{TOKEN}", Place.TEXT_LINK_PART),
    ],
)
def test_a_place_in_plain_text(text: str, expected: Place) -> None:
    """Only within an address is a value quoted."""
    assert text_places(text)(text.index(TOKEN)) is expected


def test_conditions_between_blocks_come_out_of_their_comments() -> None:
    """Other comments stay."""
    page = f"<!--{IF}--><p>x</p><!--{END}--><!--[if mso]>{IF}<![endif]-->"
    assert bare_statements(page) == f"{IF}<p>x</p>{END}<!--[if mso]>{IF}<![endif]-->"


def test_every_token_has_the_element_or_attribute_it_stands_in() -> None:
    """In reading order; a comment counts as its parent."""
    page = (
        f'<p title="{TOKEN}">{IF}<b>{OTHER}</b>{END}</p>'
        f"<table><!--{IF}--><tr><td>x</td></tr><!--{END}--></table>"
    )
    found = [
        (token, place[0].tag + "@" + place[1] if isinstance(place, tuple) else place.tag)
        for token, place in html_containers(page)
    ]
    assert found == [
        (TOKEN, "p@title"), (IF, "p"), (OTHER, "b"), (END, "p"), (IF, "table"), (END, "table"),
    ]  # fmt: skip
