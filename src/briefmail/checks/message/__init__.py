"""The message itself: its form, how to leave, who it comes from, and what a spam filter says."""

from briefmail.checks.message import form, leaving, origin, spam, words
from briefmail.checks.message.spam import SpamFilter, SpamVerdict, ask_filter
from briefmail.checks.rule import rules_of

RULES = rules_of(form, leaving, origin, words)
SPAM_RULES = rules_of(spam)

__all__ = ["RULES", "SPAM_RULES", "SpamFilter", "SpamVerdict", "ask_filter"]
