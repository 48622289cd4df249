"""``briefmail schedule``: the next dates, and what is to be installed so that they are kept."""

import json
import shlex
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from command import Command, tree
from fake_relay import FakeRelay

from briefmail import Newsletter

TOML = """\
[newsletter]
name = "News"
from = "news@example.org"

[schedule]
every = "2 weeks"
on = "Wednesday"
from = 2100-01-06
timezone = "Europe/London"
"""


@pytest.fixture
def folder(starter: Path) -> Path:
    """Return a newsletter whose first day is far off, with some issues for then."""
    (starter / "briefmail.toml").write_text(TOML)
    for path in (starter / "issues").glob("*.md"):
        path.unlink()
    write(starter, "2100-01-06", "status: ready\n")
    write(starter, "2100-02-03", "status: draft\n")
    write(starter, "special", "send_at: 2100-01-30T18:30\n")
    write(starter, "2100-03-31", "status: redy\n")
    return starter


def write(folder: Path, name: str, matter: str) -> None:
    """Write an issue with this front matter."""
    path = folder / "issues" / f"{name}.md"
    path.write_text(f"---\nsubject: News\n{matter}---\n\nHello.\n", encoding="utf-8")


def test_each_date_has_its_issue_and_how_far_that_is(briefmail: Command, folder: Path) -> None:
    before = tree(folder)
    result = briefmail("schedule", "--count", "8")
    assert (result.status, result.err) == (
        0,
        "issues/2100-03-31.md:3: status must be draft or ready, not 'redy'\n",
    )
    assert result.out.splitlines() == [
        "Wed 2100-01-06 09:00 GMT  issues/2100-01-06.md  ready",
        "Wed 2100-01-20 09:00 GMT                        no issue yet",
        "Sat 2100-01-30 18:30 GMT  issues/special.md     no status: goes by hand only",
        "Wed 2100-02-03 09:00 GMT  issues/2100-02-03.md  draft",
        "Wed 2100-02-17 09:00 GMT                        no issue yet",
        "Wed 2100-03-03 09:00 GMT                        no issue yet",
        "Wed 2100-03-17 09:00 GMT                        no issue yet",
        "Wed 2100-03-31 09:00 BST  issues/2100-03-31.md  cannot be read",
    ]
    assert tree(folder) == before


def test_a_program_gets_the_same(briefmail: Command, folder: Path) -> None:
    (folder / "issues/2100-03-31.md").unlink()
    result = briefmail("schedule", "--json", "--count", "2")
    assert (result.status, result.err) == (0, "")
    assert json.loads(result.out) == [
        {
            "at": "2100-01-06T09:00:00+00:00",
            "path": str(folder / "issues/2100-01-06.md"),
            "issue": "2100-01-06",
            "status": "ready",
            "state": "waiting",
            "other": None,
            "problems": [],
        },
        {
            "at": "2100-01-20T09:00:00+00:00",
            "path": None,
            "issue": None,
            "status": None,
            "state": "no_issue",
            "other": None,
            "problems": [],
        },
    ]


def test_what_has_gone_out_and_what_is_like_it_is_told(
    briefmail: Command, folder: Path, relay: FakeRelay
) -> None:
    """An issue that was sent by hand before its day; and its copy under another name."""
    assert briefmail("send", "issues/2100-01-06.md", "--yes").status == 0
    write(folder, "copy", "status: ready\ndate: 2100-01-06\n")
    lines = briefmail("schedule", "--count", "2").out.splitlines()
    assert lines == [
        "Wed 2100-01-06 09:00 GMT  issues/2100-01-06.md  has gone out",
        "Wed 2100-01-06 09:00 GMT  issues/copy.md        "
        "ready, but seems to be the same as 2100-01-06: goes by hand only",
    ]
    assert len(relay.received) == 4


def test_another_clone_knows_from_the_receipt(
    briefmail: Command, folder: Path, relay: FakeRelay
) -> None:
    """With ``sent/`` and without a ledger."""
    assert briefmail("send", "issues/2100-01-06.md", "--yes").status == 0
    for path in sorted((folder / ".briefmail").iterdir()):
        path.unlink()
    assert briefmail("schedule", "--count", "1").out.endswith("  has gone out\n")
    receipt = folder / "sent/2100-01-06.toml"
    receipt.write_text(receipt.read_text().partition("closed_at")[0])
    assert briefmail("schedule", "--count", "1").out.endswith(
        "  ready, but another copy of this folder is sending it\n"
    )
    assert len(relay.received) == 4


def test_without_a_calendar_and_issues_it_says_how_dates_come_about(
    briefmail: Command, folder: Path
) -> None:
    for path in (folder / "issues").glob("*.md"):
        path.unlink()
    (folder / "briefmail.toml").write_text("")
    result = briefmail("schedule")
    assert (result.status, result.out) == (0, "")
    assert result.err.startswith("no dates: [schedule] in briefmail.toml sets them")


def test_new_goes_by_the_same_calendar(briefmail: Command, folder: Path) -> None:
    path = Path(briefmail("new", "Next").out.strip())
    assert path.name == "2100-01-20.md"
    assert f"{path}  draft" in briefmail("schedule").out


def test_the_dates_are_there_for_python_too(folder: Path) -> None:
    config = Newsletter.open(folder).config
    newsletter = Newsletter(config, now=lambda: datetime(2100, 2, 3, 12, tzinfo=UTC))
    slots = newsletter.dates(2)
    assert [slot.standing and slot.standing.state for slot in slots] == ["draft_due", None]
    assert newsletter.local(slots[0].at).isoformat() == "2100-02-03T09:00:00+00:00"


def test_the_line_for_cron_runs_what_is_running_now_for_this_folder(
    briefmail: Command, folder: Path
) -> None:
    result = briefmail("schedule", "--crontab")
    assert result.status == 0
    words = shlex.split(result.out.removeprefix("*/5 * * * * ").replace(r"\%", "%"))
    assert words == [sys.executable, "-P", "-m", "briefmail", "-C", str(folder), "dispatch"]
    assert "crontab -e" in result.err


def test_the_units_for_systemd_are_two_files(briefmail: Command, folder: Path) -> None:
    result = briefmail("-C", folder, "schedule", "--systemd")
    assert result.status == 0
    service, timer = result.out.split("\n\n# ")
    assert service.startswith("# ~/.config/systemd/user/briefmail-starter.service\n[Unit]\n")
    assert f'"-C" "{folder}" "dispatch"\nTimeoutStopSec=11min' in service
    assert timer.startswith("~/.config/systemd/user/briefmail-starter.timer\n[Unit]\n")
    assert "systemctl --user enable --now briefmail-starter.timer" in result.err


@pytest.mark.parametrize("option", ["--crontab", "--systemd", "--json"])
def test_where_there_is_no_newsletter_there_is_nothing_to_install(
    briefmail: Command, tmp_path: Path, option: str
) -> None:
    result = briefmail("-C", tmp_path, "schedule", option)
    assert (result.status, result.out) == (2, "")


def test_one_form_at_a_time(briefmail: Command, folder: Path) -> None:
    result = briefmail("-C", folder, "schedule", "--crontab", "--systemd")
    assert (result.status, result.out) == (2, "")
    assert "choose one of them" in result.err
