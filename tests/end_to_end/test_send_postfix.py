"""A whole send as its user does it: the command, a real Postfix with STARTTLS and a login."""

from pathlib import Path

import pytest
from command import Command
from private_postfix import PrivatePostfix

pytestmark = pytest.mark.postfix


def test_the_suppressed_do_not_get_it_and_nobody_gets_it_twice(
    briefmail: Command,
    letter: Path,
    postfix: PrivatePostfix,
    submission: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in submission.items():
        monkeypatch.setenv(name, value)
    assert briefmail("suppress", "Ada@Example.org", "--reason", "asked by phone").status == 0
    first = briefmail("send", letter, "--yes")
    assert (first.status, first.totals["sent"], first.totals["suppressed"]) == (0, 3, 1)
    assert briefmail("send", letter, "--yes").totals["sent"] == 0
    for mailbox in ("ruaridh", "zoe", "hello"):
        (message,) = postfix.mail(mailbox)
        assert message["Subject"] == "Short"
        assert "with ESMTPSA" in message["Received"]  # by TLS, authenticated (RFC 3848)
    assert postfix.mail("ada", wanted=0) == []
