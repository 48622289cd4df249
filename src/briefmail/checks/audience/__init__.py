"""Who gets it: fields that are missing, addresses that are mistyped, domains that take no mail."""

from briefmail.checks.audience import fields, mail_domains, rows, typos
from briefmail.checks.audience.fields import FILL
from briefmail.checks.audience.listing import Audience
from briefmail.checks.audience.mail_domains import MailDomains, ask_domains
from briefmail.checks.rule import rules_of

RULES = rules_of(fields, rows, typos)
DNS_RULES = rules_of(mail_domains)

__all__ = ["DNS_RULES", "FILL", "RULES", "Audience", "MailDomains", "ask_domains"]
