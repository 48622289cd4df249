"""A proof: an edition laid out for reading before it goes out, as a printer's is."""

import email
import email.message
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import default

from lxml import html

from briefmail.audience import Recipient
from briefmail.checks.letter import Letter, read_letter
from briefmail.checks.passage import Passage, passages_of
from briefmail.checks.places import Places
from briefmail.checks.reference import References, references_of
from briefmail.config import Config
from briefmail.edition import Edition, Message
from briefmail.issue import Issue, Node, show_tags


@dataclass(frozen=True, slots=True)
class Specimen:
    """One person's copy, taken apart again from the very bytes that would go out.

    ``letter`` is its bytes as our own reader reads them, ``parsed`` as Python's does. ``html`` and
    ``text`` are its two parts, decoded; ``html_size`` is the number of bytes that the HTML part
    has on the wire, encoded.
    """

    recipient: Recipient
    message: Message
    letter: Letter
    parsed: EmailMessage
    subject: str
    preheader: str
    html: str
    text: str
    html_size: int

    @property
    def pictures(self) -> dict[str, email.message.Message]:
        """The pictures that travel with the mail, by the ``cid:`` address that shows them."""
        parts = self.parsed.walk()
        return {f"cid:{one['Content-ID'].strip('<>')}": one for one in parts if one["Content-ID"]}


@dataclass(frozen=True, slots=True)
class Proof:
    """An issue, what became of it, and one copy of it.

    ``page`` is the finished HTML with tokens in the place of merge fields, as a tree: every branch
    of every condition is in it. ``specimen`` is the largest copy of those on the list.
    ``earlier`` are the other issues of the folder that could be read and are dated before this
    one, the newest first, and ``people`` how many are to get it. ``places`` says where what the
    page shows was written. ``passages`` are the issue's running text, and ``references`` its links
    and pictures, each with its line.
    """

    issue: Issue
    edition: Edition
    config: Config
    page: html.HtmlElement
    specimen: Specimen
    now: datetime
    places: Places
    passages: tuple[Passage, ...]
    references: References
    earlier: tuple[Issue, ...] = ()
    people: int = 0

    @property
    def language(self) -> str:
        """The language of the issue without its region: ``en``, ``gd``."""
        lang = self.issue.lang or self.config.newsletter.lang
        return lang.partition("-")[0].lower()

    def words(self, text: str) -> str:
        """``text`` with merge tags as the editor wrote them in the place of tokens."""
        return show_tags(text, self.issue.tags)

    def nodes(self, *kinds: str) -> Iterator[Node]:
        """Yield the nodes of these kinds in reading order; each knows its line."""
        return (node for node in self.issue.nodes() if node.kind in kinds)

    def line_of_key(self, key: str) -> int | None:
        """The line of a front matter key; None if it is not there."""
        return self.issue.lines.get(key)

    def line_of_text(self, text: str) -> int | None:
        """The first line of the issue's Markdown with ``text`` on it; None if there is none."""
        before, found, _ = self.issue.markdown.partition(text)
        return self.issue.markdown_line + before.count("\n") if found else None

    def line_of(self, element: html.HtmlElement) -> int | None:
        """The line in the issue of what an element of the page shows; None if it is the theme's.

        Of several that are alike it is the one in the same place of the reading order.
        """
        return self.places.line_of(element)


def proof_of(
    edition: Edition,
    config: Config,
    recipient: Recipient,
    now: datetime,
    earlier: tuple[Issue, ...] = (),
    people: int = 0,
) -> Proof:
    """Lay an edition out, with ``recipient``'s copy as its specimen.

    Raises :class:`~briefmail.errors.MergeError` if that copy cannot be filled.
    """
    issue = edition.issue
    page = html.document_fromstring(edition.html)
    return Proof(
        issue=issue,
        edition=edition,
        config=config,
        page=page,
        specimen=specimen_of(edition, recipient, edition.message_for(recipient)),
        now=now,
        places=Places(issue, page, config.root),
        passages=passages_of(issue),
        references=references_of(issue),
        earlier=earlier,
        people=people,
    )


def specimen_of(edition: Edition, recipient: Recipient, message: Message) -> Specimen:
    """Take ``message``, which is ``recipient``'s copy of an edition, apart."""
    parsed = email.message_from_bytes(message.data, policy=default)
    assert isinstance(parsed, EmailMessage)
    page, text = parsed.get_body(("html",)), parsed.get_body(("plain",))
    return Specimen(
        recipient,
        message,
        read_letter(message.data),
        parsed,
        edition.subject_for(recipient),
        edition.preheader_for(recipient),
        str(page.get_content()) if page else "",
        str(text.get_content()) if text else "",
        len(str(page.get_payload())) if page else 0,
    )
