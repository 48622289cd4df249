"""Whatever goes wrong: the exit status, what the editor is told, and what the folder then knows."""

import os
import shutil
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from certificates import server_context
from command import Command, arguments, environment, parse, start
from dispatching import DAY, EDITOR, READERS, Desk, due_now
from fake_relay import FakeRelay

from briefmail import Newsletter
from briefmail.delivery import Totals
from briefmail.store import run_lock
from real_parts import require


@pytest.fixture
def relay() -> Iterator[FakeRelay]:
    """Yield a relay on loopback."""
    with FakeRelay() as relay:
        yield relay


@pytest.fixture
def folder(tmp_path: Path, relay: FakeRelay, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a newsletter with an issue that is due, as the working directory."""
    folder = due_now(tmp_path / "news", relay)
    monkeypatch.chdir(folder)
    return folder


def totals(folder: Path) -> Totals:
    """Where the issue stands."""
    return Newsletter.open(folder).status("news").totals


def kill_at(relay: FakeRelay, folder: Path, address: str) -> None:
    """Let a dispatch be killed while the relay is about to answer the message for an address."""
    reached, killed = threading.Event(), threading.Event()

    def wait() -> str:
        reached.set()
        killed.wait(20)
        return "250 2.0.0 queued"

    relay.on("DOT", wait, part=address, times=1)
    process = subprocess.Popen(arguments("dispatch"), cwd=folder, env=environment())
    assert reached.wait(20)
    process.kill()
    process.wait()
    killed.set()


def test_killed_with_a_message_in_hand_the_next_dispatch_goes_on_and_names_who_is_in_doubt(
    relay: FakeRelay, folder: Path
) -> None:
    """Nobody twice; and the report comes once, from the dispatch that finishes."""
    kill_at(relay, folder, "ruaridh@")
    again = start(folder, "dispatch")
    assert (again.status, again.out, again.err) == (0, "", "")
    assert Counter(relay.recipients) == Counter([*READERS, EDITOR])
    assert totals(folder) == Totals(sent=2, uncertain=1)
    report = relay.received[-1].data.decode()
    assert "Uncertain:\r\n  ruaridh@example.org" in report
    assert start(folder, "dispatch").status == 0
    assert len(relay.received) == 4


def test_killed_before_the_report_was_taken_the_next_dispatch_reports(
    relay: FakeRelay, folder: Path
) -> None:
    """At least once: the mail that was in hand may have arrived as well."""
    kill_at(relay, folder, EDITOR)
    assert totals(folder) == Totals(sent=3)
    for _ in range(2):
        assert start(folder, "dispatch").status == 0
    assert Counter(relay.recipients) == Counter([*READERS, EDITOR, EDITOR])


def test_while_another_one_is_at_work_it_leaves_in_silence(
    briefmail: Command, relay: FakeRelay, folder: Path
) -> None:
    with run_lock(folder):
        done = briefmail("dispatch")
    assert (done.status, done.out, done.err) == (0, "", "")
    assert relay.received == []
    assert briefmail("dispatch").status == 0
    assert len(relay.received) == 4


def test_without_a_relay_it_is_78_and_never_the_sandbox(briefmail: Command, folder: Path) -> None:
    (folder / ".env").unlink()
    for _ in range(2):
        done = briefmail("dispatch")
        assert (done.status, done.out) == (78, "")
        assert "SMTP_HOST is not set" in done.err
    assert not (folder / "outbox").exists()
    assert not (folder / ".briefmail").exists()


def test_a_relay_that_is_away_is_75_said_once_and_nothing_is_lost(
    relay: FakeRelay, folder: Path
) -> None:
    relay.on("CONNECT", "421 4.3.2 closed for tea", times=1_000)
    desk = Desk(folder, relay, datetime.now(UTC))
    assert [desk.dispatch().exit_status for _ in range(2)] == [75, 75]
    assert desk.said == ["news went out to 0 of 3 people so far", "This could not be mailed"]
    assert totals(folder) == Totals(pending=3)
    relay.forget()
    assert desk.dispatch().exit_status == 0
    assert Counter(relay.recipients) == Counter([*READERS, EDITOR])
    assert totals(folder) == Totals(sent=3)


def test_who_could_not_be_reached_in_time_is_given_up_and_that_is_reported(
    relay: FakeRelay, folder: Path
) -> None:
    """After give_up, two days; the edition is closed then, and dispatch is done with it."""
    relay.on("RCPT", "450 4.2.1 later", part="zoe@")
    desk = Desk(folder, relay, datetime.now(UTC))
    assert desk.dispatch().exit_status == 75
    assert desk.dispatch(desk.now + 2 * DAY + timedelta(minutes=1)).exit_status == 0
    assert desk.dispatch().outcomes == ()
    assert totals(folder) == Totals(sent=2, expired=1)
    assert desk.mails == [
        "[News] news went out to 2 of 3 people so far",
        "[News] news went out to 2 of 3 people",
    ]
    assert "\n1 given up, not reached in time\n" in desk.texts[1]
    assert "Given up:\n  zoe@example.org  450 4.2.1 later\n" in desk.texts[1]
    assert "--force given-up" in desk.texts[1]


def test_a_hold_ends_a_dispatch_at_work_and_it_goes_on_when_it_is_let_go(
    relay: FakeRelay, folder: Path
) -> None:
    with (folder / "briefmail.toml").open("a") as toml:
        toml.write('[smtp]\nrate = "30/minute"\n')

    def hold_it() -> str:
        Newsletter.open(folder).hold("news")
        return "250 2.0.0 queued"

    relay.on("DOT", hold_it, part="ada@", times=1)
    desk = Desk(folder, relay, datetime.now(UTC))
    assert desk.dispatch().exit_status == 75
    found = totals(folder)
    assert (found.sent + found.pending, found.uncertain) == (3, 0)
    assert found.pending > 0
    assert desk.mails == [f"[News] news went out to {found.sent} of 3 people so far"]
    assert "news is held back" in desk.texts[0]
    assert desk.dispatch().outcomes == ()
    Newsletter.open(folder).unhold("news")
    assert desk.dispatch().exit_status == 0
    assert Counter(desk.sent) == Counter(READERS)


@pytest.fixture
def with_login(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeRelay]:
    """Yield a relay that wants a login."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    tls = server_context(authority, "localhost")
    with FakeRelay(tls=tls, security="starttls", users={"jo": "right"}) as relay:
        yield relay


@pytest.mark.parametrize(
    ("secret", "text"),
    [
        ("SMTP_PASSWORD=wrong", "refuses the login of jo"),
        ("SMTP_PASSWORD_FILE=nowhere", "SMTP_PASSWORD_FILE cannot be read"),
    ],
    ids=["wrong login", "missing secret"],
)
def test_a_login_that_fails_is_78_said_on_standard_error_and_tried_once_a_dispatch(
    briefmail: Command, with_login: FakeRelay, folder: Path, secret: str, text: str
) -> None:
    env = folder / ".env"
    login = f"SMTP_HOST=localhost\nSMTP_PORT={with_login.port}\nSMTP_USERNAME=jo\n"
    env.write_text(f"{login}{secret}\n")
    done = [briefmail("dispatch") for _ in range(2)]
    assert [each.status for each in done] == [78, 78]
    assert text in done[0].err
    assert (done[1].out, done[1].err) == ("", "")
    assert len([c for c in with_login.commands if c.startswith("AUTH")]) <= len(done)
    assert totals(folder) == Totals(pending=3)
    env.write_text(f"{login}SMTP_PASSWORD=right\n")
    assert briefmail("dispatch").status == 0
    assert Counter(with_login.recipients) == Counter([*READERS, EDITOR])


def test_an_unreadable_issue_is_65_mailed_once_and_goes_when_it_is_mended(
    briefmail: Command, relay: FakeRelay, folder: Path
) -> None:
    """Dated today, so that nobody can tell whether it is due; the other one goes."""
    with (folder / "briefmail.toml").open("a") as toml:
        toml.write('[schedule]\nat = "00:00"\n')
    broken = folder / "issues" / f"{datetime.now().astimezone().date()}.md"
    broken.write_text("---\nsubject: News\nstatus: redy\n---\n\nHello, too.\n")
    done = [briefmail("dispatch") for _ in range(2)]
    assert [(each.status, each.out, each.err) for each in done] == [(65, "", "")] * 2
    assert Counter(relay.recipients) == Counter([*READERS, EDITOR])
    text = relay.received[-1].data.decode()
    assert "status must be draft or ready, not 'redy'" in text
    broken.write_text("---\nsubject: News\nstatus: ready\n---\n\nHello, too.\n")
    assert briefmail("dispatch").status == 0
    assert Counter(relay.recipients) == Counter([*READERS, EDITOR] * 2)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Hello {{ first_name }}.", "first_name"),
        ("[Hello.](https://https://example.org/)", "--force link-syntax"),
    ],
    ids=["a field that nobody has", "an error that check finds"],
)
def test_an_issue_that_is_not_fit_to_send_stops_at_65_and_is_told_by_mail_once(
    briefmail: Command, relay: FakeRelay, folder: Path, text: str, told: str
) -> None:
    issue = folder / "issues" / "news.md"
    whole = issue.read_text()
    issue.write_text(whole.replace("Hello.", text))
    done = [briefmail("dispatch") for _ in range(2)]
    assert [(each.status, each.out, each.err) for each in done] == [(65, "", "")] * 2
    assert relay.recipients == [EDITOR]
    assert told in str(parse(relay.received[0].data).get_content())
    issue.write_text(whole)
    assert briefmail("dispatch").status == 0
    assert Counter(relay.recipients) == Counter([*READERS, EDITOR, EDITOR])


def test_a_receipt_that_cannot_be_read_stops_everything_and_is_told_once(
    briefmail: Command, relay: FakeRelay, folder: Path
) -> None:
    (folder / "sent").mkdir()
    (folder / "sent" / "old.toml").write_text("<<<<<<< HEAD\n")
    for _ in range(2):
        assert briefmail("dispatch").status == 65
    assert relay.recipients == [EDITOR]


def test_a_damaged_ledger_is_74_and_said_each_time(briefmail: Command, folder: Path) -> None:
    briefmail("suppress", "nobody@example.org")
    store = folder / ".briefmail" / "store.sqlite3"
    store.write_bytes(store.read_bytes()[:5000])
    for _ in range(2):
        done = briefmail("dispatch")
        assert (done.status, done.out) == (74, "")
        assert "is damaged" in done.err


def test_on_a_full_disk_it_is_74_and_the_next_dispatch_goes_on(
    relay: FakeRelay, folder: Path
) -> None:
    """Nobody gets it whose claim is not on the disk, so nobody gets it twice."""
    require(sys.platform == "linux" and shutil.which("strace"), "strace is not installed")
    memory = folder / ".briefmail"
    watched = [w for n in ("store.sqlite3", "store.sqlite3-wal") for w in ("-P", str(memory / n))]
    fault = ["-e", "inject=pwrite64:error=ENOSPC:when=40+"]
    strace = ["strace", "-f", "-qq", "-o", os.devnull, *watched, *fault]
    done = subprocess.run(
        [*strace, *arguments("dispatch")],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    require("ptrace" not in done.stderr, "nobody can trace a process in this container")
    assert (done.returncode, done.stdout) == (74, "")
    assert "hint: make room on the disk" in done.stderr
    before = Counter(relay.recipients)
    assert EDITOR not in before
    assert start(folder, "dispatch").status == 0
    assert max(Counter(relay.recipients).values()) == 1
    found = totals(folder)
    assert found.sent + found.uncertain == 3
    assert set(READERS) <= set(relay.recipients) | set(in_doubt(folder))


def in_doubt(folder: Path) -> list[str]:
    """Everybody who may have it, or not."""
    return [entry.address for entry in Newsletter.open(folder).status("news").uncertain]
