"""``check --dns``: whether the domains on the list take mail at all."""

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path

from briefmail.audience import Domain
from briefmail.checks.audience.listing import few, people
from briefmail.checks.names import Names, NamesUnavailableError, no_mail
from briefmail.checks.rule import Found, rule
from briefmail.store import memory_folder, replace_durably

CACHE_NAME = "dns.json"
KEPT = timedelta(days=1)
AT_ONCE = 20
BATCH = 500
TIME = 60.0
"""Seconds after which no further domain is asked for; the next check goes on from there."""

Known = dict[str, tuple[str, datetime]]
"""For a domain why it takes no mail, "" if it does, and when that was said."""


@dataclass(slots=True)
class MailDomains:
    """What is known of the domains of the list at ``path``.

    ``refusing`` take no mail, each with the reason. ``unknown`` were asked for without an answer,
    and ``late`` were not asked for: numbers.
    """

    path: Path
    refusing: list[tuple[Domain, str]] = field(default_factory=list)
    asked: int = 0
    unknown: int = 0
    late: int = 0


def ask_domains(
    domains: Iterable[Domain],
    path: Path,
    root: Path,
    names: Names,
    now: datetime,
    clock: Callable[[], float] = time.monotonic,
) -> MailDomains:
    """Ask for each domain of the list at ``path``, twenty at a time, for a minute at most.

    What was said is taken for true until a day later; it is written down in the memory of the
    newsletter in ``root``. Raises :class:`~briefmail.errors.StoreError` if that cannot be written.
    """
    result, cache = MailDomains(path), memory_folder(root) / CACHE_NAME
    known = _remembered(cache, now)
    before, deadline = len(known), clock() + TIME
    rest = iter(domains)
    with ThreadPoolExecutor(AT_ONCE) as threads:
        while batch := list(islice(rest, BATCH)):
            new = [one.name for one in batch if one.name not in known]
            if clock() > deadline:
                result.late += len(new)
            else:
                said = list(threads.map(lambda name: _said(names, name), new))
                known |= {
                    name: (why, now) for name, why in zip(new, said, strict=True) if why is not None
                }
                result.asked += len(new)
                result.unknown += said.count(None)
            result.refusing += [
                (one, known[one.name][0]) for one in batch if known.get(one.name, ("", now))[0]
            ]
    if len(known) > before:
        _remember(cache, known)
    return result


def _said(names: Names, domain: str) -> str | None:
    try:
        return no_mail(names, domain)
    except NamesUnavailableError:
        return None


@rule(
    "domain-no-mail",
    "warning",
    cure="ask the person for their address, or take the row out: mail to it comes back",
    source="RFC 5321 section 5.1 (MX, A, AAAA), RFC 7505 (null MX)",
)
def domain_no_mail(found: MailDomains) -> Iterator[Found]:
    """A domain that takes no mail: it does not exist, has no server, or says so itself.

    Asked only with ``--dns``. Many such bounces in one send make a mailbox provider distrust the
    sender.
    """
    refused = (
        Found(f"{domain.name} ({people(domain.people)}) {why}", domain.line, found.path)
        for domain, why in found.refusing
    )
    yield from few(refused, found.path)


@rule(
    "domain-unknown",
    "info",
    cure="check again later: what was answered is remembered for a day",
    source="what cannot be asked cannot be judged",
)
def domain_unknown(found: MailDomains) -> Iterator[Found]:
    """Domains for which the DNS gave no answer, or not in time."""
    if found.unknown:
        text = f"the DNS does not answer for {found.unknown:,} of {found.asked:,} domains"
        yield Found(text, path=found.path)
    if found.late:
        yield Found(f"{found.late:,} domains were not asked for: time was up", path=found.path)


# --- what was said yesterday ----------------------------------------------------------------------


def _remembered(path: Path, now: datetime) -> Known:
    """What is not a day old; nothing if the file is not what we wrote."""
    try:
        written = json.loads(path.read_text("utf-8"))
        found = {
            str(name): (str(why), datetime.fromisoformat(when))
            for name, (why, when) in written.items()
        }
        return {name: one for name, one in found.items() if timedelta() <= now - one[1] < KEPT}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _remember(path: Path, known: Mapping[str, tuple[str, datetime]]) -> None:
    rows = {name: (why, when.isoformat()) for name, (why, when) in known.items()}
    replace_durably(path, json.dumps(rows, indent=0) + "\n")
