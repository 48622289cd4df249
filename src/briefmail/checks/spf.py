"""SPF records (RFC 7208): read as far as their owner can get them wrong."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from briefmail.checks.names import Names

LOOKUPS = 10
"""Section 4.6.4: a record that needs more look-ups is as good as none."""
_TERM = re.compile(
    r"(?P<result>[+?~-]?)(?P<name>all|include|a|mx|ptr|ip4|ip6|exists)(?:[:/](?P<value>\S+))?"
    r"|(?P<modifier>redirect|exp|[a-z][a-z0-9._-]*)=(?P<target>\S*)",
    re.IGNORECASE,
)
_ASKING = {"include", "a", "mx", "ptr", "exists"}


@dataclass(frozen=True, slots=True)
class Term:
    """A mechanism or modifier. ``result`` is ``+`` ``-`` ``~`` or ``?``; "" for a modifier."""

    name: str
    value: str
    result: str


def spf_records(names: Names, domain: str) -> list[str]:
    """Return the texts of a domain that are SPF records: there should be one (section 4.5)."""
    return [
        text
        for text in names.records(domain, "TXT")
        if re.match(r"v=spf1(?: |$)", text, re.IGNORECASE)
    ]


def terms(record: str) -> list[Term | str]:
    """Return what a record says; a word that it cannot have stays text."""
    found: list[Term | str] = []
    for word in record.split()[1:]:
        match = _TERM.fullmatch(word)
        if match is None:
            found.append(word)
        elif match["modifier"]:
            found.append(Term(match["modifier"].lower(), match["target"], ""))
        else:
            found.append(Term(match["name"].lower(), match["value"] or "", match["result"] or "+"))
    return found


def included(names: Names, record: str) -> Iterator[str]:
    """Yield the domains that a record refers to, and those that these refer to, and so on.

    It ends after more than :data:`LOOKUPS`, which is too many in any case.
    """
    left, seen = [record], 0
    while left:
        for term in terms(left.pop()):
            if isinstance(term, Term) and term.name in {"include", "redirect"}:
                seen += 1
                yield term.value.lower()
                if seen > LOOKUPS:
                    return
                left += spf_records(names, term.value)[:1]


def lookups(names: Names, domain: str, record: str) -> int:
    """Count the look-ups that a receiver has to make for a record (section 4.6.4)."""
    records = [
        record,
        *(r for name in included(names, record) for r in spf_records(names, name)[:1]),
    ]
    return sum(
        isinstance(term, Term) and (term.name in _ASKING or term.name == "redirect")
        for each in records
        for term in terms(each)
    )
