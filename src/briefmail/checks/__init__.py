"""Is it fit to send: what is wrong with an issue, before anybody can see it.

A :class:`~briefmail.checks.rule.Rule` is a small function that looks at a proof, at the audience or
at the sender, and says what it found; the rules of a group are a module. A
:class:`~briefmail.checks.finding.Finding` is what the editor reads.
"""

from briefmail.checks.audience import FILL, Audience, MailDomains, ask_domains
from briefmail.checks.finding import Finding, Severity
from briefmail.checks.links import Visits, visit_links
from briefmail.checks.message import SpamVerdict, ask_filter
from briefmail.checks.names import DnsNames, Names, NamesUnavailableError
from briefmail.checks.proof import Proof, Specimen, proof_of
from briefmail.checks.report import Report, Silenced, problems_as_findings, run_rules, silences
from briefmail.checks.rule import Found, Rule
from briefmail.checks.rules import (
    AUDIENCE_RULES,
    DNS_RULES,
    PROOF_RULES,
    RULES,
    SENDER_RULES,
    SPAM_RULES,
    VISIT_RULES,
)
from briefmail.checks.sender import Sender
from briefmail.checks.survey import Survey

__all__ = [
    "AUDIENCE_RULES",
    "DNS_RULES",
    "FILL",
    "PROOF_RULES",
    "RULES",
    "SENDER_RULES",
    "SPAM_RULES",
    "VISIT_RULES",
    "Audience",
    "DnsNames",
    "Finding",
    "Found",
    "MailDomains",
    "Names",
    "NamesUnavailableError",
    "Proof",
    "Report",
    "Rule",
    "Sender",
    "Severity",
    "Silenced",
    "SpamVerdict",
    "Specimen",
    "Survey",
    "Visits",
    "ask_domains",
    "ask_filter",
    "problems_as_findings",
    "proof_of",
    "run_rules",
    "silences",
    "visit_links",
]
