"""The colours that the checks compute are those that a browser paints."""

import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from lxml import html
from proofs import proof_from

from briefmail.checks.colours import as_hex, painted
from briefmail.issue import TOKEN
from real_parts import require

pytestmark = pytest.mark.chromium

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
SHOWCASE = Path(__file__).parents[2] / "issues" / "2016-08-24.md"
TOML = '[newsletter]\npostal_address = "Kirkbrae, Fife"\n[theme]\naccent = "#7a2d00"\n'
FOOTER = """\
<div class="footer"><p style="background: #f4e9c8">Join us, <b style="color: rgba(0, 0, 0, .4)">do
</b></p><p><font color="#404040">Old</font> <small style="opacity: 0">unseen</small></p>
<p><a href="{{ slots.unsubscribe_url }}">Leave</a></p></div>
"""
# Every piece of text that is seen, with its colour and its ground as they are painted.
LOOK = r"""() => {
  const parse = colour => colour.match(/[\d.]+/g).map(Number);
  const over = (top, below) => {
    const alpha = top[3] ?? 1;
    return [0, 1, 2].map(i => top[i] * alpha + below[i] * (1 - alpha));
  };
  const ground = element => element
    ? over(parse(getComputedStyle(element).backgroundColor), ground(element.parentElement))
    : [255, 255, 255];
  const hex = colour => "#" + colour.map(
    value => Math.round(value).toString(16).padStart(2, "0")).join("");
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim()) continue;
    if (!element.checkVisibility({opacityProperty: true, visibilityProperty: true})) continue;
    const below = ground(element);
    found.push(hex(over(parse(getComputedStyle(element).color), below)) + " " + hex(below));
  }
  return [...new Set(found)].sort();
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    require(find_spec("playwright"), "playwright is not installed")
    program = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    require(program, "no Chromium is installed")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_is_computed_is_what_a_browser_paints(
    browser: Any, scheme: Any, tmp_path: Path
) -> None:
    """Text and ground, in both schemes: a real issue with a footer that leaves the theme's ways."""
    body = SHOWCASE.read_text("utf-8").split("---\n", 2)[2].replace("../images/", "https://e.org/")
    proof = proof_from(tmp_path, body, toml=TOML, footer=FOOTER)
    letter = tmp_path / "letter.html"
    letter.write_text(TOKEN.sub("x", proof.edition.html), "utf-8")

    page = browser.new_page(color_scheme=scheme, offline=True)
    page.goto(letter.as_uri())
    seen = page.evaluate(LOOK)
    page.close()

    tree = html.document_fromstring(letter.read_text("utf-8"))
    inks = {f"{as_hex(one.ink.colour)} {as_hex(one.ink.ground)}" for one in painted(tree, scheme)}
    assert sorted(inks) == seen
    assert len(seen) > 5
