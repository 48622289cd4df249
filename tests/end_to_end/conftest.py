"""Newsletters to try things on: a copy of the repository's own, and a freshly made one."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from command import ROOT, Command, Result, copy_own, environment

from briefmail import Newsletter
from briefmail.cli import cli
from briefmail.cli.door import status_of

sys.path.insert(0, str(ROOT / "tests" / "delivery"))
from fake_relay import FakeRelay


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a copy of the repository's own newsletter, as the working directory."""
    folder = copy_own(tmp_path / "own")
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def starter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return what ``briefmail init`` makes, as the working directory."""
    folder = tmp_path / "starter"
    Newsletter.init(folder)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def letter(starter: Path) -> Path:
    """Return a short issue in ``starter`` without any merge field."""
    path = starter / "issues" / "short.md"
    path.write_text("---\nsubject: Short\ndate: 2016-08-24\n---\n\nHello.\n", encoding="utf-8")
    return path


@pytest.fixture
def relay(starter: Path) -> Iterator[FakeRelay]:
    """Yield a relay on loopback that the newsletter's ``.env`` names."""
    with FakeRelay() as relay:
        (starter / ".env").write_text(
            f"SMTP_HOST=127.0.0.1\nSMTP_PORT={relay.port}\nSMTP_SECURITY=none\n"
        )
        yield relay


@pytest.fixture
def briefmail(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Return the command line, run in this process in the working directory."""
    clean = environment()
    for name in set(os.environ) - set(clean):
        monkeypatch.delenv(name)

    def run(*words: str | Path, **variables: str) -> Result:
        with pytest.MonkeyPatch.context() as patch:
            for name, value in variables.items():
                patch.setenv(name, value)
            capsys.readouterr()
            status = status_of(cli, [str(word) for word in words])
            return Result(status, *capsys.readouterr())

    return run
