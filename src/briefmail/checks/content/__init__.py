"""The group *content*: what is written, and whether it is what its editor meant to send."""

from briefmail.checks.content import dates, headings, name, subject, wording
from briefmail.checks.rule import rules_of

RULES = rules_of(subject, wording, dates, headings, name)
"""In the order in which they are reported."""
