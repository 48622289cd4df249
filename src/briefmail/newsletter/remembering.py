"""What a send through a relay holds itself against, and what it writes down for the next one.

The sandbox does little of this: its ledger is opened as any other, but it freezes nothing.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

from briefmail.audience import Recipient
from briefmail.config import Config
from briefmail.delivery import (
    Delivery,
    Frozen,
    FrozenEditions,
    Known,
    Ledger,
    LedgerMark,
    Past,
    Receipt,
    Receipts,
    RunResult,
    Stop,
    Wanted,
    expire,
    is_overdue,
    stops,
)
from briefmail.edition import Edition
from briefmail.errors import StoreError
from briefmail.issue import TOKEN
from briefmail.newsletter.lists import ROOMS
from briefmail.store import Database, high_water, open_scratch, place_warning

SETTLED = frozenset({"sent", "refused", "uncertain"})
"""What a run can make of a person for good."""


@contextmanager
def remembered(config: Config, edition: Edition, store: Database | None) -> Iterator["Memory"]:
    """What is known of an edition before it goes to the relay; ``store`` None if nothing yet.

    Raises :class:`StoreError` if the memory is damaged or has forgotten something.
    """
    if store is not None:
        store.check()
        yield Memory(config, edition, store)
        return
    with open_scratch(ROOMS) as nothing:
        yield Memory(config, edition, nothing)


def open_edition(edition: Edition, ledger: Ledger) -> None:
    """Open an edition in a ledger, with its subject as the editor wrote it."""
    issue = edition.issue
    ledger.open_edition(
        edition.name,
        subject=_as_written(edition, issue.subject),
        issue_date=issue.date,
        fingerprint=edition.fingerprint,
    )


class Memory:
    """The memory of one edition: the ledger's, the receipts', and the mark.

    ``ledger`` is the real one: what it has is what people have had.
    """

    def __init__(self, config: Config, edition: Edition, store: Database) -> None:
        assert config.relay
        self._relay = config.relay.host
        self._give_up = config.schedule.give_up
        self._edition = edition
        self.ledger = Ledger(store)
        self._frozen = FrozenEditions(store)
        self._receipts = Receipts(config.root)
        self._mark = LedgerMark(store, high_water(config.root))
        self._mark.check()
        self.warning = store.warning() if store.shared else place_warning(config.root)
        """Why the memory is not safe where it is, None if nothing is known."""

    @property
    def closed_at(self) -> str | None:
        """When the edition was closed (UTC, ISO 8601); None if it never was, or is open again."""
        record = self.ledger.edition(self._edition.name)
        return record.closed_at if record else None

    def stops(
        self,
        audience: int | None,
        *,
        force: Collection[str],
        again: bool,
        corrects: str | None,
        people: int,
        given_up: int,
    ) -> tuple[Stop, ...]:
        """Everything that speaks against a send; ``audience`` as in :class:`Frozen`.

        ``corrects`` is the issue that this one says it corrects: to be like that one is no fault.
        It is for ``people``, and ``given_up`` more on the list have expired.
        """
        name = self._edition.name
        record = self.ledger.edition(name)
        known = Known(
            fingerprint=record.fingerprint if record else None,
            frozen=self._frozen.latest(name),
            totals=self.ledger.totals(name),
            receipt=self._receipts.read(name),
            others=tuple(past for past in self._others() if past.name != corrects),
            audience=self._frozen.last_audience(),
            corrects=self._frozen.corrects(name),
            given_up=given_up,
        )
        wanted = Wanted(self._version(audience), self._edition.issue.date, people, corrects)
        return stops(known, wanted, force=force, again=again)

    def is_overdue(self, now: datetime) -> bool:
        """Whether the edition has been open for too long to go on with."""
        return is_overdue(self.ledger, self._edition.name, self._give_up, now)

    def expire(self, now: datetime) -> None:
        """Give up on whoever is left of an edition that is overdue."""
        if expire(self.ledger, self._edition.name, self._give_up, now):
            self.close_receipt()

    def _others(self) -> tuple[Past, ...]:
        """The other issues that the ledger or a receipt knows of, each once."""
        name = self._edition.name
        found = {past.name: past for past in self._frozen.others(name)}
        for receipt in self._receipts.all():
            past, known = receipt.past, found.get(receipt.edition)
            fingerprints = past.fingerprints | (known.fingerprints if known else frozenset())
            found[past.name] = replace(past, fingerprints=fingerprints)
        found.pop(name, None)
        return tuple(found.values())

    def _version(self, audience: int | None) -> Frozen:
        edition = self._edition
        return Frozen(
            edition=edition.name,
            fingerprint=edition.fingerprint,
            relay=self._relay,
            subject=_as_written(edition, edition.issue.subject),
            html=_as_written(edition, edition.html),
            text=_as_written(edition, edition.text),
            audience=audience,
        )

    def freeze(self, audience: int | None, corrects: str | None) -> None:
        """Write down what is about to go out, and a receipt: before the first message leaves.

        ``corrects`` is the issue whose readers alone it is for, None for everybody. The edition is
        open in the ledger. Raises :class:`StoreError` if the disk will not.
        """
        version = self._version(audience)
        day = self._edition.issue.date
        self._frozen.keep(version, day, corrects=corrects)
        record = self.ledger.edition(version.edition)
        assert record
        self._receipts.open(
            Receipt(
                edition=version.edition,
                subject=version.subject,
                issue_date=day,
                fingerprint=version.fingerprint,
                relay=version.relay,
                opened_at=record.opened_at,
            )
        )
        self._mark.begin()

    def counting(
        self, on_progress: Callable[[Recipient, Delivery], None]
    ) -> Callable[[Recipient, Delivery], None]:
        """Let the mark rise with the outcomes that are told to ``on_progress``."""

        def count(recipient: Recipient, delivery: Delivery) -> None:
            on_progress(recipient, delivery)
            self._mark.count(settled=delivery.state in SETTLED)

        return count

    def finish(self, result: RunResult) -> None:
        """Write down where the run ended, unless it ended because the disk failed."""
        if not isinstance(result.stopped, StoreError):
            self._mark.rise()
            self.close_receipt()

    def close_without_a_run(self, recipients: Iterable[Recipient]) -> None:
        """Close an edition that is open although the whole list, ``recipients``, has had it.

        Whoever was left has left the list, or a run died right after its last message.
        """
        name = self._edition.name
        with self.ledger.exclusively(name):
            record = self.ledger.edition(name)
            if record and not record.closed_at and not self.ledger.at_work(name):
                self.ledger.enrol(name, recipients)
                self.ledger.close_if_settled(name)
                self.close_receipt()

    def close_receipt(self) -> None:
        """Put the totals of a closed edition into its receipt, if they are not there."""
        name = self._edition.name
        if closed_at := self.closed_at:
            self._receipts.close(name, closed_at, self.ledger.totals(name))


def _as_written(edition: Edition, text: str) -> str:
    """Text with the merge tags as the editor wrote them; the theme's own are only shown as such."""
    tags = {tag.token: tag.source for tag in edition.issue.tags}
    return TOKEN.sub(lambda match: tags.get(match[0], "{{ … }}"), text)
