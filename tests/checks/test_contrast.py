"""Contrast is computed from what is painted: the cascade, colours, sizes, what is hidden."""

from typing import Any

import pytest
from lxml import html

from briefmail.checks.colours import Ink, as_hex, painted
from briefmail.checks.css import Scheme

DARK = "<style>@media (prefers-color-scheme: dark) {{ {} }}</style>"


def inks(body: str, scheme: Scheme = "light", head: str = "") -> list[tuple[str, str, str]]:
    """Paint a page; each text with its colour and its ground."""
    page = html.document_fromstring(f"<html><head>{head}</head><body>{body}</body></html>")
    return [
        (one.words, as_hex(one.ink.colour), as_hex(one.ink.ground)) for one in painted(page, scheme)
    ]


@pytest.mark.parametrize(
    ("colour", "ground", "ratio"),
    [("#000000", "#ffffff", 21.0), ("#777777", "#ffffff", 4.48), ("#0000ff", "#ffffff", 8.59)],
)
def test_the_ratio_is_that_of_wcag(colour: str, ground: str, ratio: float) -> None:
    """Values that other calculators give."""
    channels: Any = [
        tuple(int(one[at : at + 2], 16) / 255 for at in (1, 3, 5)) for one in (colour, ground)
    ]
    assert round(Ink(*channels).ratio, 2) == ratio


@pytest.mark.parametrize(
    ("style", "need"),
    [
        ("font-size: 23px", 4.5),
        ("font-size: 24px", 3.0),
        ("font-size: 18pt", 3.0),
        ("font-size: 19px; font-weight: bold", 3.0),
        ("font-size: 18px; font-weight: 700", 4.5),
        ("font: bold 20px/1.5 Georgia, serif", 3.0),
    ],
)
def test_large_text_needs_less(style: str, need: float) -> None:
    """From 24 pixels on, bold from 18.66 on."""
    page = html.document_fromstring(f'<body><p style="{style}">Words</p></body>')
    assert [one.ink.need for one in painted(page, "light")] == [need]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("<p>Plain</p>", ("#000000", "#ffffff")),
        ('<p style="color: #123">Short</p>', ("#112233", "#ffffff")),
        ('<p style="color: navy">Named</p>', ("#000080", "#ffffff")),
        ('<p style="color: rgba(0, 0, 0, .5)">Half</p>', ("#808080", "#ffffff")),
        ('<p style="color: inherit">Parent</p>', ("#000000", "#ffffff")),
        ('<table bgcolor="#222222"><tr><td>In</td></tr></table>', ("#000000", "#222222")),
        ('<p style="background: url(a.png) #eee">On</p>', ("#000000", "#eeeeee")),
        ('<div style="background-color: #eee"><b>Deep</b></div>', ("#000000", "#eeeeee")),
        ('<a href="https://example.org">Link</a>', ("#0000ee", "#ffffff")),
        ('<font color="#444444">Old</font>', ("#444444", "#ffffff")),
    ],
)
def test_colours_come_from_styles_and_attributes(body: str, expected: tuple[str, str]) -> None:
    """As a mail program resolves them."""
    assert [found[1:] for found in inks(body)] == [expected]


@pytest.mark.parametrize(
    "style",
    ["display: none", "visibility: hidden", "opacity: 0", "max-height: 0; overflow: hidden"],
)
def test_what_is_hidden_is_not_measured(style: str) -> None:
    """The preheader is text that nobody sees on the page."""
    assert inks(f'<div style="{style}">Hidden <b>too</b></div>Seen') == [
        ("Seen", "#000000", "#ffffff")
    ]


def test_dark_rules_beat_the_inlined_styles_only_if_they_say_so() -> None:
    """CSS Cascading Level 4 section 6.1: ``!important`` comes before a style attribute."""
    body = '<p class="a" style="color: #111111">A</p><p class="b" style="color: #111111">B</p>'
    head = DARK.format(".a { color: #eeeeee !important } .b { color: #eeeeee }")
    assert inks(body, "dark", head) == [("A", "#eeeeee", "#ffffff"), ("B", "#111111", "#ffffff")]
    assert inks(body, "light", head) == [("A", "#111111", "#ffffff"), ("B", "#111111", "#ffffff")]


def test_a_background_is_overruled_in_either_form() -> None:
    """Shorthand and longhand are one property."""
    body = '<p style="background-color: #ffffff">A</p><b style="background: #fff url(b.png)">B</b>'
    head = DARK.format(
        "p { background: #222222 !important } b { background-color: #333333 !important }"
    )
    assert inks(body, "dark", head) == [("A", "#000000", "#222222"), ("B", "#000000", "#333333")]


def test_the_more_specific_dark_rule_wins_and_then_the_later_one() -> None:
    """Section 6.1 again: specificity, then order."""
    head = DARK.format(
        "p.a { color: #aaaaaa !important } .a { color: #bbbbbb !important }"
        " b { color: #cccccc !important } b { color: #dddddd !important }"
    )
    assert inks('<p class="a">A</p><b>B</b>', "dark", head) == [
        ("A", "#aaaaaa", "#ffffff"),
        ("B", "#dddddd", "#ffffff"),
    ]


def test_a_list_of_selectors_is_parted_at_its_own_commas() -> None:
    """Not at one within a pseudo class or an attribute's value."""
    head = DARK.format(
        ':is(b, i), p[title="a,b"], :bogus(x), u::before { color: #aaaaaa !important }'
    )
    assert inks('<b>B</b><p title="a,b">P</p><u>U</u>', "dark", head) == [
        ("B", "#aaaaaa", "#ffffff"),
        ("P", "#aaaaaa", "#ffffff"),
        ("U", "#000000", "#ffffff"),
    ]


def test_rules_for_phones_and_for_marked_pages_do_not_count() -> None:
    """Nor does what a selector does not match in a page at rest."""
    head = (
        "<style>@media (max-width: 480px) { p { color: #eeeeee !important } }"
        "[data-ogsc] p { color: #eeeeee !important } p:hover { color: #eeeeee !important }"
        "p::first-letter { color: #eeeeee !important } @media print { p { color: #eee } }</style>"
    )
    assert inks("<p>Words</p>", "dark", head) == [("Words", "#000000", "#ffffff")]
