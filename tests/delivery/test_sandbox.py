"""The sandbox: a real relay on loopback whose mail goes nowhere but into a folder."""

import mailbox
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scene import PATIENCE, Scene, message_for, people, person

from briefmail.audience import Recipient
from briefmail.delivery import Sandbox, Session
from briefmail.delivery.sandbox import _UNSAFE
from briefmail.edition.message import Message
from briefmail.errors import StoreError, UsageError


@pytest.fixture
def outbox(tmp_path: Path) -> Path:
    return tmp_path / "outbox"


def send(sandbox: Sandbox, *messages: Message) -> list[str]:
    """Send messages in one session and return the relay's replies."""
    replies = []
    with Session(sandbox.relay, PATIENCE) as session:
        for message in messages:
            delivery = session.deliver(message, lambda: True)
            assert delivery is not None
            replies.append(str(delivery.reply))
    return replies


def tree(folder: Path) -> list[str]:
    return sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    )


def test_every_message_is_filed_as_it_came_below_its_envelope(outbox: Path) -> None:
    with Sandbox(outbox) as sandbox:
        assert send(sandbox, message_for(person(1)), message_for(person(2), b".\r\n..\r\n")) == [
            "250 2.0.0 filed as new/0001.reader1@example.org.eml",
            "250 2.0.0 filed as new/0002.reader2@example.org.eml",
        ]
    assert tree(outbox) == [
        "README",
        "new/0001.reader1@example.org.eml",
        "new/0002.reader2@example.org.eml",
    ]
    assert (outbox / "new" / "0002.reader2@example.org.eml").read_bytes() == (
        b"Return-Path: <bounces@example.com>\r\nDelivered-To: reader2@example.org\r\n"
        + message_for(person(2), b".\r\n..\r\n").data
    )


def test_an_address_outside_ascii_is_filed_as_it_is(outbox: Path) -> None:
    """In UTF-8 (RFC 6532); the name of the file is one for every system."""
    someone = Recipient("Mòrag@example.org", "mòrag@example.org", "", {}, 1)
    with Sandbox(outbox) as sandbox:
        assert send(sandbox, message_for(someone), message_for(person(2))) == [
            "250 2.0.0 filed as new/0001.M_rag@example.org.eml",
            "250 2.0.0 filed as new/0002.reader2@example.org.eml",
        ]
    assert (outbox / "new" / "0001.M_rag@example.org.eml").read_text("utf-8").splitlines() == [
        "Return-Path: <bounces@example.com>",
        "Delivered-To: Mòrag@example.org",
        "To: Mòrag@example.org",
        "Message-ID: <1@example.com>",
        "",
        "Hello.",
    ]


def test_any_mail_reader_can_open_the_folder(outbox: Path) -> None:
    with Sandbox(outbox) as sandbox:
        send(sandbox, message_for(person(1)))
    (message,) = mailbox.Maildir(outbox, create=False)
    assert message["Delivered-To"] == "reader1@example.org"
    assert message["Message-ID"] == "<1@example.com>"


def test_a_whole_run_goes_through_it_with_a_ledger_of_its_own(outbox: Path) -> None:
    with (
        Sandbox(outbox) as sandbox,
        Scene.set_up(sandbox.ledger_path, sandbox.relay) as scene,
    ):
        scene.enrol(people(1, 25))
        assert scene.send().sent == 25
    assert len(list((outbox / "new").iterdir())) == 25
    assert sandbox.ledger_path == outbox / "ledger.sqlite3"


def test_each_run_starts_clean_and_removes_only_what_an_earlier_one_left(outbox: Path) -> None:
    with Sandbox(outbox) as sandbox, Scene.set_up(sandbox.ledger_path, sandbox.relay) as scene:
        scene.enrol(people(1, 3))
        scene.send()
    (outbox / "new" / "0001.reader1@example.org.eml").rename(
        outbox / "cur" / "0001.reader1@example.org.eml:2,S"
    )
    (outbox / "notes.txt").write_text("mine", encoding="utf-8")
    (outbox / "new" / "notes.txt").write_text("mine", encoding="utf-8")
    with Sandbox(outbox) as sandbox:
        send(sandbox, message_for(person(9)))
    assert tree(outbox) == [
        "README",
        "new/0001.reader9@example.org.eml",
        "new/notes.txt",
        "notes.txt",
    ]


def test_a_folder_with_something_else_in_it_is_not_touched(outbox: Path) -> None:
    outbox.mkdir()
    (outbox / "README").write_text("My letters\n", encoding="utf-8")
    with pytest.raises(UsageError, match="holds something that is not briefmail's") as caught:
        Sandbox(outbox).__enter__()
    assert caught.value.hint is not None
    assert tree(outbox) == ["README"]


def test_a_file_in_its_place_is_not_touched(outbox: Path) -> None:
    outbox.write_text("mine", encoding="utf-8")
    with pytest.raises(UsageError):
        Sandbox(outbox).__enter__()


def test_an_empty_folder_will_do(outbox: Path) -> None:
    outbox.mkdir()
    with Sandbox(outbox):
        assert tree(outbox) == ["README"]


def test_a_place_that_cannot_be_written_is_said_to_be_so(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="cannot be cleared"):
        Sandbox(tmp_path / "file" / "outbox").__enter__()


def test_a_disk_that_fails_defers_and_refuses_nobody(outbox: Path) -> None:
    with Sandbox(outbox) as sandbox:
        (outbox / "tmp").rmdir()
        (reply,) = send(sandbox, message_for(person(1)))
    assert reply.startswith("452 4.3.1 0001.reader1@example.org.eml cannot be filed: No such")


def test_a_message_of_many_megabytes_is_taken(outbox: Path) -> None:
    large = message_for(person(1), (b"x" * 900 + b"\r\n") * 55_000)
    with Sandbox(outbox) as sandbox:
        assert send(sandbox, large)[0].startswith("250")
    assert (outbox / "new" / "0001.reader1@example.org.eml").stat().st_size > 49_000_000


def test_it_leaves_no_thread_and_no_open_port(outbox: Path) -> None:
    before = threading.active_count()
    with Sandbox(outbox) as sandbox:
        relay = sandbox.relay
        session = Session(relay, PATIENCE).__enter__()  # still open when the sandbox stops
    assert threading.active_count() == before
    delivery = session.deliver(message_for(person(1)), lambda: True)
    assert delivery is not None
    assert delivery.state == "deferred"


@given(st.text(min_size=1))
def test_a_file_name_is_one_that_every_system_takes(address: str) -> None:
    assert not set(_UNSAFE.sub("_", address)) & set('<>:"/\\|?*\0\n ')


def test_what_does_not_send_does_not_import_the_smtp_client_or_server() -> None:
    code = (
        "import sys, briefmail.delivery;print(sorted({'asyncio', 'aiosmtpd'} & set(sys.modules)))"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert printed.stdout.strip() == b"[]"


def test_a_name_that_the_room_does_not_have_is_an_attribute_error() -> None:
    import briefmail.delivery

    with pytest.raises(AttributeError):
        _ = briefmail.delivery.Postman
