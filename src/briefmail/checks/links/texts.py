"""What a link says: it is heard without its sentence by whoever goes from link to link by ear."""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from briefmail.checks.links.address import is_web
from briefmail.checks.proof import Proof
from briefmail.checks.reference import Link
from briefmail.checks.rule import Found, rule
from briefmail.issue import TOKEN

_SAYS_NOTHING = {
    *("here", "click", "click here", "this", "this link", "this page", "this one", "link", "more"),
    *("read more", "learn more", "find out more", "see more", "more info", "more information"),
    *("details", "continue reading", "read on", "go", "website", "url", "download", "source"),
    *("an seo", "an-seo", "tuilleadh", "leugh tuilleadh", "ceangal"),  # Gaelic
}
_ADDRESS = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
_BARE_HOST = re.compile(r"(?:[a-z0-9-]+\.)+[a-z]{2,24}", re.IGNORECASE)


@rule(
    "link-text",
    "warning",
    cure="say what is behind it: 'the harbour plan' and not 'here'; 'Read more: the harbour'",
    source="WCAG 2.2 success criterion 2.4.4; Buttondown's preflight",
)
def link_text(proof: Proof) -> Iterator[Found]:
    """A link text that says nothing: "here", "click here", a bare "read more".

    Screen readers list the links of a page, and ten times "here" is no list.
    """
    for link in proof.references.links:
        if re.sub(r"[\W_]+$|^[\W_]+", "", link.text).casefold() in _SAYS_NOTHING:
            yield Found(f"the link text {link.text!r} says nothing", link.line)


@rule(
    "link-text-address",
    "info",
    cure="put words there, and the address behind them",
    source="Buttondown's preflight",
)
def link_text_address(proof: Proof) -> Iterator[Found]:
    """A link whose text is its address.

    It is spelt out by a screen reader, and a long one widens the page on a phone. The plain-text
    part has every address anyway.
    """
    for link in proof.references.links:
        if _ADDRESS.fullmatch(link.text):
            yield Found(f"the link text is the address {proof.words(link.text)}", link.line)


@rule(
    "link-text-deceives",
    "warning",
    cure="let the text name the host that it leads to, or use words",
    source="SpamAssassin and Thunderbird take such a link for phishing",
)
def link_text_deceives(proof: Proof) -> Iterator[Found]:
    """A link text that names one host while the link leads to another."""
    for link in proof.references.links:
        said, meant = _host_of_text(link), _host(link.href)
        if said and meant and not TOKEN.search(meant) and not _same_site(said, meant):
            yield Found(f"the link says {link.text} and leads to {meant}", link.line)


def _host_of_text(link: Link) -> str:
    """The host that a text names; empty if it is no address."""
    if _ADDRESS.fullmatch(link.text):
        return _host(link.text if "://" in link.text else f"https://{link.text}")
    # "node.js" and "README.md" look like hosts; one that the address has in it is none.
    if _BARE_HOST.fullmatch(link.text) and link.text.rpartition(".")[2].lower() in _COMMON_ENDS:
        return link.text.lower()
    return ""


_COMMON_ENDS = {"com", "org", "net", "uk", "scot", "gov", "edu", "eu"}


def _host(href: str) -> str:
    try:
        host = urlsplit(href).hostname if is_web(href) else ""
    except ValueError:
        return ""
    return (host or "").lower().removeprefix("www.")


def _same_site(one: str, other: str) -> bool:
    one, other = one.removeprefix("www."), other.removeprefix("www.")
    return one == other or one.endswith(f".{other}") or other.endswith(f".{one}")
