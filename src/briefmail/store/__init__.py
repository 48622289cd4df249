"""The program's memory: one SQLite database in ``.briefmail/``, opened, migrated and locked.

Rooms keep their own tables in it and bring their own migrations; this room knows none of them.
"""

from briefmail.store.database import DAMAGED, Database, Migrations, open_scratch
from briefmail.store.files import replace_durably
from briefmail.store.folder import (
    STORE_NAME,
    high_water,
    memory_folder,
    open_store,
    run_lock,
    store_path,
)
from briefmail.store.highwater import HighWater
from briefmail.store.place import place_warning

__all__ = [
    "DAMAGED",
    "STORE_NAME",
    "Database",
    "HighWater",
    "Migrations",
    "high_water",
    "memory_folder",
    "open_scratch",
    "open_store",
    "place_warning",
    "replace_durably",
    "run_lock",
    "store_path",
]
