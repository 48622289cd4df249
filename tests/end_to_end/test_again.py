"""What only the editor can decide: who gets it again, who a correction is for, what is settled."""

import json
import shutil
from collections import Counter
from pathlib import Path

import pytest
from command import Command, outbox, parse, part, tree
from fake_relay import DROP, FakeRelay

EVERYBODY = ["ada@example.org", "ruaridh@example.org", "zoe@example.org", "hello@example.org"]


def settings(folder: Path, text: str) -> None:
    """Add to the settings."""
    path = folder / "briefmail.toml"
    path.write_text(f"{path.read_text('utf-8')}\n{text}\n", encoding="utf-8")


# --- again ----------------------------------------------------------------------------------------


def test_the_uncertain_get_it_again_when_asked_with_the_same_message_id(
    briefmail: Command, letter: Path, relay: FakeRelay
) -> None:
    relay.on("DOT", DROP, part="zoe@", times=1)
    briefmail("send", letter, "--yes")
    dry = json.loads(briefmail("send", letter, "--resend-uncertain", "--dry-run", "--json").out)
    assert (dry["totals"]["to_send"], dry["again"]) == (
        1,
        {"uncertain": 1, "refused": 0, "expired": 0},
    )
    result = briefmail("send", letter, "--resend-uncertain", "--yes")
    assert "  Again  1 uncertain, who may have it already\n" in result.err
    assert result.totals == {"rows in the list": 4, "sent": 1, "already has it": 3}
    twice = [parse(m.data)["Message-ID"] for m in relay.received if m.recipient.startswith("zoe@")]
    assert len(twice) == 2
    assert twice[0] == twice[1]
    assert briefmail("send", letter, "--resend-uncertain", "--yes").totals["sent"] == 0


def test_only_those_on_the_list_of_this_send_are_taken_up_again(
    briefmail: Command, letter: Path, relay: FakeRelay
) -> None:
    relay.on("DOT", DROP, part="@", times=2)
    briefmail("send", letter, "--yes")
    uncertain = json.loads(briefmail("status", letter, "--json").out)["uncertain"]
    first, second = (entry["address"] for entry in uncertain)
    only = f'email == "{first}"'
    assert briefmail("send", letter, "--resend-uncertain", "--only", only, "--yes").totals["sent"]
    left = json.loads(briefmail("status", letter, "--json").out)["uncertain"]
    assert [entry["address"] for entry in left] == [second]


@pytest.mark.parametrize("which", ["all", "550", "5.1.1", "RUARIDH@example.org"])
def test_the_refused_are_tried_again_by_code_or_by_name(
    briefmail: Command, letter: Path, relay: FakeRelay, which: str
) -> None:
    relay.on("RCPT", "550 5.1.1 who?", part="ruaridh@", times=1)
    relay.on("RCPT", "554 5.7.1 no", part="zoe@", times=1)
    briefmail("send", letter, "--yes")
    result = briefmail("send", letter, "--retry-refused", which, "--yes")
    number = 2 if which == "all" else 1
    assert f"  Again  {number} who were refused\n" in result.err
    assert result.totals["sent"] == number
    assert Counter(relay.recipients) == Counter(
        EVERYBODY if which == "all" else [who for who in EVERYBODY if "zoe" not in who]
    )


def test_an_unknown_kind_of_refusal_is_wrong_use(
    briefmail: Command, letter: Path, relay: FakeRelay
) -> None:
    result = briefmail("send", letter, "--retry-refused", "everybody", "--yes")
    assert result.status == 2
    assert "neither an address nor a code" in result.err
    assert relay.connections == 0


@pytest.mark.parametrize(
    ("which", "said"),
    [
        ("ada@example.org", "ada@example.org was not refused"),
        ("typo@example.org", "typo@example.org was not refused"),
        ("554", "anybody with 554 was not refused"),
        ("5.7.1", "anybody with 5.7.1 was not refused"),
    ],
)
def test_who_was_not_refused_cannot_be_tried_again(
    briefmail: Command, letter: Path, relay: FakeRelay, which: str, said: str
) -> None:
    relay.on("RCPT", "550 5.1.1 who?", part="ruaridh@", times=1)
    briefmail("send", letter, "--yes")
    words = ("--retry-refused", "550", "--retry-refused", which, "--yes")
    result = briefmail("send", letter, *words)
    assert (result.status, len(relay.received)) == (2, 3)
    assert result.err.startswith(f"error: --retry-refused: {said}\n")


@pytest.mark.parametrize("which", ["all", "550", "ruaridh@example.org"])
def test_the_same_command_goes_on_after_a_retry_that_stopped(
    briefmail: Command, letter: Path, relay: FakeRelay, which: str
) -> None:
    relay.on("RCPT", "550 5.1.1 who?", part="ruaridh@", times=1)
    briefmail("send", letter, "--yes")
    relay.on("RCPT", "450 4.2.1 later", part="ruaridh@", times=1)
    words = ("send", letter, "--retry-refused", which, "--yes")
    assert briefmail(*words).status == 75
    assert briefmail(*words).totals["sent"] == 1


def test_a_dry_run_takes_nobody_up_again(
    briefmail: Command, starter: Path, letter: Path, relay: FakeRelay
) -> None:
    relay.on("DOT", DROP, part="zoe@", times=1)
    briefmail("send", letter, "--yes")
    before = tree(starter)
    assert briefmail("send", letter, "--resend-uncertain", "--dry-run").status == 0
    assert tree(starter) == before


# --- corrections ----------------------------------------------------------------------------------


def test_a_correction_goes_to_those_who_got_the_other_issue(
    briefmail: Command, starter: Path, letter: Path, relay: FakeRelay
) -> None:
    relay.on("RCPT", "550 5.1.1 who?", part="ruaridh@", times=1)
    relay.on("DOT", DROP, part="zoe@", times=1)
    briefmail("send", letter, "--yes")
    with (starter / "recipients.csv").open("a") as file:
        file.write("new@example.org,,,\n")
    fix = letter.with_name("fix.md")
    fix.write_text(letter.read_text().replace("Short", "Sorry"))
    relay.received.clear()
    result = briefmail("send", fix, "--only-who-got", letter, "--yes")
    assert "Corrects  2 did not get it and are left out; 1 may or may not have got it\n" in (
        result.err
    )
    assert result.totals == {
        "rows in the list": 5,
        "sent": 3,
        "did not get what this corrects": 2,
    }
    assert sorted(relay.recipients) == ["ada@example.org", "hello@example.org", "zoe@example.org"]


def test_a_correction_goes_on_where_it_stopped(
    briefmail: Command, letter: Path, relay: FakeRelay
) -> None:
    briefmail("send", letter, "--yes", "--limit", "3")
    fix = letter.with_name("fix.md")
    fix.write_text(letter.read_text().replace("Short", "Sorry"))
    runs = [
        briefmail("send", fix, "--only-who-got", "short", "--yes", "--limit", "2").totals
        for _ in range(2)
    ]
    assert runs == [
        {
            "rows in the list": 4,
            "sent": 2,
            "not tried": 1,
            "did not get what this corrects": 1,
        },
        {
            "rows in the list": 4,
            "sent": 1,
            "already has it": 2,
            "did not get what this corrects": 1,
        },
    ]


def test_a_correction_stops_before_it_goes_to_everybody(
    briefmail: Command, letter: Path, relay: FakeRelay
) -> None:
    briefmail("send", letter, "--yes", "--limit", "3")
    fix = letter.with_name("fix.md")
    fix.write_text(letter.read_text().replace("Short", "Sorry"))
    briefmail("send", fix, "--only-who-got", letter, "--yes", "--limit", "2")
    relay.received.clear()
    result = briefmail("send", fix, "--yes")
    assert (result.status, relay.received) == (65, [])
    assert "was begun as a correction of short, for its readers alone" in result.err
    assert "--only-who-got short keeps to them" in result.err
    forced = briefmail("send", fix, "--yes", "--force", "to-everybody")
    assert forced.totals == {"rows in the list": 4, "sent": 2, "already has it": 2}


@pytest.mark.parametrize("other", ["issues/never.md", "issues/short.md"])
def test_what_was_never_sent_or_is_the_same_issue_cannot_be_corrected(
    briefmail: Command, letter: Path, relay: FakeRelay, other: str
) -> None:
    result = briefmail("send", letter, "--only-who-got", other, "--yes")
    assert (result.status, relay.connections) == (2, 0)


# --- settle ---------------------------------------------------------------------------------------


def test_a_second_copy_of_the_folder_learns_of_what_was_settled_by_hand(
    briefmail: Command, starter: Path, letter: Path, relay: FakeRelay
) -> None:
    """By the receipt, which is committed; the ledger is not."""
    assert briefmail("settle", letter, "--yes").status == 0
    shutil.rmtree(starter / ".briefmail")
    result = briefmail("send", letter, "--yes")
    assert result.status == 65
    assert "issues/short.md: 4 people were settled by hand (sent/short.toml, " in result.err
    assert "the ledger here does not know who has it" in result.err
    assert relay.recipients == []


def test_what_is_settled_by_hand_is_sent_to_nobody_but_who_is_new(
    briefmail: Command, starter: Path, letter: Path, relay: FakeRelay
) -> None:
    result = briefmail("settle", letter, "--yes")
    assert (result.status, result.out) == (0, "short: 4 people settled by hand\n")
    assert briefmail("send", letter, "--yes").totals == {
        "rows in the list": 4,
        "sent": 0,
        "settled by hand": 4,
    }
    assert relay.connections == 0
    assert "0 sent\n4 settled by hand\n" in briefmail("status", letter).out
    with (starter / "recipients.csv").open("a") as file:
        file.write("new@example.org,,,\n")
    assert briefmail("send", letter, "--yes").totals["sent"] == 1
    assert relay.recipients == ["new@example.org"]
    assert briefmail("settle", letter, "--yes").out == "short: 0 people settled by hand\n"


def test_settling_leaves_alone_who_has_it_or_was_refused(
    briefmail: Command, letter: Path, relay: FakeRelay
) -> None:
    relay.on("RCPT", "550 5.1.1 who?", part="ada@", times=1)
    briefmail("send", letter, "--yes", "--limit", "2")
    found = json.loads(briefmail("settle", letter, "--yes", "--json").out)
    assert found == {"issue": "short", "confirmed": True, "by_hand": 2}
    totals = json.loads(briefmail("status", letter, "--json").out)["totals"]
    assert (totals["sent"], totals["refused"], totals["by_hand"]) == (1, 1, 2)


def test_settling_is_asked_for(briefmail: Command, starter: Path, letter: Path) -> None:
    before = tree(starter)
    result = briefmail("settle", letter)
    assert result.status == 2
    assert "add --yes" in result.err
    assert tree(starter) == before


def test_settling_needs_no_relay_and_holds_once_there_is_one(
    briefmail: Command, starter: Path, letter: Path
) -> None:
    assert briefmail("settle", letter, "--yes").status == 0
    with FakeRelay() as relay:
        (starter / ".env").write_text(
            f"SMTP_HOST=127.0.0.1\nSMTP_PORT={relay.port}\nSMTP_SECURITY=none\n"
        )
        assert briefmail("send", letter, "--yes").totals["settled by hand"] == 4


# --- copies for the editor ------------------------------------------------------------------------


def test_a_test_without_an_address_goes_where_the_settings_say(
    briefmail: Command, starter: Path, letter: Path, relay: FakeRelay
) -> None:
    settings(starter, '[test]\nto = ["me@example.net", "you@example.net"]')
    for words in (("send", "--test", letter), ("send", letter, "--test")):
        relay.received.clear()
        result = briefmail(*words)
        assert result.status == 0, result
        assert relay.recipients == ["me@example.net", "you@example.net"]
    assert briefmail("send", letter, "--test", "--as", "zoe@example.org").status == 0
    assert "Hello" in part(parse(relay.received[-1].data), "plain")


def test_several_test_copies_are_in_the_outbox_together(
    briefmail: Command, starter: Path, letter: Path
) -> None:
    settings(starter, '[test]\nto = ["me@example.net", "you@example.net"]')
    assert briefmail("send", letter, "--test").status == 0
    assert len(outbox(starter)) == 2


def test_a_test_that_names_nobody_at_all_is_wrong_use(briefmail: Command, letter: Path) -> None:
    result = briefmail("send", letter, "--test")
    assert result.status == 2
    assert "--test names nobody" in result.err


def test_the_editors_copy_is_the_last_message_and_in_no_total(
    briefmail: Command, starter: Path, letter: Path, relay: FakeRelay
) -> None:
    settings(starter, '[editor]\nemail = "me@example.net"\ncopy = true')
    first = briefmail("send", letter, "--yes", "--limit", "3")
    assert "your copy" not in first.err
    result = briefmail("send", letter, "--yes")
    assert result.totals == {"rows in the list": 4, "sent": 1, "already has it": 3}
    assert "your copy, to me@example.net, was sent\n" in result.err
    assert Counter(relay.recipients) == Counter([*EVERYBODY, "me@example.net"])
    assert relay.recipients[-1] == "me@example.net"
    copy = parse(relay.received[-1].data)
    assert (copy["Subject"], copy["To"]) == ("Short", "me@example.net")
    assert "test" in str(copy["List-Unsubscribe"])
    assert json.loads(briefmail("status", letter, "--json").out)["totals"]["audience"] == 4


def test_the_editors_copy_goes_once_an_edition(
    briefmail: Command, starter: Path, letter: Path, relay: FakeRelay
) -> None:
    settings(starter, '[editor]\nemail = "me@example.net"\ncopy = true')
    briefmail("send", letter, "--yes")
    with (starter / "recipients.csv").open("a") as file:
        file.write("new@example.org,,,\n")
    briefmail("send", letter, "--yes")
    assert Counter(relay.recipients) == Counter([*EVERYBODY, "me@example.net", "new@example.org"])


def test_an_editors_copy_that_cannot_be_sent_is_told_and_changes_nothing(
    briefmail: Command, starter: Path, letter: Path, relay: FakeRelay
) -> None:
    settings(starter, '[editor]\nemail = "me@example.net"\ncopy = true')
    relay.on("RCPT", "450 4.2.1 later", part="me@example.net")
    result = briefmail("send", letter, "--yes")
    assert (result.status, result.totals["sent"]) == (0, 4)
    assert "your copy, to me@example.net, was not sent: " in result.err


def test_a_copy_needs_an_address(briefmail: Command, starter: Path, letter: Path) -> None:
    settings(starter, "[editor]\ncopy = true")
    result = briefmail("send", letter, "--yes")
    assert result.status == 78
    assert "editor.copy needs editor.email" in result.err


# --- the log --------------------------------------------------------------------------------------


def test_the_log_has_a_line_for_each_message(
    briefmail: Command, starter: Path, letter: Path, relay: FakeRelay
) -> None:
    relay.on("RCPT", "550 5.1.1 who?", part="zoe@", times=1)
    briefmail("send", letter, "--yes")
    lines = (starter / ".briefmail" / "log").read_text("utf-8").splitlines()
    assert sorted(line.split("\t", 1)[1] for line in lines) == sorted(
        [
            "short\tada@example.org\tsent\t250 2.0.0 queued",
            "short\truaridh@example.org\tsent\t250 2.0.0 queued",
            "short\tzoe@example.org\trefused\t550 5.1.1 who?",
            "short\thello@example.org\tsent\t250 2.0.0 queued",
        ]
    )


def test_the_sandbox_writes_no_log(briefmail: Command, starter: Path, letter: Path) -> None:
    briefmail("suppress", "somebody@example.org")
    briefmail("send", letter, "--yes")
    assert not (starter / ".briefmail" / "log").exists()
