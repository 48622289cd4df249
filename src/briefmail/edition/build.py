"""An issue becomes an edition: rendered, inlined and encoded once, then filled for each person."""

import hashlib
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from email.utils import make_msgid
from pathlib import Path
from typing import TypeVar

from briefmail.audience import Recipient
from briefmail.config import CONFIG_NAME, Config, Mailbox
from briefmail.edition.dress import dress
from briefmail.edition.inline import inline_css
from briefmail.edition.leaving import Leaving
from briefmail.edition.merge import (
    UNSUBSCRIBE_FIELD,
    FillError,
    MergeTags,
    compile_source,
    header_source,
)
from briefmail.edition.message import Message
from briefmail.edition.parts import Attachment, find_attachments
from briefmail.edition.places import html_containers
from briefmail.edition.text import plain_text
from briefmail.edition.theme import Theme
from briefmail.edition.wire import Envelope, WireTemplate, build_body
from briefmail.errors import IssueError, MergeError, Problem
from briefmail.issue import STATEMENT_TOKEN, TOKEN, Content, Issue, Node, Tag, plain

T = TypeVar("T")

TEST_MARK = "[Test] "
PREHEADER_LENGTH = 110
DEFAULT_ADDRESS = "newsletter@example.org"
"""Who mail comes from in the sandbox while the editor has set nothing; never over a relay."""


@dataclass(frozen=True, slots=True)
class Edition:
    """An issue rendered, with no recipient in it yet.

    ``html`` and ``text`` are the two parts with tokens in the place of merge fields.
    ``fingerprint`` changes when anything that a reader could see changes.
    """

    issue: Issue
    html: str
    text: str
    fingerprint: str
    sender: Mailbox
    preheader: str
    _wire: WireTemplate
    _tags: MergeTags

    @property
    def name(self) -> str:
        """What the ledger knows it by."""
        return self.issue.name

    def message_for(self, recipient: Recipient, *, inert: bool = False) -> Message:
        """Write one recipient's message. The same recipient always has the same Message-ID.

        ``inert`` takes the effect out of the links for leaving, for a preview. Raises
        :class:`MergeError` when a field that the issue needs is missing.
        """
        message_id = self._message_id(recipient)
        return self._filled(recipient, lambda: self._wire.fill(recipient, message_id, inert=inert))

    def size_for(self, recipient: Recipient) -> int:
        """How many octets one recipient's message has; :class:`MergeError` as for the message.

        It is filled for that, and costs less than to write it.
        """
        message_id = self._message_id(recipient)
        return self._filled(recipient, lambda: self._wire.size(recipient, message_id))

    def _message_id(self, recipient: Recipient) -> str:
        identity = f"{self._wire.list_id}\n{self.name}\n{recipient.key}".encode()
        return f"<{hashlib.sha256(identity).hexdigest()[:32]}@{self.sender.domain}>"

    def test_message(self, recipient: Recipient, to: str) -> Message:
        """Write ``recipient``'s message to the address ``to``, marked and with inert links."""
        message_id = make_msgid(domain=self.sender.domain)
        return self._filled(
            recipient,
            lambda: self._wire.fill(recipient, message_id, to=to, mark=TEST_MARK, inert=True),
        )

    def copy_for(self, recipient: Recipient, to: str) -> Message:
        """Write ``recipient``'s message to the address ``to``, unmarked and with inert links."""
        message_id = make_msgid(domain=self.sender.domain)
        return self._filled(
            recipient, lambda: self._wire.fill(recipient, message_id, to=to, inert=True)
        )

    def subject_for(self, recipient: Recipient) -> str:
        """The subject as one recipient sees it; :class:`MergeError` as for the message."""
        return self._filled(recipient, lambda: self._wire.subject(recipient.fields))

    def preheader_for(self, recipient: Recipient) -> str:
        """The line after the subject in the inbox, as one recipient sees it."""
        return self._filled_text(self.preheader, recipient)

    def markdown_for(self, recipient: Recipient) -> str:
        """The Markdown that the editor wrote, filled for one recipient; for a terminal."""
        return self._filled_text(self.issue.markdown, recipient).replace("\r\n", "\n")

    def unknown_fields(self, columns: Iterable[str]) -> list[Problem]:
        """Name the fields without a default that a list with these columns cannot fill."""
        return self._tags.unknown_fields(columns)

    def defaults(self) -> dict[str, int]:
        """The fields that are printed with a default, each with the first line that does so."""
        return self._tags.defaults()

    def _filled_text(self, text: str, recipient: Recipient) -> str:
        template = compile_source(header_source(text, self._tags))
        return self._filled(recipient, lambda: template.render(recipient.fields))

    def _filled(self, recipient: Recipient, fill: Callable[[], T]) -> T:
        try:
            return fill()
        except FillError as error:
            raise MergeError(self._tags.refused(error, recipient.fields)) from None
        except Exception as error:  # what a comparison or a filter makes of a value
            problem = self._tags.diagnose(recipient.fields)
            if problem is None:
                raise
            raise MergeError([problem]) from error


# --- building -------------------------------------------------------------------------------------


def build_edition(issue: Issue, config: Config, now: datetime) -> Edition:
    """Render and inline an issue, once. ``now`` becomes the Date of its messages.

    Raises :class:`InputError` with all problems of its tags, pictures, attachments or templates.
    """
    slots = _slots(issue)
    tags = MergeTags([*issue.tags, *slots.values()], issue.path)
    _stop(tags.problems)
    theme = Theme(config)
    preheader = issue.preheader or _preheader(issue)
    page = theme.page(issue, {name: tag.token for name, tag in slots.items()}, preheader)
    _stop(_strangers(page, [*issue.tags, *slots.values()], config))
    dressed = dress(page, issue, config.root, theme)
    html = inline_css(dressed.page, issue.path)
    tags.check_nesting([(token, "subject") for token in TOKEN.findall(issue.subject)])
    tags.check_nesting(html_containers(html))
    _stop([*tags.problems, *_lost(issue, html)])
    words = theme.words(issue)
    text = plain_text(issue, config.newsletter, words, slots["unsubscribe_url"].token)
    attachments = _attachments(issue, config.root)
    body = build_body(text, html, tags, dressed.images, attachments)
    envelope = _envelope(issue, config)
    leaving = Leaving(
        address=config.mail.unsubscribe_address or (envelope.reply_to or envelope.sender).address,
        word=words["unsubscribe_subject"],
        list_id=envelope.list_id,
        url=config.mail.unsubscribe_url,
        secret=config.secret,
    )
    wire = WireTemplate(envelope, leaving, issue.subject, body, tags, now)
    fingerprint = _fingerprint(issue, envelope, html, text, attachments)
    return Edition(issue, html, text, fingerprint, envelope.sender, preheader, wire, tags)


def _slots(issue: Issue) -> dict[str, Tag]:
    """The places that every template has for a recipient's own values."""
    fields = {"unsubscribe_url": UNSUBSCRIBE_FIELD, "email": "email"}
    return {
        name: Tag(f"bm{issue.nonce}e{9990 + index}x", "{{ " + field + " }}", "expression", 1)
        for index, (name, field) in enumerate(fields.items())
    }


def _stop(problems: Iterable[Problem]) -> None:
    found = sorted(set(problems), key=lambda problem: (problem.line or 0, problem.text))
    if found:
        raise IssueError(found)


def _strangers(page: str, tags: Iterable[Tag], config: Config) -> Iterator[Problem]:
    """Name words that look like the tokens of tags and are none: settings or a template hold them.

    What the issue itself holds was looked at when it was read.
    """
    for word in sorted(set(TOKEN.findall(page)) - {tag.token for tag in tags}):
        path = config.path or config.root / CONFIG_NAME
        yield Problem(path, None, f"the word {word} in the settings or a template cannot be used")


def _lost(issue: Issue, html: str) -> Iterator[Problem]:
    """Name the tags that are in the text, and would be in its part, but not on the page."""
    shown = set(TOKEN.findall(html))
    texts = [text for n in issue.nodes() for text in (n.text, *n.attributes.values())]
    lost = set(TOKEN.findall("\n".join(texts))) - shown
    for tag in issue.tags:
        if tag.token in lost:
            yield Problem(issue.path, tag.line, f"{tag.source} cannot be used in this place")


def _preheader(issue: Issue) -> str:
    """The first words of the issue, for an editor who wrote no preheader."""
    for node in _for_everybody(issue):
        words = plain([node]) if node.kind == "paragraph" else ""
        if words and not STATEMENT_TOKEN.search(words):
            if len(words) <= PREHEADER_LENGTH:
                return words
            # Some languages have no blanks to cut at; a token is not cut either.
            start = words[:PREHEADER_LENGTH].rpartition(" ")[0]
            return (start or TOKEN.split(words)[0][:PREHEADER_LENGTH]) + "…"
    return ""


def _for_everybody(issue: Issue) -> Iterator[Node]:
    """The nodes before the first condition around blocks: what comes later may not be for all."""
    contents: list[tuple[Content, tuple[str, ...]]] = [(issue.introduction, ())]
    for section in issue.sections:
        contents.append((section.introduction, section.before))
        for story in section.stories:
            contents += [(story.teaser, story.before), (story.rest, ())]
    for content, condition in contents:
        if condition:
            return
        for node in content.walk():
            if node.kind == "statement":
                return
            yield node


def _envelope(issue: Issue, config: Config) -> Envelope:
    settings = config.newsletter
    sender = issue.sender or settings.sender or Mailbox(settings.name, DEFAULT_ADDRESS)
    return Envelope(
        sender=sender,
        reply_to=issue.reply_to or settings.reply_to,
        bounce_address=config.mail.bounce_address or sender.address,
        list_name=settings.name,
        list_id=settings.list_id or f"{_label(settings.name)}.{sender.domain}",
    )


def _label(name: str) -> str:
    """The newsletter's name as a domain label, for List-Id (RFC 2919 section 3)."""
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", ascii_name).strip("-")[:60] or "newsletter"


def _attachments(issue: Issue, root: Path) -> list[Attachment]:
    found = find_attachments(issue, root)
    _stop(item for item in found if isinstance(item, Problem))
    return [item for item in found if isinstance(item, Attachment)]


def _fingerprint(
    issue: Issue, envelope: Envelope, html: str, text: str, attachments: Iterable[Attachment]
) -> str:
    # Pictures are in it by their content ids, which are made of their bytes.
    seen = "\0".join((str(envelope.sender), str(envelope.reply_to), issue.subject, html, text))
    # The tokens hold a digest of the whole file, comments and status included.
    seen = seen.replace(f"bm{issue.nonce}", "")
    digest = hashlib.sha256("\0".join((seen, *(tag.source for tag in issue.tags))).encode())
    for attachment in attachments:
        digest.update(attachment.path.name.encode() + hashlib.sha256(attachment.data).digest())
    return digest.hexdigest()
