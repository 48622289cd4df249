"""A finding: one thing about an issue that its editor should know before it goes out."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Severity = Literal["error", "warning", "info"]
"""An *error* stops a send, a *warning* deserves a look, an *info* is good to know."""

ORDER: tuple[Severity, ...] = ("error", "warning", "info")


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong, where, and what to do about it.

    ``rule`` is the id of the rule that says so. ``text`` is a sentence about *this* issue,
    ``cure`` what its editor can do. ``path`` is the file to open and ``line`` counts from 1; None
    where the finding belongs to no line, or to no file.
    """

    rule: str
    group: str
    severity: Severity
    text: str
    cure: str
    path: Path | None = None
    line: int | None = None
