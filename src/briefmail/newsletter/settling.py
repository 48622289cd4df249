"""``settle``: an issue that went out by other means, so that ``send`` sends it to nobody."""

from collections.abc import Callable
from dataclasses import dataclass

from briefmail.audience import Counts, Roll
from briefmail.config import Config
from briefmail.delivery import History, Ledger, LedgerMark, Receipt, Receipts
from briefmail.edition import Edition
from briefmail.errors import LockHeld
from briefmail.newsletter.lists import open_memory, suppressed
from briefmail.newsletter.remembering import open_edition
from briefmail.store import high_water, run_lock

OTHER_MEANS = "(settled by hand)"
"""What a receipt has in the place of the relay."""


@dataclass(frozen=True, slots=True)
class SettlePlan:
    """What ``settle`` would do: of the list's ``counts.send`` people ``to_settle`` are open."""

    edition: Edition
    counts: Counts
    to_settle: int


@dataclass(frozen=True, slots=True)
class Settled:
    """What it did. ``by_hand`` people were settled; nobody if it was not ``confirmed``."""

    plan: SettlePlan
    confirmed: bool
    by_hand: int


def settle_issue(
    config: Config, edition: Edition, confirm: Callable[[SettlePlan], bool]
) -> Settled:
    """Settle everybody on the present list to whom the issue could still be sent.

    It is written down even where no relay is set: the sandbox does not look, a later relay does.
    Raises :class:`~briefmail.errors.LockHeld` while a send is at work.
    """
    with (
        run_lock(config.root),
        open_memory(config) as store,
        Roll.read(config.recipients, suppressed=suppressed(store)) as roll,
    ):
        mark = LedgerMark(store, high_water(config.root))
        mark.check()
        ledger = Ledger(store)
        _refuse_while_sent(ledger, edition)
        ledger.recover(edition.name)
        history = History(store)
        settled = {"sent", "refused", "uncertain", "expired", "by_hand"}
        to_settle = sum(
            history.state_of(edition.name, who.key) not in settled for who in roll.recipients()
        )
        plan = SettlePlan(edition, roll.counts, to_settle)
        if to_settle == 0 or not confirm(plan):
            return Settled(plan, to_settle == 0, 0)
        by_hand = _settle(edition, roll, ledger)
        _leave_receipt(config, edition, ledger)
        mark.rise()
        return Settled(plan, True, by_hand)


def _refuse_while_sent(ledger: Ledger, edition: Edition) -> None:
    if others := ledger.at_work(edition.name):
        raise LockHeld(
            f"{others[0].name} is just sending {edition.name}",
            hint="wait for it to finish; 'briefmail status' shows how far it is",
        )


def _settle(edition: Edition, roll: Roll, ledger: Ledger) -> int:
    open_edition(edition, ledger)
    ledger.enrol(edition.name, roll.recipients())
    by_hand = ledger.settle_by_hand(edition.name)
    ledger.close_if_settled(edition.name)
    return by_hand


def _leave_receipt(config: Config, edition: Edition, ledger: Ledger) -> None:
    """Tell other copies of the folder too, as after a send."""
    record = ledger.edition(edition.name)
    assert record
    receipts = Receipts(config.root)
    receipts.open(
        Receipt(
            edition=edition.name,
            subject=record.subject,
            issue_date=edition.issue.date,
            fingerprint=edition.fingerprint,
            relay=OTHER_MEANS,
            opened_at=record.opened_at,
        )
    )
    if record.closed_at:
        receipts.close(edition.name, record.closed_at, ledger.totals(edition.name))
