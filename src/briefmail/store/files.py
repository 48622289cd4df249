"""Files that are either the old one or the new one, whatever happens in between."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from briefmail.errors import StoreError


def replace_durably(path: Path, text: str) -> None:
    """Write a whole file so that after a crash or a power cut it is the old one or the new one.

    It is durable on return. Raises :class:`StoreError` if the disk will not have it; the old file
    is then untouched.
    """
    part = path.with_name(f".{path.name}.part")
    with _as_store_error(path):
        part.write_text(text, encoding="utf-8", newline="\n")
    sync(part)
    with _as_store_error(path):
        part.replace(path)
    sync_folder(path.parent)


def sync(path: Path) -> None:
    """Make what a file holds survive a power cut; :class:`StoreError` if the disk will not."""
    with _as_store_error(path), path.open("rb+") as file:
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Make a new entry survive a power cut. Windows has no such call and needs none."""
    if os.name != "posix":
        return
    with _as_store_error(folder):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def _as_store_error(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"{path} cannot be written: {error.strerror}",
            hint="is the disk full or read-only? What was written down before still stands",
        ) from error
