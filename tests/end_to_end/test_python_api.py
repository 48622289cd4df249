"""The Python interface as docs/python.md has it."""

import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from command import FIRST, SECOND, environment, recipients
from fake_relay import FakeRelay

from briefmail import Newsletter
from briefmail.errors import ConfigError, IssueError, UsageError
from briefmail.newsletter import SendOptions, Whom


def modules_after(code: str) -> set[str]:
    """Return the top-level modules that a fresh Python has imported after ``code``."""
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}\nprint(*sys.modules)"],
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    return {name.partition(".")[0] for name in done.stdout.split("\n")[-2].split()}


def test_a_newsletter_is_opened_from_any_file_or_folder_in_it(own: Path) -> None:
    for place in (own, own / "issues", own / FIRST, own / "issues" / "to come.md", str(own)):
        assert Newsletter.open(place, environ={}).root == own


def test_paths_are_seen_from_here_or_else_from_the_newsletters_folder(
    own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir("/")
    newsletter = Newsletter.open(own, environ={})
    assert newsletter.issue(FIRST).path == own / FIRST
    assert newsletter.issue(own / FIRST).date == date(2016, 8, 24)


def test_a_preview_is_one_recipients_message_taken_apart(own: Path) -> None:
    newsletter = Newsletter.open(own, environ={})
    shown = newsletter.preview(SECOND, as_address="priya.raman@example.com")
    assert shown.recipient.fields["organisation"] == "Southside Growers"
    assert dict(shown.headers)["To"] == "Priya Raman <priya.raman@example.com>"
    assert shown.preheader.startswith("Also a burn that runs a bus")
    for form in (shown.text, shown.html, shown.markdown):
        assert "Dear Priya," in form
    assert len(shown.pictures) == 3


def test_a_plan_counts_and_changes_nothing(own: Path) -> None:
    plan = Newsletter.open(own, environ={}).plan(SECOND, SendOptions(Whom(limit=3)))
    assert (plan.to_send, plan.to_try, plan.already, plan.relay) == (24, 3, 0, None)
    numbers = plan.numbers()
    assert numbers.pop("rows") == 26 == sum(numbers.values())
    assert plan.first
    assert plan.first.recipient == plan.people[0].address == "morag.macaskill@example.org"
    assert len(plan.people) == 24
    assert not (own / "outbox").exists()


def test_a_send_says_what_became_of_each_row(own: Path) -> None:
    seen = []
    summary = Newsletter.open(own, environ={}).send(
        SECOND,
        SendOptions(Whom(only='region == "Fife"', limit=2)),
        on_progress=lambda person, delivery: seen.append((person.address, delivery.state)),
    )
    assert seen == [(address, "sent") for address in recipients(own)]
    assert (summary.sent, summary.not_tried, summary.exit_status) == (2, 1, 0)
    assert summary.outbox == own / "outbox"
    numbers = summary.numbers()
    assert numbers.pop("rows") == 26 == sum(numbers.values())


def test_a_send_that_is_not_confirmed_sends_nothing(own: Path) -> None:
    summary = Newsletter.open(own, environ={}).send(SECOND, confirm=lambda plan: plan.to_send > 99)
    assert (summary.confirmed, summary.sent, summary.not_tried) == (False, 0, 24)
    assert not (own / "outbox").exists()


def test_who_is_suppressed_is_known_to_the_next_send(own: Path) -> None:
    newsletter = Newsletter.open(own, environ={})
    address = newsletter.suppress("Priya.Raman@EXAMPLE.com", "asked by phone")
    assert [(entry.address, entry.reason) for entry in newsletter.suppressions()] == [
        (address.address, "asked by phone")
    ]
    assert newsletter.plan(SECOND).counts.suppressed == 1
    assert newsletter.unsuppress("priya.raman@example.com")
    assert not newsletter.unsuppress("priya.raman@example.com")
    assert newsletter.plan(SECOND).counts.suppressed == 0


def test_a_relay_comes_from_the_environment_that_it_is_opened_with(own: Path) -> None:
    with FakeRelay() as relay:
        environ = {
            "SMTP_HOST": "127.0.0.1",
            "SMTP_PORT": str(relay.port),
            "SMTP_SECURITY": "none",
        }
        newsletter = Newsletter.open(own, environ=environ)
        assert newsletter.send(FIRST, SendOptions(Whom(limit=2))).sent == 2
        assert newsletter.plan(FIRST).already == 2
        assert newsletter.send_test(SECOND, "me@example.net").delivery.state == "sent"
        assert len(relay.recipients) == 3


def test_a_test_copy_is_made_as_somebody_on_the_list(own: Path) -> None:
    newsletter = Newsletter.open(own, environ={})
    done = newsletter.send_test(SECOND, "me@example.net", as_address="tam@example.org")
    assert (done.to, done.recipient.address, done.delivery.state) == (
        "me@example.net",
        "tam@example.org",
        "sent",
    )


def test_errors_carry_message_problems_and_status(own: Path) -> None:
    newsletter = Newsletter.open(own, environ={})
    with pytest.raises(IssueError) as missing:
        newsletter.send("issues/nope.md")
    assert (missing.value.exit_status, len(missing.value.problems)) == (65, 1)
    with pytest.raises(UsageError):
        newsletter.preview(FIRST, as_address="nobody@example.org")
    with pytest.raises(ConfigError) as settings:
        Newsletter.open(own, environ={"SMTP_HOST": "mail.example.org", "SMTP_PORT": "zero"})
    assert settings.value.exit_status == 78


def test_importing_the_package_costs_nothing() -> None:
    """``Newsletter`` itself is resolved when it is first asked for."""
    extra = modules_after("import briefmail") - modules_after("import typing")
    assert extra == {"briefmail"}


HEAVY = {
    *("premailer", "lxml", "cssutils", "rich", "jinja2", "aiosmtpd", "yaml", "markdown_it"),
    *("nh3", "sqlite3", "smtplib", "dateutil", "email_validator", "dotenv", "asyncio"),
}


@pytest.mark.parametrize("words", [["--help"], ["send", "--help"], ["--version"]])
def test_help_imports_nothing_that_only_the_work_needs(words: list[str]) -> None:
    code = (
        "from briefmail.cli import cli\n"
        "from briefmail.cli.door import status_of\n"
        f"assert status_of(cli, {words!r}) == 0"
    )
    assert modules_after(code) & HEAVY == set()


def test_suppressing_does_not_import_what_only_rendering_needs(own: Path) -> None:
    code = (
        "from briefmail.cli import cli\n"
        "from briefmail.cli.door import status_of\n"
        f"assert status_of(cli, ['-C', {str(own)!r}, 'suppress', '--list']) == 0"
    )
    assert modules_after(code) & {"rich", "aiosmtpd", "smtplib", "premailer"} == set()
