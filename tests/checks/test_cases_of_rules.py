"""Golden cases: for each rule an issue that it finds fault with, and one that it passes.

A folder of ``cases/`` is named by its rule and holds ``fails.md``, ``passes.md``, and
``findings.txt``: what the rule says of the first, a line each. What else is in it (a list, the
settings, pictures, ``issues/`` beside the one that is checked) is there for both, over the
``briefmail.toml`` and ``recipients.csv`` of all cases; ``sizes.txt`` names files that are to be
blown up to so many bytes. What is in a folder ``fails/`` or ``passes/``
(``templates/email/footer.html``, as a rule) is there for that one only. After a change::

    BRIEFMAIL_REWRITE_CASES=1 pytest tests/checks && git diff tests/checks/cases
"""

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from briefmail.checks import PROOF_RULES, Finding
from briefmail.newsletter import Newsletter

CASES = Path(__file__).parent / "cases"
FOLDERS = sorted(path for path in CASES.iterdir() if path.is_dir())
REWRITE = os.environ.get("BRIEFMAIL_REWRITE_CASES") == "1"
NOW = datetime(2016, 9, 6, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_rule_finds_what_its_case_says(folder: Path, tmp_path: Path) -> None:
    """Whole sentences, with severity and line."""
    said = "".join(
        f"{place(found)} {found.severity}: {found.text}\n"
        for found in findings(folder, "fails", tmp_path)
        if found.rule == folder.name
    )
    if REWRITE:
        (folder / "findings.txt").write_text(said, "utf-8")
    assert said == (folder / "findings.txt").read_text("utf-8")
    assert said


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_rule_passes_what_is_right(folder: Path, tmp_path: Path) -> None:
    """And nothing else that is an error is in the passing issue either."""
    found = findings(folder, "passes", tmp_path)
    assert [one for one in found if one.rule == folder.name or one.severity == "error"] == []


def test_every_rule_has_its_case() -> None:
    """And every case its rule."""
    assert sorted(rule.id for rule in PROOF_RULES) == [folder.name for folder in FOLDERS]


def place(found: Finding) -> str:
    """The line, and before it the file, if that is not the issue."""
    issue = found.path is None or found.path.name == "2016-09-07.md"
    return f"{'' if issue else f'{found.path.name}:'}{found.line or '-'}"


def findings(folder: Path, name: str, root: Path) -> tuple[Finding, ...]:
    """Check one issue of a case in a newsletter's folder of its own."""
    for common in ("briefmail.toml", "recipients.csv"):
        shutil.copy(CASES / common, root / common)
    shutil.copytree(folder, root, dirs_exist_ok=True)
    if (folder / name).is_dir():
        shutil.copytree(folder / name, root, dirs_exist_ok=True)
    _blow_up(root)
    issue = root / "issues" / "2016-09-07.md"
    issue.parent.mkdir(exist_ok=True)
    shutil.copy(folder / f"{name}.md", issue)
    newsletter = Newsletter.open(root, environ={})
    return Newsletter(newsletter.config, now=lambda: NOW).check(issue).findings


def _blow_up(root: Path) -> None:
    sizes = root / "sizes.txt"
    for line in sizes.read_text("utf-8").splitlines() if sizes.exists() else []:
        name, _, size = line.rpartition(" ")
        with (root / name).open("rb+") as file:
            file.truncate(int(size))
