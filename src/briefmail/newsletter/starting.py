"""``init`` and ``new``: a folder that sends at once, and the next issue. Nothing is overwritten."""

import json
import re
from datetime import date, timedelta
from importlib import resources
from pathlib import Path

from briefmail.config import CONFIG_NAME, Config, Day, Every, Schedule
from briefmail.errors import StoreError, UsageError
from briefmail.newsletter.lists import check_folder
from briefmail.schedule import next_day

STARTER = "templates/init"
_SCHEDULE = Schedule(Every(2, "weeks"), (Day(2),))  # as in the starter's briefmail.toml
# Control characters, halves of characters (from file names) and what YAML does not call text.
_UNWRITABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
_DATED = re.compile(r"(\d{4}-\d{2}-\d{2})(?!\d)")


def init(folder: Path, today: date) -> list[Path]:
    """Make a newsletter in ``folder``, dated for its first day; return the files created.

    Raises :class:`UsageError` if one of the files is there already; then none is written. Raises
    :class:`StoreError` where the disk will not have them.
    """
    day = next_day(_SCHEDULE, today, ())
    values = {"@@DATE@@": day.isoformat(), "@@NAME@@": _quoted(_name_of(folder))[1:-1]}
    files = {
        folder / CONFIG_NAME: _starter("briefmail.toml", values),
        folder / ".env.example": _starter("env.example", values),
        folder / ".gitignore": _starter("gitignore", values),
        folder / "recipients.csv": _starter("recipients.csv", values),
        folder / "issues" / f"{day}.md": _starter("issue.md", values),
    }
    taken = [path for path in files if path.exists()]
    if taken:
        names = ", ".join(str(path) for path in taken)
        raise UsageError(
            f"{names} is there already; nothing was written",
            hint="'briefmail init DIR' makes a newsletter in another folder",
        )
    for path, text in files.items():
        _write(path, text)
    return list(files)


def new_issue(config: Config, title: str, day: date | None, today: date) -> Path:
    """Begin an issue as a draft, for ``day`` or the next day of the cadence that has none.

    Raises as :func:`init` does, and :class:`UsageError` where there is no newsletter.
    """
    check_folder(config.root)
    day = day or next_day(config.schedule, today, _taken(config.issues))
    title = title.strip()
    if not title or _UNWRITABLE.search(title):
        raise UsageError("the title must be one line of text, without control characters")
    values = {"@@DATE@@": day.isoformat(), "@@SUBJECT@@": _quoted(title)}
    path = config.issues / f"{day}.md"
    if path.exists():
        raise UsageError(
            f"{path} is there already; nothing was written",
            hint=f"'--date {day + timedelta(days=1)}' names another day",
        )
    _write(path, _starter("new.md", values))
    return path


def _name_of(folder: Path) -> str:
    """Guess the newsletter's name: that of the folder, each word with a capital."""
    words = re.split(r"[\s_-]+", _UNWRITABLE.sub(" ", folder.resolve().name).strip())
    return " ".join(word[:1].upper() + word[1:] for word in words) or "Newsletter"


def _quoted(text: str) -> str:
    """Text as YAML and TOML both read it, in double quotes; a JSON string is that."""
    return json.dumps(text, ensure_ascii=False)


def _taken(issues: Path) -> set[date]:
    """The days for which there is an issue, by the names of the files."""
    days = set()
    for path in issues.glob("*.md"):
        match = _DATED.match(path.stem)
        if match:
            try:
                days.add(date.fromisoformat(match[1]))
            except ValueError:
                continue
    return days


def _starter(name: str, values: dict[str, str]) -> str:
    text = resources.files("briefmail").joinpath(STARTER).joinpath(name).read_text("utf-8")
    for placeholder, value in values.items():
        text = text.replace(placeholder, value)
    return text


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror}") from error
