"""Several machines on one issue: the same commands, with the memory on a PostgreSQL server."""

import json
import shutil
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from command import Command, arguments, environment, start
from dispatching import DAY, DUE, TOML, Desk
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
            arguments("send", ISSUE, "--yes", "--share", "3", "--json"),
            cwd=folder,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        for folder in folders
    ]
    outputs = [json.loads(sender.communicate(timeout=60)[0]) for sender in senders]
    assert [sender.returncode for sender in senders] == [0, 0, 0], outputs
    assert arrived(relay) == EVERYBODY
    for output in outputs:
        rows = output["totals"].pop("rows")
        assert rows == PEOPLE == sum(output["totals"].values())
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


def test_where_the_driver_is_missing_it_is_named(
    letter: Path, briefmail: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    monkeypatch.delitem(sys.modules, "briefmail.store.postgresql")
    done = briefmail("status", BRIEFMAIL_DATABASE_URL="postgresql://host/db")
    assert done.status == 78
    assert "the driver for PostgreSQL is missing" in done.err
    assert "pip install 'briefmail[postgresql]'" in done.err


# --- dispatch and hold ----------------------------------------------------------------------------


def test_machines_that_dispatch_at_the_same_time_tell_the_editor_once(
    starter: Path, relay: FakeRelay
) -> None:
    (starter / "briefmail.toml").write_text(TOML, encoding="utf-8")
    Desk(starter, relay).write("2016-08-24")
    Desk(starter, relay).dispatch(DUE - DAY)
    desks = [Desk(starter.with_name(f"machine{number}"), relay) for number in range(3)]
    for desk in desks:
        shutil.copytree(starter, desk.folder)
    threads = [threading.Thread(target=desk.dispatch, args=(DUE,)) for desk in desks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(desks[0].sent) == EVERYBODY
    assert desks[0].mails == [f"[News] 2016-08-24 went out to {PEOPLE} of {PEOPLE} people"]
    assert desks[0].dispatch(DUE + DAY).outcomes == ()


def test_a_hold_on_one_machine_ends_the_send_of_another(
    letter: Path, relay: FakeRelay, briefmail: Command
) -> None:
    folder = letter.parents[1]
    other = folder.with_name("other")
    shutil.copytree(folder, other)
    with (folder / "briefmail.toml").open("a") as settings:
        settings.write('\n[smtp]\nrate = "20/s"\n')
    relay.on(
        "DOT", lambda: start(other, "hold", "short").out and "250 taken", part="reader5@", times=1
    )
    done = briefmail("send", letter, "--yes")
    assert done.status == 75
    assert "short is held back" in done.err
    assert 6 <= len(relay.received) < PEOPLE


# --- moving there ---------------------------------------------------------------------------------


def test_a_memory_that_has_moved_goes_on_where_it_was(
    letter: Path, relay: FakeRelay, briefmail: Command, url: str
) -> None:
    in_file = {"BRIEFMAIL_DATABASE_URL": ""}
    briefmail("suppress", "reader7@example.org", **in_file)
    assert briefmail("send", letter, "--yes", "--limit", "60", **in_file).status == 0
    done = briefmail("migrate-to", url)
    assert done.status == 0, done
    assert f"{PEOPLE - 1} rows of delivery copied, and the same there" in done.out
    assert "1 rows of suppressions" in done.out
    done = briefmail("send", letter, "--yes")
    assert done.status == 0, done
    assert arrived(relay) == EVERYBODY - Counter({"reader7@example.org": 1})
    # New rows come after all that were copied.
    with psycopg.connect(url) as connection:
        briefmail("suppress", "reader8@example.org", "reader9@example.org")
        rows = connection.execute("SELECT rowid, key FROM suppressions ORDER BY rowid").fetchall()
    assert rows == [(number, f"reader{number + 6}@example.org") for number in (1, 2, 3)]


def test_a_database_with_anything_in_it_is_not_moved_to(
    letter: Path, relay: FakeRelay, briefmail: Command, url: str
) -> None:
    briefmail("suppress", "reader7@example.org", BRIEFMAIL_DATABASE_URL="")
    briefmail("suppress", "reader1@example.org")
    done = briefmail("migrate-to", url)
    assert done.status == 2
    assert "is not empty: it has a suppressions already" in done.err
    assert "reader1@example.org" in briefmail("suppress", "--list").out


def test_a_copy_that_is_not_the_same_is_none(
    letter: Path, relay: FakeRelay, briefmail: Command, url: str
) -> None:
    """The server changes what is written, as one with an odd trigger or encoding might."""
    briefmail("suppress", "reader7@example.org", "--reason", "asked", BRIEFMAIL_DATABASE_URL="")
    briefmail("suppress", "reader1@example.org")
    briefmail("unsuppress", "reader1@example.org")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "CREATE FUNCTION odd() RETURNS trigger LANGUAGE plpgsql AS"
            " $$BEGIN NEW.reason := 'other'; RETURN NEW; END$$"
        )
        connection.execute(
            "CREATE TRIGGER odd BEFORE INSERT ON suppressions FOR EACH ROW EXECUTE FUNCTION odd()"
        )
        done = briefmail("migrate-to", url)
        assert done.status == 74
        assert "suppressions is not the same" in done.err
        assert connection.execute("SELECT count(*) FROM suppressions").fetchone() == (0,)


def test_there_has_to_be_something_to_move(
    letter: Path, relay: FakeRelay, briefmail: Command, url: str
) -> None:
    assert "no memory yet" in briefmail("migrate-to", url).err
    assert "not an address such as" in briefmail("migrate-to", "mysql://host/db").err
