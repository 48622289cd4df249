"""The line for cron and the units for systemd: whatever the paths are called."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from briefmail.errors import UsageError
from briefmail.schedule import crontab_line, systemd_units
from real_parts import require

PRINT = "import json, sys; print(json.dumps(sys.argv[1:]))"
NAMES = [
    "plain",
    "two words",
    "100%",
    "%h %%",
    "$HOME ${x} `x`",
    "it's",
    'a "b"',
    "Mòrag's 🚲",
    "#",
]


def as_cron_runs(line: str) -> str:
    """Return the command of a line as crontab(5) hands it to the shell."""
    five, _, command = line.partition(" * * * * ")
    assert five == "*/5"
    assert "\n" not in command
    assert "%" not in command.replace(r"\%", ""), "a bare percent sign ends the command"
    return command.replace(r"\%", "%")


@pytest.mark.skipif(sys.platform == "win32", reason="there is no cron")
@pytest.mark.parametrize("name", NAMES)
def test_the_shell_gets_from_cron_the_words_that_were_meant(name: str) -> None:
    """Blanks, quotes, dollars, and percent signs, which end a crontab's command."""
    words = ["-C", f"/srv/{name}", "dispatch"]
    line = crontab_line([sys.executable, "-c", PRINT, *words])
    shell = ["/bin/sh", "-c", as_cron_runs(line)]
    done = subprocess.run(shell, capture_output=True, check=True, timeout=30)
    assert json.loads(done.stdout) == words


@pytest.mark.parametrize("name", ["back\\slash", "new\nline", "bell\x07"])
def test_a_path_that_a_crontab_cannot_hold_is_refused(name: str) -> None:
    """Crons disagree about what a backslash means."""
    with pytest.raises(UsageError, match="a crontab cannot hold"):
        crontab_line(["/usr/bin/python3", "-C", f"/srv/{name}"])


@pytest.mark.parametrize("name", ["it's", 'a "b"', "back\\slash", "new\nline"])
def test_a_program_that_systemd_does_not_run_is_refused(name: str) -> None:
    """Whatever the newsletter's folder is called: only the program's path has limits."""
    with pytest.raises(UsageError, match="systemd runs no program"):
        systemd_units("news", [f"/opt/{name}/python"])
    assert len(systemd_units("news", ["/opt/python", "-C", f"/srv/{name}"])) == 2


def test_the_units_are_what_is_to_be_installed() -> None:
    """A service that is patient when it is stopped, and a timer that makes up for sleep."""
    command = ["/opt/my env/bin/python", "-C", '/srv/50% $off "now"\\', "dispatch"]
    service, timer = systemd_units("50% $off", command)
    assert (service.name, timer.name) == ("briefmail-50-off.service", "briefmail-50-off.timer")
    assert service.text == (
        "[Unit]\n"
        "Description=Send what is due of the newsletter\n"
        "\n"
        "[Service]\n"
        "Type=oneshot\n"
        'ExecStart="/opt/my env/bin/python" "-C" "/srv/50%% $$off \\"now\\"\\\\" "dispatch"\n'
        "TimeoutStopSec=11min\n"
    )
    assert "OnCalendar=*:0/5\nPersistent=true\n" in timer.text
    assert systemd_units("日本", command)[0].name == "briefmail-newsletter.service"


@pytest.mark.systemd
@pytest.mark.parametrize("name", ["plain", "two words", "100% %h $HOME ${x}", "Mòrag 🚲"])
def test_systemd_finds_nothing_wrong_and_the_program_where_it_is(tmp_path: Path, name: str) -> None:
    """It looks for the program under the path that it has read out of the unit."""
    verify = shutil.which("systemd-analyze")
    require(verify, "systemd-analyze is not installed")
    assert verify
    program = tmp_path / name / "python"
    program.parent.mkdir()
    program.symlink_to(sys.executable)
    units = systemd_units("news", [str(program), "-C", f'/srv/{name} "\\', "dispatch"])
    paths = []
    for unit in units:
        paths.append(tmp_path / unit.name)
        paths[-1].write_text(unit.text, encoding="utf-8")
    done = subprocess.run(
        [verify, "verify", *paths], capture_output=True, timeout=60, check=False, text=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    program.unlink()
    again = subprocess.run(
        [verify, "verify", *paths], capture_output=True, timeout=60, check=False, text=True
    )
    assert f"Command {program} is not executable" in again.stderr
