"""However it goes wrong, nobody sees a traceback: one clear line, and the right exit status."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from command import FIRST, SECOND, Command, arguments, environment, start, tree

from briefmail import Newsletter

posix = pytest.mark.skipif(sys.platform == "win32", reason="not how Windows works")


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plant a bug."""

    def plan(*_: object) -> None:
        raise RuntimeError("the wheels\nhave come off")

    monkeypatch.setattr(Newsletter, "plan", plan)


def test_a_bug_is_one_line_status_70_and_a_log(
    briefmail: Command, own: Path, broken: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log is a file of its own where there is no memory yet: the folder stays as it was."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    before = tree(own)
    result = briefmail("send", FIRST, "--dry-run")
    assert (result.status, result.out) == (70, "")
    line = re.fullmatch(
        r"internal error: RuntimeError: the wheels; details are in (.*\.log)\n", result.err
    )
    assert line
    assert "RuntimeError: the wheels\nhave come off" in Path(line[1]).read_text("utf-8")
    assert "Traceback" in Path(line[1]).read_text("utf-8")
    assert tree(own) == before


def test_with_a_memory_the_log_is_there(briefmail: Command, own: Path, broken: None) -> None:
    briefmail("suppress", "a@example.org")
    for _ in range(2):
        result = briefmail("send", FIRST, "--dry-run")
        assert result.err.endswith(f"details are in {Path('.briefmail/log')}\n")
    assert (own / ".briefmail" / "log").read_text("utf-8").count("Traceback") == 2


def test_the_log_is_that_of_the_newsletter_from_wherever_it_is_called(
    briefmail: Command, own: Path, broken: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """cron starts in the home directory, and names the newsletter with -C."""
    briefmail("suppress", "a@example.org")
    monkeypatch.chdir(tmp_path)
    log = own / ".briefmail" / "log"
    result = briefmail("-C", own, "send", FIRST, "--dry-run")
    assert result.err.endswith(f"details are in {log.relative_to(tmp_path)}\n")
    assert "Traceback" in log.read_text("utf-8")


def test_a_bug_without_a_place_for_a_log_is_still_one_line(
    briefmail: Command, own: Path, broken: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(own / "nowhere"))
    result = briefmail("send", FIRST, "--dry-run")
    assert (result.status, result.err) == (70, "internal error: RuntimeError: the wheels\n")


@posix
@pytest.mark.parametrize("option", ["--raw", "--html", "--as=priya.raman@example.com"])
def test_a_reader_that_has_seen_enough_is_no_error(own: Path, option: str) -> None:
    """``briefmail preview --raw | head -1``; the page is longer than what fits into a pipe."""
    (own / SECOND).write_text((own / SECOND).read_text("utf-8") + "\n\nAnd so on." * 5_000)
    writer = subprocess.Popen(
        arguments("preview", SECOND, option),
        cwd=own,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert writer.stdout
    assert writer.stderr
    writer.stdout.readline()
    writer.stdout.close()
    assert writer.stderr.read() == b""
    writer.stderr.close()
    assert writer.wait(30) == 1


@posix
def test_closed_standard_streams_are_no_reason_to_fail(own: Path) -> None:
    """As under some schedulers."""
    command = " ".join(f"'{word}'" for word in arguments("send", FIRST, "--yes"))
    done = subprocess.run(
        ["/bin/sh", "-c", f"{command} <&- >&- 2>&-"], cwd=own, env=environment(), check=False
    )
    assert done.returncode == 0
    unasked = subprocess.run(
        ["/bin/sh", "-c", f"{command.replace('--yes', '--json')} <&-"],
        cwd=own,
        env=environment(),
        capture_output=True,
        check=False,
    )
    assert unasked.returncode == 2
    assert unasked.stderr.startswith(b"error: there is no terminal to ask at\n")


def test_a_character_set_that_lacks_a_letter_is_no_reason_to_fail(own: Path) -> None:
    (own / SECOND).write_text("# Nguyễn\n\nHello.\n", encoding="utf-8")
    result = start(own, "send", SECOND, "--yes", "--json", PYTHONIOENCODING="ascii")
    assert (result.status, "Traceback" in result.err) == (0, False), result


@pytest.mark.parametrize(
    ("words", "status"),
    [
        ((), 2),
        (("sned",), 2),
        (("send",), 2),
        (("send", FIRST, "--limit", "x"), 2),
        (("--help",), 0),
        (("send", "-h"), 0),
        (("--version",), 0),
    ],
)
def test_wrong_use_has_status_2_and_help_0(
    briefmail: Command, own: Path, words: tuple[str, ...], status: int
) -> None:
    assert briefmail(*words).status == status


@pytest.mark.parametrize("name", ["issues", "x" * 300, "issues/2016-08-24.md/below", ""])
def test_what_is_no_issue_file_is_named_in_one_line(
    briefmail: Command, own: Path, name: str
) -> None:
    result = briefmail("send", name, "--yes")
    assert (result.status, result.out) == (65, "")
    assert len([line for line in result.err.splitlines() if not line.startswith("hint: ")]) == 1


def test_a_damaged_memory_is_status_74_and_kept(briefmail: Command, own: Path) -> None:
    briefmail("suppress", "a@example.org")
    store = own / ".briefmail" / "store.sqlite3"
    store.write_bytes(b"not a database, but long enough to be taken for one" * 100)
    before = store.read_bytes()
    result = briefmail("send", FIRST, "--yes")
    assert (result.status, result.out) == (74, "")
    assert result.err.startswith("error: ")
    assert len(result.err.splitlines()) == 2
    assert store.read_bytes() == before
