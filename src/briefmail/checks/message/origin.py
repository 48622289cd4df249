"""Who the message comes from, who gets the answers, and where the sender can be found."""

import ipaddress
from collections.abc import Iterator

from briefmail.checks.finding import Severity
from briefmail.checks.message.providers import FREEMAIL, is_in, is_reserved
from briefmail.checks.proof import Proof
from briefmail.checks.rule import Found, rule
from briefmail.config import line_of

NO_REPLY = ("noreply", "no-reply", "no_reply", "donotreply", "do-not-reply", "do_not_reply")


@rule(
    "from-freemail",
    "warning",
    cure="send through that provider's own relay, or from an address in a domain of your own",
    source="RFC 7489 (DMARC); Gmail's rules for senders: never impersonate Gmail in From",
)
def from_freemail(proof: Proof) -> Iterator[Found]:
    """A sender at a free provider, and another provider's relay.

    Receivers ask the sender's domain whether the relay may speak for it. It will say no, and the
    mail is refused or goes into the spam folder.
    """
    sender, relay = proof.edition.sender, proof.config.relay
    own = FREEMAIL.get(sender.domain, ())
    if relay and own and not any(is_in(relay.host.lower(), domain) for domain in own):
        yield _at_sender(proof, f"mail from {sender.address} is to go through {relay.host}")


@rule(
    "from-login",
    "warning",
    cure="send from an address in the login's domain, or ask the provider whether this one may be"
    " used; if so, silence this rule",
    source="RFC 6409 section 6.1: a submission server may enforce who a login may send as",
)
def from_login(proof: Proof) -> Iterator[Found]:
    """A sender in another domain than the login at the relay.

    Many relays refuse such mail, or write the login's own address in its place.
    """
    sender, relay = proof.edition.sender, proof.config.relay
    login = relay.username.rpartition("@")[2].lower() if relay and "@" in relay.username else ""
    related = is_in(sender.domain, login) or is_in(login, sender.domain)
    if relay and login and not related:
        yield _at_sender(proof, f"mail from {sender.address} is to go out as {relay.username}")


@rule(
    "from-reserved",
    "error",
    cure="set [newsletter] from in briefmail.toml to your own address",
    source="RFC 2606, RFC 6761: domains that are kept for examples",
)
def from_reserved(proof: Proof) -> Iterator[Found]:
    """A sender at example.org or another domain that nobody has, while a relay is set.

    Nobody could answer, no bounce would come back, and receivers refuse such senders. In the
    sandbox it is as good as any; for a relay on this machine, which may be one to try things with,
    it is a warning.
    """
    sender, relay = proof.edition.sender, proof.config.relay
    if relay and is_reserved(sender.domain):
        text = f"the sender {sender.address} is an example: nobody has the domain {sender.domain}"
        here = _is_here(relay.host)
        yield _at_sender(proof, text, severity="warning" if here else None)


@rule(
    "reply-to",
    "warning",
    cure="set [newsletter] reply_to to an address that somebody reads",
    source="RFC 5322 section 3.6.2; answers are what a mailbox provider trusts a sender by",
)
def reply_to(proof: Proof) -> Iterator[Found]:
    """Answers go where nobody reads them: to a no-reply address, or to the address for leaving."""
    issue, settings = proof.issue, proof.config.newsletter
    named = issue.reply_to or settings.reply_to
    to = named or proof.edition.sender
    leave = proof.config.mail.unsubscribe_address.lower()
    if to.address.partition("@")[0].lower() in NO_REPLY:
        text = f"answers go to {to.address}, which says that nobody reads them"
    elif named and to.address.lower() == leave:
        text = f"answers go to {to.address}, which is for those who want to leave"
    else:
        return
    yield _at(proof, text, "reply_to" if named else "from")


@rule(
    "postal-address",
    "warning",
    cure="set [newsletter] postal_address in briefmail.toml",
    source="CAN-SPAM Act, 15 U.S.C. 7704(a)(5); E-Commerce Directive 2000/31/EC article 5",
)
def postal_address(proof: Proof) -> Iterator[Found]:
    """No postal address of the sender in the footer.

    The law of many countries asks for one in mail that a business or an organisation sends.
    """
    config = proof.config
    if not config.newsletter.postal_address.strip():
        line = line_of(config.path, "newsletter", "postal_address") if config.path else None
        yield Found("the footer does not say where the sender can be found", line, config.path)


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _at_sender(proof: Proof, text: str, *, severity: Severity | None = None) -> Found:
    return _at(proof, text, "from", severity=severity)


def _at(proof: Proof, text: str, key: str, *, severity: Severity | None = None) -> Found:
    """A finding about ``from`` or ``reply_to``, where it was set: in the issue or the settings."""
    line = proof.line_of_key(key)
    if line is None and proof.config.path:
        path = proof.config.path
        return Found(text, line_of(path, "newsletter", key), path, severity=severity)
    return Found(text, line, severity=severity)
