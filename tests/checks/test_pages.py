"""docs/checks.md says what the rules say of themselves."""

import os
from itertools import groupby
from pathlib import Path

from briefmail.checks import RULES

PAGE = Path(__file__).parents[2] / "docs" / "checks.md"
HEAD = """\
# What `briefmail check` looks for

`briefmail check issues/2016-08-24.md` reads the issue, fills everybody's copy, and says what is
wrong: nothing is written, and nothing is sent. Exit status 0 if there are no errors, 65 if there
are; with `--strict` warnings count. `send` asks the same questions first, and stops at an error
unless `--force RULE` names it.

With `--links` it asks for every link and every picture on the web, too: each page once, two at a
time from one host, within a minute, and never for its content. What was there is taken for there
until a day later (`.briefmail/links.json`). An address with a merge field is not asked for: it is
different for everybody, and may be somebody's own. Nor is what the settings allow:

```toml
[checks]
allow_links = ["https://members.example.org/"]
```

An *error* stops a send, a *warning* deserves a look, an *info* is good to know.

## To silence a rule

For one issue, in its front matter, or for every issue in `briefmail.toml`; each with a reason:

```yaml
silence:
  subject-length: the whole sentence is the joke
```

```toml
[checks]
silence = {subject-length = "our house style"}
```

What is silenced is counted in the last line, and stands whole in `--json`.

## For a program

`--json` prints one object:

| key | what |
|---|---|
| `findings` | the worst first: `rule`, `group`, `severity`, `text`, `cure`, `path`, `line` |
| `silenced` | the same of what is silenced, with the `reason` |
| `exit_status` | what the command ends with |

`severity` is `error`, `warning` or `info`; `path` and `line` are null where there is none.
"""


def page() -> str:
    """Write docs/checks.md from the rules' own pages."""
    parts = [HEAD]
    for group, rules in groupby(RULES, lambda rule: rule.group):
        parts.append(f"## {'HTML' if group == 'html' else group.capitalize()}\n")
        for rule in rules:
            text = f"{rule.title}\n\n{rule.page}".strip()
            end = f"*Cure:* {rule.cure}.\n*Source:* {rule.source}."
            parts.append(f"### `{rule.id}` ({rule.severity})\n\n{text}\n\n{end}\n")
    return "\n".join(parts)


def test_the_page_of_checks_is_what_the_rules_say() -> None:
    """``BRIEFMAIL_WRITE_DOCS=1 pytest tests/checks/test_pages.py`` writes it anew."""
    if os.environ.get("BRIEFMAIL_WRITE_DOCS"):
        PAGE.write_text(page(), encoding="utf-8")
    assert PAGE.read_text("utf-8") == page()
