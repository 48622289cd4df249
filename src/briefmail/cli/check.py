"""``briefmail check``."""

import sys
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

import click

from briefmail.cli import findings, output
from briefmail.cli.context import Settings
from briefmail.cli.progress import Progress
from briefmail.errors import UsageError

if TYPE_CHECKING:
    from briefmail.newsletter import Rule


@click.command()
@click.argument("issue", type=click.Path(path_type=Path), required=False)
@click.option("--strict", is_flag=True, help="Warnings count as errors.")
@click.option("--links", is_flag=True, help="Ask for each link, too, over the network.")
@click.option("--dns", is_flag=True, help="Ask which domains on the list take mail, too.")
@click.option("--spam", is_flag=True, help="Ask SpamAssassin or rspamd on this machine, too.")
@click.option("--explain", metavar="RULE", help="Print a rule's page: why it matters, the cure.")
@click.option("--json", "as_json", is_flag=True, help="Print the result for a program.")
@click.pass_obj
def check(
    settings: Settings,
    issue: Path | None,
    strict: bool,
    links: bool,
    dns: bool,
    spam: bool,
    explain: str | None,
    as_json: bool,
) -> int:
    """Find what is wrong with ISSUE before anybody gets it.

    Everybody on the list has their copy filled, and nothing is sent. Exit status 65 if there are
    errors. With --links each link is asked for once, and with --dns each domain on the list, within
    a minute each; a good answer is taken for good until a day later. A rule is silenced under
    [checks] in briefmail.toml, or in the issue's own front matter, with a reason.
    """
    if explain is not None:
        findings.explain(_rule(explain))
        return 0
    if issue is None:
        raise UsageError("check needs an ISSUE", hint="briefmail check issues/2016-08-24.md")
    newsletter = settings.newsletter(issue)
    with Progress(shown=output.is_terminal(sys.stderr) and not as_json) as progress:
        report = newsletter.check(
            issue, links=links, dns=dns, spam=spam, on_progress=progress.reach
        )
    if as_json:
        findings.as_json(report, strict=strict)
    else:
        findings.report(report)
    return report.exit_status(strict=strict)


def _rule(name: str) -> "Rule[object]":
    from briefmail.newsletter import RULES

    for rule in RULES:
        if rule.id == name:
            return rule
    names = [rule.id for rule in RULES]
    near = get_close_matches(name, names)
    raise UsageError(
        f"there is no rule {output.escaped(name)}",
        hint=f"did you mean {' or '.join(near)}?" if near else f"rules: {', '.join(names)}",
    )
