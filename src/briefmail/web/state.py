"""What the page around the mail is told, as data."""

from pathlib import Path
from typing import Any

from briefmail.newsletter import Checked, Finding, Layout, Recipient

CLIPPED = 102_400
"""Gmail shows no more of a mail's HTML than some 102 kB, and offers the rest behind a link."""


def layout_data(layout: Layout, path: Path, known: int) -> dict[str, Any]:
    """Say what lies on the desk; only its version if the page has that one already."""
    if layout.version == known:
        return {"version": layout.version}
    return {
        "version": layout.version,
        "issue": path.name,
        "ready": layout.edition is not None,
        "stale": bool(layout.problems and layout.edition),
        "problems": [
            {
                "place": f"{problem.path.name}:{problem.line}"
                if problem.line
                else problem.path.name,
                "line": problem.line if problem.path == path else None,
                "text": problem.text,
            }
            for problem in layout.problems
        ],
        "source": layout.source,
        "clipped": CLIPPED,
        "checked": _checked_data(layout.checked, path) if layout.checked else None,
    }


def person_data(person: Recipient) -> dict[str, Any]:
    """One person of the list."""
    return {"key": person.key, "name": person.name, "address": person.address}


def _checked_data(checked: Checked, path: Path) -> dict[str, Any]:
    return {
        "people": checked.people,
        "largest": person_data(checked.largest) if checked.largest else None,
        "lacking": [person_data(person) for person in checked.lacking],
        "findings": [_finding_data(finding, path) for finding in checked.report.findings],
        "silenced": len(checked.report.silenced),
    }


def _finding_data(finding: Finding, path: Path) -> dict[str, Any]:
    place = finding.path.name if finding.path else ""
    return {
        "rule": finding.rule,
        "severity": finding.severity,
        "text": finding.text,
        "cure": finding.cure,
        "place": f"{place}:{finding.line}" if place and finding.line else place,
        "line": finding.line if finding.path == path else None,
    }
