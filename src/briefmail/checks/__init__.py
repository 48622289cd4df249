"""Is it fit to send: what is wrong with an issue, before anybody can see it.

A :class:`~briefmail.checks.rule.Rule` is a small function that looks at a proof, at the audience or
at the sender, and says what it found; the rules of a group are a module. A
:class:`~briefmail.checks.finding.Finding` is what the editor reads.
"""

from briefmail.checks.finding import Finding, Severity
from briefmail.checks.links import Visits, visit_links
from briefmail.checks.names import DnsNames, Names, NamesUnavailableError
from briefmail.checks.proof import Proof, Specimen, proof_of
from briefmail.checks.report import Report, Silenced, problems_as_findings, run_rules, silences
from briefmail.checks.rule import Found, Rule
from briefmail.checks.rules import PROOF_RULES, RULES, SENDER_RULES, VISIT_RULES
from briefmail.checks.sender import Sender
from briefmail.checks.survey import Fault, Survey

__all__ = [
    "PROOF_RULES",
    "RULES",
    "SENDER_RULES",
    "VISIT_RULES",
    "DnsNames",
    "Fault",
    "Finding",
    "Found",
    "Names",
    "NamesUnavailableError",
    "Proof",
    "Report",
    "Rule",
    "Sender",
    "Severity",
    "Silenced",
    "Specimen",
    "Survey",
    "Visits",
    "problems_as_findings",
    "proof_of",
    "run_rules",
    "silences",
    "visit_links",
]
