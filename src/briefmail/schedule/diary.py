"""The diary: what is remembered of going out, beside the ledger.

Which issues the editor holds back, when dispatch first ran in this folder, which editions it has
begun, and what it was refused and does not ask for again at once.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from briefmail.store import Database, Migrations

ROOM = "schedule"
MIGRATIONS: Migrations = (
    """
    CREATE TABLE hold (
        issue TEXT PRIMARY KEY,      -- the name of its edition, which need not have been begun
        since TEXT NOT NULL
    ) STRICT;
    CREATE TABLE first_dispatch (
        at TEXT NOT NULL
    ) STRICT;
    CREATE TABLE begun (
        edition TEXT PRIMARY KEY,
        at      TEXT NOT NULL,       -- when dispatch began it
        numbers TEXT NOT NULL        -- JSON: where the rows of the list went
    ) STRICT
    """,
    """
    CREATE TABLE brake (
        edition TEXT NOT NULL,       -- empty where every edition is meant
        stamp   TEXT NOT NULL,       -- of what would have to change, on this machine
        at      TEXT NOT NULL,
        kind    TEXT NOT NULL,       -- the name of the error
        message TEXT NOT NULL,
        hint    TEXT,
        PRIMARY KEY (edition, stamp)
    ) STRICT
    """,
)
PAUSE = timedelta(hours=1)
"""For so long what only the editor can mend is not tried again, unless something has changed."""


@dataclass(frozen=True, slots=True)
class Begun:
    """An edition that dispatch began, and where the list's rows went, by name."""

    edition: str
    at: datetime
    numbers: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Brake:
    """A refusal that trying again does not mend, and may make worse: a login, or the content.

    ``edition`` is "" where it would be the same with every other. ``stamp`` stands for whatever
    would have to change, ``kind`` for the error that had this ``message`` and ``hint``.
    """

    edition: str
    stamp: str
    at: datetime
    kind: str
    message: str
    hint: str | None

    @property
    def until(self) -> datetime:
        """From when on it is tried again, though nothing has changed."""
        return self.at + PAUSE

    def holds(self, now: datetime) -> bool:
        """Whether it is too early; not by a clock that has been set back since."""
        return self.at <= now < self.until


class Diary:
    """The diary in an open database. What a method has written when it returns is durable.

    A database that an older version wrote, opened to be read only, has none: then it is empty.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._there = database.has(ROOM)
        self._has_brakes = database.has(ROOM, version=2)

    def hold(self, issue: str, at: datetime) -> bool:
        """Hold an issue back; False if it was already."""
        sql = "INSERT INTO hold VALUES (?, ?) ON CONFLICT (issue) DO NOTHING"
        return self._database.execute(sql, issue, _text(at)) == 1

    def unhold(self, issue: str) -> bool:
        """Let an issue go on; False if it was not held."""
        return self._database.execute("DELETE FROM hold WHERE issue = ?", issue) == 1

    def is_held(self, issue: str) -> bool:
        """Whether an issue is held back."""
        return issue in self.held()

    def held(self) -> Mapping[str, datetime]:
        """The issues that are held back, by name, and since when."""
        if not self._there:
            return {}
        rows = self._database.rows("SELECT issue, since FROM hold ORDER BY issue")
        return {issue: datetime.fromisoformat(since) for issue, since in rows}

    def first_dispatch(self) -> datetime | None:
        """When dispatch first ran here, None if it never did."""
        row = self._database.one("SELECT min(at) FROM first_dispatch") if self._there else None
        return datetime.fromisoformat(row[0]) if row and row[0] else None

    def note_first_dispatch(self, at: datetime) -> None:
        """Remember that dispatch runs for the first time."""
        self._database.execute("INSERT INTO first_dispatch VALUES (?)", _text(at))

    def begin(self, edition: str, at: datetime, numbers: Mapping[str, int]) -> None:
        """Remember that dispatch is about to send an edition; the first moment stays."""
        self._database.execute(
            "INSERT INTO begun VALUES (?, ?, ?)"
            " ON CONFLICT (edition) DO UPDATE SET numbers = excluded.numbers",
            *(edition, _text(at), json.dumps(dict(numbers))),
        )

    def begun(self) -> list[Begun]:
        """The editions that dispatch began, in that order."""
        if not self._there:
            return []
        rows = self._database.rows("SELECT edition, at, numbers FROM begun ORDER BY rowid")
        return [
            Begun(edition, datetime.fromisoformat(at), json.loads(numbers))
            for edition, at, numbers in rows
        ]

    def put_brake(self, brake: Brake) -> None:
        """Remember a refusal, in the place of an earlier one with the same stamp."""
        self._database.execute(
            "INSERT INTO brake (edition, stamp, at, kind, message, hint) VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (edition, stamp) DO UPDATE SET at = excluded.at, kind = excluded.kind,"
            " message = excluded.message, hint = excluded.hint",
            *(brake.edition, brake.stamp, _text(brake.at)),
            *(brake.kind, brake.message, brake.hint),
        )

    def brake(self, edition: str, stamp: str) -> Brake | None:
        """The last refusal of an edition, or with "" of all of them; None if there was none."""
        sql = "SELECT at, kind, message, hint FROM brake WHERE edition = ? AND stamp = ?"
        row = self._database.one(sql, edition, stamp) if self._has_brakes else None
        return Brake(edition, stamp, datetime.fromisoformat(row[0]), *row[1:]) if row else None


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds")
