"""What mail programs cannot show: the data, and the matcher of each kind of feature."""

import pytest
from lxml import html

from briefmail.checks.clients import DATA, FEATURES, losses, table
from briefmail.config import MAIL_CLIENTS, Checks

USUAL = Checks().clients
USES = [
    ("css-display-flex", '<div style="display: inline-flex">a</div>'),
    ("css-position", '<div style="position: absolute">a</div>'),
    ("css-unit-rem", '<p style="font-size: 1.2rem">a</p>'),
    ("css-unit-vw", '<p style="width: 50vw">a</p>'),
    ("css-function-min", '<p style="width: min(600px, 100%)">a</p>'),
    ("css-unit-calc", '<p style="width: calc(100% - 9px)">a</p>'),
    ("css-variables", '<p style="color: var(--ink)">a</p>'),
    ("css-modern-color", '<p style="color: rgb(0 0 0 / 50%)">a</p>'),
    ("css-rgba", '<p style="color: rgba(0, 0, 0, .5)">a</p>'),
    ("css-white-space", '<p style="white-space: pre-wrap">a</p>'),
    ("css-opacity", '<p style="opacity: 0">a</p>'),
    ("html-svg", "<svg></svg>"),
    ("html-hidden", "<p hidden>a</p>"),
    ("image-webp", '<img src="https://example.org/a.webp?size=2">'),
    ("image-avif", '<img src="cid:a@briefmail">'),
    ("image-base64", '<img src="data:image/png;base64,AAAA">'),
    (
        "css-at-font-face",
        "<style>@font-face { font-family: 'Ours'; src: url(a.woff2) }</style>"
        "<p style=\"font-family: 'Ours'\">a</p>",
    ),
    (
        "css-pseudo-class-checked",
        "<style>#more:checked ~ .rest { display: block }</style>"
        '<input id="more" type="checkbox"><p class="rest" style="display: none">a</p>',
    ),
]
HARMLESS = [
    '<p style="border-radius: 0.5rem; letter-spacing: calc(1px + 1vw)">a</p>',
    '<table width="600" style="width: calc(100% - 9px)"><tr><td>a</td></tr></table>',
    '<pre style="white-space: pre-wrap">a</pre>',
    '<p style="display: none; opacity: 0">a</p>',
    '<img src="https://example.org/a.jpg">',
    "<style>@media (max-width: 480px) { p { font-size: 2rem } }</style><p>a</p>",
    "<style>@font-face { font-family: Ours; src: url(a) }</style>"
    '<p style="font-family: Ours, Georgia, serif">a</p>',
    "<style>a:hover { display: inline-block }</style><a>a</a>",
]


def titles(page: str, clients: tuple[str, ...] = USUAL) -> list[str]:
    """The features of a page that some of these programs do not know."""
    tree = html.document_fromstring(f"<body>{page}</body>")
    return [one.title for one in losses(tree, {"cid:a@briefmail": "image/avif"}, clients)]


@pytest.mark.parametrize(("slug", "page"), USES, ids=[slug for slug, _ in USES])
def test_each_kind_of_feature_is_found(slug: str, page: str) -> None:
    """Properties, values, units, elements, attributes, pictures, at-rules, pseudo classes."""
    assert titles(page) == [table()["features"][slug]["title"]]


@pytest.mark.parametrize("page", HARMLESS)
def test_what_is_extra_or_has_a_stand_in_is_not_said(page: str) -> None:
    """Nobody reads worse without it."""
    assert titles(page) == []


def test_only_the_programs_of_the_profile_count() -> None:
    """And they are named by platform; a feature is said once, with how often it is used."""
    page = html.document_fromstring(f"<body>{2 * USES[0][1]}</body>")
    (loss,) = losses(page, {}, ("outlook-windows", "gmx"))
    assert (loss.clients, loss.count) == (("Outlook on Windows", "GMX on the web"), 2)
    assert list(losses(page, {}, ("apple-mail",))) == []


def test_the_data_has_every_feature_and_every_program_that_can_be_asked_for() -> None:
    """``tools/trim_caniemail.py`` writes it from the same names; its licence is beside it."""
    data = table()
    assert sorted(data["features"]) == sorted(FEATURES)
    assert sorted(data["clients"]) == sorted(MAIL_CLIENTS)
    assert "MIT License" in DATA.with_suffix(".LICENSE").read_text("utf-8")
