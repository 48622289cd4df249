"""The program's memory: a SQLite file in ``.briefmail/``, or a PostgreSQL server.

Rooms keep their own tables in it and bring their own migrations; this room knows none of them.
"""

from briefmail.store.database import Database, Migrations
from briefmail.store.files import replace_durably
from briefmail.store.folder import (
    STORE_NAME,
    high_water,
    memory_folder,
    open_store,
    open_to_read,
    run_lock,
    store_exists,
    store_path,
)
from briefmail.store.highwater import HighWater
from briefmail.store.moving import copy_all
from briefmail.store.place import place_warning
from briefmail.store.sqlite import DAMAGED, SQLite, open_scratch

__all__ = [
    "DAMAGED",
    "STORE_NAME",
    "Database",
    "HighWater",
    "Migrations",
    "SQLite",
    "copy_all",
    "high_water",
    "memory_folder",
    "open_scratch",
    "open_store",
    "open_to_read",
    "place_warning",
    "replace_durably",
    "run_lock",
    "store_exists",
    "store_path",
]
