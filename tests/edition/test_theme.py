"""The packaged theme: what every letter has, whatever stands in the issue and in the toml."""

import datetime as dt
import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from letters import ISSUES, MORAG, NOBODY, edition_of, html_for, make_folder
from lxml import html

from briefmail import config
from briefmail.edition.theme import Theme, load_words, settings
from briefmail.errors import InputError
from briefmail.issue import Issue, Section, Story, read_issue

SLOTS = {"unsubscribe_url": "https://example.org/leave", "email": "morag@example.org"}
PREHEADER_PADDING = "\u2007\ufeff\u034f"
HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
VOID = {"br", "hr", "img", "meta"}


@pytest.fixture(scope="module")
def awkward(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_folder(tmp_path_factory.mktemp("newsletter"))


@pytest.fixture(scope="module", params=ISSUES, ids=lambda path: path.stem)
def inlined(request: pytest.FixtureRequest, awkward: Path) -> str:
    """The HTML of an edition, before any recipient is in it."""
    return edition_of(request.param, awkward).html


def _page(issue: Path, awkward: Path) -> str:
    return Theme(config.load(awkward, {})).page(_read(issue, awkward), SLOTS, "A preheader")


def _read(issue: Path, awkward: Path) -> Issue:
    beside = awkward / "issues" / issue.name
    return read_issue(beside if beside.exists() else issue)


def _write(folder: Path, body: str, toml: str = "") -> str:
    """Render an issue of a new newsletter with these settings."""
    (folder / "briefmail.toml").write_text(toml, "utf-8")
    issue = folder / "2016-09-07.md"
    issue.write_text(f"---\nsubject: A subject\ndate: 2016-09-07\n---\n\n{body}\n", "utf-8")
    return Theme(config.load(folder, {})).page(read_issue(issue), SLOTS, "")


# --- what clients and screen readers need ---------------------------------------------------------


def test_a_letter_has_one_h1_and_skips_no_rank_of_heading(inlined: str) -> None:
    """Screen readers go by the outline: the title, then the labels, then the headlines."""
    ranks = [int(tag.tag[1]) for tag in html.document_fromstring(inlined).iter(*HEADINGS)]

    assert ranks.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(ranks[ranks.index(1) :]))


def test_only_tables_of_data_are_read_out_as_tables(inlined: str) -> None:
    """Every layout table says that it is none, and tables of data keep their header cells."""
    for table in html.document_fromstring(inlined).iter("table"):
        if table.find("tbody") is None:
            assert table.get("role") == "presentation"
            assert "layout" in table.classes
        else:
            assert table.get("role") is None
            assert table.find(".//th") is not None


def test_tables_in_comments_for_outlook_are_marked_as_layout_too(inlined: str) -> None:
    tables = re.findall(r"<table\b[^>]*>", "".join(_outlook_comments(inlined)))

    assert len(tables) == 1
    assert 'role="presentation"' in tables[0]


def test_comments_for_outlook_hold_no_links_and_nothing_of_a_recipient(inlined: str) -> None:
    """What is in a comment is neither filled nor counted; and only safe forms survive inlining."""
    for comment in _outlook_comments(inlined):
        assert comment.startswith("<!--[if mso]>")
        assert comment.endswith("<![endif]-->")
        assert "href" not in comment
        assert "--" not in comment[4:-3]


def _outlook_comments(page: str) -> list[str]:
    return [comment for comment in re.findall(r"<!--.*?-->", page, re.DOTALL) if "mso" in comment]


@pytest.mark.parametrize(
    ("name", "lang", "direction"),
    [("awkward", "en", "ltr"), ("gaidhlig", "gd", "ltr"), ("right-to-left", "he", "rtl")],
)
def test_language_and_direction_stand_on_the_page_and_on_the_wrapper(
    awkward: Path, name: str, lang: str, direction: str
) -> None:
    """Webmail drops the html element; the wrapper is what it keeps."""
    tree = html.document_fromstring(_page(Path(f"{name}.md"), awkward))
    (wrapper,) = tree.find_class("wrapper")

    assert (tree.get("lang"), tree.get("dir")) == (lang, direction)
    assert (wrapper.get("lang"), wrapper.get("dir")) == (lang, direction)


def test_the_preheader_is_hidden_and_padded(awkward: Path) -> None:
    """The padding keeps the first words of the letter out of the inbox's preview."""
    tree = html.document_fromstring(_page(Path("gaidhlig.md"), awkward))
    (preheader,) = tree.find_class("preheader")

    assert preheader.text == "A preheader" + PREHEADER_PADDING * 110
    assert tree.body[0] is preheader


def test_without_a_preheader_there_is_no_padding(tmp_path: Path) -> None:
    assert "preheader" not in html.document_fromstring(_write(tmp_path, "Text.")).body[0].classes


# --- style sheets ---------------------------------------------------------------------------------


def test_no_element_has_a_property_twice_or_beside_its_shorthand(inlined: str) -> None:
    """The inliner gets the order of such pairs wrong, and mail clients differ about them."""
    for style in re.findall(r'\sstyle="([^"]*)"', inlined):
        names = [rule.partition(":")[0].strip() for rule in style.split(";")]
        assert len(names) == len(set(names)), style
        for name in {"margin", "padding", "border", "background", "font"} & set(names):
            mixed = {other for other in names if other.startswith(f"{name}-")}
            assert mixed <= {"border-radius", "border-collapse"}, style


def test_inlined_styles_are_plain_enough_for_the_inliner(awkward: Path) -> None:
    """No !important, which it gets wrong, and no colour but #rrggbb."""
    sheet = re.findall(r"<style>(.*?)</style>", _page(ISSUES[0], awkward), re.DOTALL)[0]

    assert not re.search(r"!important|@|\brgba?\(|\bvar\(|\bcalc\(|:not|:nth|:has", sheet)
    assert all(len(colour) == 7 for colour in re.findall(r": (#[0-9a-fA-F]+)", sheet))


def test_what_stays_in_the_head_is_small_and_fetches_nothing(inlined: str) -> None:
    """Gmail drops all style blocks together past 16 KB; @import and fonts go to the network."""
    blocks = re.findall(r"<style[^>]*>(.*?)</style>", inlined, re.DOTALL)

    assert sum(len(block.encode()) for block in blocks) < 12_000
    assert not re.search(r"@import|@font-face|url\(", "".join(blocks))


def test_every_colour_and_font_of_the_toml_is_used(tmp_path: Path) -> None:
    names = [*settings(config.Theme(), tmp_path)]
    colours = {
        name: f"#{index:02d}{index:02d}99"
        for index, name in enumerate(names, 10)
        if not re.search("font|logo", name)
    }
    fonts = {"font": "Verdana, sans-serif", "heading_font": "'Book Antiqua', serif"}
    lines = [f'{name} = "{value}"' for name, value in (colours | fonts).items()]

    page = _write(tmp_path, "> Text.", "[theme]\n" + "\n".join(lines))

    assert len(colours) == 10
    assert [value for value in (colours | fonts).values() if value not in page] == []


@pytest.mark.parametrize("scheme", ["", "_dark"])
@pytest.mark.parametrize(
    ("text", "ground"),
    [
        ("text", "surface"),
        ("text", "background"),
        ("muted", "surface"),
        ("muted", "background"),
        ("accent", "surface"),  # links; and, the other way round, buttons
        ("accent", "background"),
    ],
)
def test_the_default_colours_can_be_read(
    text: str, ground: str, scheme: str, tmp_path: Path
) -> None:
    """WCAG 2.2 AA, success criterion 1.4.3: at least 4.5 to 1."""
    defaults = settings(config.Theme(), tmp_path)
    low, high = sorted(_luminance(defaults[name + scheme]) for name in (text, ground))

    assert (high + 0.05) / (low + 0.05) >= 4.5


def _luminance(colour: str) -> float:
    values = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in values)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


# --- conditions around stories and sections -------------------------------------------------------


class _Nesting(HTMLParser):
    """Collects what is not well nested, with no mercy: browsers repair, mail clients differ."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.faults: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> at {self.getpos()}")


def _faults(page: str) -> list[str]:
    nesting = _Nesting()
    nesting.feed(page)
    nesting.close()
    return nesting.faults + nesting.open


@pytest.mark.parametrize("issue", ISSUES, ids=lambda path: path.stem)
def test_a_page_is_well_nested(issue: Path, awkward: Path) -> None:
    assert _faults(_page(issue, awkward)) == []


def _stretches(issue: Path, awkward: Path) -> list[tuple[str, str]]:
    """What stands between neighbouring statements around stories or sections, and what does not."""
    page, read = _page(issue, awkward), _read(issue, awkward)
    parts: list[Section | Story] = [*read.sections, *read.stories]
    tokens = {token for part in parts for token in part.before + part.after}
    found = [mark for mark in re.finditer(r"<!--(\w+)-->", page) if mark[1] in tokens]
    return [
        (page[first.end() : second.start()], page[: first.end()] + page[second.start() :])
        for first, second in pairwise(found)
    ]


def test_what_a_condition_takes_away_are_whole_elements(awkward: Path) -> None:
    """A stretch from one statement to the next can go: both it and the rest are well nested."""
    stretches = [pair for issue in ISSUES for pair in _stretches(issue, awkward)]

    assert len(stretches) == 3  # a story in the showcase, two sections in the awkward issue
    for stretch, rest in stretches:
        assert 'class="card"' in stretch
        assert (_faults(stretch), _faults(rest)) == ([], [])


def test_a_condition_takes_a_section_away_without_a_trace(awkward: Path, tmp_path: Path) -> None:
    """Neither its label nor the gap below its stories stays behind."""
    edition = edition_of(next(path for path in ISSUES if path.stem == "awkward"), awkward)
    for_fife, for_nobody = (html_for(edition, who, tmp_path) for who in (MORAG, NOBODY))

    assert "A section for Fife" in for_fife
    assert "A section for" not in for_nobody
    for letter in (for_fife, for_nobody):
        assert letter.count('class="gap" height="16"') == letter.count('class="card"')
    assert for_fife.count('class="card"') == for_nobody.count('class="card"') + 1


# --- titles, dates and words ----------------------------------------------------------------------


def test_the_title_is_the_headline_of_an_issue_with_that_one_story(tmp_path: Path) -> None:
    tree = html.document_fromstring(_write(tmp_path, "## A subject\n\nText."))

    assert [heading.text_content() for heading in tree.iter(*HEADINGS)] == ["A subject"]


def test_a_letter_in_gaelic_speaks_gaelic_in_masthead_and_footer(awkward: Path) -> None:
    tree = html.document_fromstring(_page(Path("gaidhlig.md"), awkward))
    (footer,) = tree.find_class("footer")

    assert tree.find_class("date")[0].text_content() == "16mh dhen t-Samhain 2016"
    assert "Chaidh an litir-naidheachd seo a chur gu morag@example.org" in footer.text_content()
    assert [link.text for link in footer.iter("a")][-1] == "Cuir crìoch air an fho-sgrìobhadh"


@pytest.mark.parametrize(
    ("lang", "date"),
    [
        ("en", "24 August 2016"),
        ("en-GB", "24 August 2016"),
        ("gd", "24mh dhen Lùnastal 2016"),
        ("tlh", "24 August 2016"),
    ],
)
def test_dates_are_written_as_people_write_them(lang: str, date: str, tmp_path: Path) -> None:
    """An unknown language gets English words rather than none."""
    assert load_words(lang, tmp_path).date(dt.date(2016, 8, 24)) == date


def test_every_language_has_the_same_words(tmp_path: Path) -> None:
    english, gaelic = (load_words(lang, tmp_path) for lang in ("en", "gd"))

    assert english.texts.keys() == gaelic.texts.keys()
    assert len(english.months) == len(gaelic.months) == 12


def test_the_footer_says_who_writes_where_from_to_whom_and_how_to_leave(awkward: Path) -> None:
    tree = html.document_fromstring(_page(Path("only-paragraphs.md"), awkward))
    (footer,) = tree.find_class("footer")
    lines = [line.strip() for line in footer.itertext() if line.strip()]

    assert lines == [
        "Mitteilungen der Binnenschifffahrtsgewerkschaftsbezirksverwaltung",
        "The Old Schoolhouse",
        "Kirk Wynd",
        "Kirkbrae, Fife",
        "news.example.org",
        "This newsletter was sent to morag@example.org",
        "Unsubscribe",
    ]
    assert [link.get("href") for link in footer.iter("a")] == [
        "https://news.example.org/",
        "https://example.org/leave",
    ]


# --- a newsletter's own templates -----------------------------------------------------------------


def test_a_template_in_the_folder_takes_the_place_of_the_packaged_one(tmp_path: Path) -> None:
    own = tmp_path / "templates" / "email"
    own.mkdir(parents=True)
    (own / "footer.html").write_text("<p>Leave: {{ slots.unsubscribe_url }}</p>", "utf-8")

    page = _write(tmp_path, "Text.")

    assert "<p>Leave: https://example.org/leave</p>" in page
    assert "This newsletter was sent to" not in page
    assert 'class="nameplate"' in page


def test_words_in_the_folder_take_the_place_of_the_packaged_ones(tmp_path: Path) -> None:
    own = tmp_path / "templates" / "email" / "words"
    own.mkdir(parents=True)
    months = ", ".join(f'"month {number}"' for number in range(1, 13))
    texts = 'sent_to = "For"\nunsubscribe = "Enough"\n'
    toml = f'date = "{{month}}, {{day}}"\nmonths = [{months}]\n[texts]\n{texts}'
    (own / "en.toml").write_text(toml, "utf-8")

    page = _write(tmp_path, "Text.")

    assert "month 9, 7" in page
    assert "For morag@example.org" in page


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("<p>\n{{ nobody }}\n</p>", "'nobody' is undefined"),
        ("<p>\n{% if %}\n</p>", "Expected an expression, got 'end of statement block'"),
    ],
)
def test_a_fault_in_a_template_is_named_with_its_file_and_line(
    tmp_path: Path, template: str, text: str
) -> None:
    own = tmp_path / "templates" / "email"
    own.mkdir(parents=True)
    (own / "footer.html").write_text(template, "utf-8")

    with pytest.raises(InputError) as caught:
        _write(tmp_path, "Text.")

    assert str(caught.value) == f"{own / 'footer.html'}:2: {text}"
