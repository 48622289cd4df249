"""An issue whose last run died with nobody left to try: the next send finishes with it."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from command import Command, arguments, environment
from fake_relay import DROP, FakeRelay

from briefmail.delivery import MIGRATIONS, Ledger
from briefmail.store import SQLite, store_path


@pytest.mark.skipif(sys.platform == "win32", reason="the process is killed by a signal")
def test_a_run_that_was_killed_over_its_last_message_leaves_an_issue_that_can_be_closed(
    briefmail: Command, starter: Path, letter: Path, relay: FakeRelay
) -> None:
    """It is closed, its people's names go, and its receipt says where it stands."""
    with subprocess.Popen(
        arguments("send", letter, "--yes", "--connections", "1"),
        cwd=starter,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:

        def kill() -> str:
            process.kill()
            process.wait()
            return DROP

        relay.on("DOT", kill, part="hello@")
    result = briefmail("send", letter, "--yes")
    assert (result.status, result.totals["already has it"]) == (0, 3)
    receipt = tomllib.loads((starter / "sent" / "short.toml").read_text("utf-8"))
    assert (receipt["totals"]["sent"], receipt["totals"]["uncertain"]) == (3, 1)
    with SQLite.open(store_path(starter), {"delivery": MIGRATIONS}) as store:
        record = Ledger(store).edition("short")
        assert record
        assert record.closed_at == receipt["closed_at"]
        assert {name for (name,) in store.rows("SELECT name FROM delivery")} == {""}
