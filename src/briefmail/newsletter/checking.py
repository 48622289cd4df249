"""``check``: an issue and its list held against every rule, and nothing written or sent."""

from contextlib import suppress
from datetime import datetime
from pathlib import Path

from briefmail.audience import Roll
from briefmail.checks import (
    PROOF_RULES,
    VISIT_RULES,
    Finding,
    Report,
    Survey,
    problems_as_findings,
    proof_of,
    run_rules,
    silences,
    visit_links,
)
from briefmail.config import Config
from briefmail.edition import Edition, build_edition
from briefmail.errors import InputError, MergeError
from briefmail.issue import Issue, date_of, read_issue
from briefmail.newsletter.lists import STAND_IN, existing_store, suppressed

EARLIER = 10
"""How many earlier issues a new one is compared with."""


def check_issue(config: Config, path: Path, now: datetime, *, links: bool = False) -> Report:
    """Check the issue file ``path`` with the newsletter's list, if there is one.

    ``links`` asks for every link, too, over the network. What cannot be read is a finding, and
    then the only one.
    """
    try:
        issue = read_issue(path)
        edition = build_edition(issue, config, now)
        return check_edition(config, edition, now, links=links)
    except InputError as error:
        return Report.of_findings(problems_as_findings(error), {})


def check_edition(
    config: Config, edition: Edition, now: datetime, *, links: bool = False
) -> Report:
    """Hold an edition against every rule that needs no network, and with ``links`` the others.

    Raises :class:`InputError` if the list cannot be read or nobody's copy can be filled.
    """
    survey = _survey(config, edition)
    recipient = survey.largest or STAND_IN
    try:
        proof = proof_of(edition, config, recipient, now, earlier_issues(edition.issue))
    except MergeError as error:
        return Report.of_findings(problems_as_findings(error), {})
    found: list[Finding] = run_rules(PROOF_RULES, proof, edition.issue.path)
    if links:
        found += run_rules(VISIT_RULES, visit_links(proof), edition.issue.path)
    return Report.of_findings(found, silences(proof))


def _survey(config: Config, edition: Edition) -> Survey:
    survey = Survey(edition)
    if config.recipients.exists():
        with (
            existing_store(config.root) as store,
            Roll.read(config.recipients, suppressed=suppressed(store)) as roll,
        ):
            for recipient in roll.recipients():
                survey.see(recipient)
    return survey


def earlier_issues(issue: Issue) -> tuple[Issue, ...]:
    """The issues beside this one that can be read and are dated before it, the newest first."""
    if issue.date is None:
        return ()
    dated = [(day, path) for path in issue.path.parent.glob("*.md") if (day := date_of(path))]
    before = sorted((pair for pair in dated if pair[0] < issue.date), reverse=True)
    found = []
    for _, path in before[:EARLIER]:
        with suppress(InputError):  # a draft may be half done
            found.append(read_issue(path))
    return tuple(found)
