"""Whether an issue may go out now, from what is known of it and of the others.

Only values come in and only values come out. Each :class:`Stop` names the option that goes on
nevertheless; where several hold, all are named at once.
"""

import difflib
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Literal, get_args

from briefmail.delivery.frozen import Frozen, Past
from briefmail.delivery.ledger import Totals
from briefmail.delivery.receipt import Receipt

Reason = Literal["edition-changed", "relay-changed", "audience-fell", "given-up", "to-everybody"]
REASONS: tuple[Reason, ...] = get_args(Reason)
SHOWN = 40
"""How many lines of a difference are shown."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the ledger and the receipts know.

    ``fingerprint`` and ``frozen`` are those of this edition's latest send, ``totals`` where the
    ledger has it, ``others`` every other issue that somebody has had. ``audience`` is how many
    people the default list had when it was last sent to as a whole. ``corrects`` is the issue
    whose readers alone this one was begun for, ``given_up`` how many of the list have expired.
    """

    fingerprint: str | None = None
    frozen: Frozen | None = None
    totals: Totals = field(default_factory=Totals)
    receipt: Receipt | None = None
    others: tuple[Past, ...] = ()
    audience: int | None = None
    corrects: str | None = None
    given_up: int = 0


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is about to be sent: the version, the issue's date, and to how many ``people``.

    ``version.audience`` is None unless the whole default list is sent to. ``corrects`` is the issue
    whose readers alone it is for, None if it is for all.
    """

    version: Frozen
    issue_date: date | None
    people: int = 1
    corrects: str | None = None


@dataclass(frozen=True, slots=True)
class Stop:
    """A reason not to send. ``way_on`` is the option that sends nevertheless."""

    about: Literal["issue", "list"]
    text: str
    way_on: str


def stops(
    known: Known, wanted: Wanted, *, force: Collection[str] = (), again: bool = False
) -> tuple[Stop, ...]:
    """Return everything that speaks against this send and was not answered by an option."""
    answered = {f"--force {reason}" for reason in force} | ({"--again"} if again else set())
    return tuple(stop for stop in _all_stops(known, wanted) if stop.way_on not in answered)


def _all_stops(known: Known, wanted: Wanted) -> Iterator[Stop]:
    """Against the issue nothing speaks if nobody is left to get it, unless they were given up."""
    if wanted.people:
        yield from _against_the_issue(known, wanted)
    elif known.given_up:
        yield _given_up(known.given_up)
    yield from _fallen(known.audience, wanted.version.audience)


def _against_the_issue(known: Known, wanted: Wanted) -> Iterator[Stop]:
    reached = known.totals.sent + known.totals.uncertain
    if known.receipt and _forgotten(known.receipt, known.totals):
        yield _lost(known.receipt)
    if reached:
        yield from _changed(known, wanted, reached)
    elif known.receipt is None:
        yield from _twins(known.others, wanted)
    if known.corrects and known.corrects != wanted.corrects:
        yield _widened(known.corrects, wanted.corrects)


def _given_up(number: int) -> Stop:
    return Stop(
        "issue",
        f"was given up, because it had been open for longer than schedule.give_up says:"
        f" {_people(number)} on the list did not get it",
        "--force given-up",
    )


def _widened(corrects: str, wanted: str | None) -> Stop:
    to_whom = f"everybody who got {wanted}" if wanted else "everybody on the list"
    return Stop(
        "issue",
        f"was begun as a correction of {corrects}, for its readers alone, and would now go to"
        f" {to_whom}: --only-who-got {corrects} keeps to them",
        "--force to-everybody",
    )


def _forgotten(receipt: Receipt, totals: Totals) -> bool:
    """Whether the receipt knows of people whom the ledger does not."""
    if receipt.totals is None:
        return totals.audience == 0
    # Nobody is taken out of these two states, so neither number can have fallen.
    fewer = receipt.totals.sent > totals.sent or receipt.totals.by_hand > totals.by_hand
    return totals.audience == 0 or fewer


def _lost(receipt: Receipt) -> Stop:
    totals = receipt.totals or Totals()
    parts = [f"went out to {_people(totals.sent)}"] if totals.sent else []
    if totals.by_hand:
        parts.append(f"{_people(totals.by_hand)} {_were(totals.by_hand)} settled by hand")
    return Stop(
        "issue",
        f"{' and '.join(parts) or 'went out'} (sent/{receipt.edition}.toml,"
        f" {receipt.opened_at[:10]}), and the ledger here does not know who has it: that was in"
        " another copy of this folder, or the ledger was lost. Everybody on the list would get it,"
        " whoever has it already too",
        "--again",
    )


def _changed(known: Known, wanted: Wanted, reached: int) -> Iterator[Stop]:
    """A resume goes on with what the others had, and by the same way."""
    new, old = wanted.version, known.frozen
    if new.fingerprint != known.fingerprint:
        yield Stop(
            "issue",
            f"has changed since it went out to {_people(reached)}; the others would get another"
            f" text than they had\n{difference(old, new)}",
            "--force edition-changed",
        )
    if old and old.relay.casefold() != new.relay.casefold():
        yield Stop(
            "issue",
            f"went out to {_people(reached)} through {old.relay}, and would go on through"
            f" {new.relay}: a relay that looked as if it had refused somebody may have them",
            "--force relay-changed",
        )


def _twins(others: Collection[Past], wanted: Wanted) -> Iterator[Stop]:
    for other in others:
        if wanted.version.fingerprint in other.fingerprints:
            yield Stop(
                "issue",
                f"is word for word what went out as {other.name}: whoever had that would get it"
                " again",
                "--again",
            )
        elif wanted.issue_date and wanted.issue_date == other.issue_date:
            yield Stop(
                "issue",
                f"has the date {wanted.issue_date}, for which {other.name} went out: is it the"
                " same issue under another name?",
                "--again",
            )


def _fallen(before: int | None, now: int | None) -> Iterator[Stop]:
    if now is not None and before and now * 2 < before:
        yield Stop(
            "list",
            f"has {_people(now)} to send to; at the last issue it had {before}. Is it the right"
            " file, and whole?",
            "--force audience-fell",
        )


def difference(old: Frozen | None, new: Frozen) -> str:
    """Show in a few lines how two versions of an edition differ, by their subject and plain text.

    ``old`` is None where the earlier version was not kept.
    """
    if old is None:
        return "(the earlier text was not kept)"
    lines = list(
        difflib.unified_diff(_lines(old), _lines(new), "as it was sent", "as it is now", "", "", 1)
    )
    lines = [line.rstrip("\n") for line in lines]
    if not lines:
        return "(the words are the same: it is a link, a picture, an attachment or the theme)"
    more = [f"... and {len(lines) - SHOWN} more lines"] if len(lines) > SHOWN else []
    return "\n".join([*lines[:SHOWN], *more])


def _lines(version: Frozen) -> list[str]:
    return [f"Subject: {version.subject}", "", *version.text.splitlines()]


def _were(number: int) -> str:
    return "was" if number == 1 else "were"


def _people(number: int) -> str:
    return "1 person" if number == 1 else f"{number} people"
