"""A send that waits for the relay: what can be chosen, what is shown, and how it ends."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from command import Command, arguments, environment
from fake_relay import FakeRelay

from briefmail import Newsletter
from briefmail.errors import UsageError


@pytest.mark.parametrize("time", ["soon", "15", "-1m", "1 h", "٣m", ""])
def test_a_time_that_is_none_is_wrong_use(briefmail: Command, letter: Path, time: str) -> None:
    result = briefmail("send", letter, "--yes", "--retry-for", time)
    assert (result.status, "is not a time such as 90s, 15m, 2h or 0" in result.err) == (2, True)


@pytest.mark.parametrize("time", ["0", "0s", "29s", "0h"])
def test_a_time_that_is_too_short_for_another_try_waits_for_nothing(
    briefmail: Command, letter: Path, relay: FakeRelay, time: str
) -> None:
    relay.on("RCPT", "450 4.2.1 later", part="zoe@")
    assert briefmail("send", letter, "--yes", "--retry-for", time).status == 75


@pytest.mark.skipif(sys.platform == "win32", reason="a signal there ends the process")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_says_for_what_it_waits_and_a_signal_ends_that(
    starter: Path, letter: Path, relay: FakeRelay, number: signal.Signals
) -> None:
    relay.on("RCPT", "450 4.2.1 later", part="zoe@")
    with subprocess.Popen(
        arguments("send", letter, "--yes", "--retry-for", "15m"),
        cwd=starter,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr
        waits = re.compile(r"waiting until \d\d:\d\d:\d\d: 1 deferred\n")
        assert any(waits.fullmatch(line) for line in process.stderr)
        os.kill(process.pid, number)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 128 + number
    assert out == "4 rows in the list\n3 sent\n1 deferred, will be tried again\n"
    assert err == "interrupted; the same command goes on with everybody who is left\n"


def test_who_is_suppressed_while_they_wait_is_no_longer_to_be_tried(
    briefmail: Command, letter: Path, relay: FakeRelay
) -> None:
    relay.on("RCPT", "450 4.2.1 later", part="zoe@")
    assert briefmail("send", letter, "--yes", "--retry-for", "0").status == 75
    assert briefmail("suppress", "Zoe@example.org").status == 0
    totals = json.loads(briefmail("status", letter, "--json").out)["totals"]
    assert (totals["sent"], totals["deferred"], totals["withdrawn"]) == (3, 0, 1)


@pytest.mark.parametrize("name", ["short", "nope"])
def test_who_lacks_an_issue_that_was_never_sent_is_not_a_question(
    starter: Path, letter: Path, name: str
) -> None:
    newsletter = Newsletter.open(starter, environ={})
    with pytest.raises(UsageError, match=f"^{name} has not been sent from here") as caught:
        newsletter.write_failures(name, starter / "failures.csv")
    assert caught.value.hint == "'briefmail status' shows what has been"
    assert not (starter / "failures.csv").exists()
