"""The wire template: everything of a message that can be encoded before its recipient is known.

Both texts are quoted-printable already and hold Jinja2 tags where values go, so a recipient
costs a few values spliced in: tens of microseconds. Lines are legal whatever the values are,
and end in CRLF (RFC 5322 section 2.3).
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime

from jinja2 import Template

from briefmail.audience import Recipient
from briefmail.config import Mailbox
from briefmail.edition import headers
from briefmail.edition.dress import EmbeddedImage
from briefmail.edition.leaving import Leaving
from briefmail.edition.merge import (
    UNSUBSCRIBE_FIELD,
    MergeTags,
    compile_source,
    encoded_source,
    header_source,
)
from briefmail.edition.message import Message
from briefmail.edition.parts import Attachment, attachment_part, image_part
from briefmail.edition.places import bare_statements, html_places, text_places
from briefmail.issue import TOKEN


@dataclass(frozen=True, slots=True)
class Envelope:
    """Who a message comes from and what list it belongs to."""

    sender: Mailbox
    reply_to: Mailbox | None
    bounce_address: str
    list_name: str
    list_id: str


class WireTemplate:
    """An edition's bytes, waiting for a recipient."""

    def __init__(
        self,
        envelope: Envelope,
        leaving: Leaving,
        subject: str,
        body: "Body",
        tags: MergeTags,
        now: datetime,
    ) -> None:
        self._envelope = envelope
        self.list_id = envelope.list_id
        self._leaving = leaving
        self._body = body.template
        self._tail = body.tail
        self._subject_template = (
            compile_source(header_source(subject, tags)) if TOKEN.search(subject) else None
        )
        self._subject = subject
        self._subject_field = (
            b"" if self._subject_template else headers.unstructured("Subject", subject)
        )
        self._from = headers.mailbox("From", envelope.sender.name, envelope.sender.address)
        self._reply_to = (
            headers.mailbox("Reply-To", envelope.reply_to.name, envelope.reply_to.address)
            if envelope.reply_to
            else b""
        )
        self._date = headers.verbatim("Date", format_datetime(now))
        self._list_id = headers.identifier("List-Id", envelope.list_name, envelope.list_id)
        self._mime = b"MIME-Version: 1.0\r\n" + body.content_type + b"\r\n"

    def fill(
        self,
        recipient: Recipient,
        message_id: str,
        *,
        to: str = "",
        mark: str = "",
        inert: bool = False,
    ) -> Message:
        """Write one recipient's message; FillError (see merge) when a field is missing.

        ``to`` sends the recipient's copy to another address, ``mark`` is put before the subject,
        and ``inert`` takes the effect out of the links for leaving.
        """
        head, body = self._own(recipient, message_id, to=to, mark=mark, inert=inert)
        data = b"".join((*head, body.encode("ascii"), self._tail))
        return Message(self._envelope.bounce_address, to or recipient.address, message_id, data)

    def size(self, recipient: Recipient, message_id: str) -> int:
        """How many octets the recipient's message has; FillError as :meth:`fill`.

        What is the same for everybody, pictures above all, is not copied for it.
        """
        head, body = self._own(recipient, message_id, to="", mark="", inert=False)
        return sum(map(len, head)) + len(body) + len(self._tail)

    def _own(
        self, recipient: Recipient, message_id: str, *, to: str, mark: str, inert: bool
    ) -> tuple[tuple[bytes, ...], str]:
        """The header, and what is filled in of the body, which is ASCII."""
        link, leaving = self._leaving.ways(recipient, inert=inert)
        fields = {**recipient.fields, UNSUBSCRIBE_FIELD: link}
        head = (
            self._from,
            headers.mailbox("To", "" if to else recipient.name, to or recipient.address),
            self._reply_to,
            self._subject_for(fields, mark),
            self._date,
            headers.verbatim("Message-ID", message_id),
            self._list_id,
            leaving,
            self._mime,
        )
        return head, self._body.render(fields)

    def subject(self, fields: Mapping[str, str]) -> str:
        """The subject as one recipient sees it."""
        return self._subject_template.render(fields) if self._subject_template else self._subject

    def _subject_for(self, fields: Mapping[str, str], mark: str) -> bytes:
        if self._subject_field and not mark:
            return self._subject_field
        return headers.unstructured("Subject", mark + self.subject(fields))


# --- the body -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Body:
    """A body with its slots, what follows it for everybody, and the type of the whole."""

    template: Template
    tail: bytes
    content_type: bytes


def build_body(
    text: str,
    page: str,
    tags: MergeTags,
    images: Sequence[EmbeddedImage] = (),
    attachments: Sequence[Attachment] = (),
) -> Body:
    """Encode the two texts and put the parts together.

    The form is ``mixed(alternative(text, related(html, pictures)), attachments)``, each
    container only where something is in it (RFC 2046 section 5.1.4, RFC 2387).
    """
    boundary = _boundary(text, page)
    bare = bare_statements(page)
    pieces = [
        _text_head("plain"),
        encoded_source(text, text_places(text), tags),
        f"\r\n--{boundary}a\r\n",
        _container("related", f"{boundary}r", '; type="text/html"') + "\r\n" if images else "",
        f"--{boundary}r\r\n" if images else "",
        _text_head("html"),
        encoded_source(bare, html_places(bare), tags),
    ]
    tail = b""
    if images:
        tail += _closed([image_part(image) for image in images], f"{boundary}r")
    tail += f"\r\n--{boundary}a--\r\n".encode()
    content_type = _container("alternative", f"{boundary}a")
    opening = f"--{boundary}a\r\n"
    if attachments:
        opening = f"--{boundary}m\r\n{content_type}\r\n{opening}"
        content_type = _container("mixed", f"{boundary}m")
        tail += _closed([attachment_part(part) for part in attachments], f"{boundary}m")
    template = compile_source(opening + "".join(pieces))
    return Body(template, tail, content_type.encode("ascii"))


def _text_head(subtype: str) -> str:
    return (
        f'Content-Type: text/{subtype}; charset="utf-8"\r\n'
        "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
    )


def _container(subtype: str, boundary: str, extra: str = "") -> str:
    return f'Content-Type: multipart/{subtype};\r\n boundary="{boundary}"{extra}\r\n'


def _closed(parts: Sequence[bytes], boundary: str) -> bytes:
    """The further parts of a container, and its end."""
    mark = f"\r\n--{boundary}".encode()
    return b"".join(mark + b"\r\n" + part for part in parts) + mark + b"--\r\n"


def _boundary(text: str, page: str) -> str:
    """A boundary that no part can hold: quoted-printable has no "=_" (RFC 2045 section 6.7)."""
    return "=_" + hashlib.sha256((text + page).encode()).hexdigest()[:24]
