"""A process that may be killed at any moment, without a process: its database and its sockets.

A moment is right before and right after something that outlives a process: a commit, and octets
that the network has taken. Who is dead changes nothing any more, whatever still runs of the code.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from briefmail.config import Relay
from briefmail.delivery import MIGRATIONS, Session
from briefmail.delivery.line import Line
from briefmail.store import SQLite

if TYPE_CHECKING:
    import socket


class Killed(BaseException):
    """The process is dead. Nothing of ours catches this."""


class Life:
    """So many ``moments``, then death; None is immortal.

    ``place`` chooses how much of a write still leaves, if death comes in the middle of one.
    """

    def __init__(self, moments: int | None = None, place: int = 0) -> None:
        self.dead = False
        self._left = moments
        self._place = place

    def ends(self) -> bool:
        """Let a moment pass; True if it is the last, or was before."""
        if self._left == 0:
            self.dead = True
        elif self._left is not None:
            self._left -= 1
        return self.dead

    def moment(self) -> None:
        """Let a moment pass, and raise :class:`Killed` if it is the last."""
        if self.ends():
            raise Killed

    def part_of(self, data: bytes) -> bytes:
        """Return what still leaves of a write: a cut in the dot and around it is the worst."""
        dot = data.find(b"\r\n.\r\n")
        places = [1, len(data) // 2, len(data) - 1]
        if dot >= 0:
            places += range(dot + 1, dot + 6)
        return data[: places[self._place % len(places)]]


class MortalDatabase(SQLite):
    """The program's database in the hands of such a process."""

    life = Life()

    @classmethod
    def of(cls, path: Path, life: Life) -> Self:
        database = cls.open(path, {"delivery": MIGRATIONS})
        # A killed process takes nothing with it that the system has; only a power cut does.
        database.execute("PRAGMA synchronous=OFF")
        database.life = life
        return database

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self.life.moment()
        with super().transaction():
            yield
            self.life.moment()
        self.life.moment()

    def execute(self, sql: str, *values: Any) -> int:
        self.life.moment()
        count = super().execute(sql, *values)
        self.life.moment()
        return count

    def left_behind(self, path: Path) -> None:
        """Copy to ``path`` what a killed process leaves: the file, and the log not yet in it."""
        assert self.path
        for suffix in ("", "-wal"):
            shutil.copyfile(f"{self.path}{suffix}", f"{path}{suffix}")


class MortalSocket:
    """A socket that such a process writes to."""

    def __init__(self, sock: "socket.socket", life: Life) -> None:
        self._sock = sock
        self._life = life
        self.fileno, self.close = sock.fileno, sock.close

    def send(self, data: bytes) -> int:
        self._life.moment()
        if self._life.ends():
            self._sock.send(self._life.part_of(bytes(data)))
            raise Killed
        count = self._sock.send(data)
        self._life.moment()
        return count

    def recv(self, size: int) -> bytes:
        if self._life.dead:
            raise Killed
        return self._sock.recv(size)


class MortalSession(Session):
    """A connection that such a process makes."""

    def __init__(self, relay: Relay, life: Life) -> None:
        super().__init__(relay)
        self._life = life

    def line(self) -> Line[Any]:
        line: Line[Any] = super().line()
        line.sock = MortalSocket(line.sock, self._life)  # type: ignore[assignment]
        return line
