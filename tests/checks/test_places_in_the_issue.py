"""A finding on the page leads to the line that somebody wrote."""

from pathlib import Path

import pytest
from proofs import FIRST_LINE, proof_from

BODY = """\
Dear reader,

the *harbour* is open
again, see [the times](https://example.org/times)
and **[the same times](https://example.org/times)**.

# On the ground

## A story

Twice the same words.

Twice the same words.

- one
- two
  with a second line

| Day | Open |
| --- | --- |
| Monday | **9 to 5** |

<div>
<p class="small">Raw <b>words</b> of HTML</p>
<table>
<tr><td>saws</td><td>nine</td></tr>
</table>
</div>

Inline <img src="https://example.org/a.png" width="20" height="20"> and <u>underlined</u>.

![A pier](https://example.org/pier.png){width=300}

> quoted

**[Come along](https://example.org/come)**

A note.[^1]

[^1]: Its words.
"""
PLACES = [
    ("//em", "the *harbour*"),
    ("//a[text()='the times']", "the times"),
    ("//a[text()='the same times']", "the same times"),
    ("//h2", "# On the ground"),
    ("//h3", "## A story"),
    ("(//p[text()='Twice the same words.'])[1]", "Twice"),
    ("//li[contains(., 'two')]", "- two"),
    ("//table[thead]", "| Day"),
    ("//td/strong", "| Monday"),
    ("//td[text()='Monday']", "| Monday"),
    ("//p[@class='small']", '<p class="small">'),
    ("//p[@class='small']/b", '<p class="small">'),
    ("//table[not(@role) and not(.//th)]", "<table>"),
    ("//td[text()='nine']", "<tr><td>saws"),
    ("//img[contains(@src, 'a.png')]", "<img"),
    ("//u", "<u>"),
    ("//img[@alt='A pier']", "![A pier]"),
    ("//blockquote", "> quoted"),
    ("//a[contains(@href, 'come')]", "Come along"),
    ("//p[contains(., 'A note.')]", "A note.[^1]"),
    ("//p[contains(., 'Its words')]", "[^1]: Its"),
]


@pytest.fixture(scope="module")
def proof(tmp_path_factory):
    return proof_from(tmp_path_factory.mktemp("newsletter"), BODY)


@pytest.mark.parametrize(("path", "written"), PLACES, ids=[path for path, _ in PLACES])
def test_an_element_leads_to_the_line_where_it_was_written(proof, path: str, written: str) -> None:
    """Markdown and HTML, blocks and what is in them, tables, pictures, buttons, notes."""
    (element,) = proof.page.xpath(path)
    before = BODY.partition(written)[0]
    assert proof.line_of(element) == FIRST_LINE + before.count("\n")


def test_the_second_of_two_that_are_alike_is_the_second(proof) -> None:
    """They are told apart by their order."""
    first, second = proof.page.xpath("//p[text()='Twice the same words.']")
    assert proof.line_of(second) == proof.line_of(first) + 2


def test_what_is_the_themes_has_no_line(proof) -> None:
    """The date, and the link for leaving."""
    assert proof.line_of(proof.page.xpath("//p[@class='date']")[0]) is None
    assert proof.line_of(proof.page.xpath("//a[text()='Unsubscribe']")[0]) is None


def test_what_is_a_templates_leads_to_its_line(tmp_path: Path) -> None:
    """By its tag and attributes, or by the words that it begins with."""
    footer = (
        "<p>{{ newsletter.name }}</p>\n"
        '<div class="ours">Join us</div>\n<div>\nin the hall\n</div>\n{{ slots.unsubscribe_url }}'
    )
    proof = proof_from(tmp_path, "Words.\n", footer=footer)
    path = tmp_path / "templates" / "email" / "footer.html"
    ours, hall = proof.page.xpath("//div[@class='ours']|//div[contains(text(), 'in the hall')]")
    found = [proof.places.found(element, "") for element in (ours, hall)]
    assert [(one.path, one.line) for one in found] == [(path, 2), (path, 3)]
