"""``doctor``: who sends, held against the rules for senders. Nothing is sent or written."""

from datetime import datetime

from briefmail import delivery
from briefmail.checks import SENDER_RULES, DnsNames, Names, Report, Sender, run_rules
from briefmail.config import Config, Relay
from briefmail.delivery import DkimRecord, Greeting, History, LedgerMark
from briefmail.errors import BriefmailError
from briefmail.newsletter import signing
from briefmail.newsletter.lists import existing_store
from briefmail.store import high_water, place_warning


def examine(config: Config, now: datetime, names: Names | None = None) -> Report:
    """Look at the relay, the domain, this machine and the ledger.

    The relay is greeted and logged in to. ``names`` stands in for the domain name system.
    """
    memory, latest, place = _memory(config)
    sender = Sender(
        config=config,
        names=names or DnsNames(),
        greeting=_greeting(config.relay) if config.relay else None,
        memory=memory,
        place=place,
        latest=latest,
        now=now,
        keys=_keys(config),
    )
    return Report.of_findings(run_rules(SENDER_RULES, sender, config.path), config.checks.silence)


def _greeting(relay: Relay) -> Greeting | BriefmailError:
    try:
        with delivery.Session(relay) as session:
            return session.greeting
    except BriefmailError as error:
        return error


def _keys(config: Config) -> tuple[DkimRecord, ...] | BriefmailError:
    try:
        return signing.records(config) if config.dkim.keys else ()
    except BriefmailError as error:
        return error


def _memory(config: Config) -> tuple[BriefmailError | None, datetime | None, str | None]:
    """Read all of the ledger; what is wrong with it, the last moment that it knows of, its place.

    The last is a warning, None if it is safe where it is.
    """
    place = None if config.database_url else place_warning(config.root)
    try:
        with existing_store(config) as store:
            if store is None:
                return None, None, place
            store.check()
            LedgerMark(store, high_water(config.root)).check()
            return None, History(store).latest(), place or store.warning()
    except BriefmailError as error:
        return error, None, place
