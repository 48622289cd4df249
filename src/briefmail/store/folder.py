"""The folder ``.briefmail/``: who may look into it, what it says of itself, and its lock."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from briefmail.errors import ConfigError, LockHeld, Problem, StoreError
from briefmail.store.database import Database, Migrations
from briefmail.store.files import sync_folder
from briefmail.store.highwater import HighWater
from briefmail.store.sqlite import SQLite

if TYPE_CHECKING:
    from briefmail.store.postgresql import PostgreSQL

STORE_NAME = ".briefmail"
README = """\
This folder is briefmail's memory: who has had which issue, and who must not get any.

Keep it. Without it the text of the newsletter is safe, but nobody knows any more who has had
what. It holds addresses, so it does not belong in version control.

  store.sqlite3   the memory itself (with -wal and -shm beside it while it is in use; a copy
                  without them may lack the latest: use 'briefmail backup FILE')
  settled         how far the memory had come, so that a lost or an old one is noticed
  lock            held while a send is at work; a leftover one does no harm
  links.json      links that were there when 'check --links' asked, for a day; safe to delete
  dns.json        which domains took mail when 'check --dns' asked, for a day; safe to delete
  log             a line for each message, and technical details of what went wrong
"""


def store_path(root: Path) -> Path:
    """The database of the newsletter in ``root``, whether or not it exists yet."""
    return root / STORE_NAME / "store.sqlite3"


def high_water(root: Path) -> HighWater:
    """How far the memory in ``root`` had come when it was last used to send."""
    return HighWater(root / STORE_NAME / "settled")


def store_exists(root: Path, url: str = "") -> bool:
    """Whether there is a memory. On a server, whose ``url`` is set, there is a place for one."""
    return bool(url) or store_path(root).exists()


def open_store(root: Path, rooms: Mapping[str, Migrations], url: str = "") -> Database:
    """Open the memory of the newsletter in ``root``, creating it at its first use.

    It is on the PostgreSQL server at ``url`` if there is one, else a file. Raises
    :class:`StoreError` when the disk or the server will not have it.
    """
    if url:
        return _postgresql().open(url, rooms)
    return SQLite.open(memory_folder(root) / store_path(root).name, rooms)


def open_to_read(root: Path, rooms: Mapping[str, Migrations], url: str = "") -> Database | None:
    """Open the memory to read from it, also while a run writes to it; None if there is none.

    See :meth:`SQLite.open_read_only`.
    """
    if not url:
        path = store_path(root)
        return SQLite.open_read_only(path, rooms) if path.exists() else None
    database = _postgresql().open_read_only(url, rooms)
    if database.tables():
        return database
    database.close()
    return None


def _postgresql() -> type["PostgreSQL"]:
    """The driver is an extra, and is loaded only where it is used."""
    try:
        from briefmail.store.postgresql import PostgreSQL
    except ImportError as error:
        text = f"is set, and the driver for PostgreSQL is missing: {error}"
        raise ConfigError(
            [Problem(Path("BRIEFMAIL_DATABASE_URL"), None, text)],
            hint="pip install 'briefmail[postgresql]'",
        ) from error
    return PostgreSQL


@contextmanager
def run_lock(root: Path) -> Iterator[None]:
    """Hold the folder's lock, so that one run at a time sends; :class:`LockHeld` if one does.

    The lock is the operating system's: it ends with the process, however that ends, so a
    lock file left behind by a crash is no obstacle.
    """
    path = memory_folder(root) / "lock"
    lock = FileLock(path)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        raise LockHeld(
            f"another briefmail is sending from {root}",
            hint="wait for it to finish; it is safe to try again at any time",
        ) from None
    except OSError as error:
        raise StoreError(
            f"{path} cannot be locked: {error.strerror}",
            hint="briefmail keeps its memory there; give it a folder that it may write to",
        ) from error
    try:
        yield
    finally:
        lock.release()


def memory_folder(root: Path) -> Path:
    """The folder of the memory, made if it is not there; :class:`StoreError` if it cannot be."""
    folder = root / STORE_NAME
    try:
        if not folder.is_dir():
            folder.mkdir(mode=0o700, exist_ok=True)  # another run may be doing the same
            (folder / "README").write_text(README, encoding="utf-8")
            sync_folder(root)
    except OSError as error:
        raise StoreError(
            f"{folder} cannot be created: {error.strerror}",
            hint="briefmail keeps its memory there; give it a folder that it may write to",
        ) from error
    return folder
