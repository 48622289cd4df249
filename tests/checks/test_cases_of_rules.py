"""Golden cases: for each rule an issue that it finds fault with, and one that it passes.

A folder of ``cases/`` is named by its rule and holds ``fails.md``, ``passes.md``, and
``findings.txt``: what the rule says of the first, a line each. What else is in it (a list, the
settings, pictures, ``issues/`` beside the one that is checked) is there for both, over the
``briefmail.toml``, ``recipients.csv`` and ``issue.md`` of all cases; ``sizes.txt`` names files that
are to be blown up to so many bytes, and ``before.txt`` says how many people had the issue before.
What is in a folder ``fails/`` or ``passes/`` (``templates/email/footer.html``, as a rule) is there
for that one only; an empty list there is none at all. Without ``fails.md`` the issue is that of all
cases, and ``fails.edit`` (TOML: ``old``, ``new``) changes the bytes of the finished message, for
what no issue can bring about. After a change::

    BRIEFMAIL_REWRITE_CASES=1 pytest tests/checks && git diff tests/checks/cases
"""

import os
import shutil
import tomllib
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from briefmail.audience import Recipient
from briefmail.checks import (
    AUDIENCE_RULES,
    PROOF_RULES,
    Finding,
    proof_of,
    run_rules,
)
from briefmail.checks.proof import specimen_of
from briefmail.delivery import Frozen, FrozenEditions, Ledger
from briefmail.newsletter import Newsletter
from briefmail.newsletter.lists import ROOMS
from briefmail.store import open_store

CASES = Path(__file__).parent / "cases"
FOLDERS = sorted(path for path in CASES.iterdir() if path.is_dir())
REWRITE = os.environ.get("BRIEFMAIL_REWRITE_CASES") == "1"
SECRET = "a secret of forty characters, or thereabouts"
ENVIRONMENT = {"BRIEFMAIL_SECRET": SECRET, "SMTP_PASSWORD": "x"}
FIELDS = {"email": "morag@example.org", "name": "Mòrag MacAskill", "first_name": "Mòrag"}
MORAG = Recipient("morag@example.org", "morag@example.org", "Mòrag MacAskill", FIELDS, 2)
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
    rules = (*PROOF_RULES, *AUDIENCE_RULES)
    assert sorted(rule.id for rule in rules) == [folder.name for folder in FOLDERS]


def place(found: Finding) -> str:
    """The line, and before it the file, if that is not the issue."""
    issue = found.path is None or found.path.name == "2016-09-07.md"
    return f"{'' if issue else f'{found.path.name}:'}{found.line or '-'}"


def findings(folder: Path, name: str, root: Path) -> tuple[Finding, ...]:
    """Check one issue of a case in a newsletter's folder of its own."""
    for common in ("briefmail.toml", "recipients.csv", "issue.md"):
        shutil.copy(CASES / common, root / common)
    shutil.copytree(folder, root, dirs_exist_ok=True)
    if (folder / name).is_dir():
        shutil.copytree(folder / name, root, dirs_exist_ok=True)
    _blow_up(root)
    issue = root / "issues" / "2016-09-07.md"
    issue.parent.mkdir(exist_ok=True)
    own = folder / f"{name}.md"
    shutil.copy(own if own.exists() else root / "issue.md", issue)
    if not (root / "recipients.csv").stat().st_size:
        (root / "recipients.csv").unlink()
    if (folder / "before.txt").exists():
        remember_audience(root, int((folder / "before.txt").read_text("utf-8")))
    opened = Newsletter.open(root, environ=ENVIRONMENT)
    newsletter = Newsletter(opened.config, now=lambda: NOW)
    edit = folder / f"{name}.edit"
    return edited(newsletter, issue, edit) if edit.exists() else newsletter.check(issue).findings


def remember_audience(root: Path, people: int) -> None:
    """Write down that an earlier issue went out to so many people."""
    with open_store(root, ROOMS) as store:
        Ledger(store).open_edition("earlier", subject="", issue_date=None, fingerprint="1")
        version = Frozen("earlier", "1", "smtp.example.org", "", "", "", people)
        FrozenEditions(store).keep(version, None)


def edited(newsletter: Newsletter, issue: Path, edit: Path) -> tuple[Finding, ...]:
    """What is found in a message after its bytes were changed."""
    change = tomllib.loads(edit.read_text("utf-8"))
    old, new = change["old"].encode(), change["new"].encode()
    edition = newsletter.edition(issue)
    proof = proof_of(edition, newsletter.config, MORAG, NOW)
    message = proof.specimen.message
    assert message.data.count(old) == 1
    recipient = change.get("recipient", message.recipient)
    message = replace(message, recipient=recipient, data=message.data.replace(old, new))
    proof = replace(proof, specimen=specimen_of(edition, MORAG, message))
    return tuple(run_rules(PROOF_RULES, proof, issue))


def _blow_up(root: Path) -> None:
    sizes = root / "sizes.txt"
    for line in sizes.read_text("utf-8").splitlines() if sizes.exists() else []:
        name, _, size = line.rpartition(" ")
        with (root / name).open("rb+") as file:
            file.truncate(int(size))
