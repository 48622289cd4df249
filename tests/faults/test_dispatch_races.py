"""Dispatches that begin at the same moment on one folder."""

import os
import subprocess
import sys

import pytest
from kill_harness import HERE


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the harness forks")
@pytest.mark.parametrize("options", [["--processes", "6"], ["--processes", "2", "--killed"]])
def test_of_many_dispatches_at_once_one_sends_and_all_leave_with_0(options: list[str]) -> None:
    """The long run is by hand: ``python tests/faults/dispatch_races.py``."""
    harness = [sys.executable, str(HERE / "dispatch_races.py"), "--races", "4", *options]
    done = subprocess.run(harness, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "lost 0, doubled 0, reports 4" in done.stdout
