"""Notices as mail: plain text, to the editor, and marked as written by a program (RFC 3834)."""

from collections.abc import Sequence
from datetime import datetime
from email.utils import format_datetime, make_msgid

from briefmail.config import Config, Mailbox
from briefmail.delivery.reply import printable
from briefmail.edition import Message, headers, quoted_printable
from briefmail.notices.notice import Notice

_RULE = "\n\n" + "-" * 72 + "\n\n"


def compose(config: Config, sender: Mailbox, notices: Sequence[Notice], now: datetime) -> Message:
    """Write one mail of all these notices to ``[editor] email``, which is set."""
    more = f", and {len(notices) - 1} more" if len(notices) > 1 else ""
    # The name of a file, which may be in it, may hold anything.
    subject = printable(f"[{config.newsletter.name}] {notices[0].subject}{more}")
    message_id = make_msgid(domain=sender.domain)
    head = (
        headers.mailbox("From", sender.name, sender.address),
        headers.mailbox("To", "", config.editor.email),
        headers.unstructured("Subject", subject),
        headers.verbatim("Date", format_datetime(now)),
        headers.verbatim("Message-ID", message_id),
        # Section 5: so that no autoresponder answers it.
        headers.verbatim("Auto-Submitted", "auto-generated"),
        b"MIME-Version: 1.0\r\n",
        b"Content-Type: text/plain; charset=utf-8\r\n",
        b"Content-Transfer-Encoding: quoted-printable\r\n\r\n",
    )
    body = quoted_printable.encode(body_of(notices)).encode("ascii") + b"\r\n"
    reverse_path = config.mail.bounce_address or sender.address
    return Message(reverse_path, config.editor.email, message_id, b"".join(head) + body)


def body_of(notices: Sequence[Notice]) -> str:
    """The text of several notices; with more than one, each below its subject."""
    if len(notices) == 1:
        return notices[0].text
    return _RULE.join(f"{notice.subject}\n\n{notice.text}" for notice in notices)
