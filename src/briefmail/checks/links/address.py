"""Where a link leads, as far as its address tells without asking anybody."""

import ipaddress
import re
from collections.abc import Iterator
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from briefmail.checks.nearness import distance, is_slip
from briefmail.checks.proof import Proof
from briefmail.checks.rule import Found, rule
from briefmail.config import ADDR_SPEC
from briefmail.issue import TOKEN

_PRIVATE_NAME = re.compile(r"(?:.*\.)?(?:localhost|local|internal|lan|home|test|invalid)", re.I)
_LABEL = re.compile(r"[^\W_](?:[\w-]{0,61}[^\W])?")
_SHORTENERS = {
    "bit.ly", "bl.ink", "buff.ly", "cutt.ly", "dlvr.it", "goo.gl", "is.gd", "ow.ly", "rb.gy",
    "rebrand.ly", "shorturl.at", "s.id", "t.co", "t.ly", "tiny.cc", "tinyurl.com", "v.gd",
}  # fmt: skip
_TRACKING = re.compile(
    r"utm_\w+|fbclid|gclid|dclid|msclkid|yclid|twclid|igshid|igsh|mc_cid|_hs(?:enc|mi)|mkt_tok|vero_id",
    re.IGNORECASE,
)
_PERSONAL = re.compile(r"mc_eid|mkt_tok|ck_subscriber_id|token|unsubscribe_token", re.IGNORECASE)


@rule(
    "link-syntax",
    "error",
    cure="copy the address again, whole, from the browser",
    source="RFC 3986 section 3.2; RFC 1034 section 3.5",
)
def link_syntax(proof: Proof) -> Iterator[Found]:
    """An address that cannot be one: a blank in it, two dots, a port that is no number.

    It is a warning where a sign at the end seems to belong to the sentence, and where a user's
    name and password are in it for everybody to read.
    """
    for href, line in _web_addresses(proof):
        if fault := fault_of(href):
            yield Found(f"{_shown(href, proof)} {fault}", line)
        elif re.search(r"[.,;:!'\"]$|%22$", href):
            yield Found(f"{_shown(href, proof)} ends in {href[-1]!r}", line, severity="warning")
        elif "@" in urlsplit(href).netloc:
            text = f"{_shown(href, proof)} tells everybody a user's name"
            yield Found(text, line, severity="warning")


@rule(
    "link-host",
    "error",
    cure="write the public address",
    source="RFC 6761; RFC 6762; RFC 1918",
)
def link_host(proof: Proof) -> Iterator[Found]:
    """A host that only its editor's own machine or network knows: localhost, a name without a dot.

    It works where it was written and nowhere else.
    """
    for href, line in _web_addresses(proof):
        host = "" if fault_of(href) else (urlsplit(href).hostname or "")
        if host and not TOKEN.search(host) and _is_private(host):
            yield Found(f"nobody else can reach {host} ({_shown(href, proof)})", line)


@rule(
    "link-anchor",
    "error",
    cure="link to a page on the web, or say in words where it stands",
    source="anchors inside a mail fail in Gmail's and Apple's apps even where they exist",
)
def link_anchor(proof: Proof) -> Iterator[Found]:
    """A link to a place in this mail that is not there.

    Headings have no anchors in a mail; only a folder's own templates can make one.
    """
    for link in proof.references.links:
        name = unquote(link.href.removeprefix("#"))
        if link.href.startswith("#") and not proof.page.xpath("//*[@id=$x or @name=$x]", x=name):
            yield Found(f"there is no place {link.href!r} in this mail", link.line)


@rule(
    "link-http",
    "warning",
    cure="try https:// in its place; nearly every site has it",
    source="mail and web programs mark http as not secure",
)
def link_http(proof: Proof) -> Iterator[Found]:
    """A link or a picture that is fetched without encryption.

    Anybody on the way can read and change it, and programs warn of it.
    """
    for href, line in _web_addresses(proof):
        if href.lower().startswith("http:") and not _is_private(_host(href) or "."):
            yield Found(f"{_shown(href, proof)} is not encrypted", line)


@rule(
    "link-shortener",
    "warning",
    cure="link to where it leads",
    source="Buttondown's preflight; block lists (URIBL, SURBL) list shorteners",
)
def link_shortener(proof: Proof) -> Iterator[Found]:
    """A link through a shortener.

    Spammers hide behind them, so filters count them against a mail; a reader cannot see where
    they lead, and one day they lead nowhere.
    """
    for href, line in _web_addresses(proof):
        if _host(href).removeprefix("www.") in _SHORTENERS:
            yield Found(f"{_shown(href, proof)} hides where it leads", line)


@rule(
    "link-tracking",
    "info",
    cure="cut the address at the first parameter that only counts",
    source="the parameters that ad networks and mailing services append",
)
def link_tracking(proof: Proof) -> Iterator[Found]:
    """An address with parameters that count readers (`utm_source`, `fbclid`).

    As a rule they came along when the address was copied, and count for somebody else. One that
    stands for a person (`mc_eid`) is a warning: it is the editor's own.
    """
    for href, line in _web_addresses(proof):
        names = [name for name, _ in parse_qsl(_split(href).query, keep_blank_values=True)]
        personal = [name for name in names if _PERSONAL.fullmatch(name)]
        found = personal or [name for name in names if _TRACKING.fullmatch(name)]
        if found:
            what = f"{_shown(href, proof)} carries {', '.join(found)}"
            yield Found(what, line, severity="warning" if personal else None)


@rule(
    "link-mail",
    "error",
    cure="correct the address",
    source="RFC 6068; RFC 5321 section 4.1.2",
)
def link_mail(proof: Proof) -> Iterator[Found]:
    """A `mailto:` link that has no address, or none that can be right.

    One that is nearly an address of the newsletter's own is a warning.
    """
    own = _own_addresses(proof)
    for link in proof.references.links:
        scheme, _, rest = link.href.partition(":")
        if scheme.lower() != "mailto" or TOKEN.search(rest.partition("?")[0]):
            continue
        for address in unquote(rest.partition("?")[0]).split(","):
            if not ADDR_SPEC.fullmatch(address.strip()):
                yield Found(f"{address!r} is not a mail address", link.line)
            elif meant := _nearly_own(address.strip().lower(), own):
                yield Found(f"{address} is probably {meant}", link.line, severity="warning")


@rule(
    "link-phone",
    "error",
    cure="write it like tel:+441592000000",
    source="RFC 3966",
)
def link_phone(proof: Proof) -> Iterator[Found]:
    """A `tel:` link that is no number."""
    for link in proof.references.links:
        scheme, _, number = link.href.partition(":")
        number = TOKEN.sub("000", unquote(number))
        if scheme.lower() == "tel" and not re.fullmatch(r"\+?[\d\s().#*;=a-z-]*\d.*", number):
            yield Found(f"{proof.words(link.href)!r} is no telephone number", link.line)


@rule(
    "link-field-host",
    "warning",
    cure="write the host, and leave the field to what follows it",
    source="what cannot be read cannot be checked; filters judge a mail by its hosts",
)
def link_field_host(proof: Proof) -> Iterator[Found]:
    """A link whose host comes from the list: a merge field decides where it leads.

    A slip in the list then sends a reader anywhere.
    """
    for href, line in _web_addresses(proof):
        if TOKEN.search(urlsplit(href).netloc if not fault_of(href) else ""):
            yield Found(f"who is linked to in {_shown(href, proof)} comes from the list", line)
    for link in proof.references.links:
        if TOKEN.match(link.href):
            yield Found(f"where {proof.words(link.href)!r} leads comes from the list", link.line)


def _web_addresses(proof: Proof) -> Iterator[tuple[str, int | None]]:
    """Every http(s) address of a link or a picture, with its line."""
    for link in proof.references.links:
        if is_web(link.href):
            yield link.href, link.line
    for picture in proof.references.pictures:
        if is_web(picture.src):
            yield picture.src, picture.line


def is_web(href: str) -> bool:
    """Whether an address is fetched over HTTP."""
    return href.lower().startswith(("http://", "https://"))


def fault_of(href: str) -> str:
    """What keeps an http(s) address from being one; empty if nothing does."""
    try:
        parts = urlsplit(href)
    except ValueError:
        return "is not an address"
    if re.search(r"\s|%20", parts.netloc) or re.search(r"\s", href):
        return "has a blank in it"
    if re.search(r"https?:/", parts.netloc + parts.path[:8], re.IGNORECASE):
        return "has https:// in it twice"
    try:
        _ = parts.port
    except ValueError:
        return "has a port that is no number up to 65535"
    return _fault_of_host(parts.hostname or "")


def _fault_of_host(host: str) -> str:
    if not host.strip("."):
        return "has no host"
    if ":" in host or TOKEN.search(host):  # an IPv6 address; a merge field
        return ""
    labels = host.removesuffix(".").split(".")
    bad = next((label for label in labels if not _LABEL.fullmatch(label)), None)
    if bad is None:
        return ""
    return f"has {bad!r} in its host" if bad else "has two dots beside each other"


def _is_private(host: str) -> bool:
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return "." not in host.strip(".") or bool(_PRIVATE_NAME.fullmatch(host))


def _split(href: str) -> SplitResult:
    return urlsplit("" if fault_of(href) else href)


def _host(href: str) -> str:
    return (_split(href).hostname or "").lower()


def _shown(href: str, proof: Proof) -> str:
    text = proof.words(href)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _own_addresses(proof: Proof) -> list[str]:
    settings = proof.config.newsletter
    boxes = (proof.edition.sender, proof.issue.reply_to, settings.sender, settings.reply_to)
    return sorted({box.address.lower() for box in boxes if box})


def _nearly_own(address: str, own: list[str]) -> str | None:
    if address in own:
        return None
    local, _, domain = address.partition("@")
    for one in own:
        own_local, _, own_domain = one.partition("@")
        if domain == own_domain and is_slip(local, own_local):
            return one
        if local == own_local and domain != own_domain and distance(domain, own_domain) <= 2:
            return one
    return None
