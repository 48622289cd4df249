"""One small fault in a copy of the showcase issue, or of its theme: found, where it is, and alone.

Each row edits one file of the newsletter's folder once; a template is the packaged one, copied
there first. ``at`` is what stands on the line that the finding must name.
"""

import re
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

import briefmail
from briefmail.checks import Finding, html
from briefmail.newsletter import Newsletter

ROOT = Path(__file__).parents[2]
ISSUE = "issues/2016-09-07.md"
SHOWCASE = (ISSUE, "issues/2016-08-24.md", "briefmail.toml", "recipients.csv")
THEME = Path(briefmail.__file__).parent / "templates" / "email"
NOW = datetime(2016, 9, 6, 12, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Seed:
    """``old`` is a regular expression, ``new`` what takes the place of its first match.

    Without ``at`` the finding belongs to no line.
    """

    rule: str
    file: str
    old: str
    new: str
    at: str = ""

    def __str__(self) -> str:
        return f"{self.rule} in {self.file}"


HARBOUR = r"\.\./images/harbour\.png\)\{width=536\}"
PICTURE_ONLY = r"(?s)I came back.*?(?=# On the ground)(.*?images/harbour.*?\n).*"
DEEP = "{% for _ in range(210) %}<div>{% endfor %}\n{{ story.teaser | html }}"
QUAY = '<img src="https://example.org/quay.png" alt="The quay"'
SEEDS = [
    # What cannot be inlined safely stops an edition before there is a page to look at.
    Seed("unreadable", "theme.css", r"\.body {", '@import "https://example.org/a.css";\n.body {'),
    Seed("unreadable", "page.html", r"</head>", '<link rel="stylesheet" href="a.css"></head>'),
    Seed("unreadable", "story.html", r"{{ story.teaser \| html }}", DEEP),
    Seed(
        "size",
        "story.html",
        r"(\{\{ story.rest \| html \}\})",
        r"{% for _ in 'a' * 9 %}\1{% endfor %}",
    ),
    Seed("charset", ISSUE, r"It is an old key", "It\u0092s an old key", "\u0092s an old key"),
    Seed("charset", ISSUE, r"Two votes were", "Two\ufeff votes were", "\ufeff votes"),
    Seed("charset", "page.html", r'charset="utf-8"', 'charset="iso-8859-1"', "iso-8859-1"),
    Seed("doc", "page.html", r'<html lang="{{ lang }}"', "<html", "<html"),
    Seed("doc", "page.html", r'lang="{{ lang }}" dir="{{ dir }}" class', "class", "<body"),
    Seed("doc", "page.html", r'<meta name="viewport".*\n', "", "<head"),
    Seed("title", "page.html", r"{{ issue.subject }}", "{{ newsletter.name }}", "<title"),
    Seed("tables", "story.html", r' role="presentation"', "", '<table class="layout full"'),
    Seed(
        "tables",
        ISSUE,
        r"Starting one, says",
        "<table>\n<tr><td>Saws</td><td>nine</td></tr>\n</table>\n\nStarting one, says",
        "<table>",
    ),
    Seed(
        "tables",
        "footer.html",
        r'<tr><td class="footer">',
        '<tr><th class="footer">Ours</th></tr>\n<tr><td class="footer">',
        '<table role="presentation"',
    ),
    Seed(
        "block-link",
        ISSUE,
        r"Starting one, says",
        '<div>\n<a href="https://example.org/saws"><h4>Saws</h4></a>\n</div>\n\nStarting one, says',
        "example.org/saws",
    ),
    Seed(
        "block-link",
        "footer.html",
        r"<p>{{ words.sent_to",
        '<a href="https://example.org/join"><p>Join</p></a>\n<p>{{ words.sent_to',
        "example.org/join",
    ),
    Seed(
        "active-content",
        "footer.html",
        r"</td></tr>",
        '<video src="https://example.org/pier.mp4"></video>\n</td></tr>',
        "<video",
    ),
    Seed("preheader-padding", "page.html", r"range\(110\)", "range(10)", "preheader }}"),
    Seed("preheader-padding", "page.html", r'<div class="preheader">.*', "", "preheader"),
    Seed(
        "img-width", "footer.html", r"</p>\n<p>", f'{QUAY} width="800" height="9"></p>\n<p>', "quay"
    ),
    Seed("img-height", "footer.html", r"</p>\n<p>", f'{QUAY} width="300"></p>\n<p>', "quay"),
    Seed("img-ratio", ISSUE, PICTURE_ONLY, r"\1", "harbour.png"),
    Seed("dark-logo", "head.css", r"{{ scope }}.logo .*\n", ""),
    Seed(
        "css-size",
        "head.css",
        r":root {",
        "{% for n in range(400) %}\n.story-{{ n }} { padding-left: 20px; }\n{% endfor %}\n:root {",
        "{#",
    ),
    Seed(
        "css-nested",
        "head.css",
        r"a { text-under",
        "a { &.more { margin: 0; } text-under",
        "&.more",
    ),
    Seed(
        "css-order",
        "theme.css",
        r"\.title { margin",
        ".title { margin-top: 9px; margin",
        "-top: 9px",
    ),
    Seed(
        "client-support",
        "story.html",
        r'<div class="notes"',
        '<div class="notes" style="display:grid"',
        '"notes"',
    ),
    Seed(
        "client-support",
        "theme.css",
        r"line-height: 1.6; color: {{ theme.muted",
        "line-height: calc(1em + 9px); color: {{ theme.muted",
    ),
    Seed(
        "client-support",
        ISSUE,
        HARBOUR,
        "https://example.org/harbour.webp){width=536 height=268}",
        "harbour.webp",
    ),
    Seed("contrast", "briefmail.toml", r'accent = "#0b5d4e"', 'accent = "#8fc9bb"', "#8fc9bb"),
    Seed(
        "contrast",
        "theme.css",
        r"\.date {(.*)color: {{ theme.muted }}",
        r".date {\1color: #b0b0b0",
        "#b0b0b0",
    ),
    Seed(
        "contrast-dark",
        "briefmail.toml",
        r"# muted_dark = .*",
        'muted_dark = "#3a4441"',
        "muted_dark",
    ),
    Seed(
        "contrast-dark",
        "head.css",
        r"{{ scope }}.card { background-color: .*\n",
        "",
        "prefers-color-scheme",
    ),
    Seed(
        "overflow",
        ISSUE,
        r"\| Hours a week ",
        "| www.example.org/strathmurdo/library/hours ",
        "www.example.org",
    ),
    Seed(
        "black-text",
        "theme.css",
        r"\.sender { color: .*; }",
        ".sender { color: #000000; }",
        "#000000",
    ),
    Seed("color-scheme", "page.html", r'<meta name="color-scheme".*\n', "", "<head"),
]


@pytest.mark.parametrize("seed", SEEDS, ids=str)
def test_a_seeded_fault_is_found_where_it_is(seed: Seed, tmp_path: Path) -> None:
    """By its rule, at its line, and no rule sees an error elsewhere."""
    path = plant(seed, tmp_path)
    found = check(tmp_path)
    mine = [one for one in found if one.rule == seed.rule]
    lines = enumerate(path.read_text("utf-8").split("\n"), 1)
    place = next((path, number) for number, text in lines if seed.at in text)
    assert (mine[0].path, mine[0].line) == (place if seed.at else (tmp_path / ISSUE, None))
    assert {one.rule for one in found if one.severity == "error"} <= {seed.rule}


def test_every_rule_of_the_page_has_a_seed() -> None:
    """And every seed a rule."""
    assert {seed.rule for seed in SEEDS} == {"unreadable", *(rule.id for rule in html.RULES)}


def plant(seed: Seed, root: Path) -> Path:
    """Copy the showcase into ``root``, edit one of its files once, and return that file."""
    (root / "issues").mkdir()
    for name in SHOWCASE:
        shutil.copy(ROOT / name, root / name)
    shutil.copytree(ROOT / "images", root / "images")
    path = root / seed.file
    if not path.exists():
        path = root / "templates" / "email" / seed.file
        path.parent.mkdir(parents=True)
        shutil.copy(THEME / seed.file, path)
    text = path.read_text("utf-8")
    edited = re.sub(seed.old, seed.new, text, count=1)
    assert edited != text
    path.write_text(edited, "utf-8")
    return path


def check(root: Path) -> tuple[Finding, ...]:
    """Check the copy."""
    newsletter = Newsletter.open(root, environ={})
    return Newsletter(newsletter.config, now=lambda: NOW).check(root / ISSUE).findings
