"""All rules, group by group in the order in which they are reported."""

from typing import Any

from briefmail.checks import content, domain, sender
from briefmail.checks.proof import Proof
from briefmail.checks.rule import Rule, rules_of
from briefmail.checks.sender import Sender

PROOF_RULES: tuple[Rule[Proof], ...] = rules_of(content)
"""What looks at an issue and its edition."""

SENDER_RULES: tuple[Rule[Sender], ...] = (*rules_of(sender), *rules_of(domain))
"""What looks at who sends, for ``briefmail doctor``."""

RULES: tuple[Rule[Any], ...] = (*PROOF_RULES, *SENDER_RULES)
"""Every rule there is."""
