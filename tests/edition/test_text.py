"""The plain-text part: what a reader without HTML gets, word for word."""

import re
from pathlib import Path

import pytest
from press import NOW, opened, person, print_edition

from briefmail import config
from briefmail.edition import build_edition
from briefmail.issue import read_issue

REPOSITORY = Path(__file__).parents[2]
GOLDEN = Path(__file__).parent / "golden"
MORAG = person(
    "Mòrag MacAskill",
    "morag@example.org",
    first_name="Mòrag",
    organisation="Orravay Harbour Trust",
    region="Fife",
)
NOBODY = person(address="nobody@example.org")


def text_of(root: Path, body: str, **fields: str) -> str:
    """What stands between the title and the footer of one person's text part."""
    letter = opened(print_edition(root, body).message_for(person(**fields)))
    assert letter.text.startswith("Newsletter · 7 September 2016\n\nHello\n=====\n\n")
    body, _, _ = letter.text.partition("\n" + "-" * 72 + "\n")
    return body.split("=====\n\n", 1)[1]


# --- the repository's own issues ------------------------------------------------------------------


@pytest.mark.parametrize("who", ["morag", "nobody"])
@pytest.mark.parametrize("name", ["2016-08-24", "2016-09-07"])
def test_the_text_part_of_the_issues_here(name: str, who: str) -> None:
    """Whole, for somebody of whom much is known and for somebody of whom nothing is.

    To accept a change: read the new text, then copy it over the old.
    """
    issue = read_issue(REPOSITORY / "issues" / f"{name}.md")
    edition = build_edition(issue, config.load(REPOSITORY, {}), NOW)
    letter = opened(edition.message_for(MORAG if who == "morag" else NOBODY))
    path = GOLDEN / f"{name}.{who}.txt"
    assert letter.text == path.read_text("utf-8")


def test_every_word_of_the_first_issue_is_in_both_parts() -> None:
    """Paragraph by paragraph, as they stand in the issue's own file."""
    path = REPOSITORY / "issues" / "2016-08-24.md"
    edition = build_edition(read_issue(path), config.load(REPOSITORY, {}), NOW)
    letter = opened(edition.message_for(NOBODY))
    body = path.read_text("utf-8").split("---\n", 2)[2]
    paragraphs = [
        words(re.sub(r"\]\([^)]*\)|^#+|^:::.*|<!-- more -->", "", block, flags=re.MULTILINE))
        for block in body.split("\n\n")
    ]
    paragraphs = [paragraph for paragraph in paragraphs if paragraph]
    assert len(paragraphs) == 17
    assert len("".join(paragraphs)) > 3000
    for part in (letter.text, letter.page.text_content()):
        whole = words(part)
        assert [paragraph for paragraph in paragraphs if paragraph not in whole] == []


def words(text: str) -> str:
    """The letters and figures of a text: what no rendering may change."""
    return "".join(re.findall(r"\w", re.sub(r"\[\d+\]", "", text)))


# --- blocks ---------------------------------------------------------------------------------------


def test_links_are_numbered_and_listed_after_each_story(tmp_path: Path) -> None:
    """A number stays with the word before it; an address that is its own words needs none."""
    body = (
        "Intro [one](https://example.org/1).\n\n## A\n\n[two](https://example.org/2) and"
        " [one](https://example.org/1), <https://example.org/bare>, [ed@example.org]"
        "(mailto:ed@example.org)\n\n<!-- more -->\n\n[two](https://example.org/2) again\n\n"
        "## B\n\n[two](https://example.org/2) [three](https://example.org/3)\n"
    )
    assert text_of(tmp_path, body) == (
        "Intro one\xa0[1].\n\n[1] https://example.org/1\n\n"
        "A\n-\n\ntwo\xa0[2] and one\xa0[3], https://example.org/bare, ed@example.org\n\n"
        "two\xa0[2] again\n\n[2] https://example.org/2\n[3] https://example.org/1\n\n"
        "B\n-\n\ntwo\xa0[4] three\xa0[5]\n\n[4] https://example.org/2\n[5] https://example.org/3\n"
    )


def test_a_link_in_a_condition_is_listed_within_it(tmp_path: Path) -> None:
    """Who does not see the link does not see its address."""
    body = (
        "[a](https://example.org/a)\n\n{% if v %}\n\n[b](https://example.org/b)\n\n{% else %}\n\n"
        "[c](https://example.org/c)\n\n{% endif %}\n\n[b](https://example.org/b)\n"
    )
    assert text_of(tmp_path, body, v="x") == (
        "a\xa0[1]\n\n[1] https://example.org/a\n\nb\xa0[2]\n\n[2] https://example.org/b\n\n"
        "b\xa0[4]\n\n[4] https://example.org/b\n"
    )
    assert text_of(tmp_path, body) == (
        "a\xa0[1]\n\n[1] https://example.org/a\n\nc\xa0[3]\n\n[3] https://example.org/c\n\n"
        "b\xa0[4]\n\n[4] https://example.org/b\n"
    )


def test_a_story_that_is_left_out_takes_its_links_with_it(tmp_path: Path) -> None:
    """And leaves no empty line."""
    story = "{% if v %}\n\n## A\n\n[a](https://example.org/a)\n\n{% endif %}"
    body = f"# S\n\n{story}\n\n## B\n\nText\n\n# T\n\nX\n"
    assert text_of(tmp_path, body) == "S\n=\n\nB\n-\n\nText\n\nT\n=\n\nX\n"
    assert text_of(tmp_path, body, v="x") == (
        "S\n=\n\nA\n-\n\na\xa0[1]\n\n[1] https://example.org/a\n\nB\n-\n\nText\n\nT\n=\n\nX\n"
    )


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (
            "Two   spaces,\n*soft* **breaks** ~~gone~~ and `code  x`\\\nhard  \nbreaks\n",
            "Two   spaces, _soft_ *breaks* gone and code  x\nhard\nbreaks\n",
        ),
        ("> One\n>\n> two\n>\n> — Ann\n", "> One\n>\n> two\n>\n> — Ann\n"),
        ("> One\n>\n> > two\n", "> One\n>\n> > two\n"),
        ("::: pull-out\nOne\n\nTwo\n:::\n", "| One\n|\n| Two\n"),
        ("One\n\n---\n\nTwo\n", f"One\n\n{' ' * 33}* * *\n\nTwo\n"),
        ("```\na = 1\n\n    b\n```\n", "    a = 1\n\n        b\n"),
        ("- one\n  - two\n  - three\n- four\n", "- one\n  - two\n  - three\n- four\n"),
        ("- one\n\n- two\n\n  more\n", "- one\n\n- two\n\n  more\n"),
        ("9. nine\n10. ten\n    ten\n", "9. nine\n10. ten ten\n"),
        ("0. zero\n1. one\n", "0. zero\n1. one\n"),
        ("1. one\n\n   ```\n   x\n   ```\n", "1. one\n\n       x\n"),
        ("- > quoted\n", "- > quoted\n"),
        ("### Small\n\nText\n", "Small\n\nText\n"),
        ("![A wall](https://example.org/a.png)\n", "[Image: A wall]\n"),
        ("![](https://example.org/a.png) x\n", "x\n"),
        ("[![A wall](https://example.org/a.png)](https://example.org/)\n",
         "[Image: A wall]\xa0[1]\n\n[1] https://example.org/\n"),
        ("**[Come](https://example.org/)**\n\nx\n", "Come:\nhttps://example.org/\n\nx\n"),
        ("One[^a].\n\n[^a]: Note *x*.\n\n    More.\n",
         "One\xa0[note\xa01].\n\n[note\xa01] Note _x_.\n\n         More.\n"),
        ("<div>One<br>two</div><p>three &amp; <!-- no -->four</p>\n", "One\ntwo\nthree & four\n"),
        ("x <b>y</b> <!-- no --> z<br>w\n", "x y  z\nw\n"),
        ("[top](#x)\n", "top\n"),
    ],
)  # fmt: skip
def test_each_kind_of_block(tmp_path: Path, body: str, text: str) -> None:
    """As people write them in a mail."""
    assert text_of(tmp_path, body) == text


def test_paragraphs_are_folded_at_72_and_addresses_are_not(tmp_path: Path) -> None:
    """An address that is broken is no address."""
    address = "https://example.org/" + "long-" * 30
    body = f"{'seven77 ' * 10}<{address}> end\n\n> {'seven77 ' * 10}\n\n- {'seven77 ' * 10}\n"
    nine, eight = ("seven77 " * 9).strip(), ("seven77 " * 8).strip()
    assert text_of(tmp_path, body) == (
        f"{nine}\nseven77\n{address}\nend\n\n> {eight}\n> seven77 seven77\n\n"
        f"- {eight}\n  seven77 seven77\n"
    )


def test_a_number_is_never_torn_from_its_word(tmp_path: Path) -> None:
    """Nor a note's."""
    for length in range(60, 72):
        body = "x" * length + " word[^a] [link](https://example.org/)\n\n[^a]: n\n"
        text = text_of(tmp_path, body)
        assert "word\xa0[note\xa01]" in text
        assert "link\xa0[1]" in text


def test_a_condition_does_not_fold_the_lines_around_it(tmp_path: Path) -> None:
    """What stands for a tag is counted as what it is likely to be, not as it is written."""
    tags = "{% if v %} {{ v }}{% else %} all{% endif %}"
    body = f"Dear{tags}, this line is much shorter than it looks.\n"
    assert text_of(tmp_path, body, v="Mòrag") == (
        "Dear Mòrag, this line is much shorter than it looks.\n"
    )


# --- tables ---------------------------------------------------------------------------------------


def test_a_table_is_aligned(tmp_path: Path) -> None:
    """As its source says, with a rule below its header."""
    rows = "| Monday | 9 | A<br>B |\n| Tue | 10 to 5 | Catriona |\n"
    body = f"| Day | Hours | Who |\n|:--|--:|:-:|\n{rows}"
    assert text_of(tmp_path, body) == (
        "Day        Hours     Who\n"
        "------   -------   --------\n"
        "Monday         9     A B\n"
        "Tue      10 to 5   Catriona\n"
    )


def test_a_table_too_wide_becomes_records(tmp_path: Path) -> None:
    """A line a cell, with the name of its column; an empty cell has none."""
    long = "word " * 14 + "end"
    body = f"| Name | Story |\n|---|---|\n| Ann | {long} |\n| Bob | |\n| | x |\n"
    assert text_of(tmp_path, body) == (
        "Name: Ann\nStory: " + "word " * 12 + "word\nword end\n\nName: Bob\n\nStory: x\n"
    )


def test_a_table_of_nothing_but_a_wide_header_keeps_its_words(tmp_path: Path) -> None:
    """A line each."""
    a, b = "a" * 40, "b" * 40
    assert text_of(tmp_path, f"| {a} | {b} |\n|---|---|\n") == f"{a}\n{b}\n"


# --- around the issue -----------------------------------------------------------------------------


def test_masthead_and_footer(tmp_path: Path) -> None:
    """Who, when, from where, and how to leave."""
    toml = (
        '[newsletter]\nname = "The Briefing"\nlang = "gd"\n'
        'postal_address = """1 High Street\nKirkbrae"""\n'
        'public_url = "https://briefing.example.org"\n'
    )
    edition = print_edition(tmp_path, "Text\n", toml=toml)
    assert opened(edition.message_for(person())).text == (
        "The Briefing · 7mh dhen t-Sultain 2016\n\nHello\n=====\n\nText\n\n"
        + "-" * 72
        + "\n\n1 High Street\nKirkbrae\n\nLàrach-lìn: https://briefing.example.org\n\n"
        "Cuir crìoch air an fho-sgrìobhadh:\n"
        "mailto:newsletter@example.org?subject="
        "Cuir%20cr%C3%ACoch%20air%20an%20fho-sgr%C3%ACobhadh%20ada@example.org\n"
    )
