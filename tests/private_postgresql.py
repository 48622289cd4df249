"""A PostgreSQL of our own: its cluster and its socket in a folder that goes with it.

It listens on no network. The PostgreSQL of the machine, if one runs, is neither used nor touched.
The server refuses to run as root, so root runs it as another user.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from urllib.parse import quote

import psycopg

USERS = ("postgres", "nobody")  # whom root runs it as: the first that there is
SETTINGS = ("listen_addresses=", "max_connections=50", "shared_buffers=32MB")


def programs() -> Path | None:
    """Return the folder of the server's programs, which Debian does not put into the PATH."""
    found = [*Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    if on_path := shutil.which("initdb"):
        found.append(Path(on_path))
    return found[-1].parent if found and shutil.which("postgres", path=found[-1].parent) else None


@dataclass
class PrivatePostgreSQL:
    """A cluster in ``folder``, started and stopped as a test wants it."""

    folder: Path
    fsync: bool
    _process: subprocess.Popen[bytes] | None = None
    _schemas: Iterator[int] = field(default_factory=count)

    @classmethod
    @contextmanager
    def running(cls, *, fsync: bool = False) -> Iterator["PrivatePostgreSQL"]:
        """Make a cluster and run it. Without ``fsync`` it is quick, and loses data with power."""
        with tempfile.TemporaryDirectory(prefix="pg") as name:
            server = cls(Path(name), fsync)
            if user := server._user:
                shutil.chown(name, user)
            server._initialise()
            server.start()
            try:
                yield server
            finally:
                server.stop(signal.SIGQUIT)

    @property
    def _user(self) -> str | None:
        if os.geteuid() != 0:
            return None
        import pwd  # which Windows has not

        names = {entry.pw_name for entry in pwd.getpwall()}
        return next(user for user in USERS if user in names)

    def _initialise(self) -> None:
        command = [self._program("initdb"), "-D", "data", "-A", "trust", "-U", "postgres"]
        subprocess.run(
            [*command, "--no-sync", "--no-locale", "-E", "UTF8"],
            cwd=self.folder,
            user=self._user,
            check=True,
            capture_output=True,
        )

    def start(self) -> None:
        """Run the server, and wait until it answers."""
        settings = [*SETTINGS, f"fsync={'on' if self.fsync else 'off'}"]
        options = [part for setting in settings for part in ("-c", setting)]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._program("postgres"), "-D", "data", "-k", self.folder, *options],
                cwd=self.folder,
                user=self._user,
                stdout=log,
                stderr=log,
            )
        until = time.monotonic() + 30
        while True:
            try:
                psycopg.connect(self.url()).close()
                return
            except psycopg.OperationalError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.02)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop the server: SIGINT ends every session first, SIGQUIT is like a crash."""
        if self._process:
            self._process.send_signal(how)
            self._process.wait()
            self._process = None

    def url(self, schema: str = "public") -> str:
        """Return the address of a schema, which stands in for a database of its own."""
        options = quote(f"-csearch_path={schema}")
        return f"postgresql://postgres@/postgres?host={quote(str(self.folder))}&options={options}"

    def empty(self) -> str:
        """Return the address of a schema with nothing in it."""
        schema = f"newsletter_{next(self._schemas)}"
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f"CREATE SCHEMA {schema}".encode())
        return self.url(schema)

    def _program(self, name: str) -> str:
        folder = programs()
        assert folder
        return str(folder / name)
