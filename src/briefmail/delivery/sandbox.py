"""The sandbox: a real SMTP server on loopback that files every message and delivers none.

It stands in for a relay where none is set. ``outbox/`` itself is the Maildir
(https://cr.yp.to/proto/maildir.html), so any mail reader can open it. What is filed are the octets
that came over the wire, below the two trace headers that a final delivery adds: ``Return-Path:``
(RFC 5321 section 4.4) and ``Delivered-To:`` (RFC 9228), which keep the envelope.
"""

import asyncio
import re
import socket
import threading
from pathlib import Path
from typing import Any, Self

from aiosmtpd.smtp import SMTP, Envelope

from briefmail.config import Relay
from briefmail.errors import StoreError, UsageError

SIZE_LIMIT = 64 * 1024 * 1024
LEDGER_NAME = "ledger.sqlite3"
MARK = "This folder is briefmail's outbox"
README = f"""\
{MARK}: mail that was written but never left this machine.

No SMTP host is set, so briefmail handed each person's message to a server of its own, which filed
it here. Nobody has received anything. The next such run clears this folder and fills it anew; you
may delete it at any time.

  new/    one file for each person; open one with any mail program, or the whole folder as a
          Maildir (for example: mutt -f outbox)
  {LEDGER_NAME}    the memory of that one run, apart from the real one
"""
_FOLDERS = ("new", "cur", "tmp")
_OURS = re.compile(r"\d{4,}\..+\.eml(?:[:;!]2,\w*)?")  # with the flags that a mail reader appends
_UNSAFE = re.compile(r"[^A-Za-z0-9@.+_=-]")  # in a file name on some system


class Sandbox:
    """An embedded relay that files under ``folder``; it runs inside ``with``.

    Entering clears what an earlier sandbox left in the folder, and nothing else. Raises
    :class:`UsageError` if the folder holds something that is not a sandbox's, and
    :class:`StoreError` if it cannot be written. Leaving stops the server; the messages stay.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ready = threading.Event()

    @property
    def relay(self) -> Relay:
        """How to reach the server; only while it runs."""
        return Relay("127.0.0.1", self._socket.getsockname()[1], "none")

    @property
    def ledger_path(self) -> Path:
        """Where the sandbox's own ledger lies, to be opened once the sandbox runs."""
        return self.folder / LEDGER_NAME

    def __enter__(self) -> Self:
        _clear(self.folder)
        # Bound here and not by aiosmtpd's Controller, which cannot be told to take a free port.
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._run, name="sandbox", daemon=True)
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        """Serve until told to stop; connections that are open then are dropped."""
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        self._ready.set()  # the socket listens already: who connects now waits, but not in vain
        maildir = _Maildir(self.folder)
        server = await self._loop.create_server(
            lambda: SMTP(
                maildir,
                data_size_limit=SIZE_LIMIT,
                hostname="localhost",
                enable_SMTPUTF8=True,
                loop=self._loop,
            ),
            sock=self._socket,
        )
        await self._stop.wait()
        server.close()


class _Maildir:
    """What the server does with a message: file it, each in one piece (first tmp, then new)."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = 0

    async def handle_DATA(self, _server: SMTP, _session: Any, envelope: Envelope) -> str:  # noqa: N802
        assert isinstance(envelope.content, bytes)
        recipient = envelope.rcpt_tos[0]
        trace = f"Return-Path: <{envelope.mail_from}>\r\nDelivered-To: {recipient}\r\n"
        self._count += 1
        name = f"{self._count:04}.{_UNSAFE.sub('_', recipient)[:100]}.eml"
        try:
            (self._folder / "tmp" / name).write_bytes(trace.encode() + envelope.content)
            (self._folder / "tmp" / name).replace(self._folder / "new" / name)
        except OSError as error:
            return f"452 4.3.1 {name} cannot be filed: {error.strerror}"
        return f"250 2.0.0 filed as new/{name}"


def _clear(folder: Path) -> None:
    """Make ``folder`` an empty outbox, if it is not there yet or was one before."""
    try:
        if folder.exists() and not _is_outbox(folder):
            raise UsageError(
                f"{folder} holds something that is not briefmail's",
                hint="the sandbox files mail there and clears it at each run; rename the folder,"
                " or set an SMTP host in .env to send for real",
            )
        for name in _FOLDERS:
            (folder / name).mkdir(parents=True, exist_ok=True)
            for path in (folder / name).iterdir():
                if _OURS.fullmatch(path.name):
                    path.unlink()
        for suffix in ("", "-wal", "-shm"):
            (folder / (LEDGER_NAME + suffix)).unlink(missing_ok=True)
        (folder / "README").write_text(README, encoding="utf-8")
    except OSError as error:
        raise StoreError(
            f"{folder} cannot be cleared: {error.strerror}",
            hint="the sandbox files mail there; give it a folder that it may write to",
        ) from error


def _is_outbox(folder: Path) -> bool:
    if not folder.is_dir():
        return False
    readme = folder / "README"
    if readme.is_file():
        return readme.read_bytes().startswith(MARK.encode())
    return not any(folder.iterdir())
