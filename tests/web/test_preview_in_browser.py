"""The preview as its editor meets it, in a real browser."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from table import ISSUE, lay_table

from briefmail.newsletter import Newsletter
from briefmail.web import PreviewServer
from briefmail.web.screenshots import take_screenshots
from real_parts import require

pytestmark = pytest.mark.chromium
LONG = ISSUE + "".join(f"\nThe {n}th paragraph.\n" for n in range(80))
SOON = 10_000  # milliseconds; a busy machine is slow, and nothing is asserted about time


@pytest.fixture
def issue(tmp_path: Path) -> Path:
    return lay_table(tmp_path, LONG)


@pytest.fixture
def page(browser: Any, issue: Path) -> Iterator[Any]:
    newsletter = Newsletter.open(issue, environ={})
    with newsletter.desk(issue) as desk, PreviewServer(desk) as server:
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        page.set_default_timeout(SOON)
        faults: list[str] = []
        page.on("console", lambda said: faults.append(said.text))
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(server.url)
        mail(page).get_by_text("Dear Mòrag,").wait_for()
        yield page
        page.close()
        assert faults == []


def mail(page: Any) -> Any:
    return page.frame_locator("#mail iframe")


def scrolled(page: Any) -> Any:
    return page.evaluate("document.querySelector('#mail iframe').contentWindow.scrollY")


def test_a_change_on_disk_is_shown_and_the_place_is_kept(page: Any, issue: Path) -> None:
    """The editor looks at the end of a long issue while writing there."""
    page.evaluate("document.querySelector('#mail iframe').contentWindow.scrollTo(0, 600)")
    issue.write_text(LONG.replace("The 40th", "The fortieth"), "utf-8")
    mail(page).get_by_text("The fortieth paragraph.").wait_for()
    page.wait_for_function("document.querySelector('#mail iframe').contentWindow.scrollY > 500")
    assert scrolled(page) == 600


def test_a_mail_that_is_wider_than_its_place_can_be_seen_from_its_left_edge_on(page: Any) -> None:
    """As on a phone; what is to the right can be scrolled to."""
    page.set_viewport_size({"width": 375, "height": 700})
    left = "document.querySelector('{}').getBoundingClientRect().left"
    panel, frame = (page.evaluate(left.format(part)) for part in ("#mail", "#mail iframe"))
    assert frame == panel


def test_an_error_is_shown_with_its_line_and_goes_when_it_is_mended(page: Any, issue: Path) -> None:
    """Meanwhile the last good version stays."""
    issue.write_text(LONG.replace("{{ first_name", "{{ first_name ^"), "utf-8")
    page.get_by_text("2016-09-07.md:7").wait_for()
    assert mail(page).get_by_text("Dear Mòrag,").is_visible()
    page.get_by_role("button", name="show").click()
    assert page.locator("#source li.here").inner_text().startswith("Dear {{ first_name ^")
    issue.write_text(LONG, "utf-8")
    page.locator("#problems").wait_for(state="hidden")


def test_the_reader_is_changed_by_keyboard(page: Any) -> None:
    """From the search box, as from the list."""
    page.get_by_label("Search the list").press("ArrowDown")
    mail(page).get_by_text("Dear Ian,").wait_for()
    page.locator("#readers").press("ArrowUp")
    mail(page).get_by_text("Dear Mòrag,").wait_for()
    page.get_by_label("Search the list").fill("reid")
    page.locator("#readers li").filter(has_text="Mòrag").wait_for(state="detached")
    assert page.locator("#readers li").count() == 1


def test_a_change_of_the_list_is_shown_too(page: Any, issue: Path) -> None:
    """Somebody new can be looked for at once."""
    path = issue.parents[1] / "recipients.csv"
    path.write_text(path.read_text("utf-8") + "zoe@example.org,Zoë,Adeyemi\n", "utf-8")
    page.locator("#readers li").filter(has_text="Zoë Adeyemi").click()
    mail(page).get_by_text("Dear Zoë,").wait_for()


def test_findings_stand_beside_it_and_lead_to_their_line(page: Any, issue: Path) -> None:
    """The checks are those of ``briefmail check``."""
    subject = "The harbour, the hall, the school, the ferry, the turbine and what the council said"
    issue.write_text(LONG.replace("The harbour is open again", subject), "utf-8")
    finding = page.locator("#findings button").filter(has_text="[subject-length]")
    finding.click()
    assert page.locator("#source li.here").inner_text() == f"subject: {subject}"


def test_the_mail_is_shown_at_each_width_and_in_both_schemes(page: Any) -> None:
    """The frame has the width of the screen, and the scheme is the button's."""
    for name, width in (("Phone", 375), ("Tablet", 600), ("Desktop", 800)):
        page.get_by_label(name).check()
        inner = "document.querySelector('#mail iframe').contentWindow.innerWidth"
        page.wait_for_function(f"{inner} === {width}")
    ground = mail(page).locator("body")
    light = ground.evaluate("body => getComputedStyle(body).backgroundColor")
    page.get_by_label("Dark").check()
    page.wait_for_function(
        """light => {
          const body = document.querySelector("#mail iframe").contentDocument.body;
          return body && getComputedStyle(body).backgroundColor !== light;
        }""",
        arg=light,
    )


def test_every_view_can_be_reached_by_keyboard(page: Any) -> None:
    """The tabs are one stop, and the arrows go through them."""
    page.locator("#tab-mail").focus()
    for panel, words in (
        ("#inbox", "What the council decided"),
        ("#text", "Dear Mòrag,"),
        ("#source", "subject: The harbour is open again"),
        ("#raw", "List-Unsubscribe:"),
    ):
        page.keyboard.press("ArrowRight")
        assert words in page.locator(panel).inner_text()


def test_nothing_in_the_mail_can_run_or_call_or_lead_away(browser: Any, tmp_path: Path) -> None:
    """A template may hold anything; the frame lets none of it act."""
    issue = lay_table(tmp_path)
    template = tmp_path / "templates" / "email" / "footer.html"
    template.parent.mkdir(parents=True)
    template.write_text(
        "<p><script>parent.document.title = 'mine'</script>"
        "<img src='https://tracker.example/x.png' onerror=\"parent.document.title = 'mine'\" alt=''"
        ' width="1" height="1"><a href="{{ slots.unsubscribe_url }}">Unsubscribe</a></p>',
        "utf-8",
    )
    with (
        Newsletter.open(issue, environ={}).desk(issue) as desk,
        PreviewServer(desk) as server,
    ):
        page = browser.new_page()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(server.url)
        mail(page).get_by_text("Unsubscribe").click(timeout=SOON)
        page.get_by_text("The link leads to mailto:leave@example.org").wait_for()
        assert page.title() == "2016-09-07.md – preview"
        assert [url for url in asked if not url.startswith((server.url, "data:"))] == []
        page.close()


def test_pictures_are_taken_at_two_widths_in_two_schemes(tmp_path: Path) -> None:
    """All of the mail is on them, not only what fits a window."""
    require(shutil.which("chromium"), "no Chromium is installed")
    issue = lay_table(tmp_path, LONG)
    with Newsletter.open(issue, environ={}).desk(issue) as desk:
        paths = list(take_screenshots(desk, tmp_path / "pictures"))
    assert [path.name for path in paths] == [
        f"2016-09-07-{width}-{scheme}.png" for width in (375, 800) for scheme in ("light", "dark")
    ]
    for path in paths:
        header = path.read_bytes()[:24]
        width, height = (int.from_bytes(header[at : at + 4], "big") for at in (16, 20))
        assert header.startswith(b"\x89PNG")
        assert width == int(path.name.split("-")[3])
        assert height > 3000
