"""The gate before a send: what the checks find stops it, unless that was answered with --force."""

from collections.abc import Collection
from datetime import datetime
from pathlib import Path

from briefmail.checks import Audience, Finding, Report
from briefmail.config import Config
from briefmail.delivery import Stop
from briefmail.errors import InputError, IssueError, ListError, Problem
from briefmail.newsletter.checking import offline_report

SAID_ALREADY = frozenset({"field-unknown", "field-missing", "list-empty", "row-invalid"})
"""What a send says by itself before it comes here, and what no option lets through."""


def gate_report(config: Config, audience: Audience, now: datetime) -> Report:
    """Hold what is about to be sent against every rule that needs no network.

    The survey of ``audience`` has seen everybody who is to get it, so that the list is not gone
    through again; its roll is still open. Leave its ``before`` out where the guard of the delivery
    room compares the audience with that of the last issue.
    """
    report = offline_report(config, audience, now)
    found = tuple(one for one in report.findings if one.rule not in SAID_ALREADY)
    return Report(found, report.silenced)


def held_by(report: Report, force: Collection[str]) -> tuple[Finding, ...]:
    """The errors that hold a send, without those whose rule is answered by ``force``."""
    return tuple(found for found in report.of("error") if found.rule not in force)


def ways_on(stops: Collection[Stop], held: Collection[Finding]) -> list[str]:
    """The options that let a send through in spite of all these, each once."""
    forced = (f"--force {found.rule}" for found in held)
    return list(dict.fromkeys([*(stop.way_on for stop in stops), *forced]))


def refusal(
    stops: Collection[Stop], held: Collection[Finding], issue: Path, list_path: Path
) -> InputError | None:
    """Return the error that names all that stops a send, and how to go on; None if nothing does."""
    if not stops and not held:
        return None
    places = {"issue": issue, "list": list_path}
    problems = [Problem(places[stop.about], None, stop.text) for stop in stops]
    problems += [
        Problem(found.path or issue, found.line, f"{found.text} [{found.rule}]") for found in held
    ]
    kind = ListError if all(problem.path == list_path for problem in problems) else IssueError
    ways = " ".join(ways_on(stops, held))
    return kind(problems, hint=f"nothing was sent; to send it nevertheless, add {ways}")
