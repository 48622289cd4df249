"""Whether an edition is open still, and giving up on those who could not be reached in time.

An edition is closed when nobody is left to try (:meth:`Ledger.close_if_settled`), or when it has
been open for too long: then the rest are *expired*, and are not tried again unasked. The time
counts from its first real send, or from when a send opened it again.
"""

from datetime import datetime, timedelta

from briefmail.delivery.ledger import Ledger


def is_open(ledger: Ledger, edition_id: str) -> bool:
    """Whether an edition was begun and is not closed."""
    return ledger.open_since(edition_id) is not None


def is_overdue(ledger: Ledger, edition_id: str, give_up: timedelta, now: datetime) -> bool:
    """Whether an edition has been open for ``give_up``."""
    since = ledger.open_since(edition_id)
    return since is not None and now - since >= give_up


def expire(ledger: Ledger, edition_id: str, give_up: timedelta, now: datetime) -> int:
    """Close an edition that is overdue, and let everybody whom it still had to reach expire.

    To be called before a run; returns how many expired. One that is not overdue stays as it is, and
    so does one that another machine is sending. Raises :class:`~briefmail.errors.StoreError` if the
    database fails.
    """
    if not is_overdue(ledger, edition_id, give_up, now) or ledger.at_work(edition_id):
        return 0
    ledger.recover(edition_id)  # whoever a dead run had in hand is one of them, or uncertain
    return ledger.expire_open(edition_id)
