"""How findings are printed: group by group for a person, whole for a program."""

from itertools import groupby
from typing import TYPE_CHECKING, Any

import click

from briefmail.cli import output

if TYPE_CHECKING:
    from briefmail.newsletter import Finding, Report, Rule, Severity

COLOURS: "dict[Severity, str]" = {"error": "red", "warning": "yellow", "info": "cyan"}


def report(found: "Report") -> None:
    """Print the findings, each with its place and its cure; nothing if there are none."""
    for (severity, group), findings in groupby(
        found.findings, lambda one: (one.severity, one.group)
    ):
        output.result(click.style(f"{severity}: {group}", fg=COLOURS[severity], bold=True))
        for finding in findings:
            output.result(f"  {_line(finding)}")
            output.result(click.style(f"    {finding.cure}", dim=True))
    if found.findings:
        output.note(_sum(found))
    if found.silenced:
        rules = ", ".join(sorted({one.finding.rule for one in found.silenced}))
        output.note(f"{len(found.silenced)} silenced: {rules}")


def warnings(found: "Report") -> None:
    """Print what deserves a look, a line each."""
    for finding in found.of("warning"):
        output.result(f"warning: {_line(finding)}")


def as_json(found: "Report", *, strict: bool) -> None:
    """Print a report for a program. The shape is documented in docs/checks.md."""
    output.as_json(
        {
            "findings": [output.finding_data(finding) for finding in found.findings],
            "silenced": [
                {**output.finding_data(one.finding), "reason": one.reason} for one in found.silenced
            ],
            "exit_status": found.exit_status(strict=strict),
        }
    )


def explain(rule: "Rule[Any]") -> None:
    """Print a rule's page."""
    output.result(click.style(f"{rule.id} ({rule.severity})", bold=True))
    output.result(rule.title)
    if rule.page:
        output.result(f"\n{rule.page}")
    output.result(f"\nCure: {rule.cure}")
    output.result(f"Source: {rule.source}")


def _line(finding: "Finding") -> str:
    where = f"{output.place(finding.path, finding.line)} " if finding.path else ""
    return f"{where}{output.escaped(finding.text)} {click.style(f'[{finding.rule}]', dim=True)}"


def _sum(found: "Report") -> str:
    counts = [(len(found.of(severity)), severity) for severity in COLOURS]
    return ", ".join(
        f"{n} {name}{'s' if n != 1 and name != 'info' else ''}" for n, name in counts if n
    )
