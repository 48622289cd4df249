"""``briefmail init`` and ``briefmail new``: a folder that sends at once, and the next issue."""

import re
import sys
from datetime import date
from pathlib import Path

import pytest
from command import Command, outbox, parse, part, recipients, start, tree

from briefmail import Newsletter

MADE = [".env.example", ".gitignore", "briefmail.toml", "issues", "recipients.csv"]
TITLES = [
    "A plain title",
    'Who said: "it\'s ours"?',
    "# not a comment: it's 100%",
    "- [ ] *stars* & <angles> \\ back",
    "Fàilte, Zoë, 日本語, 🚲 and \u0645\u0631\u062d\u0628\u0627",
    "yes",
    "2016-08-24",
    "@@DATE@@",
]


def issue_in(folder: Path) -> Path:
    """Return the one issue there is."""
    (path,) = (folder / "issues").glob("*.md")
    return path


def test_init_here_makes_a_newsletter_that_previews_tries_and_sends_at_once(tmp_path: Path) -> None:
    made = start(tmp_path, "init")
    assert made.status == 0, made
    assert sorted(path.name for path in tmp_path.iterdir()) == MADE
    issue = issue_in(tmp_path).relative_to(tmp_path)
    names = {"briefmail.toml", ".env.example", ".gitignore", "recipients.csv", str(issue)}
    assert set(made.out.splitlines()) == names
    preview = start(tmp_path, "preview", issue)
    assert (preview.status, preview.err) == (0, "")
    assert "Hello Ada" in preview.out
    before = tree(tmp_path)
    assert start(tmp_path, "send", issue, "--dry-run").status == 0
    assert tree(tmp_path) == before
    sent = start(tmp_path, "send", issue, "--yes")
    assert (sent.status, sent.totals) == (0, {"rows in the list": 4, "sent": 4}), sent
    assert recipients(tmp_path) == [
        "ada@example.org",
        "ruaridh@example.org",
        "zoe@example.org",
        "hello@example.org",
    ]
    greetings = [part(parse(data), "plain").partition("Hello ")[2][:5] for data in outbox(tmp_path)]
    assert greetings == ["Ada, ", "Ruari", "Zoë, ", "there"]


def test_a_second_init_refuses_and_writes_nothing(briefmail: Command, starter: Path) -> None:
    before = tree(starter)
    result = briefmail("init")
    assert (result.status, result.out) == (2, "")
    assert "is there already; nothing was written" in result.err
    assert tree(starter) == before


def test_init_writes_nothing_at_all_where_one_of_its_files_is(
    briefmail: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "recipients.csv").write_text("email\nme@example.org\n")
    before = tree(tmp_path)
    assert briefmail("init").status == 2
    assert tree(tmp_path) == before


def test_init_leaves_other_files_alone(
    briefmail: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "README.md").write_text("mine")
    assert briefmail("init").status == 0
    assert (tmp_path / "README.md").read_text() == "mine"


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("my-briefing", "My Briefing"),
        ("SCA news", "SCA News"),
        ("Mòrag's “good” news", "Mòrag's “good” News"),
        ("naïve_café 🚲", "Naïve Café 🚲"),
        pytest.param(
            'a "quoted" name',
            'A "quoted" Name',
            marks=pytest.mark.skipif(sys.platform == "win32", reason="no quotes in names there"),
        ),
        pytest.param(
            "back\\slash\nand\x07bell",
            "Back\\slash And Bell",
            marks=pytest.mark.skipif(sys.platform == "win32", reason="no controls in names there"),
        ),
    ],
)
def test_init_takes_any_name_of_a_folder(
    briefmail: Command, tmp_path: Path, folder: str, name: str
) -> None:
    """What it makes there can be opened and sent, and is called like the folder."""
    place = tmp_path / folder
    assert briefmail("init", place).status == 0
    assert Newsletter.open(place).config.newsletter.name == name
    sent = briefmail("send", issue_in(place), "--yes")
    assert sent.status == 0, sent
    assert len(recipients(place)) == 4


def test_minus_c_says_where_init_works(
    briefmail: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there").mkdir()
    assert briefmail("-C", "there", "init").status == 0
    assert [path.name for path in tmp_path.iterdir()] == ["there"]


def test_init_says_why_the_disk_will_not_have_it(briefmail: Command, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    result = briefmail("init", tmp_path / "file" / "below")
    assert (result.status, result.out) == (74, "")
    assert re.fullmatch(r"error: .*briefmail\.toml cannot be written: .*\n", result.err)


# --- new ------------------------------------------------------------------------------------------


def test_new_takes_the_next_day_of_the_cadence_that_has_no_issue(
    briefmail: Command, own: Path
) -> None:
    """Every second Wednesday from 24 August 2016."""
    paths = [Path(briefmail("new", f"Number {n}").out.strip()) for n in (1, 2)]
    days = [date.fromisoformat(path.stem) for path in paths]
    assert [path.parent.name for path in paths] == ["issues", "issues"]
    assert [(day - date(2016, 8, 24)).days % 14 for day in days] == [0, 0]
    assert (days[1] - days[0]).days == 14
    assert 0 <= (days[0] - date.today()).days < 14


def test_new_takes_the_day_it_is_told(briefmail: Command, own: Path) -> None:
    result = briefmail("new", "Hogmanay", "--date", "2026-12-31")
    assert (result.status, result.out, result.err) == (
        0,
        str(Path("issues/2026-12-31.md")) + "\n",
        "",
    )
    assert Newsletter.open(own).issue("issues/2026-12-31.md").date == date(2026, 12, 31)


def test_new_overwrites_nothing(briefmail: Command, own: Path) -> None:
    before = tree(own)
    result = briefmail("new", "Again", "--date", "2016-08-24")
    assert (result.status, result.out) == (2, "")
    assert "2016-08-24.md is there already; nothing was written" in result.err
    assert tree(own) == before


def test_new_makes_no_issue_where_there_is_no_newsletter(
    briefmail: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing would ever find it there."""
    empty = tmp_path / "elsewhere"
    empty.mkdir()
    monkeypatch.chdir(empty)
    result = briefmail("new", "Lost")
    assert (result.status, result.out) == (2, "")
    assert "is not a newsletter's folder" in result.err
    assert list(empty.iterdir()) == []


@pytest.mark.parametrize("day", ["tomorrow", "2016-02-30", "24/08/2016"])
def test_new_refuses_what_is_no_day(briefmail: Command, own: Path, day: str) -> None:
    result = briefmail("new", "When?", "--date", day)
    assert (result.status, result.out) == (2, "")
    assert day in result.err


@pytest.mark.parametrize("title", TITLES)
def test_any_title_becomes_the_subject_of_a_valid_draft(
    briefmail: Command, own: Path, title: str
) -> None:
    """It needs nothing more than to be no draft any longer, and it can be sent."""
    path = Path(briefmail("new", "--", title).out.strip())
    issue = Newsletter.open(own).issue(path)
    assert (issue.subject, issue.status) == (title, "draft")
    text = path.read_text("utf-8")
    path.write_text(text.replace("status: draft ", "status: ready "), encoding="utf-8")
    assert briefmail("send", path, "--yes", "--limit", "1").status == 0
    assert [parse(data)["Subject"] for data in outbox(own)] == [title]


@pytest.mark.parametrize("title", ["", "   ", "two\nlines", "bell\x07", "\u2028", "half \udce9"])
def test_what_cannot_be_a_title_is_refused(briefmail: Command, own: Path, title: str) -> None:
    before = tree(own)
    result = briefmail("new", title)
    assert (result.status, result.out) == (2, "")
    assert result.err == ("error: the title must be one line of text, without control characters\n")
    assert tree(own) == before


def test_a_new_issue_is_a_draft_that_send_refuses_at_its_line(
    briefmail: Command, own: Path
) -> None:
    path = Path(briefmail("new", "Not yet").out.strip())
    line = (
        path.read_text("utf-8")
        .split("\n")
        .index("status: draft      # not sent; when it is done write ready, or take this line out")
        + 1
    )
    result = briefmail("send", path, "--yes")
    assert (result.status, result.out) == (65, "")
    assert result.err.splitlines()[0] == f"{path}:{line}: the issue is a draft"
    assert not (own / "outbox").exists()


def test_a_draft_can_be_looked_at_tried_and_tested(briefmail: Command, own: Path) -> None:
    """A dry run says that nobody would get it yet."""
    path = Path(briefmail("new", "Not yet").out.strip())
    assert briefmail("preview", path).status == 0
    tried = briefmail("send", path, "--dry-run")
    assert tried.status == 0
    assert "is a draft" in tried.err
    assert briefmail("send", path, "--test", "me@example.org").status == 0
    assert recipients(own) == ["me@example.org"]


@pytest.mark.skipif(sys.platform == "win32", reason="the editor is a shell script")
def test_edit_opens_the_editor_on_the_new_issue(
    briefmail: Command, own: Path, tmp_path: Path
) -> None:
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\necho "- written by $#" >> "$1"\n')
    editor.chmod(0o755)
    result = briefmail("new", "Edited", "--edit", "--date", "2026-12-31", EDITOR=str(editor))
    assert result.status == 0, result
    assert (own / "issues/2026-12-31.md").read_text("utf-8").endswith("- written by 1\n")


def test_an_editor_that_is_not_there_is_named_and_the_issue_is_kept(
    briefmail: Command, own: Path
) -> None:
    result = briefmail("new", "X", "--edit", "--date", "2026-12-31", EDITOR="no-such-editor-here")
    assert result.status == 2
    assert result.err.startswith("error: no-such-editor-here: Editing failed")
    assert result.err.endswith(f"hint: the issue is there, at {Path('issues/2026-12-31.md')}\n")
    assert (own / "issues/2026-12-31.md").exists()


def test_a_preview_has_one_form(briefmail: Command, own: Path) -> None:
    result = briefmail("preview", "issues/2016-08-24.md", "--text", "--html")
    assert (result.status, result.out) == (2, "")
    assert result.err == "error: --text and --html: choose one of them\n"
