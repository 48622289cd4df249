"""The report after a dispatch: where an edition stands, who lacks it by name, and what to do."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from briefmail.delivery import EditionStatus, Entry, Totals
from briefmail.errors import (
    BriefmailError,
    ContentRefused,
    LoginRefused,
    RelayUnavailable,
    SecretMissing,
)
from briefmail.notices.notice import Notice

NAMED = 50
"""How many people of a kind are named before they are only counted."""
# The parts of the totals, in the order in which they matter.
_LABELS = {
    "sent": "sent",
    "by_hand": "settled by hand",
    "refused": "refused by the relay",
    "uncertain": "uncertain: may have it, or not; never sent again unasked",
    "expired": "given up, not reached in time",
    "deferred": "deferred, will be tried again",
    "pending": "not tried yet",
    "withdrawn": "no longer in the list",
}
_HEADINGS = {"refused": "Refused", "uncertain": "Uncertain", "expired": "Given up"}
# The rows of the list that are nobody's who could be sent to.
_LEFT_OUT = {
    "duplicate": "duplicate",
    "invalid": "invalid",
    "opted_out": "opted out in the list",
    "suppressed": "suppressed",
}


@dataclass(frozen=True, slots=True)
class Step:
    """A command that goes on, and what it does."""

    command: str
    why: str


def report(
    status: EditionStatus,
    *,
    numbers: Mapping[str, int],
    failed: Mapping[str, Iterable[Entry]],
    stopped: BriefmailError | None,
    steps: Sequence[Step],
    clock: Callable[[datetime], datetime],
) -> Notice:
    """Tell where an edition stands that dispatch sent: closed, or with some people left.

    ``numbers`` say where the list's rows went; ``failed`` has, by state, whoever is refused,
    uncertain or expired. ``stopped`` is what ended the run early, and ``clock`` gives a moment the
    newsletter's zone.
    """
    record, totals = status.record, status.totals
    closed = record.closed_at is not None
    got = totals.sent + totals.by_hand
    reached = f"{got:,} of {_people(totals.audience)}"
    left = totals.deferred + totals.pending
    parts = [
        f"{record.subject}\n{_when(record.opened_at, record.closed_at, clock)}",
        _why(stopped),
        "\n".join(_sums(totals, numbers)),
        _goes_on(left, stopped),
        *(_named(state, entries) for state, entries in failed.items()),
        "\n".join(f"{step.command}\n    {step.why}" for step in steps),
    ]
    return Notice(
        record.id,
        "finished" if closed else "left",
        type(stopped).__name__ if stopped and not closed else "",
        f"{record.id} went out to {reached}"
        if closed
        else f"{record.id} went out to {reached} so far",
        "\n\n".join(part for part in parts if part),
    )


def _when(opened: str, closed: str | None, clock: Callable[[datetime], datetime]) -> str:
    begun = datetime.fromisoformat(opened)
    text = f"Begun {clock(begun):%a %Y-%m-%d %H:%M %Z}"
    if closed is None:
        return f"{text}."
    return f"{text}; finished after {_length(datetime.fromisoformat(closed) - begun)}."


def _length(time: timedelta) -> str:
    minutes, seconds = divmod(max(0, round(time.total_seconds())), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"


def _sums(totals: Totals, numbers: Mapping[str, int]) -> Iterator[str]:
    """The people, then where each of them stands; and how the list's rows come to that number."""
    width = len(f"{totals.audience:,}")
    yield f"{totals.audience:>{width},} {'person' if totals.audience == 1 else 'people'}"
    for name, label in _LABELS.items():
        count = getattr(totals, name)
        if count or name == "sent":
            yield f"{count:>{width},} {label}"
    out = [f"{numbers[name]:,} {label}" for name, label in _LEFT_OUT.items() if numbers.get(name)]
    if out:
        yield f"\nOf the list's {numbers['rows']:,} rows were left out: {', '.join(out)}."


def _why(stopped: BriefmailError | None) -> str:
    if stopped is None:
        return ""
    return stopped.message + (f"\n{stopped.hint}" if stopped.hint else "")


def _goes_on(left: int, stopped: BriefmailError | None) -> str:
    """Say how it goes on with who is left, unless something has to be done about it first."""
    if left and (stopped is None or isinstance(stopped, RelayUnavailable)):
        return f"The next dispatch goes on with the {left:,} left."
    if left and isinstance(stopped, LoginRefused | SecretMissing | ContentRefused):
        return (
            "Nothing is tried again for an hour, unless the settings or the issue change; then the"
            f" next dispatch goes on with the {left:,} left."
        )
    return ""


def _named(state: str, entries: Iterable[Entry]) -> str:
    entries = iter(entries)
    lines = [
        f"  {entry.address}  {entry.reply or entry.reason}".rstrip()
        for entry in islice(entries, NAMED)
    ]
    if more := sum(1 for _ in entries):
        lines.append(f"  ... and {more:,} more")
    return "\n".join([f"{_HEADINGS[state]}:", *lines]) if lines else ""


def _people(number: int) -> str:
    return f"{number:,} {'person' if number == 1 else 'people'}"
