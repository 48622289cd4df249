"""Getting an edition there: the ledger, the SMTP session, the send run and the sandbox.

:class:`Session`, :class:`Credentials`, :class:`Sandbox` and what signs are resolved when first
used: they import the SMTP client and server, or cryptography, which a command that does not send
should not pay for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from briefmail.delivery.backoff import BackOff, Wait
from briefmail.delivery.channel import Facts, Greeting
from briefmail.delivery.closing import expire, is_open, is_overdue
from briefmail.delivery.dkim.fields import fields_for
from briefmail.delivery.dkim.record import DkimRecord
from briefmail.delivery.frozen import Frozen, FrozenEditions, Past
from briefmail.delivery.guard import REASONS, Known, Stop, Wanted, stops
from briefmail.delivery.history import (
    EditionStatus,
    Failure,
    History,
    Issued,
    ReplyGroup,
    WorkerStatus,
)
from briefmail.delivery.lease import LEASE, Lease, awake_or_not
from briefmail.delivery.ledger import (
    EditionRecord,
    Enrolled,
    Entry,
    Ledger,
    Totals,
    utc_now,
)
from briefmail.delivery.mark import LedgerMark
from briefmail.delivery.messagelog import MessageLog
from briefmail.delivery.outcome import Delivery, Scope, State
from briefmail.delivery.pace import Pace
from briefmail.delivery.receipt import Receipt, Receipts
from briefmail.delivery.reply import Reply
from briefmail.delivery.run import RunResult, send_run
from briefmail.delivery.schema import MIGRATIONS
from briefmail.delivery.workers import Worker, Workers

if TYPE_CHECKING:
    from briefmail.delivery.credentials import Credentials as Credentials
    from briefmail.delivery.dkim.keys import make_key as make_key
    from briefmail.delivery.dkim.keys import read_keys as read_keys
    from briefmail.delivery.dkim.signer import Signer as Signer
    from briefmail.delivery.sandbox import Sandbox as Sandbox
    from briefmail.delivery.session import Session as Session
    from briefmail.delivery.timeouts import Timeouts as Timeouts

__all__ = [
    "LEASE",
    "MIGRATIONS",
    "REASONS",
    "BackOff",
    "Credentials",
    "Delivery",
    "DkimRecord",
    "EditionRecord",
    "EditionStatus",
    "Enrolled",
    "Entry",
    "Facts",
    "Failure",
    "Frozen",
    "FrozenEditions",
    "Greeting",
    "History",
    "Issued",
    "Known",
    "Lease",
    "Ledger",
    "LedgerMark",
    "MessageLog",
    "Pace",
    "Past",
    "Receipt",
    "Receipts",
    "Reply",
    "ReplyGroup",
    "RunResult",
    "Sandbox",
    "Scope",
    "Session",
    "Signer",
    "State",
    "Stop",
    "Timeouts",
    "Totals",
    "Wait",
    "Wanted",
    "Worker",
    "WorkerStatus",
    "Workers",
    "awake_or_not",
    "expire",
    "fields_for",
    "is_open",
    "is_overdue",
    "make_key",
    "read_keys",
    "send_run",
    "stops",
    "utc_now",
]
_WHERE = {
    "Credentials": "credentials",
    "Sandbox": "sandbox",
    "Session": "session",
    "Signer": "dkim.signer",
    "Timeouts": "timeouts",
    "make_key": "dkim.keys",
    "read_keys": "dkim.keys",
}


def __getattr__(name: str) -> Any:
    """Import the heavy names when they are first asked for (PEP 562)."""
    if name in _WHERE:
        return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
