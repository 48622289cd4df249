"""Send to a number of people from a process of its own, which a test may kill.

Usage: ``python sender.py DATABASE PORT NUMBER``.
"""

import sys
from pathlib import Path

from scene import Scene, people

from briefmail.config import Relay

if __name__ == "__main__":
    database, port, number = sys.argv[1:]
    with Scene.set_up(Path(database), Relay("127.0.0.1", int(port), "none")) as scene:
        scene.enrol(people(1, int(number)))
        sys.exit(scene.send().exit_status)
