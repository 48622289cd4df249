"""The faults are those of the same fake relay, and strike the same scene, as in delivery."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "delivery"))
