"""Several machines on one issue: the same commands, with the memory on a PostgreSQL server."""

import json
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from command import Command, arguments, environment, start
from fake_relay import FakeRelay

from private_postgresql import PrivatePostgreSQL

pytestmark = pytest.mark.postgresql
PEOPLE = 150
ISSUE = "issues/short.md"


@pytest.fixture
def url(postgresql: PrivatePostgreSQL) -> str:
    return postgresql.empty()


@pytest.fixture
def relay(starter: Path, url: str) -> Iterator[FakeRelay]:
    """Yield the relay of a newsletter whose memory is on the server."""
    with FakeRelay() as relay:
        (starter / ".env").write_text(
            f"SMTP_HOST=127.0.0.1\nSMTP_PORT={relay.port}\nSMTP_SECURITY=none\n"
            f"BRIEFMAIL_DATABASE_URL={url}\n"
        )
        rows = "".join(f"reader{number}@example.org\n" for number in range(PEOPLE))
        (starter / "recipients.csv").write_text(f"email\n{rows}")
        yield relay


def arrived(relay: FakeRelay) -> Counter[str]:
    return Counter(message.recipient for message in relay.received)


EVERYBODY = Counter(f"reader{number}@example.org" for number in range(PEOPLE))


def test_an_issue_goes_out_as_ever(letter: Path, relay: FakeRelay, briefmail: Command) -> None:
    done = briefmail("send", letter, "--yes")
    assert done.status == 0, done
    assert "fsync=off" in done.err + done.out
    assert arrived(relay) == EVERYBODY
    assert not (letter.parents[1] / ".briefmail" / "store.sqlite3").exists()
    again = briefmail("send", letter, "--yes")
    assert again.status == 0, again
    assert arrived(relay) == EVERYBODY


def test_what_one_machine_knows_the_others_know(
    letter: Path, relay: FakeRelay, briefmail: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    briefmail("suppress", "reader7@example.org", "--reason", "asked for it")
    second = letter.parents[1].with_name("second")
    shutil.copytree(letter.parents[1], second, ignore=shutil.ignore_patterns(".briefmail", "sent"))
    briefmail("send", letter, "--yes", "--limit", "100")
    monkeypatch.chdir(second)
    assert "asked for it" in briefmail("who", "reader7@example.org").out
    standing = json.loads(briefmail("status", ISSUE, "--json").out)
    assert (standing["totals"]["sent"], standing["totals"]["pending"]) == (100, PEOPLE - 101)
    done = briefmail("send", ISSUE, "--yes")
    assert done.status == 0, done
    assert arrived(relay) == EVERYBODY - Counter({"reader7@example.org": 1})
    assert "The machines" in briefmail("status", ISSUE).out
    assert (second / "sent" / "short.toml").exists()
    workers = json.loads(briefmail("status", ISSUE, "--json").out)["workers"]
    assert [(worker["sent"], worker["state"]) for worker in workers] == [
        (100, "ended"),
        (PEOPLE - 101, "ended"),
    ]


def test_machines_that_send_at_the_same_time_send_to_each_person_once(
    letter: Path, relay: FakeRelay
) -> None:
    folders = [letter.parents[1].with_name(f"machine{number}") for number in range(3)]
    for folder in folders:
        shutil.copytree(letter.parents[1], folder)
    senders = [
        subprocess.Popen(
            arguments("send", ISSUE, "--yes", "--share", "3"),
            cwd=folder,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        for folder in folders
    ]
    outputs = [sender.communicate(timeout=60)[0].decode() for sender in senders]
    assert [sender.returncode for sender in senders] == [0, 0, 0], outputs
    assert arrived(relay) == EVERYBODY
    standing = json.loads(start(folders[0], "status", ISSUE, "--json").out)
    assert standing["totals"]["sent"] == PEOPLE
    assert sum(worker["sent"] for worker in standing["workers"]) == PEOPLE


def test_another_text_or_another_choice_is_not_sent_beside_the_first(
    letter: Path, relay: FakeRelay
) -> None:
    """One machine is at work, at two a second; another has corrected the issue meanwhile."""
    folder = letter.parents[1]
    settings = folder / "briefmail.toml"
    settings.write_text(settings.read_text() + '\n[smtp]\nrate = "2/s"\n')
    changed, same = folder.with_name("changed"), folder.with_name("same")
    for copy in (changed, same):
        shutil.copytree(folder, copy)
    (changed / ISSUE).write_text((changed / ISSUE).read_text() + "\nMore.\n")
    first = subprocess.Popen(
        arguments("send", ISSUE, "--yes"),
        cwd=folder,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while not relay.received:
            assert first.poll() is None
        for copy, options, why in (
            (changed, ("--force", "edition-changed"), "another version of it"),
            (same, ("--only", "email == 'reader9@example.org'"), "other people"),
            (same, ("--resend-uncertain",), "other people"),
        ):
            done = start(copy, "send", ISSUE, "--yes", *options)
            assert done.status == 75, done
            assert why in done.err
        other = start(folder, "send", ISSUE, "--yes")
        assert other.status == 75, "the folder's own lock is held"
    finally:
        first.terminate()
        first.wait(timeout=30)


def test_a_folder_whose_memory_is_a_file_is_not_taken_for_one_on_a_server(
    letter: Path, relay: FakeRelay, briefmail: Command
) -> None:
    assert briefmail("send", letter, "--yes", BRIEFMAIL_DATABASE_URL="").status == 0
    done = briefmail("send", letter, "--yes")
    assert done.status == 74
    assert "briefmail migrate-to" in done.err
    assert arrived(relay) == EVERYBODY


def test_an_address_that_is_no_servers_is_named(letter: Path, briefmail: Command) -> None:
    done = briefmail("send", letter, BRIEFMAIL_DATABASE_URL="mysql://host/db")
    assert done.status == 78
    assert "not an address such as postgresql://" in done.err
