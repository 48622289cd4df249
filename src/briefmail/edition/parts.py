"""The parts of a message that are the same for everybody: pictures and attachments (RFC 2045)."""

import mimetypes
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

from briefmail.edition.dress import EmbeddedImage, find_file
from briefmail.errors import Problem
from briefmail.issue import Issue


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that travels with the mail."""

    path: Path
    mime_type: str
    data: bytes


def find_attachments(issue: Issue, root: Path) -> list[Attachment | Problem]:
    """Read the files that the front matter names, or say which is not there."""
    found: list[Attachment | Problem] = []
    for name in issue.attachments:
        path = find_file(name, issue.path, root)
        if path is None:
            text = f"the attachment {name} is not in the folder"
            found.append(Problem(issue.path, issue.lines.get("attachments"), text))
        else:
            found.append(Attachment(path, _mime_type(path), path.read_bytes()))
    return found


def _mime_type(path: Path) -> str:
    mime_type, compression = mimetypes.guess_type(path.name)
    # RFC 2046 sections 5.1 and 5.2.1: a message or multipart must not be base64, as all here is.
    if not mime_type or compression or mime_type.startswith(("message/", "multipart/")):
        return "application/octet-stream"
    return mime_type


def image_part(image: EmbeddedImage) -> bytes:
    """Write a picture as a body part that the page shows by its Content-ID (RFC 2392)."""
    part = _part(image.path, image.mime_type, image.data, "inline")
    part["Content-ID"] = f"<{image.content_id}>"
    return part.as_bytes(policy=SMTP)


def attachment_part(attachment: Attachment) -> bytes:
    """Write an attachment as a body part; a name that is not ASCII goes by RFC 2231."""
    return _part(attachment.path, attachment.mime_type, attachment.data, "attachment").as_bytes(
        policy=SMTP
    )


def _part(path: Path, mime_type: str, data: bytes, disposition: str) -> EmailMessage:
    part = EmailMessage()
    main, _, sub = mime_type.partition("/")
    part.set_content(data, main, sub, disposition=disposition, filename=path.name, cte="base64")
    del part["MIME-Version"]
    return part
