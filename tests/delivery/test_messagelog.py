"""The log: a line a message, rotated, and never in the way."""

from contextlib import suppress
from pathlib import Path

from scene import NOW, person

from briefmail.delivery import Delivery, MessageLog, Reply
from briefmail.delivery.messagelog import LINES, SIZE_LIMIT

SENT = Delivery("sent", "dot", Reply(250, "2.0.0", "queued"), "the relay has it")
LINE = "2016-08-24T09:00:00.000+00:00\tno. 5\treader1@example.org\tsent\t250 2.0.0 queued\n"


def log_of(path: Path) -> MessageLog:
    return MessageLog(path, "no. 5", lambda: NOW)


def test_a_message_is_a_line(tmp_path: Path) -> None:
    lost = Delivery("uncertain", "dot", None, "no reply")
    with log_of(tmp_path / "log") as log:
        log.add(person(1), SENT)
        log.add(person(1), lost)
    assert (tmp_path / "log").read_bytes().decode() == LINE + LINE.replace(
        "sent\t250 2.0.0 queued", "uncertain\tno reply"
    )


def test_lines_are_written_when_the_run_is_interrupted(tmp_path: Path) -> None:
    with suppress(KeyboardInterrupt), log_of(tmp_path / "log") as log:
        log.add(person(1), SENT)
        raise KeyboardInterrupt
    assert (tmp_path / "log").read_text("utf-8") == LINE


def test_a_reply_cannot_forge_a_line(tmp_path: Path) -> None:
    forged = Delivery("refused", "RCPT", Reply(550, "", "no\nroot\tsent\x1b[2J\u2028"), "")
    with log_of(tmp_path / "log") as log:
        log.add(person(1), forged)
    assert (tmp_path / "log").read_text("utf-8").endswith("\t550 no\\nroot\\tsent\\x1b[2J\\u2028\n")
    assert len((tmp_path / "log").read_text("utf-8").splitlines()) == 1


def test_lines_wait_until_there_are_many(tmp_path: Path) -> None:
    with log_of(tmp_path / "log") as log:
        for _ in range(LINES - 1):
            log.add(person(1), SENT)
        assert not (tmp_path / "log").exists()
        log.add(person(1), SENT)
        assert len((tmp_path / "log").read_text("utf-8").splitlines()) == LINES


def test_three_files_are_kept(tmp_path: Path) -> None:
    for content in "abcd":
        (tmp_path / "log").write_bytes(content.encode() * SIZE_LIMIT)
        with log_of(tmp_path / "log") as log:
            log.add(person(1), SENT)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log", "log.1", "log.2"]
    assert (tmp_path / "log").read_text("utf-8") == LINE
    assert (tmp_path / "log.1").read_bytes()[:1] == b"d"
    assert (tmp_path / "log.2").read_bytes()[:1] == b"c"


def test_a_log_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "log").mkdir()
    with log_of(tmp_path / "log") as log:
        log.add(person(1), SENT)
