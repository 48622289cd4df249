"""All rules, group by group in the order in which they are reported."""

from typing import Any

from briefmail.checks import content
from briefmail.checks.proof import Proof
from briefmail.checks.rule import Rule, rules_of

PROOF_RULES: tuple[Rule[Proof], ...] = rules_of(content)
"""What looks at an issue and its edition."""

RULES: tuple[Rule[Any], ...] = PROOF_RULES
"""Every rule there is."""
