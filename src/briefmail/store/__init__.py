"""The program's memory: one SQLite database in ``.briefmail/``, opened, migrated and locked.

Rooms keep their own tables in it and bring their own migrations; this room knows none of them.
"""

from briefmail.store.database import Database, Migrations, open_scratch
from briefmail.store.folder import STORE_NAME, open_store, run_lock, store_path

__all__ = [
    "STORE_NAME",
    "Database",
    "Migrations",
    "open_scratch",
    "open_store",
    "run_lock",
    "store_path",
]
