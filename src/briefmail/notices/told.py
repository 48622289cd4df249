"""What the editor has been told, so that they are told each thing once.

It is written down after the mail has been handed over: a crash in between tells them twice, and
never not at all.
"""

from datetime import UTC, datetime, timedelta

from briefmail.notices.notice import Notice
from briefmail.store import Database, Migrations

MIGRATIONS: Migrations = (
    """
    CREATE TABLE told (
        issue  TEXT NOT NULL,
        event  TEXT NOT NULL,
        cause  TEXT NOT NULL,
        mailed INTEGER NOT NULL,     -- 0: only said, because it could not be mailed
        at     TEXT NOT NULL,
        PRIMARY KEY (issue, event, cause)
    ) STRICT
    """,
)
AGAIN = timedelta(hours=24)
"""After so long something that can only be said, and not be mailed, is said again."""


class Told:
    """What is remembered in an open database. What a method has written when it returns lasts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def is_told(self, notice: Notice) -> bool:
        """Whether the editor knows: by mail."""
        row = self._row(notice)
        return bool(row and row[0])

    def was_said(self, notice: Notice, now: datetime) -> bool:
        """Whether it was said within the last day, or will have been by a clock set back."""
        row = self._row(notice)
        return bool(row and datetime.fromisoformat(row[1]) > now - AGAIN)

    def note(self, notice: Notice, now: datetime, *, mailed: bool) -> None:
        """Remember that it was mailed, or at least said."""
        self._database.execute(
            "INSERT INTO told VALUES (?, ?, ?, ?, ?) ON CONFLICT (issue, event, cause)"
            " DO UPDATE SET at = excluded.at,"
            " mailed = CASE WHEN told.mailed = 1 THEN 1 ELSE excluded.mailed END",
            *(notice.issue, notice.event, notice.cause, int(mailed)),
            now.astimezone(UTC).isoformat(timespec="seconds"),
        )

    def _row(self, notice: Notice) -> tuple[int, str] | None:
        row: tuple[int, str] | None = self._database.one(
            "SELECT mailed, at FROM told WHERE issue = ? AND event = ? AND cause = ?",
            *(notice.issue, notice.event, notice.cause),
        )
        return row
