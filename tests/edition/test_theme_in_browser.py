"""The theme in a real browser, at the widths of a phone, a mail window and a page.

A browser stands for Apple Mail, Thunderbird and webmail. Outlook on Windows and the recolouring
of Gmail have no stand-in here; what they need is held by ``test_theme.py``.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from letters import ISSUES, MORAG, NOBODY, edition_of, html_for, make_folder

pytestmark = pytest.mark.chromium

WIDTHS = (375, 600, 800)
SCHEMES = ("light", "dark")
BACKGROUND = {"light": "rgb(241, 239, 233)", "dark": "rgb(18, 22, 20)"}

# Runs in the page. Contrast is WCAG 2.2's: of each piece of text against what is painted behind
# it, 4.5 to 1, or 3 to 1 from 24 pixels (bold: 18.66) upwards.
LOOK = r"""() => {
  const parse = colour => colour.match(/[\d.]+/g).map(Number);
  const over = (top, below) => {
    const alpha = top[3] ?? 1;
    return [0, 1, 2].map(i => top[i] * alpha + below[i] * (1 - alpha));
  };
  const ground = element => {
    if (!element) return [255, 255, 255];
    const colour = parse(getComputedStyle(element).backgroundColor);
    return colour[3] === undefined ? colour : over(colour, ground(element.parentElement));
  };
  const luminance = colour => {
    const [r, g, b] = colour.map(value => value / 255)
      .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = element => {
    const below = ground(element);
    const text = over(parse(getComputedStyle(element).color), below);
    const [low, high] = [luminance(text), luminance(below)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  const needed = element => {
    const style = getComputedStyle(element);
    const size = parseFloat(style.fontSize), bold = Number(style.fontWeight) >= 700;
    return size >= 24 || (bold && size >= 18.66) ? 3 : 4.5;
  };
  const seen = element => element.checkVisibility({opacityProperty: true});
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const faint = [];
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    const words = walker.currentNode.data.trim();
    if (!words || !seen(element)) continue;
    if (contrast(element) < needed(element)) faint.push([words.slice(0, 40), contrast(element)]);
  }
  const page = document.documentElement;
  const boxless = image => {
    const box = image.getBoundingClientRect();
    return !image.naturalWidth || box.width < 1 || box.height < 1;
  };
  const all = selector => [...document.querySelectorAll(selector)];
  return {
    background: getComputedStyle(document.body).backgroundColor,
    sideways: page.scrollWidth - page.clientWidth,
    cut_off: all(".text").filter(text => text.scrollWidth > text.clientWidth
      && !text.querySelector("tbody")).map(text => text.innerText.slice(0, 40)),
    headings: all("h1").filter(seen).length,
    boxless: all("img").filter(boxless).map(image => image.alt),
    empty: all(".card").filter(card => !card.innerText.trim()).length,
    faint,
  };
}"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_folder(tmp_path_factory.mktemp("newsletter"))


@pytest.fixture(scope="module", params=ISSUES, ids=lambda path: path.stem)
def letter(request: Any, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An issue as Mòrag gets it, as a file."""
    return _write_letter(request.param, MORAG, folder, tmp_path_factory.mktemp("letter"))


def _write_letter(issue: Path, recipient: Any, folder: Path, target: Path) -> Path:
    file = target / f"{issue.stem}.html"
    file.write_text(html_for(edition_of(issue, folder), recipient, target), "utf-8")
    return file


@contextmanager
def _opened(browser: Any, letter: Path, scheme: str) -> Iterator[Any]:
    page = browser.new_page(color_scheme=scheme)
    try:
        page.goto(letter.as_uri())
        yield page
    finally:
        page.close()


def _look(page: Any, width: int) -> dict[str, Any]:
    page.set_viewport_size({"width": width, "height": 900})
    seen: dict[str, Any] = page.evaluate(LOOK)
    return seen


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_letter_fits_every_screen_and_can_be_read(
    browser: Any, letter: Path, scheme: str, tmp_path: Path
) -> None:
    """Nothing runs off the side, no text is faint, one h1, and every picture has its place."""
    target = Path(os.environ.get("BRIEFMAIL_SCREENSHOTS", tmp_path))
    target.mkdir(parents=True, exist_ok=True)
    faults = {}

    with _opened(browser, letter, scheme) as page:
        for width in WIDTHS:
            faults[width] = _faults(_look(page, width), scheme)
            screenshot = target / f"{letter.stem}-{width}-{scheme}.png"
            page.screenshot(path=screenshot, full_page=True)

    assert faults == {width: {} for width in WIDTHS}


def _faults(seen: dict[str, Any], scheme: str) -> dict[str, Any]:
    good = {
        "background": BACKGROUND[scheme],  # in the dark, a rule that beat the inlined one
        "sideways": 0,
        "cut_off": [],
        "headings": 1,
        "boxless": [],
        "empty": 0,
        "faint": [],
    }
    assert seen.keys() == good.keys()
    return {name: value for name, value in seen.items() if value != good[name]}


def test_the_marks_of_outlook_com_make_a_letter_dark(browser: Any, letter: Path) -> None:
    """Outlook.com has its own dark mode and marks what it recoloured; our colours win there."""
    with _opened(browser, letter, "light") as page:
        page.evaluate("""() => {
          document.documentElement.setAttribute("data-ogsc", "");
          document.documentElement.setAttribute("data-ogsb", "");
        }""")
        seen = _look(page, 800)

    assert _faults(seen, "dark") == {}


@pytest.mark.parametrize("issue", ISSUES, ids=lambda path: path.stem)
def test_a_letter_whose_conditions_all_fail_has_no_empty_card(
    browser: Any, folder: Path, issue: Path, tmp_path: Path
) -> None:
    """What a condition takes away leaves neither a card nor a sideways scroll behind."""
    letter = _write_letter(issue, NOBODY, folder, tmp_path)

    with _opened(browser, letter, "light") as page:
        seen = _look(page, 375)

    assert _faults(seen, "light") == {}
