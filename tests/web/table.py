"""A newsletter's folder for the preview to look at: an issue, a short list, nothing else."""

from pathlib import Path

TOML = """\
[newsletter]
name = "The Briefing"
from = "The Briefing <briefing@example.org>"
postal_address = "Kirkbrae, Fife"
list_id = "briefing.example.org"

[mail]
unsubscribe_address = "leave@example.org"
"""
LIST = "email,first_name,last_name\nmorag@example.org,Mòrag,MacAskill\nian@example.org,Ian,Reid\n"
ISSUE = """\
---
subject: The harbour is open again
date: 2016-09-07
preheader: What the council decided, and what comes next
---

Dear {{ first_name | default("friend") }},

the harbour is [open again](https://harbour.example.org/).
"""


def lay_table(root: Path, issue: str = ISSUE) -> Path:
    """Write a newsletter into ``root``; return the path of its issue."""
    (root / "briefmail.toml").write_text(TOML, "utf-8")
    (root / "recipients.csv").write_text(LIST, "utf-8")
    path = root / "issues" / "2016-09-07.md"
    path.parent.mkdir()
    path.write_text(issue, "utf-8")
    return path
