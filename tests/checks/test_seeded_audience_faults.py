"""Faults written into copies of the showcase: its list, its settings, its issue, and its theme.

Each row is one small edit; the rule that it names finds it, on that line, and nothing else that is
an error is found. What only the finished bytes can have wrong is in ``cases/``, as are a list that
fell and a list that is missing.
"""

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from string import ascii_lowercase

import pytest

from briefmail.checks import AUDIENCE_RULES, PROOF_RULES
from briefmail.newsletter import Newsletter

ROOT = Path(__file__).parents[2]
NOW = datetime(2016, 9, 6, 12, 0, tzinfo=UTC)
ENVIRONMENT = {"BRIEFMAIL_SECRET": "a secret of forty characters, or thereabouts"}
ISSUE, LIST, SETTINGS = "issues/2016-09-07.md", "recipients.csv", "briefmail.toml"
FOOTER = "templates/email/footer.html"


@dataclass(frozen=True)
class Fault:
    """``old`` in ``file`` becomes ``new``, and ``rule`` finds it there, in the line of ``new``.

    ``where`` is another file or another text on the line that is named; "" for no line at all.
    """

    rule: str
    file: str
    old: str
    new: str
    where: tuple[str, str] | None = None


def row(rule: str, old: str, new: str, at: str | None = None) -> Fault:
    """A fault in the list."""
    return Fault(rule, LIST, old, new, (LIST, at or new))


SENDER = 'from = "The Fortnightly Briefing <briefing@example.org>"'
LIST_ID = 'list_id = "briefing.example.org"'
RELAY = '# host = "smtp.example.org" '
ADDRESS = 'postal_address = "The Old Schoolhouse, Kirkbrae, Fife"'
SUBJECT = "subject: The island"
SPONSORS = " ".join(f"jam{one}{two}" for one in ascii_lowercase for two in ascii_lowercase)
LAST = "chloe.nguyen@example.com,Chloé,Nguyễn,,Aberdeenshire\n"
FAULTS = (
    # fields
    Fault("field-unknown", ISSUE, '{{ first_name | default("friend") }}', "{{ forename }}"),
    Fault("field-unknown", ISSUE, 'region == "Fife"', 'county == "Fife"'),
    Fault("field-missing", ISSUE, '{{ first_name | default("friend") }}', "{{ first_name }}"),
    Fault("field-missing", ISSUE, "Somebody will put the kettle on.", "{{ organisation }} will."),
    Fault("field-default", ISSUE, "Somebody will put", '{{ organisation | default("We") }} put'),
    Fault("subject-range", ISSUE, SUBJECT, f'{SUBJECT} of {{{{ region | default("us") }}}}'),
    # rows
    row("row-invalid", "tam@example.org", "tam@@example.org"),
    row("row-invalid", "morag.macaskill@example.org", "", ",Mòrag,MacAskill"),
    row("row-invalid", ",Tam,,Dalquhar Allotments", ",Tam,,Dalquhar,Allotments,Ayr"),
    row("row-invalid", LAST, "chloe@nguyen@example.com,Chloé,,,\n"),
    row("row-repeated", LAST, f"{LAST}Tam@example.org,,,,\n", "Zoe.Adeyemi"),
    row("row-same-mailbox", LAST, "a.gow@gmail.com,,,,\nagow+briefing@gmail.com,,,,\n", "agow+"),
    row("row-same-mailbox", LAST, "agow@gmail.com,,,,\nA.Gow@googlemail.com,,,,\n", "A.Gow"),
    row("row-role", "minutes@example.com", "secretary@example.com"),
    row("row-role", "tam@example.org", "Info@example.org"),
    Fault("list-empty", LIST, "email,first_name", "unsubscribed,email", (LIST, "")),
    # domains
    row("domain-typo", "tam@example.org", "tam@gmial.com"),
    row("domain-typo", "tam@example.org", "tam@gmail.con"),
    row("domain-typo", "tam@example.org", "tam@hotmail.co"),
    row("domain-typo", "tam@example.org", "tam@hotmal.co.uk"),
    row("domain-typo", "tam@example.org", "tam@OUTLOK.com"),
    row("domain-typo", "tam@example.org", "tam@kirkbrae.ogr"),
    row("domain-typo", "tam@example.org", "tam@btinternt.com"),
    # the message
    Fault("postal-address", SETTINGS, ADDRESS, 'postal_address = ""'),
    Fault("list-id-domain", SETTINGS, LIST_ID, 'list_id = "briefing.example.com"'),
    Fault("reply-to", SETTINGS, "Baird <editor@example.org>", "Baird <noreply@example.org>"),
    Fault("reply-to", SETTINGS, "Baird <editor@example.org>", "Baird <unsubscribe@example.org>"),
    Fault("reply-to", ISSUE, "date: 2016", "reply_to: do-not-reply@example.org\ndate: 2016"),
    Fault("one-click-missing", SETTINGS, "[theme]", "[theme] # as it is", (ISSUE, "")),
    Fault("from-reserved", SETTINGS, RELAY, 'host = "smtp.kirkbrae.scot" ', (SETTINGS, SENDER)),
    Fault(
        "unsubscribe-missing", FOOTER, '<a href="{{ slots.unsubscribe_url }}">', "<a>", (ISSUE, "")
    ),
    Fault("text-differs", FOOTER, "</td></tr>", f"<p>{SPONSORS}</p></td></tr>", (ISSUE, "")),
)
ON_BYTES = {
    "line-length", "line-end", "header-count", "message-id", "header-octets", "address-length",
    "encoded-body", "encoded-word", "parameter", "list-fields", "list-id", "one-click",
    "auto-submitted", "precedence",
}  # fmt: skip
ELSEWHERE = {"from-freemail", "from-login", "one-click-unsigned", "list-missing", "audience-fell"}
"""What needs two edits, or a memory: each has its case."""


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.rule}:{fault.new[:20]!r}")
def test_a_seeded_fault_is_found_at_its_line_and_alone(fault: Fault, tmp_path: Path) -> None:
    for name in ("issues", "images"):
        shutil.copytree(ROOT / name, tmp_path / name)
    for name in (LIST, SETTINGS):
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / FOOTER).parent.mkdir(parents=True)
    shutil.copy(ROOT / "src" / "briefmail" / FOOTER, tmp_path / FOOTER)
    path = tmp_path / fault.file
    before = path.read_text("utf-8")
    assert before.count(fault.old) >= 1
    path.write_text(before.replace(fault.old, fault.new, 1), encoding="utf-8")
    newsletter = Newsletter.open(tmp_path, environ=ENVIRONMENT)
    report = Newsletter(newsletter.config, now=lambda: NOW).check(tmp_path / ISSUE)
    file, text = fault.where or (fault.file, fault.new)
    expected = (tmp_path / file, line_with(tmp_path / file, text))
    places = [(found.path, found.line) for found in report.findings if found.rule == fault.rule]
    assert expected in places, report.findings
    assert {found.rule for found in report.of("error")} <= {fault.rule}


def line_with(path: Path, text: str) -> int | None:
    """The line on which ``text`` begins; None for no text."""
    if not text:
        return None
    before, found, _ = path.read_text("utf-8").partition(text.rstrip("\n"))
    assert found
    return before.count("\n") + 1


def test_every_rule_of_the_two_groups_has_its_fault() -> None:
    rules = {
        rule.id for rule in (*PROOF_RULES, *AUDIENCE_RULES) if rule.group in {"message", "audience"}
    }
    assert rules == {fault.rule for fault in FAULTS} | ON_BYTES | ELSEWHERE


@pytest.mark.parametrize("issue", sorted(ROOT.glob("issues/*.md")), ids=lambda path: path.stem)
def test_the_repositorys_own_issues_have_no_error(issue: Path) -> None:
    newsletter = Newsletter.open(ROOT, environ={})
    report = Newsletter(newsletter.config, now=lambda: NOW).check(issue)
    assert report.of("error") == ()
    assert report.exit_status(strict=False) == 0
