"""How ``status`` and ``who`` are printed. Replies are data: they were escaped when they came in."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from briefmail.cli import output

if TYPE_CHECKING:
    from briefmail.newsletter import (
        EditionStatus,
        Entry,
        FailuresWritten,
        Issued,
        Person,
        Status,
        Totals,
    )

BAR = 10
LABELS = {
    "sent": "sent",
    "by_hand": "settled by hand",
    "refused": "refused by the relay",
    "uncertain": "uncertain, never sent again unasked",
    "expired": "given up",
    "deferred": "deferred, will be tried again",
    "pending": "not tried yet",
    "withdrawn": "no longer in the list",
}
COLOURS = {"sent": "green", "refused": "red", "uncertain": "yellow", "deferred": "yellow"}


def numbers(totals: "Totals") -> dict[str, int]:
    """Where an edition's people are: ``audience`` is the sum of all the others."""
    return {"audience": totals.audience, **{name: getattr(totals, name) for name in LABELS}}


# --- every edition --------------------------------------------------------------------------------


def editions(found: "Sequence[EditionStatus]") -> None:
    """Print a line for each edition."""
    if not found:
        output.note("nothing has been sent yet; what the sandbox caught is in outbox/")
        return
    head = ("date", "issue", "sent", "refused", "uncertain", "deferred")
    rows = [
        (
            _day(status),
            status.record.id,
            *(f"{getattr(status.totals, name):,}" for name in head[2:]),
        )
        for status in found
    ]
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    output.result(click.style(_line(head, widths), bold=True))
    for status, row in zip(found, rows, strict=True):
        output.result(f"{_line(row, widths)}  {_bar(status.totals)}{_rest(status.totals)}")


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    words = [cell.ljust(width) for cell, width in zip(cells[:2], widths[:2], strict=True)]
    counts = [cell.rjust(width) for cell, width in zip(cells[2:], widths[2:], strict=True)]
    return "  ".join([*words, *counts])


def _bar(totals: "Totals") -> str:
    """Draw how much of an edition has got there."""
    done, rest = ("█", "░") if _speaks_unicode() else ("#", ".")
    got = totals.sent + totals.by_hand
    # Full only when everybody has it, and empty only when nobody has.
    filled = BAR * got // totals.audience if totals.audience else 0
    filled = max(filled, 1) if got else 0
    return click.style(done * filled, fg="green") + rest * (BAR - filled)


def _speaks_unicode() -> bool:
    return (getattr(sys.stdout, "encoding", None) or "").lower().startswith("utf")


def _rest(totals: "Totals") -> str:
    named = {name: getattr(totals, name) for name in ("pending", "expired", "by_hand", "withdrawn")}
    parts = [f"{count:,} {LABELS[name]}" for name, count in named.items() if count]
    return f"  {', '.join(parts)}" if parts else ""


def _day(status: "EditionStatus") -> str:
    return str(status.record.issue_date or status.record.opened_at[:10])


def editions_data(found: "Sequence[EditionStatus]") -> list[dict[str, Any]]:
    """Every edition for a program."""
    return [_edition(status.record, status.totals) for status in found]


def _edition(record: Any, totals: "Totals") -> dict[str, Any]:
    return {
        "issue": record.id,
        "subject": record.subject,
        "date": record.issue_date,
        "opened_at": record.opened_at,
        "closed_at": record.closed_at,
        "totals": numbers(totals),
    }


# --- one edition ----------------------------------------------------------------------------------


def status(standing: "Status") -> None:
    """Print where one edition stands."""
    if standing.record is None:
        output.result(f"{standing.edition} has not been sent")
    else:
        _heading(standing)
        _totals(standing.totals)
        _workers(standing)
        _answers(standing)
        _uncertain(standing)
    for advice in standing.advice:
        command = _command(advice.verb, standing.issue, advice.options)
        output.result(f"\n{click.style(command, bold=True)}\n    {advice.why}")


def _heading(standing: "Status") -> None:
    record = standing.record
    assert record
    closed = f"closed {moment(record.closed_at)}" if record.closed_at else "open"
    output.result(f"{click.style(record.id, bold=True)}  {record.subject}")
    output.result(f"begun {moment(record.opened_at)}, {closed}")


def _totals(totals: "Totals") -> None:
    audience, *parts = numbers(totals).items()
    width = len(f"{audience[1]:,}")
    output.result(f"{audience[1]:>{width},} {output.people(audience[1])}")
    for name, count in parts:
        if count or name == "sent":
            label = click.style(LABELS[name], fg=COLOURS.get(name))
            output.result(f"{count:>{width},} {label}")


def _workers(standing: "Status") -> None:
    if not standing.workers:
        return
    output.result(click.style("\nThe machines", bold=True))
    width = len(f"{max(each.sent for each in standing.workers):,}")
    for each in standing.workers:
        in_hand = f", {each.in_hand:,} in hand" if each.in_hand else ""
        output.result(
            f"{each.sent:>{width},} sent{in_hand}: {each.worker.name},"
            f" since {moment(each.worker.began_at)}, {each.worker.state}"
        )


def _answers(standing: "Status") -> None:
    if not standing.groups:
        return
    output.result(click.style("\nWhat the relay answered", bold=True))
    width = len(f"{max(group.count for group in standing.groups):,}")
    for group in standing.groups:
        answer = " ".join(str(part) for part in (group.code, group.status, group.text) if part)
        output.result(f"{group.count:>{width},} {group.state}: {answer} ({group.example})")


def _uncertain(standing: "Status") -> None:
    if standing.uncertain:
        output.result(click.style("\nUncertain: each of them may have it, or not", bold=True))
    for entry in standing.uncertain:
        output.result(f"{entry.address}  {moment(entry.updated_at)}")


def _command(verb: str, issue: Path, options: str) -> str:
    words = ("briefmail", verb, _quoted(output.near(issue.absolute())), options)
    return " ".join(word for word in words if word)


def _quoted(path: Path) -> str:
    return f'"{path}"' if " " in str(path) else str(path)


def moment(text: str) -> str:
    """A moment of the ledger as a person reads it."""
    return f"{text[:10]} {text[11:16]} UTC"


def failures(written: "FailuresWritten", issue: Path) -> None:
    """Say what was written for --failed-to."""
    if written.left_out:
        output.note(f"{written.left_out:,} left or are suppressed by now, and are left out")
    if not written.rows:
        output.note("nobody is left who may lack it: no file was written")
        return
    output.result(f"{written.path}: {written.rows:,} {output.people(written.rows)}")
    if written.from_ledger:
        output.note(
            f"{written.from_ledger:,} of them are no longer in the list: their rows have what"
            " the ledger keeps"
        )
    command = _command("send", issue, f"--recipients {_quoted(written.path)}")
    output.note(
        f"'{command}' sends to those who are corrected or still to be tried;"
        " with --resend-uncertain to the uncertain as well"
    )


def status_json(standing: "Status", written: "FailuresWritten | None") -> None:
    """Print where one edition stands for a program."""
    record = standing.record
    result = {
        **(
            _edition(record, standing.totals)
            if record
            else {"issue": standing.edition, "totals": numbers(standing.totals)}
        ),
        "workers": [
            {
                "name": each.worker.name,
                "state": each.worker.state,
                "began_at": each.worker.began_at,
                "sent": each.sent,
                "in_hand": each.in_hand,
            }
            for each in standing.workers
        ],
        "replies": [
            {
                "state": group.state,
                "code": group.code,
                "status": group.status,
                "text": group.text,
                "count": group.count,
                "example": group.example,
            }
            for group in standing.groups
        ],
        "uncertain": [_entry(entry) for entry in standing.uncertain],
        "next": [
            {
                "command": _command(advice.verb, standing.issue, advice.options),
                "why": advice.why,
            }
            for advice in standing.advice
        ],
    }
    if written:
        result["failed_to"] = {
            "path": written.path if written.rows else None,
            "rows": written.rows,
            "from_ledger": written.from_ledger,
            "left_out": written.left_out,
        }
    output.as_json(result)


def _entry(entry: "Entry") -> dict[str, Any]:
    return {
        "address": entry.address,
        "state": entry.state,
        "at": entry.updated_at,
        "reply": str(entry.reply) if entry.reply else None,
        "reason": entry.reason,
        "message_id": entry.message_id or None,
    }


# --- one person -----------------------------------------------------------------------------------


def who(person: "Person") -> None:
    """Print what one address has had."""
    output.result(click.style(str(person.address), bold=True))
    if person.suppression:
        output.result(f"suppressed {output.suppressed(person.suppression)}")
    if not person.issued:
        output.result("has had nothing")
        return
    names = max(len(issued.edition) for issued in person.issued)
    states = max(len(_label(issued)) for issued in person.issued)
    for issued in person.issued:
        entry = issued.entry
        said = str(entry.reply) if entry.reply else entry.reason
        state = click.style(_label(issued).ljust(states), fg=COLOURS.get(entry.state))
        line = f"{issued.edition.ljust(names)}  {state}  {moment(entry.updated_at)}  {said}"
        output.result(line.rstrip())


def _label(issued: "Issued") -> str:
    state = issued.entry.state
    return LABELS[state] if state in {"by_hand", "expired", "pending"} else state


def who_json(person: "Person") -> None:
    """Print what one address has had for a program."""
    suppression = person.suppression
    output.as_json(
        {
            "address": person.address.address,
            "suppressed": (
                {"since": suppression.at.isoformat(), "reason": suppression.reason}
                if suppression
                else None
            ),
            "issues": [
                {
                    "issue": issued.edition,
                    "subject": issued.subject,
                    "date": issued.issue_date,
                    **_entry(issued.entry),
                }
                for issued in person.issued
            ],
        }
    )
