"""The From domain as others see it: its SPF, DMARC and MX records, and what to publish."""

from collections.abc import Iterator

from briefmail.checks.names import NamesUnavailableError, no_mail
from briefmail.checks.rule import Found, rule
from briefmail.checks.sender import Sender
from briefmail.checks.spf import LOOKUPS, Term, included, lookups, spf_records, terms
from briefmail.errors import BriefmailError

# The relay's host ends in the first; the sender's SPF record then includes the second. From each
# provider's own page on SPF. Postmark is not here: its return-path is a domain of its own.
INCLUDES = {
    ".amazonaws.com": "amazonses.com",
    ".mailgun.org": "mailgun.org",
    ".gmail.com": "_spf.google.com",
    ".google.com": "_spf.google.com",
    ".office365.com": "spf.protection.outlook.com",
    ".outlook.com": "spf.protection.outlook.com",
    ".sendgrid.net": "sendgrid.net",
    ".brevo.com": "spf.brevo.com",
}


@rule(
    "spf",
    "warning",
    cure="publish the record that your provider names",
    source="RFC 7208; support.google.com/mail/answer/81126",
)
def spf(sender: Sender) -> Iterator[Found]:
    """An SPF record that is missing, doubled, broken, or does not know the relay.

    It says who may send mail of this domain. Gmail, Yahoo and Outlook.com want one from whoever
    sends to many. There is one record only; a second one makes both void (RFC 7208 section 4.5),
    and so does one that needs more than ten look-ups (section 4.6.4).
    """
    domain = sender.domain
    if domain is None:
        return
    try:
        found = spf_records(sender.names, domain)
        include = _include_for(sender)
        if not found:
            publish = f"v=spf1 {f'include:{include} ' if include else 'mx '}~all"
            yield Found(f"{domain} has no SPF record", cure=_publish(domain, publish))
        elif len(found) > 1:
            yield Found(
                f"{domain} has {len(found)} SPF records, so none of them counts",
                severity="error",
                cure="put them together into one",
            )
        else:
            yield from _spf_faults(sender, domain, found[0], include)
    except NamesUnavailableError as error:
        yield _unknown(domain, error)


def _spf_faults(sender: Sender, domain: str, record: str, include: str | None) -> Iterator[Found]:
    said = terms(record)
    for word in said:
        if isinstance(word, str):
            yield Found(
                f"the SPF record of {domain} has '{word}', which makes all of it void",
                severity="error",
                cure=f"take the word out: {record}",
            )
    if any(isinstance(term, Term) and (term.name, term.result) == ("all", "+") for term in said):
        yield Found(
            f"the SPF record of {domain} ends with +all: anybody may send in your name",
            severity="error",
            cure=_publish(domain, record.replace("+all", "~all").replace(" all", " ~all")),
        )
    needed = lookups(sender.names, domain, record)
    if needed > LOOKUPS:
        yield Found(
            f"the SPF record of {domain} needs {needed} look-ups, and after {LOOKUPS} it is void",
            severity="error",
            cure="take out what you do not use",
        )
    if include and include not in set(included(sender.names, record)):
        first, _, rest = record.partition(" ")
        yield Found(
            f"the SPF record of {domain} does not name your relay's {include}",
            cure=_publish(domain, f"{first} include:{include} {rest}"),
        )


def _include_for(sender: Sender) -> str | None:
    host = sender.config.relay.host.lower() if sender.config.relay else ""
    return next((name for end, name in INCLUDES.items() if f".{host}".endswith(end)), None)


@rule(
    "dkim",
    "error",
    cure="see docs/dkim.md",
    source="RFC 6376 section 3.6; support.google.com/mail/answer/81126",
)
def dkim(sender: Sender) -> Iterator[Found]:
    """A DKIM key that DNS does not know, knows otherwise, or that cannot be used.

    A signature that cannot be verified is as good as none, and often worse. Without a key of our
    own the relay has to sign, which most of them do once the domain has been set up there.
    """
    if isinstance(sender.keys, BriefmailError):
        yield Found(sender.keys.message, cure=sender.keys.hint or "")
        return
    for key in sender.keys:
        publish = _publish(key.name, key.text)
        try:
            found = sender.names.records(key.name, "TXT")
        except NamesUnavailableError as error:
            yield _unknown(key.name, error)
            continue
        if not found:
            yield Found(f"DNS has no record for the key at {key.name}", cure=publish)
        elif not any(_public_key(text) == _public_key(key.text) for text in found):
            yield Found(
                f"DNS has another key at {key.name} than the one we sign with", cure=publish
            )
    if not sender.keys and sender.domain and sender.config.relay:
        yield Found(
            "we do not sign our mail; does the relay?",
            severity="info",
            cure="look for 'dkim=pass' in the headers of a test copy, else see docs/dkim.md",
        )


def _public_key(record: str) -> str:
    """The p= of a record, without the blanks that may stand in it."""
    tags = dict(part.strip().partition("=")[::2] for part in record.split(";"))
    return "".join(tags.get("p", "").split())


@rule(
    "dmarc",
    "warning",
    cure="publish a DMARC record",
    source="RFC 7489 section 6.3; support.google.com/mail/answer/81126",
)
def dmarc(sender: Sender) -> Iterator[Found]:
    """A DMARC record that is missing or broken.

    Gmail, Yahoo and Outlook.com want one from whoever sends to many. ``p=none`` is enough, and
    changes nothing about how your mail is treated.
    """
    domain = sender.domain
    if domain is None:
        return
    try:
        found = [
            (where, text)
            for where in _upwards(domain)
            for text in sender.names.records(f"_dmarc.{where}", "TXT")
            if text.lower().startswith("v=dmarc1")
        ]
    except NamesUnavailableError as error:
        yield _unknown(domain, error)
        return
    if not found:
        yield Found(
            f"{domain} has no DMARC record",
            cure=_publish(f"_dmarc.{domain}", "v=DMARC1; p=none"),
        )
        return
    where, record = found[0]
    tags = {
        name.strip().lower(): value.strip().lower()
        for name, _, value in (part.partition("=") for part in record.split(";"))
    }
    if tags.get("p") not in {"none", "quarantine", "reject"}:
        yield Found(
            f"the DMARC record of {where} has no policy: {record}",
            severity="error",
            cure=_publish(f"_dmarc.{where}", "v=DMARC1; p=none"),
        )


def _upwards(domain: str) -> Iterator[str]:
    """The domain, and those above it that are more than a single label (RFC 7489 section 6.6.3)."""
    labels = domain.split(".")
    return (".".join(labels[start:]) for start in range(len(labels) - 1))


@rule(
    "mx",
    "warning",
    cure="let your provider set up mail for the domain, or send from one that has it",
    source="RFC 5321 section 5.1, RFC 7505",
)
def mx(sender: Sender) -> Iterator[Found]:
    """A domain of our own that takes no mail.

    Answers to the newsletter, requests to leave and reports of bounces are mails to these
    addresses. Some receivers refuse what comes from a domain that cannot be answered.
    """
    settings = sender.config
    if sender.domain is None:
        return
    texts = {
        "from": settings.newsletter.sender.address if settings.newsletter.sender else "",
        "reply_to": settings.newsletter.reply_to.address if settings.newsletter.reply_to else "",
        "bounce_address": settings.mail.bounce_address,
        "unsubscribe_address": settings.mail.unsubscribe_address,
    }
    for domain in dict.fromkeys(a.rpartition("@")[2].lower() for a in texts.values() if a):
        keys = ", ".join(key for key, address in texts.items() if address.endswith(f"@{domain}"))
        try:
            if text := no_mail(sender.names, domain):
                yield Found(f"{domain} ({keys}) {text}")
        except NamesUnavailableError as error:
            yield _unknown(domain, error)


def _publish(name: str, record: str) -> str:
    return f'publish at {name}: TXT "{record}"'


def _unknown(domain: str, error: NamesUnavailableError) -> Found:
    return Found(
        f"nothing is known of {domain}: {error}",
        severity="info",
        cure="try again with a working network",
    )
