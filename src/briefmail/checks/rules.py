"""All rules, group by group in the order in which they are reported."""

from typing import Any

from briefmail.checks import content, domain, html, links, sender
from briefmail.checks.links import Visits
from briefmail.checks.proof import Proof
from briefmail.checks.rule import Rule, rules_of
from briefmail.checks.sender import Sender

PROOF_RULES: tuple[Rule[Proof], ...] = (*content.RULES, *links.RULES, *html.RULES)
"""What looks at an issue and its edition."""

VISIT_RULES: tuple[Rule[Visits], ...] = links.VISIT_RULES
"""What looks at the answers of the servers that an issue links to."""

SENDER_RULES: tuple[Rule[Sender], ...] = rules_of(sender, domain)
"""What looks at who sends, for ``briefmail doctor``."""

RULES: tuple[Rule[Any], ...] = (*PROOF_RULES, *VISIT_RULES, *SENDER_RULES)
"""Every rule there is."""
