"""What the servers said that an issue links to: rules for ``check --links``."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from briefmail.checks.links.address import fault_of, is_web
from briefmail.checks.links.answer import Answer, Fault, page_of
from briefmail.checks.proof import Proof
from briefmail.checks.rule import Found, rule
from briefmail.issue import TOKEN
from briefmail.store import memory_folder, replace_durably

CACHE_NAME = "links.json"
KEPT = timedelta(days=1)
Fetch = Callable[[Iterable[str]], Mapping[str, Answer]]


@dataclass(frozen=True, slots=True)
class Visits:
    """Every use of an address in an issue, as ``(href, line)``, and what each page answered.

    Addresses with a merge field are not among them: they are different for everybody, and asking
    for somebody's own would tell the server of them, or even make them leave the list. Where
    nobody was heard of the servers that were asked, ``online`` is False: we may be the ones.
    """

    uses: tuple[tuple[str, int | None], ...]
    answers: Mapping[str, Answer]
    online: bool

    def each(self) -> Iterator[tuple[Answer, str, int | None]]:
        """Yield the answer for each use."""
        for href, line in self.uses:
            yield self.answers[page_of(href)], href, line


def visit_links(proof: Proof, fetch: Fetch | None = None) -> Visits:
    """Ask for every address in an issue and its theme, but for those that the settings allow.

    What was there is taken for there until a day later; it is written down in the memory's folder.
    Raises :class:`~briefmail.errors.StoreError` if that cannot be written.
    """
    if fetch is None:  # its HTTP client is loaded when it is wanted, and not with every command
        from briefmail.checks.links.fetching import fetch_all

        fetch = fetch_all
    allowed = proof.config.checks.allow_links
    uses = tuple(dict.fromkeys(use for use in _uses(proof) if not use[0].startswith(allowed)))
    pages = list(dict.fromkeys(page_of(href) for href, _ in uses))
    cache = memory_folder(proof.config.root) / CACHE_NAME if pages else Path(CACHE_NAME)
    known = _remembered(cache, proof.now)
    fetched = fetch([page for page in pages if page not in known])
    good = {url: (answer, proof.now) for url, answer in fetched.items() if answer.is_good}
    if good:
        _remember(cache, {**known, **good})
    answers = {page: fetched[page] if page in fetched else known[page][0] for page in pages}
    online = any(answer.status is not None for answer in fetched.values())
    return Visits(uses, answers, online)


@rule(
    "link-gone",
    "error",
    cure="look for where it has moved to, or take the link out",
    source="RFC 9110 sections 15.5.5 and 15.5.11 (404, 410)",
)
def link_gone(visits: Visits) -> Iterator[Found]:
    """A link to what is not there: the server says so, or there is no such server.

    Where nobody answers at all, this machine may be offline: then it is a warning.
    """
    for answer, href, line in visits.each():
        if answer.status in {404, 410}:
            yield Found(f"{href} is not there ({answer.status})", line)
        elif answer.fault in {"name", "address"}:
            text = f"there is no host {urlsplit(answer.final).hostname} ({href})"
            yield Found(text, line, severity=None if visits.online else "warning")


@rule(
    "link-fails",
    "warning",
    cure="try it in a browser; if it works there, put it into [checks] allow_links",
    source="RFC 9110 section 15.6 (5xx); RFC 9325 (TLS)",
)
def link_fails(visits: Visits) -> Iterator[Found]:
    """A link whose server fails: an error of its own, a bad certificate, no answer in time."""
    for answer, href, line in visits.each():
        if answer.status is not None and answer.status >= 500:
            yield Found(f"the server of {href} fails ({answer.status})", line)
        elif said := _FAULTS.get(answer.fault):
            yield Found(f"{href}: {said}", line)


@rule(
    "link-refused",
    "info",
    cure="look at it in a browser; to hear no more of it, put it into [checks] allow_links",
    source="RFC 9110 section 15.5: many sites turn programs away, and let people in",
)
def link_refused(visits: Visits) -> Iterator[Found]:
    """A link that its server shows people, perhaps, but not us: 401, 403, 429 and the like.

    Whoever has no login, if it needs one, sees nothing either.
    """
    for answer, href, line in visits.each():
        if answer.status and 400 <= answer.status < 500 and answer.status not in {404, 410}:
            yield Found(f"the server of {href} would not show it to us ({answer.status})", line)


@rule(
    "link-moved",
    "info",
    cure="link to the new address",
    source="RFC 9110 sections 15.4.2 and 15.4.9 (301, 308)",
)
def link_moved(visits: Visits) -> Iterator[Found]:
    """A link to what has moved for good.

    If it leads to a site's front page now, and did not before, what was there is probably gone:
    that is a warning.
    """
    for answer, href, line in visits.each():
        if answer.is_good and page_of(answer.final) != page_of(href):
            if _is_deep(href) and not _is_deep(answer.final):
                text = f"{href} leads to the front page {answer.final} now"
                yield Found(text, line, severity="warning")
            elif answer.permanent:
                yield Found(f"{href} has moved to {answer.final}", line)


_FAULTS: Mapping[Fault, str] = {
    "connection": "no connection",
    "tls": "its certificate is not good, or TLS fails",
    "timeout": "no answer in time",
    "redirects": "redirects without end",
    "late": "not asked, time was up",
}


def _is_deep(href: str) -> bool:
    parts = urlsplit(href)
    return bool(parts.path.strip("/") or parts.query)


def _uses(proof: Proof) -> Iterator[tuple[str, int | None]]:
    references = proof.references
    own = [(link.href, link.line) for link in references.links]
    own += [(picture.src, picture.line) for picture in references.pictures]
    known = {href for href, _ in own}
    theme = [element.get("href") or element.get("src") for element in proof.page.iter("a", "img")]
    theirs = [(href, None) for href in theme if href and href not in known]
    for href, line in (*own, *theirs):
        if is_web(href) and not TOKEN.search(href) and not fault_of(href):
            yield href, line


# --- what was there yesterday ---------------------------------------------------------------------


def _remembered(path: Path, now: datetime) -> dict[str, tuple[Answer, datetime]]:
    """The answers that are not a day old; none if the file is not what we wrote."""
    try:
        written = json.loads(path.read_text("utf-8"))
        found = {row["url"]: (Answer(**row), datetime.fromisoformat(when)) for row, when in written}
        return {url: (one, when) for url, (one, when) in found.items() if _is_fresh(when, now)}
    except (OSError, ValueError, TypeError, KeyError):
        return {}


def _is_fresh(when: datetime, now: datetime) -> bool:
    return timedelta() <= now - when < KEPT


def _remember(path: Path, answers: Mapping[str, tuple[Answer, datetime]]) -> None:
    rows = [(asdict(answer), when.isoformat()) for answer, when in answers.values()]
    replace_durably(path, json.dumps(rows, indent=1) + "\n")
