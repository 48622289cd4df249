"""A send is held against the rules of check first: an error stops it, unless it is answered."""

import json
from pathlib import Path

import pytest
from command import Command, outbox
from fake_relay import FakeRelay


@pytest.fixture
def wrong(letter: Path) -> Path:
    """Return an issue with a link that leads nowhere, on line 6."""
    add(letter, "[The plan](https://https://example.org/plan).")
    return letter


def add(issue: Path, text: str) -> None:
    issue.write_text(f"{issue.read_text('utf-8').rstrip()} {text}\n", encoding="utf-8")


def test_an_error_stops_the_send_with_its_place_and_the_way_on(
    briefmail: Command, wrong: Path, relay: FakeRelay
) -> None:
    for words in ("--yes",), ("--dry-run",), ("--yes", "--force", "audience-fell"):
        result = briefmail("send", wrong, *words)
        assert result.status == 65, result
        assert f"{Path('issues/short.md')}:6: " in result.err
        assert "[link-syntax]\n" in result.err
        assert "add --force link-syntax\n" in result.err
    assert relay.received == []


def test_the_sandbox_holds_it_too(briefmail: Command, starter: Path, wrong: Path) -> None:
    assert briefmail("send", wrong, "--yes").status == 65
    assert outbox(starter) == []


def test_force_lets_one_rule_through_and_no_other(
    briefmail: Command, starter: Path, wrong: Path, relay: FakeRelay
) -> None:
    add(wrong, "Come on 31 September 2016.")
    found = json.loads(briefmail("send", wrong, "--dry-run", "--json").out)
    assert found["way_on"] == ["--force date-impossible", "--force link-syntax"]
    held = briefmail("send", wrong, "--yes", "--force", "link-syntax")
    assert (held.status, relay.received) == (65, [])
    assert "add --force date-impossible\n" in held.err
    forced = ("--force", "link-syntax", "--force", "date-impossible")
    assert briefmail("send", wrong, "--yes", *forced).totals["sent"] == 4


def test_a_reason_that_is_neither_one_nor_a_rule_is_a_usage_error(
    briefmail: Command, letter: Path, relay: FakeRelay
) -> None:
    result = briefmail("send", letter, "--yes", "--force", "link-sintax")
    assert (result.status, relay.received) == (2, [])
    assert "link-sintax" in result.err


def test_a_silenced_error_does_not_stop_it(
    briefmail: Command, starter: Path, wrong: Path, relay: FakeRelay
) -> None:
    path = starter / "briefmail.toml"
    silence = '\n[checks]\nsilence = {link-syntax = "it is a joke"}\n'
    path.write_text(path.read_text("utf-8") + silence, encoding="utf-8")
    assert briefmail("send", wrong, "--yes").totals["sent"] == 4


def test_who_has_it_already_is_not_held_up_by_a_rule(
    briefmail: Command, wrong: Path, relay: FakeRelay
) -> None:
    assert briefmail("send", wrong, "--yes", "--force", "link-syntax").status == 0
    assert briefmail("send", wrong, "--yes").status == 0
    assert len(relay.received) == 4


def test_a_changed_issue_and_a_wrong_link_are_named_at_once(
    briefmail: Command, letter: Path, relay: FakeRelay
) -> None:
    assert briefmail("send", letter, "--yes", "--limit", "2").status == 0
    add(letter, "[The plan](https://https://example.org/plan).")
    result = briefmail("send", letter, "--yes")
    assert result.status == 65
    assert "has changed since it went out to 2 people" in result.err
    assert "add --force edition-changed --force link-syntax\n" in result.err
    forced = ("--force", "edition-changed", "--force", "link-syntax")
    assert briefmail("send", letter, "--yes", *forced).totals["sent"] == 2


def test_warnings_are_a_line_of_the_plan_and_a_dry_run_names_them(
    briefmail: Command, letter: Path, relay: FakeRelay
) -> None:
    result = briefmail("send", letter, "--dry-run")
    assert result.status == 0
    assert f"warnings: briefmail check {Path('issues/short.md')}\n" in result.err
    named = [line for line in result.out.splitlines() if line.startswith("warning: ")]
    assert any(line.endswith("[postal-address]") for line in named)
    found = json.loads(briefmail("send", letter, "--dry-run", "--json").out)
    warnings = [one["rule"] for one in found["findings"] if one["severity"] == "warning"]
    assert len(warnings) == len(named)
    assert {"from-reserved", "postal-address"} <= set(warnings)


def test_a_field_that_somebody_lacks_stops_it_whatever_is_forced(
    briefmail: Command, starter: Path, letter: Path, relay: FakeRelay
) -> None:
    add(letter, "{{ first_name }}")
    result = briefmail("send", letter, "--yes", "--force", "field-missing")
    assert (result.status, relay.received) == (65, [])
    said = briefmail("check", letter)
    assert said.status == 65
    sentence = result.err.splitlines()[0].partition(": ")[2]
    assert "first_name is empty and has no default, for 1 of 4 people: recipients.csv:" in sentence
    assert sentence in said.out
