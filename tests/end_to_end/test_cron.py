"""Debian's cron runs the line that ``schedule --crontab`` prints, from an installed crontab.

It has a spool of its own, in a mount namespace, so that no crontab of this machine is touched. Only
the five stars are not its: they would make the test wait for the minute. ``@reboot`` runs the same
line as soon as cron begins.
"""

import os
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from command import SOURCE, start
from dispatching import EDITOR, READERS, due_now
from fake_relay import FakeRelay

from briefmail import Newsletter
from real_parts import require

pytestmark = pytest.mark.cron
NAMESPACE = """\
mount -t tmpfs none /run && mount -t tmpfs none /var/spool/cron/crontabs &&
mount -t tmpfs none /etc/cron.d && crontab "$1" && exec cron -f
"""


@contextmanager
def cron(crontab: Path) -> Iterator[None]:
    """Run cron in the foreground with this crontab."""
    require(shutil.which("cron"), "cron is not installed")
    namespace = ["unshare", "--mount", "sh", "-c"]
    may = (
        shutil.which("unshare") and not subprocess.run([*namespace, "true"], check=False).returncode
    )
    require(may, "cron cannot be given a spool of its own here: that takes root and a namespace")
    process = subprocess.Popen(
        [*namespace, NAMESPACE, "sh", str(crontab)],
        env={"PATH": os.defpath + ":/usr/sbin:/sbin"},
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=10)


def test_cron_dispatches_an_issue_that_is_due(tmp_path: Path) -> None:
    """From a folder that a shell, and cron itself, would take apart."""
    with FakeRelay() as relay:
        folder = due_now(tmp_path / "Mòrag's 100% news", relay)
        line = Newsletter.open(folder).crontab().replace("*/5 * * * *", "@reboot", 1)
        crontab = tmp_path / "crontab"
        crontab.write_text(f"PYTHONPATH={SOURCE}\n{line}\n", encoding="utf-8")
        with cron(crontab):
            wait_for(lambda: EDITOR in relay.recipients)
        assert Counter(relay.recipients) == Counter([*READERS, EDITOR])
        again = start(folder, "dispatch")
        assert (again.status, again.out, again.err) == (0, "", "")


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until something has happened."""
    for _ in range(600):
        if condition():
            return
        time.sleep(0.1)
    pytest.fail("it did not happen within a minute")
