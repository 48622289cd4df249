"""What a check came to: the findings that count, and those that the editor has silenced."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from briefmail.checks.finding import ORDER, Finding, Severity
from briefmail.checks.rule import M, Rule
from briefmail.config import Config
from briefmail.errors import InputError
from briefmail.issue import Issue

UNREADABLE = "unreadable"
"""The id of what stops an issue, a list or the settings from being read at all."""


@dataclass(frozen=True, slots=True)
class Silenced:
    """A finding that the editor does not want to hear of, and why."""

    finding: Finding
    reason: str


@dataclass(frozen=True, slots=True)
class Report:
    """All that was found, the worst first, in each severity group by group."""

    findings: tuple[Finding, ...]
    silenced: tuple[Silenced, ...] = ()

    def of(self, severity: Severity) -> tuple[Finding, ...]:
        """The findings of one severity."""
        return tuple(found for found in self.findings if found.severity == severity)

    def exit_status(self, *, strict: bool) -> int:
        """65 if there are errors, or with ``strict`` warnings; else 0."""
        wrong = self.of("error") or (strict and self.of("warning"))
        return InputError.exit_status if wrong else 0

    @classmethod
    def of_findings(cls, found: Iterable[Finding], silenced: Mapping[str, str]) -> "Report":
        """Sort findings, and set those apart whose rule is a key of ``silenced``.

        The value is the reason. What cannot be read cannot be silenced.
        """
        loud, quiet = [], []
        for finding in found:
            reason = silenced.get(finding.rule)
            if reason is None or finding.rule == UNREADABLE:
                loud.append(finding)
            else:
                quiet.append(Silenced(finding, reason))
        return cls(tuple(sorted(loud, key=lambda one: ORDER.index(one.severity))), tuple(quiet))


def run_rules(rules: Iterable[Rule[M]], subject: M, path: Path | None) -> list[Finding]:
    """Let every rule look at ``subject``; ``path`` is the file that it was made from."""
    return [found for each in rules for found in each.findings(subject, path)]


def problems_as_findings(error: InputError) -> list[Finding]:
    """What stopped the reading, as findings: each problem an error of its own."""
    cure = error.hint or "correct the line; nothing else can be checked before"
    return [
        Finding(UNREADABLE, "reading", "error", problem.text, cure, problem.path, problem.line)
        for problem in error.problems
    ]


def silences(config: Config, issue: Issue) -> dict[str, str]:
    """Return the rules that the settings and the issue silence, each with its reason."""
    return {**config.checks.silence, **issue.silence}
