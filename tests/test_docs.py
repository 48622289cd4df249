"""The documentation says what is so: commands, settings, front matter keys, links."""

import os
import re
from pathlib import Path

import click
import pytest

from briefmail.cli import cli
from briefmail.config import SETTINGS
from briefmail.edition.merge import FILTERS
from briefmail.issue.frontmatter import KEYS

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
COMPLETION = """\
## Shell completion

For bash, in `~/.bashrc`:

```sh
eval "$(_BRIEFMAIL_COMPLETE=bash_source briefmail)"
```

For zsh, in `~/.zshrc`, `zsh_source` takes the place of `bash_source`. For fish, in
`~/.config/fish/completions/briefmail.fish`:

```sh
_BRIEFMAIL_COMPLETE=fish_source briefmail | source
```
"""


def command_reference() -> str:
    """Write docs/commands.md from what ``--help`` says."""
    pages = ["# Commands\n\nMade from `briefmail --help`.\n", _help([])]
    for name, command in cli.commands.items():
        pages.append(_help([name]))
        if isinstance(command, click.Group):
            pages += [_help([name, inner]) for inner in command.commands]
    return "\n".join([*pages, COMPLETION])


def _help(path: list[str]) -> str:
    command: click.Command = cli
    context = click.Context(cli, info_name="briefmail", terminal_width=96)
    for name in path:
        assert isinstance(command, click.Group)
        command = command.commands[name]
        context = click.Context(command, parent=context, info_name=name, terminal_width=96)
    context.help_option_names = ["-h", "--help"]
    title = " ".join(["briefmail", *path])
    text = "\n".join(line.rstrip() for line in context.get_help().splitlines())
    return f"## {title}\n\n```text\n{text}\n```\n"


def test_the_command_reference_is_what_help_says() -> None:
    """``BRIEFMAIL_WRITE_DOCS=1 pytest tests/test_docs.py`` writes it anew."""
    path = DOCS / "commands.md"
    if os.environ.get("BRIEFMAIL_WRITE_DOCS"):
        path.write_text(command_reference(), encoding="utf-8")
    assert path.read_text("utf-8") == command_reference()


@pytest.mark.parametrize("key", KEYS)
def test_every_front_matter_key_is_documented(key: str) -> None:
    """docs/issue.md has a row for it."""
    assert f"`{key}`" in (DOCS / "issue.md").read_text("utf-8")


@pytest.mark.parametrize("name", FILTERS)
def test_every_filter_is_documented(name: str) -> None:
    """docs/issue.md names it."""
    assert f"`{name}`" in (DOCS / "issue.md").read_text("utf-8")


@pytest.mark.parametrize("table", SETTINGS)
def test_every_setting_is_documented(table: str) -> None:
    """docs/settings.md names the table and each of its keys; dark colours share a row."""
    page = (DOCS / "settings.md").read_text("utf-8")
    assert f"`[{table}]`" in page
    for key in SETTINGS[table]:
        assert f"`{key.removesuffix('_dark')}`" in page


@pytest.mark.parametrize("page", [ROOT / "README.md", *DOCS.glob("*.md")], ids=lambda p: p.name)
def test_every_link_between_pages_leads_somewhere(page: Path) -> None:
    """Files and pictures that a page points to are there."""
    text = page.read_text("utf-8")
    targets = re.findall(r"\]\(([^)#]+)[^)]*\)", text) + re.findall(r'src="([^"]+)"', text)
    local = [target for target in targets if not re.match(r"https?:|mailto:|\{", target)]
    assert [t for t in local if not t.startswith("...") and not (page.parent / t).exists()] == []
