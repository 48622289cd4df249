"""The group *links*: where links lead, what they say, and the pictures."""

from briefmail.checks.links import address, pictures, repeats, texts, visits
from briefmail.checks.links.visits import Visits, visit_links
from briefmail.checks.rule import rules_of

RULES = rules_of(address, texts, repeats, pictures)
"""What needs no network, in the order in which it is reported."""

VISIT_RULES = rules_of(visits)
"""What looks at the answers of servers."""

__all__ = ["RULES", "VISIT_RULES", "Visits", "visit_links"]
