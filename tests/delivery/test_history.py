"""Questions to the ledger: one moment each, the same numbers as the send, and nothing changed."""

import hashlib
import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest
from fake_relay import FakeRelay
from scene import EDITION, NOW, Scene, addresses, message_for, people, person

from briefmail.audience import Recipient
from briefmail.delivery import (
    MIGRATIONS,
    EditionRecord,
    EditionStatus,
    Entry,
    History,
    Issued,
    Ledger,
    Reply,
    ReplyGroup,
    Totals,
)
from briefmail.delivery.history import without_names
from briefmail.errors import StoreError
from briefmail.store import Database, SQLite

ROOMS = {"delivery": MIGRATIONS}
AT = "2016-08-24T09:00:00.000+00:00"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return the database of the scene."""
    return tmp_path / "store.sqlite3"


@pytest.fixture
def history(scene: Scene, path: Path) -> Iterator[History]:
    """Return a reader beside the ledger of the scene, on a connection of its own."""
    with SQLite.open_read_only(path, ROOMS) as database:
        yield History(database)


def mixed_send(scene: Scene, relay: FakeRelay) -> None:
    """Send to six: 1 and 2 get it, 3 and 4 are refused alike, 5 is uncertain, 6 deferred."""
    relay.on("RCPT", "550 5.1.1 <reader3@example.org>: unknown", part="reader3@")
    relay.on("RCPT", "550 5.1.1 <reader4@example.org>: unknown", part="reader4@")
    relay.on("DOT", "", part="reader5@")
    relay.on("RCPT", "450 4.2.1 busy, id 4XyZ12ab9Q", part="reader6@")
    scene.enrol(people(1, 6))
    scene.send()


def test_an_edition_has_totals_that_add_up_and_is_open_while_somebody_is_deferred(
    scene: Scene, relay: FakeRelay, history: History
) -> None:
    mixed_send(scene, relay)
    record = EditionRecord(EDITION, "Who owns?", date(2016, 8, 24), "f1", AT, None)
    totals = Totals(sent=2, refused=2, deferred=1, uncertain=1)
    assert totals.audience == 6
    assert history.edition(EDITION) == EditionStatus(record, totals)
    assert history.edition("2016-09-07") is None


def test_editions_come_newest_first_by_the_date_of_the_issue(
    scene: Scene, history: History
) -> None:
    for name, day in (("spring", date(2016, 3, 1)), ("undated", None), ("last", date(2017, 1, 1))):
        scene.ledger.open_edition(name, subject=name, issue_date=day, fingerprint=name)
    names = [status.record.id for status in history.editions()]
    assert names == ["last", "undated", EDITION, "spring"]


def test_answers_that_differ_only_in_the_person_are_one_group(
    scene: Scene, relay: FakeRelay, history: History
) -> None:
    mixed_send(scene, relay)
    assert history.groups(EDITION) == [
        ReplyGroup("refused", 550, "5.1.1", "…: unknown", 2, "reader3@example.org"),
        ReplyGroup("deferred", 450, "4.2.1", "busy, id …", 1, "reader6@example.org"),
    ]


def test_people_without_an_answer_are_grouped_by_what_happened(
    scene: Scene, relay: FakeRelay, history: History
) -> None:
    relay.on("DATA", "")
    scene.enrol(people(1, 1))
    scene.send()
    (group,) = history.groups(EDITION)
    assert (group.state, group.code, group.status, group.count) == ("deferred", None, "", 1)
    assert group.text


def test_the_uncertain_are_named(scene: Scene, relay: FakeRelay, history: History) -> None:
    mixed_send(scene, relay)
    (entry,) = history.uncertain(EDITION)
    assert (entry.address, entry.state, entry.reply) == ("reader5@example.org", "uncertain", None)
    assert entry.message_id == "<5@example.com>"


def test_whoever_may_lack_it_is_a_failure_but_not_who_left_the_list(
    scene: Scene, relay: FakeRelay, history: History
) -> None:
    relay.on("CONNECT", "421 later")
    scene.enrol(people(1, 3))
    scene.send(limit=1)
    scene.enrol(people(1, 2))
    assert [failure.entry.address for failure in history.failures(EDITION)] == addresses(1, 2)


def test_a_person_has_a_row_for_each_edition_that_named_them(
    scene: Scene, relay: FakeRelay, history: History
) -> None:
    mixed_send(scene, relay)
    scene.ledger.open_edition("next", subject="Next", issue_date=date(2016, 9, 7), fingerprint="n")
    scene.ledger.enrol("next", people(3, 3))
    refused = Reply(550, "5.1.1", "<reader3@example.org>: unknown")
    address = "reader3@example.org"
    found = history.of(address)
    assert [(issued.edition, issued.entry.state) for issued in found] == [
        ("next", "pending"),
        (EDITION, "refused"),
    ]
    assert found[1] == Issued(
        EDITION,
        "Who owns?",
        date(2016, 8, 24),
        Entry(address, 3, "refused", refused, "the relay refuses the address", "", AT),
    )
    assert history.of("nobody@example.org") == []


def test_people_in_the_hand_of_a_run_count_as_if_it_died_now(
    scene: Scene, history: History
) -> None:
    scene.enrol(people(1, 3))
    one, two = scene.ledger.next_batch(EDITION, 2)
    assert scene.ledger.advance(EDITION, claims=[(one.key, "<1@example.com>")]) == {one.key}
    status = history.edition(EDITION)
    assert status
    assert status.totals == Totals(uncertain=1, pending=2)
    assert [entry.address for entry in history.uncertain(EDITION)] == [one.address]
    assert history.state_of(EDITION, two.key) == "pending"
    assert [failure.entry.state for failure in history.failures(EDITION)] == [
        "uncertain",
        "pending",
        "pending",
    ]


def test_a_reader_does_not_wait_for_a_writer_nor_a_writer_for_a_reader(
    scene: Scene, path: Path, history: History
) -> None:
    scene.enrol(people(1, 2))
    writer = sqlite3.connect(path, isolation_level=None, timeout=0)
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("UPDATE delivery SET state = 'sent'")
    before = history.edition(EDITION)
    writer.execute("COMMIT")
    writer.close()
    after = history.edition(EDITION)
    assert before
    assert after
    assert (before.totals, after.totals) == (Totals(pending=2), Totals(sent=2))


def test_reading_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "a ledger with 100% #odd name?.sqlite3"
    with SQLite.open(path, ROOMS) as database:
        Ledger(database, lambda: NOW).open_edition(
            EDITION, subject="s", issue_date=None, fingerprint="f"
        )
    before = hashlib.sha256(path.read_bytes()).digest()
    with SQLite.open_read_only(path, ROOMS) as database:
        assert len(History(database).editions()) == 1
        with pytest.raises(StoreError, match="readonly"):
            database.execute("DELETE FROM edition")
    assert hashlib.sha256(path.read_bytes()).digest() == before


def test_what_an_older_version_wrote_is_read_and_not_migrated(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite3"
    with first_version(path, person(1)):
        pass
    with SQLite.open_read_only(path, ROOMS) as database:
        (status,) = History(database).editions()
        assert status.totals == Totals(pending=1)
        assert database.one("SELECT version FROM rooms") == (1,)


def test_what_a_newer_version_wrote_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite3"
    with SQLite.open(path, {"delivery": [*MIGRATIONS, "CREATE TABLE more (x)"]}):
        pass
    with pytest.raises(StoreError, match="newer briefmail"):
        SQLite.open_read_only(path, ROOMS)


def test_an_empty_file_is_one_without_any_tables(tmp_path: Path) -> None:
    """As a crash at the very beginning leaves it."""
    path = tmp_path / "store.sqlite3"
    path.touch()
    with SQLite.open_read_only(path, ROOMS) as database:
        assert not database.has("delivery")


@pytest.mark.parametrize("content", [None, b"this is no database" * 100])
def test_a_missing_or_foreign_file_is_refused_and_not_made(
    tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "store.sqlite3"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(StoreError):
        SQLite.open_read_only(path, ROOMS)
    assert path.exists() == (content is not None)


@pytest.mark.parametrize(
    ("said", "grouped"),
    [
        ("<morag@example.org>: User unknown", "…: User unknown"),
        ("No such user morag@example.org - gsmtp x12-20020a5d4a.123", "No such user … - gsmtp …"),
        ("no mailbox here by that name. (#5.1.1)", "no mailbox here by that name. (#5.1.1)"),
        ("over quota of 2000MB", "over quota of 2000MB"),
    ],
)
def test_only_what_differs_for_each_person_is_taken_out_of_a_reply(said: str, grouped: str) -> None:
    assert without_names(said) == grouped


# --- what the editor decides ----------------------------------------------------------------------


def test_the_uncertain_go_again_when_asked_with_the_same_message_id(
    scene: Scene, relay: FakeRelay
) -> None:
    relay.on("DOT", "", part="reader2@", times=1)
    scene.enrol(people(1, 3))
    scene.send()
    scene.enrol(people(1, 3))
    scene.send()
    assert sorted(relay.recipients) == addresses(1, 3)
    assert scene.ledger.reopen(EDITION, "uncertain", [f"reader{n}@example.org" for n in "123"]) == 1
    scene.enrol(people(1, 3))
    scene.send()
    assert sorted(relay.recipients) == sorted([*addresses(1, 3), "reader2@example.org"])
    ids = [m.data.split(b"\r\n")[1] for m in relay.received if m.recipient.startswith("reader2@")]
    assert ids == [b"Message-ID: <2@example.com>"] * 2
    assert scene.totals == Totals(sent=3)


def test_the_refused_are_tried_again_when_asked_and_with_their_fields(
    scene: Scene, relay: FakeRelay
) -> None:
    relay.on("RCPT", "550 5.1.1 unknown", part="reader", times=2)
    scene.enrol([person(1, region="Fife"), *people(2, 3)])
    scene.send()
    assert scene.states() == {
        "sent": ["reader3@example.org"],
        "refused": addresses(1, 2),
    }
    assert scene.ledger.reopen(EDITION, "refused", ["reader1@example.org"]) == 1
    seen = []
    scene.enrol([person(1, region="Fife"), *people(2, 3)])
    scene.send(message=lambda who: seen.append(who) or message_for(who))  # type: ignore[func-returns-value]
    assert [who.fields["region"] for who in seen] == ["Fife"]
    assert scene.totals == Totals(sent=2, refused=1)


def test_reopening_moves_nobody_who_is_in_another_state(scene: Scene, relay: FakeRelay) -> None:
    mixed_send(scene, relay)
    before = scene.states()
    assert scene.ledger.reopen(EDITION, "refused", ["reader1@example.org", "x@example.org"]) == 0
    assert scene.ledger.reopen(EDITION, "uncertain", ["reader3@example.org"]) == 0
    assert scene.states() == before


def test_what_is_settled_by_hand_is_not_sent_and_is_no_sent_of_ours(
    scene: Scene, relay: FakeRelay, history: History
) -> None:
    relay.on("RCPT", "550 5.1.1 unknown", part="reader2@", times=1)
    scene.enrol(people(1, 2))
    scene.send()
    found = scene.enrol(people(1, 4))
    assert scene.ledger.settle_by_hand(EDITION) == 2
    assert scene.ledger.close_if_settled(EDITION)
    assert (found.open, scene.totals) == (2, Totals(sent=1, refused=1, by_hand=2))
    assert scene.totals.audience == 4
    again = scene.enrol(people(1, 4))
    assert (again.open, again.by_hand) == (0, 2)
    scene.send()
    assert relay.recipients == addresses(1, 1)
    assert history.state_of(EDITION, "reader4@example.org") == "by_hand"


def test_the_number_of_people_ever_settled_never_falls(
    scene: Scene, relay: FakeRelay, path: Path
) -> None:
    mixed_send(scene, relay)
    refused = ["reader3@example.org", "reader4@example.org"]
    assert scene.ledger.reopen(EDITION, "refused", refused) == 2
    with SQLite.open_read_only(path, ROOMS) as database:
        assert database.one(
            "SELECT count(*) + (SELECT sum(reopened) FROM edition) FROM delivery"
            " WHERE state IN ('sent', 'refused', 'uncertain', 'by_hand')"
        ) == (5,)


def test_who_left_the_list_is_not_settled_by_hand(scene: Scene) -> None:
    scene.enrol(people(1, 2))
    scene.enrol(people(1, 1))
    assert scene.ledger.settle_by_hand(EDITION) == 1
    assert scene.totals == Totals(withdrawn=1, by_hand=1)


def test_the_editors_copy_is_remembered(scene: Scene) -> None:
    assert not scene.ledger.editor_has_copy(EDITION)
    scene.ledger.note_copy(EDITION)
    assert scene.ledger.editor_has_copy(EDITION)
    assert not scene.ledger.editor_has_copy("2016-09-07")


def test_a_ledger_of_the_first_version_keeps_every_row_and_their_order(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite3"
    with first_version(path, person(3, region="Fife"), *people(1, 2)) as database:
        rows = list(database.rows("SELECT rowid, * FROM delivery ORDER BY rowid"))
    with SQLite.open(path, ROOMS) as database:
        ledger = Ledger(database, lambda: NOW)
        now = list(database.rows("SELECT rowid, * FROM delivery ORDER BY rowid"))
        assert now == [(*row, None, None, 0) for row in rows]
        assert ledger.open_since(EDITION) == NOW
        assert [who.line for who in ledger.next_batch(EDITION, 9)] == [3, 1, 2]


@contextmanager
def first_version(path: Path, *recipients: Recipient) -> Iterator[Database]:
    """Make a ledger as the first version of its tables had it."""
    with SQLite.open(path, {"delivery": MIGRATIONS[:1]}) as database:
        database.execute(
            "INSERT INTO edition (id, subject, fingerprint, roll, opened_at)"
            " VALUES (?, 's', 'f', 1, ?)",
            *(EDITION, NOW.isoformat(timespec="milliseconds")),
        )
        for who in recipients:
            database.execute(
                "INSERT INTO delivery (edition, key, address, name, fields, line, roll, updated_at)"
                " VALUES (?, ?, ?, ?, ?, ?, 1, '')",
                *(EDITION, who.key, who.address, who.name, json.dumps(who.fields), who.line),
            )
        yield database
