"""An issue that has been open for too long: closed, said plainly, and gone on with when asked."""

import csv
import json
import sqlite3
import tomllib
from pathlib import Path

import pytest
from command import Command, tree
from fake_relay import FakeRelay

EVERYBODY = ["ada@example.org", "ruaridh@example.org", "zoe@example.org", "hello@example.org"]


def age(folder: Path, days: int) -> None:
    """Let everything that was begun have been begun so many days earlier."""
    with sqlite3.connect(folder / ".briefmail" / "store.sqlite3") as database:
        database.execute(
            "UPDATE edition SET open_since ="
            " strftime('%Y-%m-%dT%H:%M:%f+00:00', open_since, ? || ' days')",
            (-days,),
        )
    database.close()


@pytest.fixture
def old(briefmail: Command, starter: Path, letter: Path, relay: FakeRelay) -> Path:
    """Return an issue begun three days ago: two have it, one is deferred, one was not tried."""
    relay.on("RCPT", "450 4.2.1 later", part="zoe@", times=1)
    assert briefmail("send", letter, "--yes", "--limit", "3").status == 75
    age(starter, 3)
    relay.received.clear()
    return letter


def test_the_next_send_closes_it_and_says_so(
    briefmail: Command, starter: Path, old: Path, relay: FakeRelay
) -> None:
    result = briefmail("send", old, "--yes")
    assert (result.status, relay.connections) == (65, 1)
    assert "was given up, because it had been open for longer than schedule.give_up" in result.err
    assert "2 people on the list did not get it" in result.err
    assert "add --force given-up" in result.err
    receipt = tomllib.loads((starter / "sent" / "short.toml").read_text("utf-8"))
    assert receipt["closed_at"]
    assert (receipt["totals"]["sent"], receipt["totals"]["expired"]) == (2, 2)
    found = json.loads(briefmail("status", old, "--json").out)
    assert found["totals"] == {
        "audience": 4,
        "sent": 2,
        "by_hand": 0,
        "refused": 0,
        "uncertain": 0,
        "expired": 2,
        "deferred": 0,
        "pending": 0,
        "withdrawn": 0,
    }
    assert [step["command"] for step in found["next"]] == [
        "briefmail status issues/short.md --failed-to failures.csv",
        "briefmail send issues/short.md --force given-up",
    ]
    assert "2 given up" in briefmail("status").out
    assert "given up" in briefmail("who", "zoe@example.org").out
    assert briefmail("send", old, "--yes").status == 65


def test_a_dry_run_says_the_same_and_changes_nothing(
    briefmail: Command, starter: Path, old: Path
) -> None:
    before = tree(starter)
    result = briefmail("send", old, "--dry-run")
    assert (result.status, "--force given-up" in result.err) == (65, True)
    assert result.totals["given up"] == 2
    assert tree(starter) == before


def test_asked_to_it_goes_on_and_has_its_time_again(
    briefmail: Command, starter: Path, old: Path, relay: FakeRelay
) -> None:
    relay.on("RCPT", "450 4.2.1 later", part="zoe@", times=1)
    result = briefmail("send", old, "--yes", "--force", "given-up")
    assert "   Again  2 who were given up\n" in result.err
    assert "who are new" not in result.err
    assert (result.status, result.totals["sent"]) == (75, 1)
    age(starter, 1)
    assert briefmail("send", old, "--yes").totals == {
        "rows in the list": 4,
        "sent": 1,
        "already has it": 3,
    }
    assert relay.recipients == ["hello@example.org", "zoe@example.org"]


def test_who_is_new_gets_it_and_who_was_given_up_does_not(
    briefmail: Command, starter: Path, old: Path, relay: FakeRelay
) -> None:
    with (starter / "recipients.csv").open("a") as file:
        file.write("new@example.org,,,\n")
    result = briefmail("send", old, "--yes")
    assert "2 people on the list were given up and are left out" in result.err
    assert result.totals == {
        "rows in the list": 5,
        "sent": 1,
        "already has it": 2,
        "given up": 2,
    }
    assert relay.recipients == ["new@example.org"]


def test_they_are_among_those_who_may_lack_it(briefmail: Command, starter: Path, old: Path) -> None:
    briefmail("send", old, "--yes")
    assert briefmail("status", old, "--failed-to", "failures.csv").status == 0
    with (starter / "failures.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = [(row["email"], row["state"], row["reason"]) for row in csv.DictReader(file)]
    assert rows == [
        ("zoe@example.org", "expired", "450 4.2.1 later"),
        ("hello@example.org", "expired", "given up before it was tried"),
    ]
    words = ("send", old, "--recipients", "failures.csv", "--yes")
    assert briefmail(*words).status == 65
    assert briefmail(*words, "--force", "given-up").totals["sent"] == 2


def test_a_longer_time_may_be_set(
    briefmail: Command, starter: Path, old: Path, relay: FakeRelay
) -> None:
    path = starter / "briefmail.toml"
    path.write_text(path.read_text("utf-8").replace("[schedule]", '[schedule]\ngive_up = "4 days"'))
    assert briefmail("send", old, "--yes").totals["sent"] == 2
    assert sorted(relay.recipients) == sorted(EVERYBODY[2:])
