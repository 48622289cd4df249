"""What a spam filter thinks of both issues, offline: SpamAssassin's own rules (-L: no network)."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from briefmail import Newsletter
from real_parts import require

ROOT = Path(__file__).parent.parent.parent
LIMIT = 1.0


@pytest.mark.spamassassin
@pytest.mark.parametrize("issue", sorted(ROOT.glob("issues/*.md")), ids=lambda path: path.stem)
def test_spamassassin_scores_an_issue_at_most_one_point(issue: Path, tmp_path: Path) -> None:
    """The message is given as a relay on the way would have received it."""
    require(shutil.which("spamassassin"), "SpamAssassin is not installed")
    message = Newsletter.open(issue, environ={}).preview(issue).message.data
    done = subprocess.run(
        ["spamassassin", "-L", "-t", "-p", "/dev/null"],
        input=message,
        capture_output=True,
        timeout=120,
        check=True,
    )
    report = done.stdout.decode("utf-8", "replace")
    score = re.search(r"^X-Spam-Status:.*?score=(-?[\d.]+)", report, re.MULTILINE | re.DOTALL)
    assert score, report[:2000]
    assert float(score[1]) <= LIMIT, report[report.index("Content analysis") :][:3000]
