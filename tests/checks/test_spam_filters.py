"""``check --spam``: what a filter says becomes findings; SpamAssassin itself where it is there."""

import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from briefmail.checks import SPAM_RULES, SpamVerdict, ask_filter, run_rules
from briefmail.checks.message import SpamFilter
from briefmail.checks.message.spam import read_assassin, read_rspamd
from briefmail.errors import UsageError
from briefmail.newsletter import Newsletter
from real_parts import require

ROOT = Path(__file__).parents[2]
NOW = datetime(2016, 9, 6, 12, 0, tzinfo=UTC)
# In the form of SpamAssassin's reports, made short.
REPORT = """\
Subject: (9.9 points, 1.0 required)

 9.9 NOT_A_RULE             the message says so itself

Content preview:  Dear reader

Content analysis details:   (3.1 points, 5.0 required)

 pts rule name              description
---- ---------------------- --------------------------------------------------
-0.0 NO_RECEIVED            Informational: message has no Received headers
 0.7 MPART_ALT_DIFF         BODY: HTML and text parts are different
 2.4 HTML_IMAGE_ONLY_08     BODY: HTML: images with 400-800 bytes of
                            words
"""
# In the form of what "rspamc --json" prints.
ANSWER = """{"is_skipped": false, "score": 16.5, "required_score": 15.0, "symbols": {
"R_DKIM_NA": {"name": "R_DKIM_NA", "score": 0.0, "description": "Missing DKIM signature"},
"MIME_GOOD": {"name": "MIME_GOOD", "score": -0.1, "metric_score": -0.1},
"SUBJ_ALL_CAPS": {"name": "SUBJ_ALL_CAPS", "score": 3.0, "description": "Subject in capitals"},
"GTUBE": {"name": "GTUBE", "score": 13.5}}}"""


def said(verdict: SpamVerdict) -> list[str]:
    return [f"{one.severity}: {one.text}" for one in run_rules(SPAM_RULES, verdict, None)]


def test_the_rules_that_count_against_the_message_are_named_the_dearest_first() -> None:
    verdict = read_assassin(REPORT)
    assert verdict
    assert said(verdict) == [
        "info: SpamAssassin: HTML_IMAGE_ONLY_08 (BODY: HTML: images with 400-800 bytes of words)"
        " counts 2.4 of 3.1 points; 5 are spam",
        "info: SpamAssassin: MPART_ALT_DIFF (BODY: HTML and text parts are different)"
        " counts 0.7 of 3.1 points; 5 are spam",
    ]


def test_from_what_the_filter_takes_for_spam_on_they_are_warnings() -> None:
    verdict = read_rspamd(ANSWER)
    assert verdict
    assert said(verdict) == [
        "warning: rspamd: GTUBE counts 13.5 of 16.5 points; 15 are spam",
        "warning: rspamd: SUBJ_ALL_CAPS (Subject in capitals) counts 3 of 16.5 points; 15 are spam",
    ]


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"symbols": []}', '{"score": "x", "symbols": {}}']
)
def test_what_is_no_verdict_is_none(text: str) -> None:
    assert read_rspamd(text) is None
    assert read_assassin(text) is None


def test_without_a_filter_it_says_what_to_install() -> None:
    with pytest.raises(UsageError) as caught:
        ask_filter(b"", [SpamFilter("none", ("no-such-filter",), read_assassin)])
    assert caught.value.hint
    assert "spamassassin" in caught.value.hint


def test_a_filter_that_fails_is_a_finding_and_the_next_one_is_asked() -> None:
    broken = SpamFilter(
        "Broken", (sys.executable, "-c", "raise SystemExit('no server')"), read_rspamd
    )
    answers = f"import sys; sys.stdin.read(); print({ANSWER!r})"
    good = SpamFilter("rspamd", (sys.executable, "-c", answers), read_rspamd)
    assert said(ask_filter(b"x", [broken])) == ["warning: Broken: no server"]
    assert ask_filter(b"x", [broken, good]).score == 16.5


@pytest.mark.spamassassin
def test_spamassassin_itself_is_asked(tmp_path: Path) -> None:
    """Its own test pattern (GTUBE) is spam to it, wherever it stands."""
    require(shutil.which("spamassassin"), "SpamAssassin is not installed")
    for name in ("briefmail.toml", "recipients.csv"):
        shutil.copy(ROOT / "tests" / "checks" / "cases" / name, tmp_path / name)
    issue = tmp_path / "issues" / "spam.md"
    issue.parent.mkdir()
    text = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"
    issue.write_text(f"---\nsubject: A test\ndate: 2016-09-07\n---\n\n`{text}`\n", encoding="utf-8")
    newsletter = Newsletter.open(tmp_path, environ={})
    report = Newsletter(newsletter.config, now=lambda: NOW).check(issue, spam=True)
    found = [one for one in report.findings if one.rule == "spam-filter"]
    assert found
    assert found[0].severity == "warning"
    assert "GTUBE" in found[0].text
