"""Three machines on one issue, of which one is killed, cut off, or loses its server."""

import os
import subprocess
import sys

import pytest
from kill_harness import HERE

from private_postgresql import programs
from real_parts import require


@pytest.mark.postgresql
@pytest.mark.skipif(not hasattr(os, "fork"), reason="the harness forks")
def test_whichever_machine_dies_nobody_is_lost_and_nobody_gets_it_twice() -> None:
    """The long run is by hand: ``python tests/faults/shared_harness.py --kills 200``."""
    require(programs(), "PostgreSQL is not installed")
    short = ["--kills", "3", "--kills-per-issue", "3", "--restarts", "1", "--freezes", "1"]
    done = subprocess.run(
        [sys.executable, str(HERE / "shared_harness.py"), *short, "--people", "240"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "lost 0, doubled 0" in done.stdout
