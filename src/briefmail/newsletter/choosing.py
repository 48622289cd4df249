"""Whom of a list one send is for, by what the ledger says of each person."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from briefmail.audience import Recipient
from briefmail.delivery import Entry, History
from briefmail.errors import UsageError
from briefmail.newsletter.lists import address_of

Place = Literal[
    "open",
    "uncertain",
    "refused",
    "expired",
    "already",
    "by_hand",
    "settled",
    "given_up",
    "did_not_get",
]
"""Where a person of the list stands before a send.

``open`` is to be sent to; so are ``uncertain``, ``refused`` and ``expired``, who are sent to again
on request. The others are not: ``already`` has it, ``by_hand`` got it by other means, ``settled``
was refused or is uncertain, ``given_up`` has expired, and ``did_not_get`` the other edition that
this one is a correction of.
"""
TO_SEND: tuple[Place, ...] = ("open", "uncertain", "refused", "expired")
GOT = {"sent", "uncertain", "by_hand"}
"""States of an edition in which a person has it, or may have it."""


@dataclass(frozen=True, slots=True)
class Refusals:
    """Which of the refused are tried again: all of them, some replies, or some addresses."""

    everybody: bool = False
    codes: frozenset[int] = frozenset()
    statuses: frozenset[str] = frozenset()
    keys: frozenset[str] = frozenset()

    @classmethod
    def parse(cls, words: Sequence[str]) -> "Refusals | None":
        """Read words such as ``all``, ``550``, ``5.1.1`` or an address; None if there are none.

        Raises :class:`UsageError` for any other.
        """
        if not words:
            return None
        codes, statuses, keys = set(), set(), set()
        for word in words:
            if re.fullmatch(r"[45]\d\d", word):
                codes.add(int(word))
            elif re.fullmatch(r"[45]\.\d{1,3}\.\d{1,3}", word):
                statuses.add(word)
            elif "@" in word:
                keys.add(address_of(word).key)
            elif word != "all":
                raise UsageError(
                    f"--retry-refused {word}: is neither an address nor a code",
                    hint="'all', a code such as 550 or 5.1.1, or an address",
                )
        return cls("all" in words, frozenset(codes), frozenset(statuses), frozenset(keys))

    def check(self, history: History | None, edition: str) -> None:
        """Raise :class:`UsageError` naming what fits nobody who was refused.

        Whoever is open may have been refused and taken up again by a run that was stopped: the
        same command goes on with them.
        """
        found = history.edition(edition) if history else None
        groups = history.groups(edition) if history else []
        refused = [group for group in groups if group.state == "refused"]
        missing = [
            f"{key} was not refused"
            for key in sorted(self.keys)
            if not _was_refused(history.entry(edition, key) if history else None)
        ]
        if not (found and found.totals.pending + found.totals.deferred):
            codes = self.codes - {group.code for group in refused}
            statuses = self.statuses - {group.status for group in refused}
            answers = sorted(map(str, codes | statuses))
            missing += [f"anybody with {answer} was not refused" for answer in answers]
        if missing:
            raise UsageError(
                f"--retry-refused: {'; '.join(missing)}",
                hint="'briefmail status' with the issue shows what the relay answered",
            )

    def include(self, key: str, entry: Entry) -> bool:
        """Whether somebody who was refused is tried again."""
        reply = entry.reply
        answered = reply and (reply.code in self.codes or reply.status in self.statuses)
        return self.everybody or key in self.keys or bool(answered)


def _was_refused(entry: Entry | None) -> bool:
    return entry is not None and entry.state in {"refused", "pending", "deferred"}


class Correction:
    """The edition that a correction is about: only who got that gets this."""

    def __init__(self, history: History, edition: str) -> None:
        self.edition = edition
        self._history = history

    def state_of(self, recipient: Recipient) -> str | None:
        """Return the state of somebody in what is corrected, None if it never named them."""
        return self._history.state_of(self.edition, recipient.key)


class Choice:
    """What a send asks of the ledger about each person. ``history`` is None where there is none.

    ``overdue`` says that whoever is open has had their time; ``revive`` that it does not matter.
    """

    def __init__(
        self,
        history: History | None,
        edition: str,
        *,
        resend_uncertain: bool = False,
        retry_refused: Refusals | None = None,
        correction: Correction | None = None,
        overdue: bool = False,
        revive: bool = False,
    ) -> None:
        self.resend_uncertain = resend_uncertain
        self.retry_refused = retry_refused
        self.revive = revive
        self._overdue = overdue
        self._history = history
        self._edition = edition
        self._correction = correction
        self._known = history is not None and history.knows(edition)

    @property
    def corrects(self) -> str | None:
        """The issue that this send corrects, None if it is no correction."""
        return self._correction.edition if self._correction else None

    def place(self, recipient: Recipient) -> Place:
        """Say where somebody on the list stands."""
        if not self._concerns(recipient):
            return "did_not_get"
        match self._state_of(recipient):
            case "sent":
                return "already"
            case "by_hand":
                return "by_hand"
            case "uncertain":
                return "uncertain" if self.resend_uncertain else "settled"
            case "refused":
                return "refused" if self._tries_again(recipient) else "settled"
            case "expired":
                return "expired" if self.revive else "given_up"
            case "pending" | "deferred" if self._overdue:
                return "expired" if self.revive else "given_up"
        return "open"

    def _state_of(self, recipient: Recipient) -> str | None:
        # Before the first send of an edition nobody is there to be asked about.
        if self._history is None or not self._known:
            return None
        return self._history.state_of(self._edition, recipient.key)

    def _tries_again(self, recipient: Recipient) -> bool:
        """Whether somebody who was refused is tried again."""
        if self._history is None or self.retry_refused is None:
            return False
        entry = self._history.entry(self._edition, recipient.key)
        return entry is not None and self.retry_refused.include(recipient.key, entry)

    def audience(self, recipients: Iterable[Recipient]) -> Iterator[Recipient]:
        """Leave those out whom a correction does not concern."""
        return filter(self._concerns, recipients)

    def standing(self, recipients: Iterable[Recipient], place: Place) -> Iterator[str]:
        """Yield the ledger keys of those who stand in ``place``."""
        return (who.key for who in recipients if self.place(who) == place)

    def may_lack(self, recipient: Recipient) -> bool:
        """Whether it is uncertain that somebody got what is corrected."""
        return self._correction is not None and self._correction.state_of(recipient) == "uncertain"

    def _concerns(self, recipient: Recipient) -> bool:
        return self._correction is None or self._correction.state_of(recipient) in GOT
