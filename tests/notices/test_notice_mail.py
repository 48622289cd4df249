"""A notice as mail: what a mail program, and an autoresponder, make of it."""

from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default
from pathlib import Path

from briefmail.config import Config, Editor, Mail, Mailbox, Newsletter
from briefmail.notices import Notice, compose

NOW = datetime(2016, 8, 24, 8, tzinfo=UTC)
SENDER = Mailbox("The Briefing", "news@example.org")
CONFIG = Config(
    Path(),
    None,
    newsletter=Newsletter(name="Gàidhlig & Co", sender=SENDER),
    mail=Mail(bounce_address="bounces@example.org"),
    editor=Editor("editor@example.com"),
)


def notice(number: int) -> Notice:
    return Notice(
        f"issue-{number}", "missed", "", f"Issue {number} did not go", f"Mòrag ø {number}"
    )


def test_one_notice_is_a_plain_mail_that_no_program_answers() -> None:
    message = compose(CONFIG, SENDER, [notice(1)], NOW)
    assert (message.reverse_path, message.recipient) == (
        "bounces@example.org",
        "editor@example.com",
    )
    assert message.data.isascii()
    assert b"\n" not in message.data.replace(b"\r\n", b"")
    mail = message_from_bytes(message.data, policy=default)
    assert {name: str(mail[name]) for name in ("From", "To", "Subject", "Auto-Submitted")} == {
        "From": "The Briefing <news@example.org>",
        "To": "editor@example.com",
        "Subject": "[Gàidhlig & Co] Issue 1 did not go",
        "Auto-Submitted": "auto-generated",
    }
    assert mail["Message-ID"] == message.message_id
    assert mail["Date"].datetime == NOW
    assert mail.get_content_type() == "text/plain"
    assert mail.get_content() == "Mòrag ø 1\r\n"


def test_a_file_name_cannot_write_a_header() -> None:
    odd = Notice("a", "missed", "", "a\r\nBcc: all@example.org did not go out", "a")
    mail = message_from_bytes(compose(CONFIG, SENDER, [odd], NOW).data, policy=default)
    assert mail["Bcc"] is None
    assert mail["Subject"] == r"[Gàidhlig & Co] a\r\nBcc: all@example.org did not go out"


def test_several_are_one_mail_each_below_its_subject() -> None:
    message = compose(CONFIG, SENDER, [notice(1), notice(2), notice(3)], NOW)
    mail = message_from_bytes(message.data, policy=default)
    assert mail["Subject"] == "[Gàidhlig & Co] Issue 1 did not go, and 2 more"
    parts = mail.get_content().replace("\r\n", "\n").split("\n\n" + "-" * 72 + "\n\n")
    assert parts[:2] == [f"Issue {n} did not go\n\nMòrag ø {n}" for n in (1, 2)]
