"""``briefmail send``."""

import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from briefmail.cli import findings, output
from briefmail.cli.context import Settings
from briefmail.cli.duration import duration
from briefmail.cli.progress import Progress
from briefmail.errors import UsageError

if TYPE_CHECKING:
    from briefmail.newsletter import Newsletter, Plan, SendOptions

FORCE = ("edition-changed", "relay-changed", "audience-fell", "given-up", "to-everybody")


FROM_SETTINGS = "[test]"
"""The value of a ``--test`` that names nobody."""


class Send(click.Command):
    """Lets ``--test`` stand alone, also right before ISSUE."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Give a ``--test`` that no address follows its value."""
        following = [*args[1:], "-"]
        return super().parse_args(
            ctx,
            [
                f"{word}={FROM_SETTINGS}" if word == "--test" and _names_nobody(value) else word
                for word, value in zip(args, following, strict=False)
            ],
        )


def _names_nobody(word: str) -> bool:
    """Whether what follows ``--test`` is an option or an issue, and so no value of it."""
    return word.startswith("-") or (word.endswith(".md") and "@" not in word)


@click.command(cls=Send)
@click.argument("issue", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Everything but the sending; changes nothing.")
@click.option(
    "--test",
    "test_to",
    metavar="[ADDRESS]",
    help="Send one marked copy to ADDRESS only, or where [test] in briefmail.toml says.",
)
@click.option(
    "--as", "as_address", metavar="ADDRESS", help="With --test: as this recipient sees it."
)
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Try at most N people.")
@click.option(
    "--only",
    metavar="EXPR",
    help="Only people for whom EXPR holds, such as 'region == \"Fife\"'.",
)
@click.option(
    "--recipients",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Another list than recipients.csv.",
)
@click.option("--strict-list", is_flag=True, help="Do not send while the list has invalid rows.")
@click.option(
    "--connections",
    type=click.IntRange(min=1),
    metavar="N",
    default=4,
    show_default=True,
    help="At most N connections to the relay at a time.",
)
@click.option(
    "--share",
    type=click.IntRange(min=1),
    metavar="N",
    default=1,
    help="Of smtp.rate only an equal part: N machines send through this account at once.",
)
@click.option(
    "--retry-for",
    callback=duration,
    metavar="TIME",
    default="15m",
    show_default=True,
    help="Try who is deferred, and a relay that is busy or gone, again for TIME; 0 does not wait.",
)
@click.option(
    "--only-who-got",
    type=click.Path(path_type=Path),
    metavar="OTHER",
    help="A correction: only people who got the issue OTHER, or may have got it.",
)
@click.option(
    "--resend-uncertain", is_flag=True, help="Again to the uncertain, who may have it already."
)
@click.option(
    "--retry-refused",
    multiple=True,
    metavar="WHICH",
    help="Again to the refused: 'all', a code such as 550 or 5.1.1, or an address.",
)
@click.option(
    "--force",
    metavar="REASON",
    multiple=True,
    help=f"Send although this speaks against it: {', '.join(FORCE)}, or the id of a rule of"
    " 'briefmail check'. Can be given more than once.",
)
@click.option("--again", is_flag=True, help="Send although it seems to have gone out before.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="Print the result for a program.")
@click.pass_obj
def send(
    settings: Settings,
    issue: Path,
    dry_run: bool,
    test_to: str | None,
    as_address: str | None,
    limit: int | None,
    only: str | None,
    recipients: Path | None,
    strict_list: bool,
    connections: int,
    share: int,
    retry_for: timedelta,
    only_who_got: Path | None,
    resend_uncertain: bool,
    retry_refused: tuple[str, ...],
    force: tuple[str, ...],
    again: bool,
    yes: bool,
    as_json: bool,
) -> int:
    """Send ISSUE to everybody on the list who has not had it.

    The list is read first, everybody's copy filled, and all held against the rules of 'briefmail
    check'; then it asks. Whoever has the issue already is left out, so the same command goes on
    where an interrupted run stopped. If the issue, the relay or the list is not what it was, it
    stops and says how to go on. Whoever the relay puts off is tried again meanwhile; Ctrl-C ends
    the waiting, and nothing is lost.

    Without a relay (SMTP_HOST in .env) the messages are caught in outbox/.
    """
    newsletter = settings.newsletter(issue)
    if test_to is not None:
        others = (
            dry_run,
            limit,
            only is not None,
            recipients,
            strict_list,
            as_json,
            only_who_got,
            resend_uncertain,
            retry_refused,
            force,
            again,
        )
        return _send_test(newsletter, issue, test_to, as_address, alone=not any(others))
    if as_address is not None:
        raise UsageError("--as goes with --test; 'briefmail preview --as' shows it without sending")
    from briefmail.newsletter import How, Nevertheless, SendOptions, Whom

    options = SendOptions(
        Whom(
            limit=limit,
            only=only,
            recipients=recipients,
            strict_list=strict_list,
            only_who_got=only_who_got,
            resend_uncertain=resend_uncertain,
            retry_refused=retry_refused,
        ),
        How(connections=connections, retry_for=retry_for, share=share),
        Nevertheless(force=_known(force), again=again),
    )
    if dry_run:
        return _dry_run(newsletter, issue, options, as_json)
    return _send(newsletter, issue, options, yes=yes, as_json=as_json, verbose=settings.verbose)


def _known(force: tuple[str, ...]) -> frozenset[str]:
    """The reasons of ``--force``; UsageError for what is neither a reason nor a rule."""
    from briefmail.newsletter import RULES

    rules = {rule.id for rule in RULES}
    for reason in force:
        if reason not in FORCE and reason not in rules:
            raise UsageError(
                f"--force {output.escaped(reason)}: there is no such reason, and no such rule",
                hint=f"reasons: {', '.join(FORCE)}; rules: docs/checks.md",
            )
    return frozenset(force)


def _send_test(
    newsletter: "Newsletter", issue: Path, to: str, as_address: str | None, *, alone: bool
) -> int:
    if not alone:
        raise UsageError("--test sends one copy: of the other options only --as goes with it")
    done = newsletter.send_tests(issue, [] if to == FROM_SETTINGS else [to], as_address=as_address)
    for one in done:
        output.test_result(one)
    return max({"sent": 0, "refused": 65}.get(one.delivery.state, 75) for one in done)


def _dry_run(newsletter: "Newsletter", issue: Path, options: "SendOptions", as_json: bool) -> int:
    planned = newsletter.plan(issue, options)
    status = planned.refusal.exit_status if planned.refusal else 0
    if as_json:
        output.plan_json(planned)
        return status
    output.problems(planned.problems, planned.counts.invalid)
    output.plan(planned)
    if planned.first:
        output.recipients(planned)
        output.result("")
        output.raw(planned.first.data)
        output.result("")
    findings.warnings(planned.report)
    output.totals(planned.numbers())
    if planned.edition.issue.status == "draft":
        output.note("The issue is a draft; while it is, it is not sent.")
    if planned.refusal:
        output.error(planned.refusal)
    output.note("This was a dry run: nothing was sent, and nothing was written down.")
    return status


def _send(
    newsletter: "Newsletter",
    issue: Path,
    options: "SendOptions",
    *,
    yes: bool,
    as_json: bool,
    verbose: bool,
) -> int:
    if not yes and not output.is_terminal(sys.stdin, sys.stderr):
        raise UsageError(
            "there is no terminal to ask at",
            hint="add --yes to send without being asked, or --dry-run to look first",
        )

    def confirm(plan: "Plan") -> bool:
        output.problems(plan.problems, plan.counts.invalid)
        output.plan(plan)
        progress.expect(plan.to_try)
        question = f"Send it to {plan.to_try:,} {output.people(plan.to_try)}?"
        return yes or click.confirm(question, default=False, err=True)

    with Progress(shown=output.is_terminal(sys.stderr) and not (as_json or verbose)) as progress:
        told = output.delivery if verbose else progress.advance
        waiting = progress.wait if progress.shown else output.waiting
        done = newsletter.send(issue, options, confirm=confirm, on_progress=told, on_wait=waiting)
    if not done.confirmed:
        output.note("nothing was sent")
        return 0
    if as_json:
        output.summary_json(done)
    else:
        if not done.plan.to_send:
            output.problems(done.plan.problems, done.plan.counts.invalid)
        output.summary(done)
    if newsletter.config.path is None:
        output.note("There is no briefmail.toml: 'briefmail init' shows what can be set in one.")
    return done.exit_status
