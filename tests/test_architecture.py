"""Who may import whom, as docs/architecture.md draws it: arrows only point up the table."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import briefmail

PACKAGE = Path(briefmail.__file__).parent

# room -> the rooms that it may import; errors is open to all
ROOMS: dict[str, set[str]] = {
    "errors": set(),
    "config": set(),
    "store": {"config"},
    "issue": {"config"},
    "audience": {"store", "config"},
    "edition": {"issue", "audience", "config"},
    "delivery": {"edition", "audience", "store", "config"},
    "schedule": {"issue", "store", "config"},
    "notices": {"edition", "delivery", "schedule", "store", "config"},
    "checks": {"config", "store", "issue", "audience", "edition", "delivery"},
    "newsletter": {
        *("config", "store", "issue", "audience", "edition", "delivery", "schedule", "notices"),
        "checks",
    },
    "web": {"newsletter"},
    "cli": {"newsletter", "web"},
}

# library -> the rooms that alone may import it
LIBRARIES: dict[str, set[str]] = {
    "dotenv": {"config"},
    "sqlite3": {"store"},
    "psycopg": {"store"},
    "filelock": {"store"},
    "markdown_it": {"issue"},
    "mdit_py_plugins": {"issue"},
    "yaml": {"issue"},
    "nh3": {"issue"},
    "email_validator": {"audience"},
    "jinja2": {"edition"},
    "markupsafe": {"edition"},
    "premailer": {"edition"},
    "cssutils": {"edition"},
    "lxml": {"edition", "checks"},
    "imagesize": {"edition", "checks"},
    "urllib3": {"checks"},
    "tinycss2": {"checks"},
    "cssselect": {"checks"},
    "ssl": {"delivery"},
    "aiosmtpd": {"delivery"},
    "cryptography": {"delivery"},
    "dateutil": {"schedule"},
    "dns": {"checks"},
    "flask": {"web"},
    "werkzeug": {"web"},
    "click": {"cli"},
    "rich": {"cli"},
}
STANDARD = {"sqlite3", "ssl"}


def room_of(path: Path) -> str:
    """The room that a file belongs to; a file of its own is a room."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path) -> Iterator[str]:
    """Yield every module that a file imports, at its top or inside a function."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            assert node.module
            if node.module == "briefmail":
                yield from (f"briefmail.{alias.name}" for alias in node.names)
            else:
                yield node.module


FILES = sorted(p for p in PACKAGE.rglob("*.py") if room_of(p) not in {"__init__", "__main__"})


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_room_imports_only_what_its_row_permits(path: Path) -> None:
    """Ours and the world's: both columns of the table."""
    room = room_of(path)
    for module in imports(path):
        top, _, rest = module.partition(".")
        if top == "briefmail":
            other = rest.partition(".")[0]
            allowed = ROOMS[room] | {room, "errors", "__version__"}
            assert other in allowed, f"{room} may not import {module}"
        elif top in LIBRARIES:
            assert room in LIBRARIES[top], f"{top} belongs to {LIBRARIES[top]}"


def test_every_room_has_a_row() -> None:
    """A new room is drawn in the plan before it is built."""
    assert {room_of(path) for path in FILES} == set(ROOMS)


def test_every_library_is_needed_and_declared() -> None:
    """A library that nobody imports leaves the table and pyproject.toml."""
    used = {module.partition(".")[0] for path in FILES for module in imports(path)}
    assert set(LIBRARIES) <= used
