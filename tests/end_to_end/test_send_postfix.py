"""A whole send as its user does it: the command, a real Postfix with STARTTLS and a login."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from command import Command
from private_postfix import PrivatePostfix, missing_part, private_postfix

from real_parts import require

pytestmark = pytest.mark.postfix


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


def test_the_suppressed_do_not_get_it_and_nobody_gets_it_twice(
    briefmail: Command,
    letter: Path,
    postfix: PrivatePostfix,
    authority: trustme.CA,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    variables = {
        "SSL_CERT_FILE": str(tmp_path / "authority.pem"),
        "SMTP_HOST": postfix.relay.host,
        "SMTP_PORT": str(postfix.relay.port),
        "SMTP_USERNAME": postfix.relay.username,
        "SMTP_PASSWORD": postfix.relay.secret.text if postfix.relay.secret else "",
    }
    for name, value in variables.items():
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
