"""What is installed is all that is needed: the wheel has every template and the type marker."""

import subprocess
import sys
import zipfile
from importlib.util import find_spec
from pathlib import Path

from command import ROOT, environment

from real_parts import require

PACKAGE = ROOT / "src" / "briefmail"


def test_the_wheel_has_every_file_of_the_package(tmp_path: Path) -> None:
    """Built by what is installed, without the network."""
    require(find_spec("hatchling"), "hatchling is not installed")
    options = ("--no-deps", "--no-build-isolation", "--quiet", "--wheel-dir", str(tmp_path))
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", *options, str(ROOT)],
        env=environment(),
        check=True,
        timeout=120,
    )
    (wheel,) = tmp_path.glob("briefmail-*.whl")
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("briefmail/")}
    assert packed == {
        path.relative_to(PACKAGE.parent).as_posix()
        for path in PACKAGE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {"briefmail/py.typed", "briefmail/templates/init/gitignore"} <= packed
