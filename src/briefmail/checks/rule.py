"""A rule: an id, how much it matters, its source, and the function that looks.

A rule's page, which ``check --explain`` prints and ``docs/checks.md`` holds, is the docstring of
its function: the first line says what it finds, the rest why that matters.
"""

import inspect
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, Generic, TypeVar

from briefmail.checks.finding import Finding, Severity

M = TypeVar("M")
"""What a rule looks at: a proof, the audience, the sender."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a rule's function says, in a sentence about this issue.

    ``line`` is a line of the issue file, or of ``path`` if that is given. ``cure`` takes the place
    of the rule's own where there is something better to say, and ``severity`` that of the rule's
    where one threshold is worse than another.
    """

    text: str
    line: int | None = None
    path: Path | None = None
    cure: str = ""
    severity: Severity | None = None


@dataclass(frozen=True, slots=True)
class Rule(Generic[M]):
    """One thing to look for. ``group`` is the module or package it stands in: content, links ...

    ``source`` is where the rule comes from: a section of an RFC, a provider's page, measured data.
    """

    id: str
    group: str
    severity: Severity
    title: str
    page: str
    cure: str
    source: str
    look: Callable[[M], Iterable[Found]] = field(repr=False)

    def findings(self, subject: M, path: Path | None) -> Iterator[Finding]:
        """Look at ``subject``; what is found without a file of its own belongs to ``path``."""
        for found in self.look(subject):
            yield Finding(
                self.id,
                self.group,
                found.severity or self.severity,
                found.text,
                found.cure or self.cure,
                found.path or path,
                found.line,
            )


def rule(
    name: str, severity: Severity, *, cure: str, source: str
) -> Callable[[Callable[[M], Iterable[Found]]], Rule[M]]:
    """Make a rule of the function below, whose docstring is the rule's page."""

    def make(look: Callable[[M], Iterable[Found]]) -> Rule[M]:
        title, _, page = inspect.cleandoc(look.__doc__ or "").partition("\n")
        group = look.__module__.removeprefix(f"{__package__}.").partition(".")[0]
        return Rule(name, group, severity, title, page.strip(), cure, source, look)

    return make


def rules_of(*modules: ModuleType) -> tuple[Rule[Any], ...]:
    """Return the rules of a group's modules, in the order in which they stand there."""
    return tuple(
        value for module in modules for value in vars(module).values() if isinstance(value, Rule)
    )
