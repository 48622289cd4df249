"""The list fields: how to leave, by whose list this is, and what answers of itself."""

import re
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

from lxml import html

from briefmail.audience import verify_token
from briefmail.checks.finding import Severity
from briefmail.checks.message.form import OURS
from briefmail.checks.message.providers import is_in
from briefmail.checks.proof import Proof
from briefmail.checks.rule import Found, rule
from briefmail.config import line_of

ONE_CLICK = "List-Unsubscribe=One-Click"
BULK = 5000
"""As many as Gmail and Outlook.com call bulk: a day's mail to their users."""
LIST_ID_LIMIT = 255
_URIS = re.compile(r"<([^<>\s]+)>(?:\s*,\s*<[^<>\s]+>)*")
_URI = re.compile(r"<([^<>\s]+)>")
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_LIST_ID = re.compile(rf"(?:[^<>]*\s)?<({_LABEL}(?:\.{_LABEL})+)>")


def _ways(proof: Proof) -> list[str]:
    """The URIs of List-Unsubscribe in their order."""
    return _URI.findall(proof.specimen.letter.one("List-Unsubscribe"))


def _web(proof: Proof) -> list[str]:
    return [uri for uri in _ways(proof) if uri.lower().startswith("https://")]


@rule("list-fields", "error", cure=OURS, source="RFC 2369 sections 2 and 3")
def list_fields(proof: Proof) -> Iterator[Found]:
    """A List field twice, or one that does not hold addresses in angle brackets.

    Readers' mail programs must ignore it then, and the button to leave is gone.
    """
    letter = proof.specimen.letter
    names = {field.name.lower(): field.name for field in letter.fields}
    for lower, name in names.items():
        if not lower.startswith("list-"):
            continue
        if (count := len(letter.all(name))) > 1:
            yield Found(f"the message has {count} {name} fields; one is allowed")
        value = letter.one(name)
        plain = lower in {"list-id", "list-unsubscribe-post"} or (lower, value) == (
            "list-post",
            "NO",
        )
        if not plain and not _URIS.fullmatch(value):
            yield Found(f"{name} is {value[:60]!r}, and not addresses in angle brackets")


@rule("list-id", "error", cure=OURS, source="RFC 2919 sections 2 to 4")
def list_id(proof: Proof) -> Iterator[Found]:
    """A message without a well-formed List-Id, by which readers file it."""
    value = proof.specimen.letter.one("List-Id")
    match = _LIST_ID.fullmatch(value)
    if not match:
        yield Found(f"List-Id is {value!r}, which is not 'Name <label.domain>'")
    elif len(match[1]) > LIST_ID_LIMIT:
        yield Found(f"List-Id has {len(match[1])} octets, and {LIST_ID_LIMIT} are allowed")


@rule(
    "list-id-domain",
    "warning",
    cure="give [newsletter] list_id a name in the sender's domain, before the first issue goes out",
    source="RFC 2919 section 2: only the owner of a domain may name lists in it",
)
def list_id_domain(proof: Proof) -> Iterator[Found]:
    """A List-Id in a domain that is not known to be ours.

    Ours are those of the sender, of the bounce address, of the newsletter's page, and of the link
    to leave.
    """
    config, match = proof.config, _LIST_ID.fullmatch(proof.specimen.letter.one("List-Id"))
    web = (config.newsletter.public_url, config.mail.unsubscribe_url)
    ours = {proof.edition.sender.domain, config.mail.bounce_address.rpartition("@")[2].lower()}
    ours |= {urlsplit(url).hostname or "" for url in web}
    ours = {domain.removeprefix("www.") for domain in ours if domain}
    if match and not any(is_in(match[1].lower(), domain) for domain in ours):
        line = line_of(config.path, "newsletter", "list_id") if config.path else None
        text = f"{match[1]} is not in {' or '.join(sorted(ours))}"
        yield Found(text, line, path=config.path)


@rule(
    "unsubscribe-missing",
    "error",
    cure="put {{ slots.unsubscribe_url }} back into templates/email/footer.html",
    source="PECR regulation 23; Gmail's rules for senders: a visible link; RFC 2369 section 3.2",
)
def unsubscribe_missing(proof: Proof) -> Iterator[Found]:
    """A reader cannot leave: no link in the page, none in the plain text, or no header field.

    All three must be the same way. Whoever finds none reports the mail as spam, and that counts
    against every later issue.
    """
    ways = _ways(proof)
    if not ways:
        yield Found("List-Unsubscribe names no way to leave", cure=OURS)
        return
    page = html.document_fromstring(proof.specimen.html or "<p></p>")
    links = [link for link in page.iter("a") if link.get("href") == ways[0]]
    if not any(str(text).strip() for link in links for text in link.itertext()):
        yield Found("the page has no link to leave by")
    if ways[0] not in proof.specimen.text:
        yield Found("the plain text has no link to leave by")


@rule("one-click", "error", cure=OURS, source="RFC 8058 sections 3.1 and 3.2")
def one_click(proof: Proof) -> Iterator[Found]:
    """A button to leave that cannot work: the two fields that make it do not go together.

    List-Unsubscribe must hold one https address, List-Unsubscribe-Post says that a POST to it is
    enough, and the address must make this reader leave, and nobody else.
    """
    letter, web = proof.specimen.letter, _web(proof)
    posts = letter.all("List-Unsubscribe-Post")
    if posts and posts != [ONE_CLICK]:
        yield Found(f"List-Unsubscribe-Post is {posts[0]!r}, and must be {ONE_CLICK!r}")
    if bool(posts) != (len(web) == 1):
        text = f"there are {len(web)} https addresses in List-Unsubscribe, and"
        yield Found(f"{text} {len(posts)} List-Unsubscribe-Post fields; there must be one of each")
    for url in web:
        if _who_leaves(proof, url) != proof.specimen.recipient.key:
            yield Found(f"{url[:60]}... is not {proof.specimen.recipient.address}'s way to leave")


def _who_leaves(proof: Proof, url: str) -> str | None:
    match = _LIST_ID.fullmatch(proof.specimen.letter.one("List-Id"))
    token = next(iter(parse_qs(urlsplit(url).query).get("t", [])), "")
    return verify_token(proof.config.secret, match[1], token) if match and token else None


@rule(
    "one-click-missing",
    "info",
    cure="set [mail] unsubscribe_url, and BRIEFMAIL_SECRET in .env",
    source="RFC 8058; Gmail's and Yahoo's rules for senders of 5,000 messages a day",
)
def one_click_missing(proof: Proof) -> Iterator[Found]:
    """Leaving takes a mail, and not one click.

    That is allowed, and much less work for a small list. Gmail and Yahoo ask senders of some 5,000
    messages a day for one click; from there on it is a warning.
    """
    if not _web(proof):
        severity: Severity | None = "warning" if proof.people >= BULK else None
        yield Found("a reader leaves by writing a mail", severity=severity)


@rule(
    "one-click-unsigned",
    "warning",
    cure="sign with a key of your own ([dkim]), or ask the relay's provider whether its signature"
    " covers List-Unsubscribe and List-Unsubscribe-Post, and if so silence this rule",
    source="RFC 8058 section 4 (must)",
)
def one_click_unsigned(proof: Proof) -> Iterator[Found]:
    """The button to leave needs a DKIM signature over both its fields, and we make none.

    Without it mailbox providers do not show the button. Most relays sign; not all sign these two.
    """
    if proof.config.relay and _web(proof) and not proof.config.dkim.keys:
        text = f"{proof.config.relay.host} must sign List-Unsubscribe and List-Unsubscribe-Post"
        yield Found(text)


@rule("auto-submitted", "warning", cure=OURS, source="RFC 3834 section 5")
def auto_submitted(proof: Proof) -> Iterator[Found]:
    """An issue that calls itself written by a machine: a person wrote it."""
    value = proof.specimen.letter.one("Auto-Submitted")
    if value and value.lower() != "no":
        yield Found(f"Auto-Submitted is {value}")


@rule("precedence", "warning", cure=OURS, source="RFC 3834 sections 2 and 3.1.8")
def precedence(proof: Proof) -> Iterator[Found]:
    """A Precedence field, which no standard has: List-Id says better that this is a list."""
    if value := proof.specimen.letter.one("Precedence"):
        yield Found(f"Precedence is {value}")
