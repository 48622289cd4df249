"""Where a newsletter's folder lies, and whether its memory is safe there.

SQLite's write-ahead log needs shared memory and locks that network file systems do not give
(https://www.sqlite.org/wal.html, "does not work over a network filesystem"), and a program that
synchronises a folder may put an old database back while a send is at work.
"""

import re
import sys
from collections.abc import Iterable
from pathlib import Path, PurePath

_NETWORK = re.compile(
    r"(?:nfs\d?|cifs|smb\w*|ncpfs|afs|coda|9p|ceph|glusterfs|lustre|davfs"
    r"|fuse\.(?:sshfs|rclone|s3fs|davfs2?|glusterfs|gvfsd-fuse|google-drive-ocamlfuse))"
)
# The folders that the programs make; some add the account, as in "OneDrive - Estate Office".
_SYNCED = re.compile(
    r"(?P<who>Dropbox|OneDrive|Google ?Drive|My Drive|iCloud ?Drive|Mobile Documents|CloudStorage"
    r"|Nextcloud|ownCloud|pCloud ?Drive|MEGAsync|Syncthing)(?:[ ._(-].*)?",
    re.IGNORECASE,
)
_ESCAPED = re.compile(r"\\([0-7]{3})")


def place_warning(root: Path) -> str | None:
    """Say in one sentence why the memory is not safe in ``root``; None if nothing is known."""
    return warning_for(root.resolve(), _mounts() if sys.platform == "linux" else ())


def warning_for(folder: PurePath, mounts: Iterable[str]) -> str | None:
    """Judge a folder by its path and by the lines of ``/proc/mounts``, whole or none at all."""
    if folder.drive.startswith("\\\\"):
        return _sentence(folder, f"on the network share {folder.drive}")
    for part in folder.parts:
        if match := _SYNCED.fullmatch(part):
            return _sentence(folder, f"in a folder that {_program(match['who'])} synchronises")
    system = _file_system(folder, mounts)
    if system and _NETWORK.fullmatch(system):
        return _sentence(folder, f"on a network drive ({system})")
    return None


def _sentence(folder: PurePath, where: str) -> str:
    return (
        f"{folder} lies {where}: briefmail's memory may be damaged or set back there;"
        " keep the newsletter on a disk of this machine"
    )


def _program(name: str) -> str:
    apple = {"mobile documents": "iCloud Drive", "cloudstorage": "a cloud service"}
    return {**apple, "my drive": "Google Drive"}.get(name.casefold(), name)


def _file_system(folder: PurePath, mounts: Iterable[str]) -> str:
    """The type of the file system that holds ``folder``; of equal mounts the last one counts."""
    found, depth = "", -1
    for line in mounts:
        _, point, system, *_ = line.split(" ")
        mount = PurePath(_ESCAPED.sub(lambda match: chr(int(match[1], 8)), point))
        if folder.is_relative_to(mount) and len(mount.parts) >= depth:
            found, depth = system, len(mount.parts)
    return found


def _mounts() -> list[str]:
    try:
        return Path("/proc/mounts").read_text("utf-8", "surrogateescape").splitlines()
    except OSError:
        return []
