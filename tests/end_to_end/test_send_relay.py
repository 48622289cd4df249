"""``briefmail send`` to a relay: everybody once, nobody forgotten, whatever happens in between."""

import json
import re
import signal
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest
from command import Command, arguments, environment, parse, part, tree
from fake_relay import DROP, FakeRelay, Verb

EVERYBODY = ["ada@example.org", "ruaridh@example.org", "zoe@example.org", "hello@example.org"]


def add(folder: Path, *addresses: str) -> None:
    """Write more people into the list."""
    with (folder / "recipients.csv").open("a", encoding="utf-8") as file:
        file.writelines(f"{address},,,\n" for address in addresses)


def test_the_relay_of_the_env_file_gets_one_message_a_person_and_the_outbox_stays_away(
    briefmail: Command, starter: Path, letter: Path, relay: FakeRelay
) -> None:
    result = briefmail("send", letter, "--yes")
    assert (result.status, result.out) == (0, "4 rows in the list\n4 sent\n")
    assert f"   Relay  127.0.0.1:{relay.port} (none)\n" in result.err
    assert relay.recipients == EVERYBODY
    assert {message.reverse_path for message in relay.received} == {"editor@example.org"}
    assert [parse(m.data)["To"].addresses[0].addr_spec for m in relay.received] == EVERYBODY
    assert not (starter / "outbox").exists()


def test_the_environment_wins_over_the_env_file(
    briefmail: Command, letter: Path, relay: FakeRelay
) -> None:
    with FakeRelay() as other:
        assert briefmail("send", letter, "--yes", SMTP_PORT=str(other.port)).status == 0
        assert (other.recipients, relay.recipients) == (EVERYBODY, [])


def test_a_second_run_sends_to_nobody_and_does_not_even_connect(
    briefmail: Command, letter: Path, relay: FakeRelay
) -> None:
    briefmail("send", letter, "--yes")
    result = briefmail("send", letter, "--yes")
    assert (result.status, result.out) == (0, "4 rows in the list\n0 sent\n4 already has it\n")
    assert (relay.recipients, relay.connections) == (EVERYBODY, 1)


def test_who_came_to_the_list_in_between_gets_it_alone(
    briefmail: Command, starter: Path, letter: Path, relay: FakeRelay
) -> None:
    briefmail("send", letter, "--yes")
    add(starter, "new@example.org", "ADA@example.org")
    result = briefmail("send", letter, "--yes")
    assert result.totals == {
        "rows in the list": 6,
        "sent": 1,
        "already has it": 4,
        "duplicate": 1,
    }
    assert relay.recipients == [*EVERYBODY, "new@example.org"]


def test_another_issue_goes_to_everybody_again(
    briefmail: Command, starter: Path, letter: Path, relay: FakeRelay
) -> None:
    briefmail("send", letter, "--yes")
    next_issue = letter.with_name("next.md")
    next_issue.write_text(letter.read_text().replace("Short", "Next").replace("08-24", "09-07"))
    assert briefmail("send", next_issue, "--yes").totals["sent"] == 4
    assert Counter(relay.recipients) == Counter(EVERYBODY * 2)


def test_limit_goes_on_where_it_stopped(briefmail: Command, letter: Path, relay: FakeRelay) -> None:
    totals = [briefmail("send", letter, "--yes", "--limit", "3").totals for _ in range(3)]
    assert [numbers["sent"] for numbers in totals] == [3, 1, 0]
    assert relay.recipients == EVERYBODY


def test_a_suppressed_person_does_not_get_it(
    briefmail: Command, letter: Path, relay: FakeRelay
) -> None:
    briefmail("suppress", "ruaridh@example.org")
    assert briefmail("send", letter, "--yes").totals["suppressed"] == 1
    assert "ruaridh@example.org" not in relay.recipients


def test_a_refused_person_is_named_and_the_others_get_theirs(
    briefmail: Command, letter: Path, relay: FakeRelay
) -> None:
    relay.on("RCPT", "550 5.1.1 no such \x1b[31muser", part="ruaridh@")
    result = briefmail("send", letter, "--yes")
    assert (result.status, result.out) == (
        0,
        "4 rows in the list\n3 sent\n1 refused by the relay\n",
    )
    assert r"refused ruaridh@example.org: 550 5.1.1 no such \x1b[31muser" in result.err
    again = briefmail("send", letter, "--yes", "--json")
    found = json.loads(again.out)
    assert (found["totals"]["already"], found["totals"]["settled"]) == (3, 1)
    assert [entry["address"] for entry in found["named"]] == ["ruaridh@example.org"]
    assert relay.recipients == [person for person in EVERYBODY if "ruaridh" not in person]


def test_who_is_deferred_is_tried_again_by_the_next_run(
    briefmail: Command, letter: Path, relay: FakeRelay
) -> None:
    relay.on("RCPT", "450 4.2.1 try later", part="zoe@", times=1)
    first = briefmail("send", letter, "--yes")
    assert (first.status, first.totals["sent"], first.totals["deferred, will be tried again"]) == (
        75,
        3,
        1,
    )
    second = briefmail("send", letter, "--yes")
    assert (second.status, second.totals["sent"]) == (0, 1)
    assert Counter(relay.recipients) == Counter(EVERYBODY)


def test_a_lost_reply_to_the_dot_is_uncertain_by_name_and_never_sent_again(
    briefmail: Command, letter: Path, relay: FakeRelay
) -> None:
    relay.on("DOT", DROP, part="zoe@", times=1)
    first = briefmail("send", letter, "--yes")
    assert first.totals["uncertain, never sent again unasked"] == 1
    assert "uncertain zoe@example.org: " in first.err
    assert briefmail("send", letter, "--yes").totals["refused or uncertain before"] == 1
    assert Counter(relay.recipients) == Counter(EVERYBODY)


@pytest.mark.parametrize(
    ("verb", "answer", "status"),
    [
        ("CONNECT", "421 4.3.2 closed for tea", 75),
        ("MAIL", "550 5.7.1 we do not know you", 75),
        ("DATA", "552 5.3.4 too large", 65),
    ],
)
def test_what_stops_everybody_is_said_once_and_all_can_be_tried_again(
    briefmail: Command, letter: Path, relay: FakeRelay, verb: Verb, answer: str, status: int
) -> None:
    relay.on(verb, answer, times=20)
    result = briefmail("send", letter, "--yes")
    assert result.status == status, result
    assert result.totals["sent"] == 0
    assert len([line for line in result.err.splitlines() if line.startswith("error: ")]) == 1
    relay.on(verb, answer, times=0)
    relay._rules.clear()
    assert briefmail("send", letter, "--yes").totals["sent"] == 4
    assert Counter(relay.recipients) == Counter(EVERYBODY)


def test_a_relay_that_is_not_there_is_one_line_and_status_75(
    briefmail: Command, starter: Path, letter: Path
) -> None:
    with FakeRelay() as gone:
        port = str(gone.port)
    result = briefmail("send", letter, "--yes", SMTP_HOST="127.0.0.1", SMTP_PORT=port,
                       SMTP_SECURITY="none")  # fmt: skip
    assert result.status == 75
    assert result.totals == {"rows in the list": 4, "sent": 0, "not tried": 4}


@pytest.mark.parametrize("words", [("--dry-run",), ("--test", "me@example.net")])
def test_neither_a_dry_run_nor_a_test_touches_the_ledger(
    briefmail: Command, starter: Path, letter: Path, relay: FakeRelay, words: tuple[str, ...]
) -> None:
    before = tree(starter)
    assert briefmail("send", letter, *words).status == 0
    assert tree(starter) == before
    briefmail("send", letter, "--yes", "--limit", "2")
    before = tree(starter)
    assert briefmail("send", letter, *words).status == 0
    assert tree(starter) == before
    assert briefmail("send", letter, "--yes").totals["sent"] == 2


def test_a_test_over_the_relay_is_marked_and_says_what_the_relay_said(
    briefmail: Command, letter: Path, relay: FakeRelay
) -> None:
    assert briefmail("send", letter, "--test", "me@example.net").out == (
        "test copy for me@example.net, as ada@example.org: sent\n"
    )
    assert parse(relay.received[0].data)["Subject"] == "[Test] Short"
    relay.on("RCPT", "550 5.1.1 no such user")
    result = briefmail("send", letter, "--test", "me@example.net")
    assert result.status == 65
    assert "550 5.1.1 no such user" in result.out


def test_hostile_values_reach_the_relay_as_values(
    briefmail: Command, starter: Path, relay: FakeRelay
) -> None:
    (starter / "recipients.csv").write_text(
        'email,first_name,region\na@example.org,"Ann, <b@example.org> {{ 7*7 }}",\n'
    )
    issue = next((starter / "issues").glob("2*.md"))
    assert briefmail("send", issue, "--yes").status == 0
    (message,) = relay.received
    (to,) = parse(message.data)["To"].addresses
    assert (to.addr_spec, to.display_name) == (
        "a@example.org",
        "Ann, <b@example.org> {{ 7*7 }}",
    )
    assert "Hello Ann, <b@example.org> {{ 7*7 }}," in part(parse(message.data), "plain")
    assert [line for line in relay.commands if line.startswith("RCPT")] == [
        "RCPT TO:<a@example.org>"
    ]


# --- several processes ----------------------------------------------------------------------------


def begin(folder: Path, *words: str | Path) -> "subprocess.Popen[str]":
    """Start briefmail in a process of its own and do not wait for it."""
    return subprocess.Popen(
        arguments(*words),
        cwd=folder,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )


class Held:
    """Holds the relay back at a command, until it is let go."""

    def __init__(self, relay: FakeRelay, verb: Verb, part: str, answer: str) -> None:
        self.reached, self._let_go = threading.Event(), threading.Event()
        self._answer = answer
        relay.on(verb, self._hold, part=part, times=1)

    def _hold(self) -> str:
        self.reached.set()
        self._let_go.wait(20)
        return self._answer

    def let_go(self) -> None:
        self._let_go.set()


@pytest.mark.parametrize(
    ("verb", "part", "uncertain"),
    [("RCPT", "p7@", []), ("DOT", "p7@", ["p7@example.org"]), ("DOT", "p12@", ["p12@example.org"])],
)
def test_killed_in_the_middle_the_same_command_goes_on(
    briefmail: Command, starter: Path, letter: Path, relay: FakeRelay, verb: Verb, part: str,
    uncertain: list[str],
) -> None:  # fmt: skip
    """Nobody twice, nobody forgotten, and at most one person in doubt, who is named.

    Also where that was the last one, and nobody is left to send to.
    """
    (starter / "recipients.csv").write_text("email\n")
    everybody = [f"p{number}@example.org" for number in range(1, 13)]
    add(starter, *everybody)
    (starter / "recipients.csv").write_text("email\n" + "\n".join(everybody) + "\n")
    held = Held(relay, verb, part, "250 2.0.0 too late")
    process = begin(starter, "send", letter, "--yes")
    assert held.reached.wait(20)
    process.kill()
    process.communicate()
    held.let_go()
    result = briefmail("send", letter, "--yes", "--json")
    assert result.status == 0, result
    found = json.loads(result.out)
    assert [(one["address"], one["state"]) for one in found["named"]] == [
        (address, "uncertain") for address in uncertain
    ]
    numbers = found["totals"]
    assert numbers["rows"] == 12 == numbers["sent"] + numbers["already"] + numbers["settled"]
    assert numbers["settled"] == len(uncertain)
    assert Counter(relay.recipients) == Counter(everybody)


def test_two_runs_at_once_the_second_leaves_with_75(
    briefmail: Command, starter: Path, letter: Path, relay: FakeRelay
) -> None:
    held = Held(relay, "RCPT", "ruaridh@", "250 2.1.5 ok")
    first = begin(starter, "send", letter, "--yes")
    assert held.reached.wait(20)
    second = briefmail("send", letter, "--yes")
    assert (second.status, second.out) == (75, "")
    assert second.err.startswith("error: another briefmail is sending from ")
    tried = briefmail("send", letter, "--dry-run")
    assert tried.totals["already has it"] == 1
    held.let_go()
    assert first.wait(20) == 0
    assert first.communicate()[0] == "4 rows in the list\n4 sent\n"
    assert relay.recipients == EVERYBODY


@pytest.mark.skipif(sys.platform == "win32", reason="there are no signals for a process there")
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_gives_back_who_was_not_claimed_and_the_same_command_goes_on(
    briefmail: Command,
    starter: Path,
    letter: Path,
    relay: FakeRelay,
    number: signal.Signals,
    status: int,
) -> None:
    held = Held(relay, "RCPT", "ruaridh@", "250 2.1.5 ok")
    process = begin(starter, "send", letter, "--yes")
    assert held.reached.wait(20)
    process.send_signal(number)
    held.let_go()
    out, err = process.communicate(timeout=20)
    assert process.returncode == status
    assert out == "4 rows in the list\n1 sent\n3 not tried\n"
    assert err.endswith("interrupted; the same command goes on with everybody who is left\n")
    assert re.search("Traceback", err) is None
    assert briefmail("send", letter, "--yes").totals["sent"] == 3
    assert relay.recipients == EVERYBODY
