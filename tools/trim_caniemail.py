"""Write what ``checks/`` needs of caniemail.com, the public table of what mail programs can show.

    git clone --depth 1 https://github.com/hteumeuleu/caniemail
    python tools/trim_caniemail.py caniemail

Kept are the features of ``checks/clients.py`` and the programs of ``CLIENTS`` below, with the
latest value of each and its notes. A feature that is asked for in the one place and not known in
the other is an error, so add it there first.
"""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from briefmail.checks.clients import DATA, FEATURES

CLIENTS = {
    "aol": ("AOL", ["aol/desktop-webmail", "aol/ios", "aol/android"]),
    "apple-mail": ("Apple Mail", ["apple-mail/macos", "apple-mail/ios"]),
    "fastmail": ("Fastmail", ["fastmail/desktop-webmail"]),
    "gmail": ("Gmail", ["gmail/desktop-webmail", "gmail/ios", "gmail/android"]),
    "gmx": ("GMX", ["gmx/desktop-webmail", "gmx/ios", "gmx/android"]),
    "outlook": (
        "Outlook",
        ["outlook/outlook-com", "outlook/ios", "outlook/android", "outlook/macos"],
    ),
    "outlook-windows": ("Outlook on Windows", ["outlook/windows"]),
    "protonmail": (
        "Proton Mail",
        ["protonmail/desktop-webmail", "protonmail/ios", "protonmail/android"],
    ),
    "samsung-email": ("Samsung Email", ["samsung-email/android"]),
    "thunderbird": ("Thunderbird", ["thunderbird/macos"]),
    "web-de": ("WEB.DE", ["web-de/desktop-webmail", "web-de/ios", "web-de/android"]),
    "yahoo": ("Yahoo Mail", ["yahoo/desktop-webmail", "yahoo/ios", "yahoo/android"]),
}
PLATFORMS = {
    "desktop-webmail": "on the web",
    "outlook-com": "on the web",
    "ios": "on iOS",
    "android": "on Android",
    "macos": "on macOS",
}


def main(clone: Path) -> None:
    """Read a clone of the table's repository, and write the data and its notice."""
    changed = subprocess.run(
        ["git", "-C", str(clone), "log", "-1", "--format=%cs"],
        capture_output=True,
        text=True,
        check=True,
    )
    data = {
        "source": "https://www.caniemail.com; its licence is in caniemail.LICENSE",
        "date": changed.stdout.strip(),
        "clients": {client: clients(*CLIENTS[client]) for client in CLIENTS},
        "features": {slug: feature(clone, slug) for slug in sorted(FEATURES)},
    }
    DATA.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    DATA.with_suffix(".LICENSE").write_bytes((clone / "LICENSE").read_bytes())


def clients(name: str, platforms: list[str]) -> dict[str, str]:
    """Name each of a program's platforms as a sentence names it."""
    if len(platforms) == 1:
        return {platforms[0]: name}
    return {one: f"{name} {PLATFORMS[one.partition('/')[2]]}" for one in platforms}


def feature(clone: Path, slug: str) -> dict[str, Any]:
    """Read one feature's page: a title, a day, a value and its notes for each platform."""
    text = (clone / "_features" / f"{slug}.md").read_text("utf-8")
    matter = re.match(r"---\n(.*?)\n---", text, re.DOTALL)
    assert matter, slug
    page = yaml.safe_load(matter[1].replace("\t", "  "))
    values = {
        platform: latest(page["stats"], platform)
        for _, platforms in CLIENTS.values()
        for platform in platforms
    }
    notes = page.get("notes_by_num") or {}
    used = {number for value in values.values() for number in re.findall(r"\d+", value)}
    return {
        "title": page["title"].replace("`", ""),
        "tested": str(page["last_test_date"]),
        "support": {platform: value for platform, value in values.items() if value},
        "notes": {str(number): text for number, text in notes.items() if str(number) in used},
    }


def latest(stats: dict[str, Any], platform: str) -> str:
    """The value of the newest version: ``y``, ``n``, ``a`` (in part) or ``u``, with its notes."""
    family, _, system = platform.partition("/")
    versions = stats.get(family, {}).get(system) or {}
    return str(list(versions.values())[-1]).replace("#", "") if versions else ""


if __name__ == "__main__":
    main(Path(sys.argv[1]))
