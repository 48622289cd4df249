"""``briefmail hold`` and ``unhold``: an issue stays where it is until the editor lets it go on."""

from collections import Counter
from pathlib import Path

from command import Command, start
from fake_relay import FakeRelay

from briefmail import Newsletter


def test_a_held_issue_is_not_sent_and_goes_on_when_it_is_let_go(
    briefmail: Command, letter: Path, relay: FakeRelay
) -> None:
    assert briefmail("hold", letter).out == "short is held back\n"
    assert briefmail("hold", "short").out == "short was held before\n"
    result = briefmail("send", letter, "--yes")
    assert (result.status, result.out) == (75, "")
    assert "short is held back" in result.err
    assert "briefmail unhold short" in result.err
    assert briefmail("unhold", "short").out == "short is no longer held\n"
    assert briefmail("unhold", "short").out == "short was not held\n"
    assert briefmail("send", letter, "--yes").totals["sent"] == 4


def test_a_hold_from_another_terminal_ends_a_send_that_is_at_work(
    briefmail: Command, starter: Path, letter: Path, relay: FakeRelay
) -> None:
    """The message in hand is finished, and nobody is in doubt."""
    many = [f"reader{number}@example.org" for number in range(200)]
    (starter / "recipients.csv").write_text("email\n" + "\n".join(many) + "\n")
    toml = starter / "briefmail.toml"
    settings = toml.read_text("utf-8")
    toml.write_text(settings + '\n[smtp]\nrate = "20/s"\n', encoding="utf-8")

    def hold_it() -> str:
        assert start(starter, "hold", "short").status == 0
        return "250 2.0.0 queued"

    relay.on("DOT", hold_it, part="reader5@", times=1)
    result = briefmail("send", letter, "--yes")
    assert result.status == 75
    assert "short is held back" in result.err
    got = len(relay.received)
    assert result.totals["sent"] == got
    assert 6 <= got < 200
    assert briefmail("unhold", "short").status == 0
    toml.write_text(settings, encoding="utf-8")
    assert briefmail("send", letter, "--yes").totals["sent"] == 200 - got
    assert Counter(relay.recipients) == Counter(many)


def test_an_unreadable_issue_and_a_draft_can_be_held(briefmail: Command, letter: Path) -> None:
    letter.write_text("---\nsubject: [\n---\n", encoding="utf-8")
    assert briefmail("hold", letter).status == 0
    assert list(Newsletter.open().holds()) == ["short"]


def test_what_does_not_exist_is_not_held(briefmail: Command, starter: Path) -> None:
    result = briefmail("hold", "2016-08-42")
    assert (result.status, result.out) == (65, "")
    assert "there is no such issue" in result.err
    assert briefmail("unhold", "2016-08-42").out == "2016-08-42 was not held\n"
