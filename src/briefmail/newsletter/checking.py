"""``check``: an issue and its list held against every rule, and nothing sent."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from briefmail.audience import Roll
from briefmail.checks import (
    AUDIENCE_RULES,
    DNS_RULES,
    PROOF_RULES,
    SPAM_RULES,
    VISIT_RULES,
    Audience,
    Finding,
    Names,
    Proof,
    Report,
    Survey,
    ask_domains,
    ask_filter,
    problems_as_findings,
    proof_of,
    run_rules,
    silences,
    visit_links,
)
from briefmail.config import Config
from briefmail.delivery import FrozenEditions
from briefmail.edition import Edition, build_edition
from briefmail.errors import InputError, MergeError
from briefmail.issue import Issue, read_issue, read_timing
from briefmail.newsletter.lists import STAND_IN, existing_store, suppressed

EARLIER = 10
"""How many earlier issues a new one is compared with."""
STEP = 5000
"""After how many people a check says how far it is."""

OnProgress = Callable[[int, int | None], None]
"""Is told how many people have been looked at, of how many; None while the list is read."""


@dataclass(frozen=True, slots=True)
class Enquiries:
    """Whom a check asks besides the files: nobody, unless it is said here.

    ``links`` asks for every link, over the network; ``names`` for the domains on the list, in the
    domain name system; ``spam`` the spam filter of this machine.
    """

    links: bool = False
    names: Names | None = None
    spam: bool = False


OFFLINE = Enquiries()


def check_issue(
    config: Config,
    path: Path,
    now: datetime,
    enquiries: Enquiries = OFFLINE,
    on_progress: OnProgress = lambda done, total: None,
) -> Report:
    """Check the issue file ``path`` with the newsletter's list, if there is one.

    What cannot be read is a finding, and then the only one.
    """
    try:
        edition = build_edition(read_issue(path), config, now)
        report, _ = check_edition(config, edition, now, enquiries, on_progress)
    except InputError as error:
        return Report.of_findings(problems_as_findings(error), {})
    return report


def check_edition(
    config: Config,
    edition: Edition,
    now: datetime,
    enquiries: Enquiries = OFFLINE,
    on_progress: OnProgress = lambda done, total: None,
) -> tuple[Report, Survey]:
    """Hold an edition against every rule; the survey is that of everybody's copy.

    Raises :class:`InputError` if the list cannot be read.
    """
    survey, path = Survey(edition), config.recipients
    if not path.exists():
        found = _findings(config, Audience(edition, survey, path), now, enquiries)
        return _report(config, edition, found), survey
    with (
        existing_store(config) as store,
        Roll.read(
            path, suppressed=suppressed(store), progress=lambda rows: on_progress(rows, None)
        ) as roll,
    ):
        for number, recipient in enumerate(roll.recipients(), 1):
            survey.see(recipient)
            if number % STEP == 0:
                on_progress(number, roll.counts.send)
        before = FrozenEditions(store).last_audience() if store else None
        audience = Audience(edition, survey, path, roll, before)
        found = _findings(config, audience, now, enquiries)
        if enquiries.names:
            domains = roll.census().domains()
            asked = ask_domains(domains, path, config.root, enquiries.names, now)
            found += run_rules(DNS_RULES, asked, path)
    return _report(config, edition, found), survey


def offline_report(config: Config, audience: Audience, now: datetime) -> Report:
    """Hold an edition and its audience, whose copies have all been filled, against the rules.

    It is what a send asks before it begins; the roll of the audience is still open.
    """
    return _report(config, audience.edition, _findings(config, audience, now, OFFLINE))


def _findings(
    config: Config, audience: Audience, now: datetime, enquiries: Enquiries
) -> list[Finding]:
    path = audience.edition.issue.path
    found = run_rules(AUDIENCE_RULES, audience, path)
    try:
        proof = _proof(config, audience, now)
    except MergeError as error:
        # Where there is a list, it has been said above who lacks what.
        return found if audience.roll else [*found, *problems_as_findings(error)]
    found = [*run_rules(PROOF_RULES, proof, path), *found]
    if enquiries.links:
        found += run_rules(VISIT_RULES, visit_links(proof), path)
    if enquiries.spam:
        verdict = ask_filter(proof.specimen.message.data)
        found += run_rules(SPAM_RULES, verdict, path)
    return found


def _proof(config: Config, audience: Audience, now: datetime) -> Proof:
    edition, survey = audience.edition, audience.survey
    recipient, earlier = survey.largest or STAND_IN, earlier_issues(edition.issue)
    return proof_of(edition, config, recipient, now, earlier, survey.people)


def _report(config: Config, edition: Edition, found: list[Finding]) -> Report:
    return Report.of_findings(found, silences(config, edition.issue))


def earlier_issues(issue: Issue) -> tuple[Issue, ...]:
    """The issues beside this one that can be read and are dated before it, the newest first."""
    if issue.date is None:
        return ()
    dated = [
        (day, path) for path in issue.path.parent.glob("*.md") if (day := read_timing(path).date)
    ]
    before = sorted((pair for pair in dated if pair[0] < issue.date), reverse=True)
    found = []
    for _, path in before[:EARLIER]:
        with suppress(InputError):  # a draft may be half done
            found.append(read_issue(path))
    return tuple(found)
