"""What a relay refuses for good: tried again after an hour or a change, and silent meanwhile."""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from certificates import server_context
from command import Command
from dispatching import DAY, DUE, EDITOR, READERS, TOML, Desk
from fake_relay import FakeRelay

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
LEFT = "2016-08-24 went out to 0 of 3 people so far"


@pytest.fixture
def relay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeRelay]:
    """Yield a relay that wants a login, and knows one way to say it."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    tls = server_context(authority, "localhost")
    with FakeRelay(
        tls=tls, security="starttls", users={"jo": "right"}, mechanisms="PLAIN"
    ) as relay:
        yield relay


@pytest.fixture
def desk(tmp_path: Path, relay: FakeRelay, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """Return a newsletter that dispatch has seen on the day before its first issue."""
    folder = tmp_path / "news"
    (folder / "issues").mkdir(parents=True)
    (folder / "briefmail.toml").write_text(TOML, encoding="utf-8")
    (folder / "recipients.csv").write_text("email\n" + "\n".join(READERS) + "\n")
    monkeypatch.chdir(folder)
    desk = Desk(folder, relay)
    log_in(desk, "SMTP_PASSWORD=right")
    desk.write("2016-08-24")
    desk.dispatch(DUE - DAY)
    return desk


def log_in(desk: Desk, secret: str) -> None:
    """Write how dispatch logs in."""
    (desk.folder / ".env").write_text(
        f"SMTP_HOST=localhost\nSMTP_PORT={desk.relay.port}\nSMTP_USERNAME=jo\n{secret}\n"
    )


def logins(desk: Desk) -> int:
    """How often somebody tried to log in."""
    return len([command for command in desk.relay.commands if command.startswith("AUTH")])


def statuses(desk: Desk, *moments: datetime) -> list[int]:
    """Dispatch at these moments."""
    return [desk.dispatch(moment).exit_status for moment in moments]


def every_five_minutes(start: datetime, time: timedelta) -> list[datetime]:
    """When the line for cron calls."""
    return [start + n * 5 * MINUTE for n in range(time // (5 * MINUTE))]


def test_a_refused_login_is_tried_once_an_hour_and_said_once(desk: Desk) -> None:
    """Not for the editor's mail either; the status is the refusal's all the time."""
    log_in(desk, "SMTP_PASSWORD=wrong")
    assert set(statuses(desk, *every_five_minutes(DUE, 3 * HOUR))) == {78}
    assert logins(desk) == 3
    assert desk.said == [LEFT]


@pytest.mark.parametrize("change", ["the password", "the settings"])
def test_a_refused_login_is_tried_at_once_when_something_has_changed(
    desk: Desk, change: str
) -> None:
    log_in(desk, "SMTP_PASSWORD=wrong")
    assert statuses(desk, DUE, DUE + MINUTE) == [78, 78]
    if change == "the password":
        log_in(desk, "SMTP_PASSWORD=right")
    else:
        desk.relay.users = {"jo": "wrong"}
        (desk.folder / "briefmail.toml").write_text(f"# looked at\n{TOML}")
    assert statuses(desk, DUE + 2 * MINUTE) == [0]
    assert logins(desk) >= 2
    assert Counter(desk.relay.recipients) == Counter([*READERS, EDITOR])


def test_a_password_file_that_appears_is_read_at_the_next_dispatch(desk: Desk) -> None:
    log_in(desk, "SMTP_PASSWORD_FILE=secret")
    assert statuses(desk, DUE, DUE + MINUTE) == [78, 78]
    (desk.folder / "secret").write_text("right\n")
    assert statuses(desk, DUE + 2 * MINUTE) == [0]
    assert Counter(desk.sent) == Counter(READERS)


def test_a_login_refused_for_one_issue_is_not_tried_for_another(desk: Desk) -> None:
    desk.write("other", "status: ready\nsend_at: 2016-08-24T09:10\n")
    log_in(desk, "SMTP_PASSWORD=wrong")
    assert statuses(desk, *every_five_minutes(DUE, HOUR)) == [78] * 12
    assert logins(desk) == 1


def test_a_login_refused_for_a_warning_is_not_tried_at_every_dispatch(desk: Desk) -> None:
    """Nothing is due, and a draft is to be told of."""
    desk.write("2016-08-24", "status: draft\n")
    log_in(desk, "SMTP_PASSWORD=wrong")
    assert set(statuses(desk, *every_five_minutes(DUE - HOUR, HOUR))) == {78}
    assert logins(desk) == 1
    assert desk.said == ["2016-08-24 is still a draft", "This could not be mailed"]


def test_a_login_refused_for_the_mail_is_not_tried_again_beside_an_issue_that_cannot_go(
    desk: Desk,
) -> None:
    """Nobody can read this one, and of that the editor is to be told."""
    desk.write("2016-08-24", "status: redy\n")
    log_in(desk, "SMTP_PASSWORD=wrong")
    assert set(statuses(desk, *every_five_minutes(DUE, HOUR))) == {65}
    assert logins(desk) == 1
    assert desk.said == ["2016-08-24 does not go out", "This could not be mailed"]


def test_a_password_that_is_mended_during_the_try_is_tried_at_the_next_dispatch(
    desk: Desk,
) -> None:
    log_in(desk, "SMTP_PASSWORD=wrong")

    def mend() -> str:
        log_in(desk, "SMTP_PASSWORD=right")
        return "535 5.7.8 wrong"

    desk.relay.on("AUTH", mend, times=1)
    assert statuses(desk, DUE, DUE + MINUTE) == [78, 0]
    assert Counter(desk.sent) == Counter(READERS)


def test_a_clock_that_was_ahead_brakes_nothing(desk: Desk) -> None:
    log_in(desk, "SMTP_PASSWORD=wrong")
    assert statuses(desk, DUE + HOUR, DUE) == [78, 78]
    assert logins(desk) == 2


def test_a_refused_content_is_tried_once_an_hour_and_the_other_issue_goes(desk: Desk) -> None:
    """The editor is told by mail, once."""
    desk.write("other", "status: ready\nsend_at: 2016-08-24T09:10\n")
    desk.relay.on("DOT", "552 5.3.4 too big", part="@example.org", times=1)
    assert statuses(desk, *every_five_minutes(DUE, HOUR)) == [65] * 12
    assert desk.relay.struck == 1
    assert Counter(desk.sent) == Counter(READERS)  # of the other one
    assert desk.mails == [f"[News] {LEFT}", "[News] other went out to 3 of 3 people"]
    assert "Nothing is tried again for an hour, unless" in desk.texts[0]
    assert statuses(desk, DUE + HOUR) == [0]
    assert Counter(desk.sent) == Counter([*READERS, *READERS])


def test_a_refused_content_is_tried_at_once_when_the_issue_has_changed(desk: Desk) -> None:
    desk.relay.on("DOT", "552 5.3.4 too big", part="@example.org", times=1)
    assert statuses(desk, DUE, DUE + MINUTE) == [65, 65]
    desk.write("2016-08-24", text="Shorter.")
    assert statuses(desk, DUE + 2 * MINUTE) == [0]
    assert Counter(desk.sent) == Counter(READERS)


def test_a_send_by_hand_is_never_braked(desk: Desk, briefmail: Command) -> None:
    desk.relay.on("DOT", "552 5.3.4 too big", part="@example.org", times=1)
    assert statuses(desk, DUE) == [65]
    assert briefmail("send", "issues/2016-08-24.md", "--yes").status == 0
    assert Counter(desk.sent) == Counter(READERS)


def test_a_dry_run_says_why_nothing_is_tried_and_until_when(desk: Desk, briefmail: Command) -> None:
    """By the newsletter's clock; an hour later it would be tried again."""
    log_in(desk, "SMTP_PASSWORD=wrong")
    desk.dispatch(DUE)
    tried = logins(desk)
    dry = briefmail("dispatch", "--dry-run", "--at", "2016-08-24T09:30")
    assert (dry.status, dry.out) == (78, "")
    assert "refuses the login of jo" in dry.err
    assert "does not try it again before 2016-08-24 10:00 BST, unless" in dry.err
    asked = briefmail("dispatch", "--dry-run", "--json", "--at", "2016-08-24T09:30")
    (issue,) = json.loads(asked.out)["issues"]
    assert (issue["not_before"], issue["exit_status"]) == ("2016-08-24T09:00:00+00:00", 78)
    later = briefmail("dispatch", "--dry-run", "--at", "2016-08-24T10:00")
    assert (later.status, later.out) == (0, "2016-08-24 would be sent to 3 people\n")
    assert logins(desk) == tried


def test_a_memory_from_before_there_were_brakes_has_none(desk: Desk, briefmail: Command) -> None:
    """Looked at by a dry run, which brings nothing up to date."""
    with sqlite3.connect(desk.folder / ".briefmail" / "store.sqlite3") as old:
        old.execute("DROP TABLE brake")
        old.execute("UPDATE rooms SET version = 1 WHERE room = 'schedule'")
    old.close()
    dry = briefmail("dispatch", "--dry-run", "--at", "2016-08-24T09:30")
    assert (dry.status, dry.out) == (0, "2016-08-24 would be sent to 3 people\n")
    assert statuses(desk, datetime(2016, 8, 24, 8, 30, tzinfo=UTC)) == [0]
