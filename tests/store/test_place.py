"""Where a folder lies: a drive of this machine, a network's, or one that is synchronised."""

from pathlib import PurePath, PurePosixPath, PureWindowsPath

import pytest

from briefmail.store.place import warning_for

MOUNTS = [
    "/dev/sda1 / ext4 rw,relatime 0 0",
    "server:/export /srv/shared nfs4 rw,vers=4.2 0 0",
    "//nas/team /mnt/team\\040drive cifs rw 0 0",
    "me@host:/ /home/me/far fuse.sshfs rw 0 0",
    "/dev/sdb1 /home/me/far/near ext4 rw 0 0",
    "tmpfs /tmp tmpfs rw 0 0",
]


@pytest.mark.parametrize(
    ("folder", "where"),
    [
        ("/srv/shared/briefing", "on a network drive (nfs4)"),
        ("/mnt/team drive/briefing", "on a network drive (cifs)"),
        ("/home/me/far/briefing", "on a network drive (fuse.sshfs)"),
        ("/home/me/Dropbox/briefing", "in a folder that Dropbox synchronises"),
        ("/home/me/Dropbox (Personal)/briefing", "in a folder that Dropbox synchronises"),
        ("/Users/me/Library/Mobile Documents/com~apple~CloudDocs/b", "iCloud Drive synchronises"),
        ("/Users/me/Library/CloudStorage/OneDrive-Team/b", "a cloud service synchronises"),
        ("/Users/me/Google Drive/b", "Google Drive synchronises"),
        ("/home/me/Nextcloud/briefing", "Nextcloud synchronises"),
    ],
)
def test_a_risky_place_is_named(folder: str, where: str) -> None:
    warning = warning_for(PurePosixPath(folder), MOUNTS)
    assert warning
    assert where in warning
    assert warning.startswith(folder)


@pytest.mark.parametrize(
    "folder", [r"C:\Users\me\OneDrive - Estate Office\briefing", r"\\nas\team\briefing"]
)
def test_a_risky_place_is_named_on_windows(folder: str) -> None:
    assert warning_for(PureWindowsPath(folder), ())


@pytest.mark.parametrize(
    "folder",
    [
        PurePosixPath("/home/me/briefing"),
        PurePosixPath("/srv/sharedby/briefing"),
        PurePosixPath("/home/me/far/near/briefing"),
        PurePosixPath("/home/me/dropboxes/briefing"),
        PureWindowsPath(r"C:\Users\me\Documents\briefing"),
    ],
)
def test_any_other_place_is_quiet(folder: PurePath) -> None:
    assert warning_for(folder, MOUNTS) is None
