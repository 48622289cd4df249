"""High-water marks: how far a database had come, kept beside it and not in it.

A database that was deleted, put back from yesterday, or whose write-ahead log was removed looks
sound by itself. Held against a mark that only ever rises, it shows what it has forgotten.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path

from briefmail.errors import StoreError
from briefmail.store.files import replace_durably

_HEAD = "# How far briefmail's memory had come. If the memory has less, something was lost.\n"


class HighWater:
    """Named numbers in a small file. What they count is the business of whoever writes them."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> Mapping[str, int]:
        """Return the numbers, none if nothing was ever written.

        Raises :class:`StoreError` if the file cannot be read as what :meth:`write` writes.
        """
        try:
            values = tomllib.loads(self.path.read_text("utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise self._damaged(str(error)) from error
        if not all(type(value) is int for value in values.values()):
            raise self._damaged("not all of it are numbers")
        return values

    def write(self, values: Mapping[str, int]) -> None:
        """Replace the numbers, durably; a crash leaves the old or the new ones."""
        lines = (f"{name} = {value}\n" for name, value in values.items())
        replace_durably(self.path, _HEAD + "".join(lines))

    def _damaged(self, why: str) -> StoreError:
        return StoreError(
            f"{self.path} is damaged: {why}",
            hint="look after the disk; if store.sqlite3 beside it is the latest there is, delete"
            " the damaged file, and it is written anew",
        )
