"""``preview``: one recipient's message, taken apart again from the very bytes that would go out."""

import email
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import default

from briefmail.audience import Recipient
from briefmail.config import Config
from briefmail.edition import Edition, Message
from briefmail.newsletter.lists import find_recipient


@dataclass(frozen=True, slots=True)
class Preview:
    """An issue as one recipient gets it.

    ``text`` and ``html`` are the parts of ``message``; ``markdown`` is what the editor wrote,
    filled. ``html_size`` is the HTML part's number of bytes on the wire, encoded.
    """

    edition: Edition
    recipient: Recipient
    message: Message
    headers: tuple[tuple[str, str], ...]
    preheader: str
    markdown: str
    text: str
    html: str
    html_size: int
    pictures: dict[str, tuple[str, bytes]]
    """Embedded pictures by Content-ID: their type and bytes."""


def preview_issue(config: Config, edition: Edition, as_address: str | None) -> Preview:
    """Write the message of somebody on the list, else of the first there, and read it back."""
    return preview_copy(edition, find_recipient(config, as_address))


def preview_copy(edition: Edition, recipient: Recipient) -> Preview:
    """Write one recipient's message and read it back."""
    message = edition.message_for(recipient, inert=True)
    parsed = email.message_from_bytes(message.data, policy=default)
    assert isinstance(parsed, EmailMessage)
    return Preview(
        edition=edition,
        recipient=recipient,
        message=message,
        headers=tuple((name, str(value)) for name, value in parsed.items()),
        preheader=edition.preheader_for(recipient),
        markdown=edition.markdown_for(recipient),
        text=_text_of(parsed, "plain"),
        html=_text_of(parsed, "html"),
        html_size=_size_of(parsed, "html"),
        pictures={
            str(part["Content-ID"]).strip("<>"): (part.get_content_type(), part.get_content())
            for part in parsed.walk()
            if part["Content-ID"]
        },
    )


def _text_of(message: EmailMessage, subtype: str) -> str:
    part = message.get_body((subtype,))
    return str(part.get_content()) if part else ""


def _size_of(message: EmailMessage, subtype: str) -> int:
    part = message.get_body((subtype,))
    return len(str(part.get_payload())) if part else 0
