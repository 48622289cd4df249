"""Faults written into copies of the showcase issue: each is found where it is, and alone.

A row of :data:`FAULTS` is one edit. To try a rule, add one to the table of its group.
"""

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from briefmail.newsletter import Newsletter

ROOT = Path(__file__).parents[2]
SHOWCASE = ROOT / "issues" / "2016-09-07.md"
NOW = datetime(2016, 9, 6, 12, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Fault:
    """``old`` in the issue becomes ``new``, and ``rule`` says so on the line where ``at`` is then.

    ``at`` is ``new`` unless it is given.
    """

    rule: str
    old: str
    new: str
    at: str = ""


SUBJECT = "subject: The island that bought its own harbour"
PREHEADER = (
    "preheader: Also a burn that runs a bus, ten more hours of library, and a queue for the"
    " wallpaper steamer"
)
DATE = "date: 2016-09-07"
PLAN = "[both pages, and the soup](https://example.org/orravay/plan)"
LESSONS = "[eleven pages of lessons learned](https://example.org/fearnag/lessons)"
SEAT = "https://example.org/gathering/seat"
MAIL = "mailto:briefing@example.org?subject=My%20details"
HARBOUR = (
    "![Orravay in the evening: painted houses along the quay, a lighthouse and a red fishing boat]"
    "(../images/harbour.png){width=536}"
)
WALL = (
    "![A wall of hand tools, with a dotted outline and a label where a pair of shears should hang]"
    "(../images/tool-wall.png){width=536}"
)
EARLIER = "# The last issue\n\nSee [the shop](https://example.org/orravay/shop).\n"
REMOTE = "![A quay](https://example.org/quay.png){width=536 height=300}"


def picture(text: str) -> str:
    """Put another picture under the story of the harbour's."""
    return f"{HARBOUR}\n\n{text}"


READING = (
    Fault("unreadable", DATE, "date: 7 September"),
    Fault("unreadable", SUBJECT, "subject:"),
    Fault("field-unknown", '{{ region | default("Scotland") }}', "{{ regoin }}"),
    Fault("unreadable", SEAT, "gathering/seat"),
    Fault("unreadable", SEAT, "javascript:alert(1)"),
    Fault("unreadable", "../images/tool-wall.png", "../images/wall.png"),
)
CONTENT = (
    Fault("subject-length", SUBJECT, f"{SUBJECT}, and what its eighty-three people painted first"),
    Fault("subject-short", SUBJECT, "subject: News"),
    Fault("subject-capitals", SUBJECT, SUBJECT[:9] + SUBJECT[9:].upper()),
    Fault("subject-capitals", SUBJECT, f"{SUBJECT}!!"),
    Fault("preheader-missing", f"{PREHEADER}\n", "", at=SUBJECT),
    Fault(
        "preheader-length",
        PREHEADER,
        f"{PREHEADER}, and a good deal else besides, which no inbox shows",
    ),
    Fault("preheader-repeats", PREHEADER, "preheader: The island that bought its own harbour."),
    Fault("leftover-note", PREHEADER, "preheader: TODO"),
    Fault("leftover-note", "£212,000", "£TK"),
    Fault("leftover-note", "Two votes were lost", "[TODO: how many?] Two votes were lost"),
    Fault("leftover-note", "And was done twice.", "Lorem ipsum dolor sit amet."),
    Fault("leftover-note", "filled the fire", "filled XXX the fire"),
    Fault("leftover-placeholder", SUBJECT, "subject: '[FIRST NAME], the island is its own'"),
    Fault("leftover-placeholder", 'Dear {{ first_name | default("friend") }},', "Dear *|FNAME|*,"),
    Fault("leftover-placeholder", "A fair question, Mrs Rennie.", "A fair question, %LAST_NAME%."),
    Fault("doubled-word", "of a pier, a slip", "of a a pier, a slip"),
    Fault("doubled-word", "from a sponsored row", "from\nfrom a sponsored row"),
    Fault("wrong-characters", "The last line of it deserves", "The last line â€“ of it"),
    Fault("wrong-characters", "£6,240 a year", "Â£6,240 a year"),
    Fault("markdown-shown", "## A small fire", "##A small fire"),
    Fault("markdown-shown", PLAN, "[both pages, and the soup][plan]"),
    Fault("markdown-shown", "**after that**, ice", "**after that, ice"),
    Fault("entity-shown", "a wedding cake and, once, a ram", "cake &amp;amp; a ram"),
    Fault("date-impossible", "Saturday 17 September", "Saturday 31 September"),
    Fault("date-weekday", "Saturday 17 September", "Friday 17 September"),
    Fault("date-weekday", "Wednesday 21 September", "Wednesday 28 October 2016"),
    Fault("date-weekday", "on Saturday 1 October,", "on Sunday 1 October,"),
    Fault(
        "date-year", "Saturday 1 October,", "1 October 2015. It will be fine,", at="1 October 2015"
    ),
    Fault("date-year", "*Catriona Baird, editor*", "*Catriona Baird, editor, © 2015*"),
    Fault("date-of-issue", DATE, "date: 2016-08-24"),
    Fault("date-of-issue", "# On the ground", "# Wednesday 24 August 2016"),
    Fault("date-far", DATE, "date: 2106-09-07"),
    Fault("date-far", DATE, "date: 2016-07-07"),
    Fault("heading-skips", "> We were told", "<h6>A quotation</h6>\n\n> We were told", at="<h6>"),
    Fault("heading-empty", "## A small fire", "##\n\nA small fire", at="##\n\nA small"),
    Fault("name-misspelt", "A fair question,", "The Fortnightly Breifing knows,"),
    Fault(
        "name-misspelt", "The briefing is a plain text", "The fortnightly Briefing is a plain text"
    ),
)
LINKS = (
    Fault("link-syntax", SEAT, "https://example..org/gathering/seat"),
    Fault("link-syntax", SEAT, "https://example.org:seat/"),
    Fault("link-syntax", SEAT, "https://https://example.org/seat"),
    Fault("link-syntax", PLAN, "[both pages](<https://exa mple.org/plan>)"),
    Fault("link-syntax", PLAN, "[both pages](https://example.org/plan,)"),
    Fault("link-host", SEAT, "http://localhost:4000/seat"),
    Fault("link-host", SEAT, "https://gathering/seat"),
    Fault("link-host", SEAT, "https://10.0.0.7/seat"),
    Fault("link-anchor", SEAT, "#seats"),
    Fault("link-anchor", PLAN, '<a href="#plan">both pages</a>'),
    Fault("link-http", SEAT, "http://example.org/gathering/seat"),
    Fault("link-shortener", SEAT, "https://bit.ly/3seats"),
    Fault("link-tracking", SEAT, f"{SEAT}?utm_source=newsletter"),
    Fault("link-mail", MAIL, "mailto:briefing@example?subject=My%20details"),
    Fault("link-mail", MAIL, "mailto:breifing@example.org"),
    Fault("link-phone", MAIL, "tel:the-office"),
    Fault("link-field-host", SEAT, 'https://{{ region | default("all") }}/seat'),
    Fault("link-text", PLAN, "[here](https://example.org/orravay/plan)"),
    Fault("link-text", LESSONS, "[Read more](https://example.org/fearnag/lessons)"),
    Fault("link-text-address", PLAN, "<https://example.org/orravay/plan>"),
    Fault("link-text-deceives", PLAN, "[example.org](https://example.net/orravay/plan)"),
    Fault("link-doubled", f"His {LESSONS}", f"His {PLAN}"),
    Fault("link-ambiguous", LESSONS, "[both pages, and the soup](https://example.org/lessons)"),
    Fault("link-earlier", SEAT, "https://example.org/orravay/shop"),
    Fault(
        "alt-missing",
        "# Coming up",
        '<p>\n<img src="../images/logo.png"></p>\n\n# Coming up',
        at="<img",
    ),
    Fault("alt-empty", WALL, "![](../images/tool-wall.png){width=536}"),
    Fault("alt-empty", WALL, f"[![](../images/tool-wall.png)]({SEAT})"),
    Fault("alt-file-name", WALL, "![tool-wall.png](../images/tool-wall.png){width=536}"),
    Fault("image-pixels", WALL, WALL.replace("536", "200")),
    Fault(
        "image-size", HARBOUR, picture("![A quay](https://example.org/quay.png)"), at="![A quay]"
    ),
    Fault("image-width", HARBOUR, picture(REMOTE.replace("536", "900")), at="![A quay]"),
    Fault("client-support", HARBOUR, picture(REMOTE.replace("png", "webp")), at="![A quay]"),
)
FAULTS = (*READING, *CONTENT, *LINKS)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.rule}: {fault.new[:30]}")
def test_a_fault_is_found_where_it_is_and_nothing_else_is_an_error(
    fault: Fault, tmp_path: Path
) -> None:
    """The rule speaks on the line, and whatever is an error comes from that rule."""
    text = SHOWCASE.read_text("utf-8")
    assert text.count(fault.old) >= 1
    text = text.replace(fault.old, fault.new, 1)
    place = text.index(fault.at or fault.new)
    line = text.count("\n", 0, place) + 1
    newsletter = write(text, tmp_path)
    findings = newsletter.check(newsletter.root / "issues" / SHOWCASE.name).findings
    assert (fault.rule, line) in {(one.rule, one.line) for one in findings}
    assert {one.rule for one in findings if one.severity == "error"} <= {fault.rule}


def test_the_showcase_itself_is_clean(tmp_path: Path) -> None:
    """But for the row of its list that is no address, which is there on purpose."""
    newsletter = write(SHOWCASE.read_text("utf-8"), tmp_path)
    report = newsletter.check(newsletter.root / "issues" / SHOWCASE.name)
    assert report.exit_status(strict=False) == 0
    assert [found.rule for found in report.of("warning")] == ["row-invalid"]


def write(text: str, root: Path) -> Newsletter:
    """Make a copy of the repository's own newsletter with this text as its showcase."""
    for name in ("briefmail.toml", "recipients.csv"):
        shutil.copy(ROOT / name, root / name)
    shutil.copytree(ROOT / "images", root / "images")
    (root / "issues").mkdir()
    (root / "issues" / "2016-08-24.md").write_text(EARLIER, "utf-8")
    (root / "issues" / SHOWCASE.name).write_text(text, "utf-8")
    return Newsletter(Newsletter.open(root, environ={}).config, now=lambda: NOW)
