"""Proofs of small issues, for tests that look at one room of the checks."""

from datetime import UTC, datetime
from pathlib import Path

from briefmail import config
from briefmail.audience import Recipient
from briefmail.checks import Proof, proof_of
from briefmail.edition import build_edition
from briefmail.issue import read_issue

NOW = datetime(2016, 9, 6, 12, 0, tzinfo=UTC)
IAN = Recipient("ian@example.org", "ian@example.org", "Ian", {"email": "ian@example.org"}, 2)
HEAD = "---\nsubject: The harbour\ndate: 2016-09-07\n---\n\n"
FIRST_LINE = HEAD.count("\n") + 1
"""The line of the issue file on which the body begins."""


def proof_from(root: Path, body: str, *, toml: str = "", **templates: str) -> Proof:
    """Lay out an issue of this body; ``footer="..."`` is a template of the folder's own."""
    (root / "briefmail.toml").write_text(toml, "utf-8")
    for name, text in templates.items():
        path = root / "templates" / "email" / f"{name}.html"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    issue = root / "issues" / "2016-09-07.md"
    issue.parent.mkdir()
    issue.write_text(HEAD + body, "utf-8")
    settings = config.load(root, {})
    return proof_of(build_edition(read_issue(issue), settings, NOW), settings, IAN, NOW)
