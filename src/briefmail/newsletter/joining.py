"""How a run begins: with a roll call, or by joining the run that another machine has begun.

Where the memory is a file there is nobody to join. On a server the first machine calls the roll,
and whoever begins while it is at work takes people from that roll: the lists are not held against
each other, but the issue and the choice of people have to be the same.
"""

from dataclasses import replace
from socket import gethostname

from briefmail.audience import Roll
from briefmail.config import Config
from briefmail.delivery import LEASE, Lease, Ledger, Worker, Workers, awake_or_not, utc_now
from briefmail.edition import Edition
from briefmail.errors import LockHeld
from briefmail.newsletter.choosing import Choice
from briefmail.newsletter.lists import open_memory
from briefmail.newsletter.plan import Whom
from briefmail.newsletter.remembering import open_edition


def join_or_enrol(edition: Edition, roll: Roll, ledger: Ledger, choice: Choice, whom: Whom) -> None:
    """Open the edition for a run; the caller has it exclusively.

    Raises :class:`LockHeld` if another machine is at work on it with another text, or for others.
    """
    open_edition(edition, ledger)
    if others := ledger.at_work(edition.name):
        _refuse_another(edition, ledger, others[0], whom)
    else:
        _enrol(edition, roll, ledger, choice)


def _refuse_another(edition: Edition, ledger: Ledger, other: Worker, whom: Whom) -> None:
    record = ledger.edition(edition.name)
    assert record
    differs = None
    if record.fingerprint != edition.fingerprint:
        differs = "another version of it"
    elif other.whom != _chosen(whom):
        differs = "it to other people than asked for here"
    if differs:
        raise LockHeld(
            f"{other.name} is just sending {edition.name}, and {differs}",
            hint="give the same command with the same files and options to join it, or wait until"
            " it has ended",
        )


def _enrol(edition: Edition, roll: Roll, ledger: Ledger, choice: Choice) -> None:
    if choice.resend_uncertain:
        keys = choice.standing(roll.recipients(), "uncertain")
        ledger.reopen(edition.name, "uncertain", keys)
    if choice.retry_refused:
        ledger.reopen(edition.name, "refused", choice.standing(roll.recipients(), "refused"))
    if choice.revive:
        ledger.reopen(edition.name, "expired", choice.standing(roll.recipients(), "expired"))
    ledger.enrol(edition.name, choice.audience(roll.recipients()))


def enlist(config: Config, edition: Edition, ledger: Ledger, whom: Whom) -> Lease | None:
    """Become a worker, and return the lease to keep meanwhile; None for a run that is alone."""
    if not ledger.is_shared:
        return None
    began = awake_or_not()
    ledger.enlist(edition.name, f"{gethostname()}:{config.root}", _chosen(whom), LEASE)
    number = ledger.worker

    def renew() -> bool:
        with open_memory(config) as store:
            return Workers(store, utc_now).renew(number, LEASE)

    return Lease(renew, began, LEASE)


def _chosen(whom: Whom) -> str:
    """For whom a send is; how many each machine tries is its own business."""
    return repr(replace(whom, limit=None))
