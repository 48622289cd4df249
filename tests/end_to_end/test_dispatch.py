"""``dispatch``: what is due goes out, once, and the editor is told."""

import shlex
from datetime import timedelta
from pathlib import Path

import pytest
from command import Command, tree
from dispatching import DAY, DUE, EDITOR, READERS, TOML, Desk
from fake_relay import FakeRelay

from briefmail import Newsletter


@pytest.fixture
def desk(starter: Path, relay: FakeRelay) -> Desk:
    """Return a newsletter the day before its first issue is due; dispatch has run before."""
    for path in (starter / "issues").glob("*.md"):
        path.unlink()
    (starter / "briefmail.toml").write_text(TOML, encoding="utf-8")
    (starter / "recipients.csv").write_text("email\n" + "\n".join(READERS) + "\n")
    desk = Desk(starter, relay)
    desk.write("2016-08-24")
    desk.dispatch(DUE - DAY)
    return desk


def test_an_issue_goes_at_its_time_and_once(desk: Desk) -> None:
    before = desk.dispatch(DUE - timedelta(seconds=1))
    assert (before.exit_status, before.outcomes, desk.sent, desk.mails) == (0, (), [], [])
    done = desk.dispatch(DUE)
    assert (done.exit_status, desk.sent) == (0, [*READERS])
    assert desk.mails == ["[News] 2016-08-24 went out to 3 of 3 people"]
    for later in range(5):
        again = desk.dispatch(DUE + later * timedelta(hours=7))
        assert (again.exit_status, again.outcomes) == (0, ())
    assert (desk.sent, len(desk.mails), desk.said) == ([*READERS], 1, [])


def test_the_report_has_totals_that_add_up_names_and_the_next_command(desk: Desk) -> None:
    """Who was refused, who is uncertain, how long, and what the list left out."""
    with (desk.folder / "recipients.csv").open("a") as file:
        file.write("zoe@example.org\nnot an address\nsam@example.org\nkim@example.org\n")
    desk.relay.on("RCPT", "550 5.1.1 no such user", part="sam@")
    desk.relay.on("DOT", "", part="kim@")
    done = desk.dispatch(DUE)
    assert done.exit_status == 0
    (letter,) = desk.letters
    assert letter["Auto-Submitted"] == "auto-generated"
    assert str(letter["From"]) == "news@example.org"
    begun, rest = desk.texts[0].split("finished after ")
    assert begun.startswith("News\nBegun ")
    where = f"briefmail -C {desk.folder}"
    assert rest.partition("\n\n")[2].splitlines() == [
        "5 people",
        "3 sent",
        "1 refused by the relay",
        "1 uncertain: may have it, or not; never sent again unasked",
        "",
        "Of the list's 7 rows were left out: 1 duplicate, 1 invalid.",
        "",
        "Refused:",
        "  sam@example.org  550 5.1.1 no such user",
        "",
        "Uncertain:",
        "  kim@example.org  127.0.0.1: connection lost at the end of the message: the relay has"
        " closed it; the relay may have the message or not",
        "",
        f"{where} status issues/2016-08-24.md",
        "    shows where it stands",
        f"{where} send issues/2016-08-24.md --resend-uncertain",
        "    sends it again to the 1 uncertain, who may have it already",
        f"{where} status issues/2016-08-24.md --failed-to failures.csv",
        "    writes who lacks it and why to a file, to be corrected and sent to",
        f"{where} send issues/2016-08-24.md --retry-refused all",
        "    tries the 1 refused again, once the cause is gone",
    ]


def test_the_commands_of_a_report_work_from_anywhere_also_with_a_slug(
    briefmail: Command, desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.write("2016-08-24", "status: ready\nslug: harbour\n")
    desk.relay.on("RCPT", "550 5.1.1 no such user", part="zoe@", times=1)
    assert desk.dispatch(DUE).exit_status == 0
    assert desk.mails == ["[News] harbour went out to 2 of 3 people"]
    lines = [line for line in desk.texts[0].splitlines() if line.startswith("briefmail -C")]
    assert lines
    monkeypatch.chdir(tmp_path)
    for line in lines:
        yes = ["--yes"] if " send " in line else []
        assert briefmail(*shlex.split(line)[1:], *yes).status == 0, line
    assert sorted(desk.sent) == sorted(READERS)


def test_who_is_deferred_is_taken_up_by_the_next_dispatch_and_told_of_once(desk: Desk) -> None:
    desk.relay.on("RCPT", "450 4.2.1 later", part="zoe@", times=3)
    assert [desk.dispatch(DUE + n * timedelta(minutes=5)).exit_status for n in range(5)] == [
        *(75, 75, 75),
        *(0, 0),
    ]
    assert (sorted(desk.sent), desk.said) == (sorted(READERS), [])
    assert desk.mails == [
        "[News] 2016-08-24 went out to 2 of 3 people so far",
        "[News] 2016-08-24 went out to 3 of 3 people",
    ]


def test_two_that_are_due_go_the_oldest_first_in_one_dispatch_and_one_mail(desk: Desk) -> None:
    desk.write("extra", "status: ready\nsend_at: 2016-08-24T08:30\n")
    done = desk.dispatch(DUE)
    assert [outcome.issue for outcome in done.outcomes] == ["extra", "2016-08-24"]
    assert desk.mails == ["[News] extra went out to 3 of 3 people, and 1 more"]
    assert "2016-08-24 went out to 3 of 3 people\n\nNews" in desk.texts[0]


def test_the_first_dispatch_leaves_what_is_from_before_alone_and_says_so_in_one_line(
    briefmail: Command, starter: Path, relay: FakeRelay
) -> None:
    (starter / "briefmail.toml").write_text(TOML.replace("2016-08-24", "2100-01-06"))
    for path in (starter / "issues").glob("*.md"):
        path.unlink()
    desk = Desk(starter, relay)
    desk.write("2016-08-24")
    desk.write("2016-09-07")
    desk.write("2016-09-21", "status: draft\n")
    first = briefmail("dispatch")
    assert (first.status, first.out, first.err) == (
        0,
        "",
        "the first dispatch here: issues from before it go by hand only (2016-08-24, 2016-09-07)\n",
    )
    again = briefmail("dispatch")
    assert (again.status, again.out, again.err) == (0, "", "")
    assert relay.received == []


def test_warnings_come_once_each(desk: Desk) -> None:
    """A draft, a day without an issue, and an issue that was missed."""
    desk.write("2016-09-07", "status: draft\n")
    desk.dispatch(DUE)
    eve = DUE + 13 * DAY
    for hour in range(0, 72, 6):
        desk.dispatch(eve + timedelta(hours=hour))
    assert desk.mails[1:] == ["[News] 2016-09-07 is still a draft"]
    desk.dispatch(DUE + 27 * DAY)
    assert desk.mails[2:] == ["[News] There is no issue for Wednesday 2016-09-21"]
    desk.write("2016-10-05")
    for hour in (25, 26, 49):
        assert desk.dispatch(DUE + 42 * DAY + timedelta(hours=hour)).exit_status == 0
    assert desk.mails[3:] == ["[News] 2016-10-05 did not go out"]
    assert "longer ago than not_after" in desk.texts[-1]
    assert desk.sent == [*READERS]


def test_a_mail_that_could_not_go_is_said_once_a_day_and_mailed_when_it_can_be(desk: Desk) -> None:
    desk.write("2016-09-07", "status: draft\n")
    desk.relay.on("RCPT", "451 4.3.0 not now", part=EDITOR, times=3)
    eve = DUE + 13 * DAY
    desk.write("2016-08-24", "status: draft\n")
    minutes = [timedelta(minutes=n) for n in (0, 5, 24 * 60 + 1, 24 * 60 + 6)]
    assert [desk.dispatch(eve + each).exit_status for each in minutes] == [75, 75, 75, 0]
    assert desk.said == ["2016-09-07 is still a draft", "This could not be mailed"] * 2
    assert desk.mails == ["[News] 2016-09-07 is still a draft"]


def test_without_an_editors_address_everything_is_said_once(desk: Desk) -> None:
    toml = desk.folder / "briefmail.toml"
    toml.write_text(TOML.partition("[editor]")[0])
    for _ in range(2):
        assert desk.dispatch(DUE).exit_status == 0
    assert (desk.mails, desk.said) == ([], ["2016-08-24 went out to 3 of 3 people"])


def test_a_dry_run_says_what_would_go_and_changes_nothing(briefmail: Command, desk: Desk) -> None:
    """Now, in 2016, or whenever it is asked for."""
    before = tree(desk.folder, but=".briefmail")
    result = briefmail("dispatch", "--dry-run", "--at", "2016-08-24T09:00")
    assert (result.status, result.out) == (0, "2016-08-24 would be sent to 3 people\n")
    early = briefmail("dispatch", "--dry-run", "--at", "2016-08-24T08:59")
    assert (early.status, early.out) == (0, "")
    assert early.err.startswith("nothing would be sent\n")
    assert tree(desk.folder, but=".briefmail") == before
    assert desk.dispatch(DUE).exit_status == 0
    assert desk.sent == [*READERS]
    wrong = briefmail("dispatch", "--dry-run", "--at", "soon")
    assert (wrong.status, wrong.err) == (
        2,
        "error: --at soon: is no time such as 2016-08-24T09:00\n",
    )
    assert briefmail("dispatch", "--at", "2016-08-24").status == 2


def test_a_held_issue_stays_and_goes_on_by_itself(desk: Desk) -> None:
    newsletter = Newsletter.open(desk.folder)
    newsletter.hold("2016-08-24")
    assert (desk.dispatch(DUE).exit_status, desk.sent) == (0, [])
    newsletter.unhold("2016-08-24")
    assert (desk.dispatch(DUE + timedelta(hours=1)).exit_status, desk.sent) == (0, [*READERS])


def test_whoever_left_the_list_does_not_keep_an_issue_open(desk: Desk) -> None:
    desk.relay.on("RCPT", "450 4.2.1 later", part="zoe@")
    assert desk.dispatch(DUE).exit_status == 75
    Newsletter.open(desk.folder).suppress("zoe@example.org")
    assert desk.dispatch(DUE + timedelta(minutes=5)).exit_status == 0
    assert desk.mails[1:] == ["[News] 2016-08-24 went out to 2 of 3 people"]
    assert desk.dispatch(DUE + timedelta(minutes=10)).outcomes == ()


def test_what_was_sent_by_hand_is_not_dispatched_nor_reported(
    briefmail: Command, desk: Desk
) -> None:
    assert briefmail("send", "issues/2016-08-24.md", "--yes").status == 0
    assert desk.dispatch(DUE).outcomes == ()
    assert (desk.sent, desk.mails) == ([*READERS], [])


def test_somebody_new_on_the_list_does_not_open_a_closed_issue(desk: Desk) -> None:
    desk.dispatch(DUE)
    with (desk.folder / "recipients.csv").open("a") as file:
        file.write("new@example.org\n")
    assert desk.dispatch(DUE + timedelta(hours=1)).outcomes == ()
    path = desk.folder / "issues" / "2016-08-24.md"
    path.rename(path.with_name("another-name.md"))
    (path.with_name("another-name.md")).write_text(
        "---\nsubject: News\ndate: 2016-08-24\nstatus: ready\n---\n\nHello. 2016-08-24\n"
    )
    assert desk.dispatch(DUE + timedelta(hours=2)).outcomes == ()
    assert desk.sent == [*READERS]
    assert desk.mails[1:] == ["[News] another-name seems to be the same as 2016-08-24"]
