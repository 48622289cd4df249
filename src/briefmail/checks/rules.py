"""All rules, group by group in the order in which they are reported."""

from typing import Any

from briefmail.checks import audience, content, domain, html, links, message, sender
from briefmail.checks.audience import Audience, MailDomains
from briefmail.checks.links import Visits
from briefmail.checks.message import SpamVerdict
from briefmail.checks.proof import Proof
from briefmail.checks.rule import Rule, rules_of
from briefmail.checks.sender import Sender

PROOF_RULES: tuple[Rule[Proof], ...] = (
    *content.RULES,
    *links.RULES,
    *html.RULES,
    *message.RULES,
)
"""What looks at an issue and its edition."""

VISIT_RULES: tuple[Rule[Visits], ...] = links.VISIT_RULES
"""What looks at the answers of the servers that an issue links to."""

SPAM_RULES: tuple[Rule[SpamVerdict], ...] = message.SPAM_RULES
"""What looks at the verdict of a spam filter."""

AUDIENCE_RULES: tuple[Rule[Audience], ...] = audience.RULES
"""What looks at the list, and at everybody's copy."""

DNS_RULES: tuple[Rule[MailDomains], ...] = audience.DNS_RULES
"""What looks at the domains on the list."""

SENDER_RULES: tuple[Rule[Sender], ...] = rules_of(sender, domain)
"""What looks at who sends, for ``briefmail doctor``."""

RULES: tuple[Rule[Any], ...] = (
    *content.RULES,
    *links.RULES,
    *VISIT_RULES,
    *html.RULES,
    *message.RULES,
    *SPAM_RULES,
    *AUDIENCE_RULES,
    *DNS_RULES,
    *SENDER_RULES,
)
"""Every rule there is."""
