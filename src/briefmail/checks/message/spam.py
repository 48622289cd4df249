"""What a spam filter on this machine says: SpamAssassin or rspamd, whichever is installed."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from briefmail.checks.finding import Severity
from briefmail.checks.rule import Found, rule
from briefmail.errors import UsageError

TIMEOUT = 60.0
"""Seconds that a filter may take; SpamAssassin reads its rules first, which takes one or two."""
_REPORT_SCORE = re.compile(r"\((-?[\d.]+) points?, (-?[\d.]+) required\)")
_SPAMC_SCORE = re.compile(r"^(-?[\d.]+)/(-?[\d.]+)\s*$", re.MULTILINE)
_REPORT_RULE = re.compile(
    r"^\s*(-?\d+(?:\.\d+)?) ([A-Z][A-Z0-9_]+)\s+(.*(?:\n {10,}\S.*)*)$", re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class SpamVerdict:
    """What a filter said: the points, from how many on it is spam, and what they are for.

    ``named`` is ``(rule, points, what it says)`` for each rule that counts against the message.
    ``required`` is 0 if the filter gave no verdict, and ``fault`` says why.
    """

    filter: str
    score: float = 0.0
    required: float = 0.0
    named: tuple[tuple[str, float, str], ...] = ()
    fault: str = ""


@dataclass(frozen=True, slots=True)
class SpamFilter:
    """A filter: its name, the command that reads a message, and how its answer is read."""

    name: str
    command: tuple[str, ...]
    read: Callable[[str], SpamVerdict | None]


def ask_filter(data: bytes, filters: Sequence[SpamFilter] | None = None) -> SpamVerdict:
    """Give a message to the first filter that is installed and answers; within a minute each.

    SpamAssassin is asked to look nothing up on the network. Raises :class:`UsageError` if no
    filter is installed.
    """
    installed = [one for one in filters or FILTERS if shutil.which(one.command[0])]
    if not installed:
        raise UsageError(
            "there is no spam filter on this machine",
            hint="install SpamAssassin (the package spamassassin) or rspamd, or leave --spam out",
        )
    verdict = SpamVerdict("")
    for one in installed:
        verdict = _ask(one, data)
        if not verdict.fault:
            break
    return verdict


def _ask(one: SpamFilter, data: bytes) -> SpamVerdict:
    try:
        done = subprocess.run(  # noqa: S603 -- the commands are those below
            one.command, input=data, capture_output=True, timeout=TIMEOUT, check=False
        )
    except subprocess.TimeoutExpired:
        return SpamVerdict(one.name, fault=f"it did not answer within {TIMEOUT:.0f} seconds")
    except OSError as error:
        return SpamVerdict(one.name, fault=f"it does not start: {error.strerror}")
    verdict = one.read(done.stdout.decode("utf-8", "replace"))
    said = done.stderr.decode("utf-8", "replace").strip().splitlines()
    return verdict or SpamVerdict(one.name, fault=said[-1] if said else "it gave no verdict")


def read_assassin(report: str) -> SpamVerdict | None:
    """Read what ``spamassassin -t`` or ``spamc -R`` prints; None if it is no report."""
    # The report stands at the end; the message before it can hold anything.
    scores = [*_REPORT_SCORE.finditer(report)] or [*_SPAMC_SCORE.finditer(report)][:1]
    if not scores:
        return None
    score, table = scores[-1], report[report.rfind(" pts rule name") :]
    named = [
        (match[2], float(match[1]), " ".join(match[3].split()))
        for match in _REPORT_RULE.finditer(table)
    ]
    return SpamVerdict("SpamAssassin", float(score[1]), float(score[2]), _against(named))


def read_rspamd(answer: str) -> SpamVerdict | None:
    """Read what ``rspamc --json`` prints; None if it is no verdict."""
    try:
        found = json.loads(answer)
        named = [
            (name, float(symbol["score"]), str(symbol.get("description") or ""))
            for name, symbol in found["symbols"].items()
        ]
        return SpamVerdict(
            "rspamd", float(found["score"]), float(found["required_score"]), _against(named)
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _against(named: list[tuple[str, float, str]]) -> tuple[tuple[str, float, str], ...]:
    found = [one for one in named if one[1] > 0]
    return tuple(sorted(found, key=lambda one: -one[1]))


FILTERS = (
    # -L: nothing is looked up on the network; -p: the user's own preferences are left out.
    SpamFilter("SpamAssassin", ("spamassassin", "-L", "-t", "-p", os.devnull), read_assassin),
    SpamFilter("SpamAssassin", ("spamc", "-x", "-R", "-t", f"{TIMEOUT:.0f}"), read_assassin),
    SpamFilter("rspamd", ("rspamc", "-t", f"{TIMEOUT:.0f}", "--json"), read_rspamd),
)


@rule(
    "spam-filter",
    "info",
    cure="look the rule up by its name; most are about words in capitals, pictures or links",
    source="SpamAssassin (spamassassin.apache.org) and rspamd (rspamd.com), with their own scores",
)
def spam_filter(verdict: SpamVerdict) -> Iterator[Found]:
    """What a spam filter counts against the message; asked only with ``--spam``.

    Each of the filter's rules is named with its points. It is a warning once their sum reaches
    what the filter takes for spam. A receiver's filter knows more: who sends, and what its users
    did with earlier mail.
    """
    if verdict.fault:
        yield Found(f"{verdict.filter}: {verdict.fault}", severity="warning")
        return
    of = f"of {verdict.score:g} points; {verdict.required:g} are spam"
    severity: Severity | None = "warning" if verdict.score >= verdict.required else None
    for name, points, says in verdict.named:
        told = f" ({says})" if says else ""
        text = f"{verdict.filter}: {name}{told} counts {points:g} {of}"
        yield Found(text, severity=severity)
