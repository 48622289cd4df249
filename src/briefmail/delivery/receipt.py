"""Receipts: ``sent/<edition>.toml``, the trace of a send that is meant to be committed.

It is written before the first message leaves and gets its totals when the edition closes. It
holds no address. Whoever has the folder but not the ledger, in a second clone or after a loss,
learns from it that the issue has gone out.
"""

import json
import tomllib
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from briefmail.delivery.frozen import Past
from briefmail.delivery.ledger import Totals
from briefmail.errors import InputError, Problem, StoreError
from briefmail.store import replace_durably

SENT_NAME = "sent"
_HEAD = """\
# Written by briefmail when this issue first went out. Commit it: it holds no address, and keeps
# another copy of this folder from sending the issue again.
"""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a receipt says. Moments are UTC in ISO 8601.

    ``later`` are the fingerprints of versions that were sent from after the first, on purpose.
    ``closed_at`` and ``totals`` are None until the edition has closed.
    """

    edition: str
    subject: str
    issue_date: date | None
    fingerprint: str
    relay: str
    opened_at: str
    later: tuple[str, ...] = ()
    closed_at: str | None = None
    totals: Totals | None = None

    @property
    def past(self) -> Past:
        """What matters to other issues."""
        fingerprints = frozenset({self.fingerprint, *self.later})
        return Past(self.edition, self.issue_date, fingerprints)


class Receipts:
    """The receipts of the newsletter in ``root``."""

    def __init__(self, root: Path) -> None:
        self.folder = root / SENT_NAME

    def read(self, edition: str) -> Receipt | None:
        """Return the receipt of an edition, None if there is none.

        Raises :class:`InputError` if it cannot be read, as after a merge that left its marks.
        """
        path = self._path(edition)
        return _read(path) if path.is_file() else None

    def all(self) -> Iterator[Receipt]:
        """Yield every receipt by name; raises as :meth:`read` does."""
        for path in sorted(self.folder.glob("*.toml")):
            yield _read(path)

    def open(self, receipt: Receipt) -> Receipt:
        """Write the receipt of a send that is about to begin, and return the one that now stands.

        One that is there is never replaced by one with another fingerprint: it keeps what it
        says, and the new version is added to it. Raises :class:`StoreError` if the disk will not.
        """
        before = self.read(receipt.edition)
        if before is None:
            return self._write(receipt)
        if receipt.fingerprint in {before.fingerprint, *before.later}:
            return before
        return self._write(replace(before, later=(*before.later, receipt.fingerprint)))

    def close(self, edition: str, closed_at: str, totals: Totals) -> None:
        """Write down where a closed edition stands. Raises as :meth:`open` does."""
        before = self.read(edition)
        if before and (before.closed_at, before.totals) != (closed_at, totals):
            self._write(replace(before, closed_at=closed_at, totals=totals))

    def _write(self, receipt: Receipt) -> Receipt:
        try:
            self.folder.mkdir(exist_ok=True)
        except OSError as error:
            raise StoreError(
                f"{self.folder} cannot be created: {error.strerror}",
                hint="briefmail keeps a receipt of each issue there; let it write to the folder",
            ) from error
        replace_durably(self._path(receipt.edition), _as_toml(receipt))
        return receipt

    def _path(self, edition: str) -> Path:
        return self.folder / f"{edition}.toml"


def _as_toml(receipt: Receipt) -> str:
    values: dict[str, Any] = {
        "edition": receipt.edition,
        "subject": receipt.subject,
        "date": receipt.issue_date,
        "fingerprint": receipt.fingerprint,
        "later": list(receipt.later) or None,
        "relay": receipt.relay,
        "opened_at": receipt.opened_at,
        "closed_at": receipt.closed_at,
    }
    lines = [f"{name} = {_value(value)}\n" for name, value in values.items() if value is not None]
    if receipt.totals:
        lines.append("\n[totals]\n")
        lines += [f"{name} = {count}\n" for name, count in asdict(receipt.totals).items()]
    return _HEAD + "".join(lines)


def _value(value: Any) -> str:
    """A value as TOML 1.0 has it; its strings are JSON's, but for DEL (section "String")."""
    if isinstance(value, date):
        return value.isoformat()
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _read(path: Path) -> Receipt:
    try:
        values = tomllib.loads(path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n"))
        totals = values.get("totals")
        return Receipt(
            edition=str(values["edition"]),
            subject=str(values.get("subject", "")),
            issue_date=_date(values.get("date")),
            fingerprint=str(values["fingerprint"]),
            relay=str(values.get("relay", "")),
            opened_at=str(values.get("opened_at", "")),
            later=tuple(str(each) for each in values.get("later", ())),
            closed_at=values.get("closed_at"),
            totals=Totals(**{name: int(count) for name, count in totals.items()})
            if totals
            else None,
        )
    except OSError as error:
        raise _unreadable(path, str(error.strerror)) from error
    except KeyError as error:
        raise _unreadable(path, f"{error} is missing") from error
    except (ValueError, TypeError, AttributeError) as error:
        raise _unreadable(path, str(error)) from error


def _date(value: Any) -> date | None:
    if value is not None and type(value) is not date:
        raise ValueError("date is not a date")
    return value


def _unreadable(path: Path, why: str) -> InputError:
    return InputError(
        [Problem(path, None, f"the receipt cannot be read: {why}")],
        hint="take the version from before out of version control; without it nobody can tell"
        " whether the issue has gone out",
    )
