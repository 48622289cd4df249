"""Newsletters to try things on: a copy of the repository's own, and a freshly made one."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from command import ROOT, Command, Result, copy_own, environment, typed

from briefmail import Newsletter
from briefmail.cli import cli
from briefmail.cli.door import status_of

sys.path.insert(0, str(ROOT / "tests" / "delivery"))
from fake_relay import FakeRelay
from private_postfix import PrivatePostfix, missing_part, private_postfix

from real_parts import require


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
            status = status_of(cli, typed(*words))
            return Result(status, *capsys.readouterr())

    return run


@pytest.fixture
def authority() -> trustme.CA:
    """Return who signs the relay's certificate."""
    return trustme.CA()


@pytest.fixture
def postfix(authority: trustme.CA) -> Iterator[PrivatePostfix]:
    """Run a Postfix that knows the people whom ``briefmail init`` puts on the list."""
    require(not missing_part(), missing_part())
    with private_postfix(authority, ["ada", "ruaridh", "zoe", "hello"]) as postfix:
        yield postfix


@pytest.fixture
def submission(postfix: PrivatePostfix, authority: trustme.CA, tmp_path: Path) -> dict[str, str]:
    """Return the variables of the environment by which mail is submitted to the Postfix."""
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    assert postfix.relay.secret
    return {
        "SSL_CERT_FILE": str(tmp_path / "authority.pem"),
        "SMTP_HOST": postfix.relay.host,
        "SMTP_PORT": str(postfix.relay.port),
        "SMTP_USERNAME": postfix.relay.username,
        "SMTP_PASSWORD": postfix.relay.secret.text,
    }
