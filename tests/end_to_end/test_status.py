"""``status`` and ``who``: what became of an issue and of a person, and how to go on."""

import csv
import json
import re
from collections import Counter
from pathlib import Path

import pytest
from command import Command, Result, start, tree
from fake_relay import DROP, FakeRelay

from briefmail import audience, delivery
from briefmail.store import open_store

EVERYBODY = ["ada@example.org", "ruaridh@example.org", "zoe@example.org", "hello@example.org"]


@pytest.fixture
def sent(briefmail: Command, letter: Path, relay: FakeRelay) -> Result:
    """Send to four: one gets it, one is refused, one deferred, one uncertain."""
    relay.on("RCPT", "550 5.1.1 <ruaridh@example.org> \x1b[31m unknown", part="ruaridh@", times=1)
    relay.on("DOT", DROP, part="zoe@", times=1)
    relay.on("RCPT", "450 4.2.1 later", part="hello@", times=1)
    return briefmail("send", letter, "--yes")


def failures(path: Path) -> list[list[str]]:
    """Return the rows of a file of failures, with its header."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


def test_a_memory_that_a_crash_left_empty_is_none_yet_and_holds_no_send_up(
    briefmail: Command, starter: Path, letter: Path, relay: FakeRelay
) -> None:
    """But one that has not always been empty is no beginning."""
    memory = starter / ".briefmail"
    memory.mkdir()
    (memory / "store.sqlite3").touch()
    assert briefmail("status", letter).out.startswith("short has not been sent\n")
    assert briefmail("send", letter, "--yes").totals["sent"] == 4
    (memory / "store.sqlite3").write_bytes(b"")
    for words in (("status",), ("send", letter, "--yes")):
        result = briefmail(*words)
        assert (result.status, "is empty, and has not always been" in result.err) == (74, True)
    assert len(relay.received) == 4


def test_before_the_first_send_there_is_nothing_and_nothing_is_made(
    briefmail: Command, starter: Path, letter: Path
) -> None:
    (starter / "briefmail.toml").unlink()
    before = tree(starter)
    overview = briefmail("status")
    assert (overview.status, overview.out.partition("Next")[0]) == (0, "\n")
    assert overview.err.startswith("nothing has been sent yet")
    assert json.loads(briefmail("status", "--json").out)["editions"] == []
    one = briefmail("status", letter)
    assert (one.status, one.out) == (
        0,
        "short has not been sent\n\nbriefmail send issues/short.md\n    sends it\n",
    )
    assert briefmail("who", "ada@example.org").out == "ada@example.org\nhas had nothing\n"
    assert tree(starter) == before


@pytest.mark.parametrize("name", ["nope", "nope.md", "issues/nope.md"])
def test_an_issue_that_neither_the_folder_nor_the_ledger_knows_is_an_error(
    briefmail: Command, sent: Result, name: str
) -> None:
    result = briefmail("status", name)
    assert (result.status, result.out) == (65, "")
    assert result.err == f"{Path('issues/nope.md')}: there is no such issue\n"


def test_who_is_refused_where_there_is_no_newsletter(
    briefmail: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There, everybody would look as if they had had nothing."""
    monkeypatch.chdir(tmp_path)
    result = briefmail("who", "ada@example.org")
    assert (result.status, result.out) == (2, "")
    assert "is not a newsletter's folder" in result.err


def test_an_edition_adds_up_names_the_uncertain_and_says_how_to_go_on(
    briefmail: Command, letter: Path, sent: Result
) -> None:
    assert sent.status == 75
    result = briefmail("status", letter)
    assert result.status == 0
    head, begun, *lines = result.out.splitlines()
    assert head == "short  Short"
    assert begun.startswith("begun 2")
    assert begun.endswith(" UTC, open")
    uncertain = next(line for line in lines if line.startswith("zoe@example.org  2"))
    assert lines == [
        "4 people",
        "1 sent",
        "1 refused by the relay",
        "1 uncertain, never sent again unasked",
        "1 deferred, will be tried again",
        "",
        "What the relay answered",
        "1 deferred: 450 4.2.1 later (hello@example.org)",
        r"1 refused: 550 5.1.1 … \x1b[31m unknown (ruaridh@example.org)",
        "",
        "Uncertain: each of them may have it, or not",
        uncertain,
        "",
        "briefmail send issues/short.md",
        "    goes on with the 1 left, with the options that it was begun with",
        "",
        "briefmail send issues/short.md --resend-uncertain",
        "    sends it again to the 1 uncertain, who may have it already",
        "",
        "briefmail status issues/short.md --failed-to failures.csv",
        "    writes who lacks it and why to a file, to be corrected and sent to",
        "",
        "briefmail send issues/short.md --retry-refused all",
        "    tries the 1 refused again, once the cause is gone",
    ]


@pytest.mark.parametrize("name", ["short", "short.md", "issues/short.md"])
def test_an_issue_is_found_by_its_name_too_and_after_its_file_is_gone(
    briefmail: Command, letter: Path, sent: Result, name: str
) -> None:
    before = briefmail("status", letter, "--json").out
    assert briefmail("status", name, "--json").out == before
    letter.unlink()
    assert briefmail("status", name, "--json").out == before


def test_a_program_gets_the_same_as_json(briefmail: Command, letter: Path, sent: Result) -> None:
    found = json.loads(briefmail("status", letter, "--json").out)
    assert found["totals"] == {
        "audience": 4,
        "sent": 1,
        "by_hand": 0,
        "refused": 1,
        "uncertain": 1,
        "expired": 0,
        "deferred": 1,
        "pending": 0,
        "withdrawn": 0,
    }
    assert (found["issue"], found["subject"], found["date"]) == ("short", "Short", "2016-08-24")
    assert found["closed_at"] is None
    assert [group["text"] for group in found["replies"]] == ["later", r"… \x1b[31m unknown"]
    assert [entry["address"] for entry in found["uncertain"]] == ["zoe@example.org"]
    assert [step["command"] for step in found["next"]] == [
        "briefmail send issues/short.md",
        "briefmail send issues/short.md --resend-uncertain",
        "briefmail status issues/short.md --failed-to failures.csv",
        "briefmail send issues/short.md --retry-refused all",
    ]


def test_all_editions_are_a_line_each_newest_first(
    briefmail: Command, letter: Path, sent: Result
) -> None:
    newer = letter.with_name("newer.md")
    newer.write_text(letter.read_text().replace("08-24", "09-07"))
    briefmail("send", newer, "--yes", "--limit", "2")
    assert briefmail("status").out.partition("\n\nNext")[0].splitlines() == [
        "date        issue  sent  refused  uncertain  deferred",
        "2016-09-07  newer     2        0          0         0  █████░░░░░  2 not tried yet",
        "2016-08-24  short     1        1          1         1  ██░░░░░░░░",
    ]
    found = json.loads(briefmail("status", "--json").out)
    assert [edition["issue"] for edition in found["editions"]] == ["newer", "short"]


def test_below_them_are_the_next_dates_and_what_is_held(briefmail: Command, starter: Path) -> None:
    (starter / "briefmail.toml").write_text(
        '[schedule]\nevery = "2 weeks"\non = "Wednesday"\nfrom = 2100-01-06\ntimezone = "UTC"\n'
    )
    for path in (starter / "issues").glob("*.md"):
        path.unlink()
    ready = starter / "issues" / "2100-01-06.md"
    ready.write_text("---\nsubject: News\nstatus: ready\n---\n\nHello.\n")
    briefmail("hold", ready)
    lines = briefmail("status").out.splitlines()
    assert lines[:7] == [
        "",
        "Next",
        "Wed 2100-01-06 09:00 UTC  issues/2100-01-06.md  ready, but held back",
        "Wed 2100-01-20 09:00 UTC                        no issue yet",
        "Wed 2100-02-03 09:00 UTC                        no issue yet",
        "",
        "Held back",
    ]
    assert re.fullmatch(
        r"2100-01-06  since \d{4}-\d\d-\d\d \d\d:\d\d UTC; 'briefmail unhold 2100-01-06'", lines[7]
    )
    found = json.loads(briefmail("status", "--json").out)
    assert (found["editions"], list(found["held"])) == ([], ["2100-01-06"])
    assert [date["state"] for date in found["next"]] == ["held", "no_issue", "no_issue"]


def test_status_may_be_asked_while_a_send_is_at_work(
    briefmail: Command, starter: Path, letter: Path, relay: FakeRelay
) -> None:
    asked = []

    def ask() -> str:
        asked.append(start(starter, "status", letter, "--json"))
        return "250 2.1.5 ok"

    relay.on("RCPT", ask, part="zoe@", times=1)
    assert briefmail("send", letter, "--yes").totals["sent"] == 4
    (meanwhile,) = asked
    assert meanwhile.status == 0, meanwhile
    totals = json.loads(meanwhile.out)["totals"]
    assert totals["audience"] == 4 == sum(totals.values()) - totals["audience"]
    assert totals["sent"] < 4


def test_who_has_had_what_across_editions(briefmail: Command, letter: Path, sent: Result) -> None:
    briefmail("suppress", "ruaridh@example.org", "--reason", "asked by phone")
    lines = briefmail("who", "Ruaridh@Example.org").out.splitlines()
    assert lines[0] == "Ruaridh@example.org"
    assert lines[1].startswith("suppressed since 2")
    assert lines[1].endswith(": asked by phone")
    assert lines[2].startswith("short  refused  2")
    assert lines[2].endswith(r" UTC  550 5.1.1 <ruaridh@example.org> \x1b[31m unknown")
    found = json.loads(briefmail("who", "zoe@example.org", "--json").out)
    assert found["suppressed"] is None
    (issue,) = found["issues"]
    assert (issue["issue"], issue["state"], issue["reply"]) == ("short", "uncertain", None)
    assert issue["message_id"].startswith("<")


def test_what_is_no_address_is_wrong_use(briefmail: Command, starter: Path) -> None:
    assert briefmail("who", "nobody").status == 2


# --- --failed-to ----------------------------------------------------------------------------------


def test_who_may_lack_it_is_written_with_the_cells_of_the_list(
    briefmail: Command, starter: Path, letter: Path, sent: Result
) -> None:
    with (starter / "recipients.csv").open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    result = briefmail("status", letter, "--failed-to", "failures.csv")
    assert (result.status, result.out) == (0, "failures.csv: 3 people\n")
    by_address = {row[0]: row for row in rows}
    assert failures(starter / "failures.csv") == [
        [*header, "state", "reason"],
        [
            *by_address["ruaridh@example.org"],
            "refused",
            r"550 5.1.1 <ruaridh@example.org> \x1b[31m unknown",
        ],
        [*by_address["zoe@example.org"], "uncertain", failures(starter / "failures.csv")[2][-1]],
        [*by_address["hello@example.org"], "deferred", "450 4.2.1 later"],
    ]


def test_the_file_can_be_sent_to_once_it_is_corrected(
    briefmail: Command, starter: Path, letter: Path, sent: Result, relay: FakeRelay
) -> None:
    briefmail("status", letter, "--failed-to", "failures.csv")
    path = starter / "failures.csv"
    text = path.read_text("utf-8-sig").replace("ruaridh@example.org,", "rory@example.org,", 1)
    path.write_text(text, "utf-8-sig")
    again = briefmail("send", letter, "--recipients", "failures.csv", "--yes")
    assert again.totals == {"rows in the list": 3, "sent": 2, "refused or uncertain before": 1}
    assert Counter(relay.recipients) == Counter(
        ["ada@example.org", "zoe@example.org", "rory@example.org", "hello@example.org"]
    )


def test_a_file_that_is_there_is_not_written_over(
    briefmail: Command, starter: Path, letter: Path, sent: Result
) -> None:
    (starter / "failures.csv").write_text("mine")
    result = briefmail("status", letter, "--failed-to", "failures.csv")
    assert (result.status, (starter / "failures.csv").read_text()) == (2, "mine")
    assert result.err.startswith("error: failures.csv is there already; nothing was written\n")


def test_whoever_left_meanwhile_is_not_written_and_who_is_gone_is_from_the_ledger(
    briefmail: Command, starter: Path, letter: Path, sent: Result
) -> None:
    (starter / "recipients.csv").write_text(
        "email,unsubscribed,state\nzoe@example.org,yes,CA\nada@example.org,,NY\n"
    )
    briefmail("suppress", "ruaridh@example.org")
    result = briefmail("status", letter, "--failed-to", "out.csv", "--json")
    assert json.loads(result.out)["failed_to"] == {
        "path": "out.csv",
        "rows": 1,
        "from_ledger": 1,
        "left_out": 2,
    }
    header, row = failures(starter / "out.csv")
    found = dict(zip(header, row, strict=True))
    assert (found["email"], found["briefmail_state"], found["reason"], found["state"]) == (
        "hello@example.org",
        "deferred",
        "450 4.2.1 later",
        "",
    )


def test_without_a_list_the_rows_are_what_the_ledger_keeps(
    briefmail: Command, starter: Path, letter: Path, relay: FakeRelay
) -> None:
    (starter / "recipients.csv").write_text("email,region\nada@example.org,=1+1\n")
    relay.on("RCPT", "450 4.2.1 later")
    briefmail("send", letter, "--yes")
    (starter / "recipients.csv").unlink()
    briefmail("status", letter, "--failed-to", "out.csv")
    assert failures(starter / "out.csv") == [
        ["email", "region", "state", "reason"],
        ["ada@example.org", "=1+1", "deferred", "450 4.2.1 later"],
    ]


def test_nobody_left_is_no_file(
    briefmail: Command, starter: Path, letter: Path, relay: FakeRelay
) -> None:
    briefmail("send", letter, "--yes")
    result = briefmail("status", letter, "--failed-to", "out.csv")
    assert (result.status, (starter / "out.csv").exists()) == (0, False)
    assert "nobody is left who may lack it" in result.err


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_the_file_has_the_delimiter_of_the_list(
    briefmail: Command, starter: Path, letter: Path, relay: FakeRelay, delimiter: str
) -> None:
    (starter / "recipients.csv").write_text(
        f'email{delimiter}note\nada@example.org{delimiter}"a{delimiter}b, ""c"""\n'
    )
    relay.on("RCPT", "550 5.1.1 no", times=1)
    briefmail("send", letter, "--yes")
    briefmail("status", letter, "--failed-to", "out.csv")
    assert (starter / "out.csv").read_text("utf-8-sig").splitlines() == [
        delimiter.join(["email", "note", "state", "reason"]),
        delimiter.join(["ada@example.org", f'"a{delimiter}b, ""c"""', "refused", "550 5.1.1 no"]),
    ]


@pytest.mark.parametrize("by", ["send", "settle"])
def test_a_subject_with_a_field_is_shown_as_the_editor_wrote_it(
    briefmail: Command, letter: Path, relay: FakeRelay, by: str
) -> None:
    """Nobody's own copy, and no word of ours."""
    subject = "News for {{ first_name | default('you') }}"
    letter.write_text(f'---\nsubject: "{subject}"\ndate: 2016-08-24\n---\n\nHello.\n')
    assert briefmail(by, letter, "--yes").status == 0
    assert subject in briefmail("status", letter).out
    assert (
        json.loads(briefmail("who", "ada@example.org", "--json").out)["issues"][0]["subject"]
        == subject
    )


def test_a_memory_from_before_there_were_holds_is_read_as_it_is(
    briefmail: Command, starter: Path
) -> None:
    """To read brings nothing up to date, so tables that came later are not there yet."""
    rooms = {"audience": audience.MIGRATIONS, "delivery": delivery.MIGRATIONS}
    with open_store(starter, rooms):
        pass
    assert briefmail("status").status == 0
    assert json.loads(briefmail("status", "--json").out)["held"] == {}
    assert briefmail("schedule").status == 0
    assert briefmail("hold", next((starter / "issues").glob("*.md"))).status == 0
    assert "Held back" in briefmail("status").out
