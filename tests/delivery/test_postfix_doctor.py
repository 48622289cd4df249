"""``briefmail doctor`` before a real Postfix: a good certificate, an expired one, another's."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from private_postfix import PASSWORD, USER, PrivatePostfix, missing_part, private_postfix

from briefmail.newsletter import Newsletter
from real_parts import require

pytestmark = pytest.mark.postfix
TOML = """\
[newsletter]
name = "The Briefing"
from = "The Briefing <briefing@example.org>"
[editor]
email = "catriona@example.org"
"""


@pytest.fixture(autouse=True)
def _postfix_is_here() -> None:
    require(not missing_part(), missing_part())


def said(root: Path, postfix: PrivatePostfix, password: str = PASSWORD) -> list[str]:
    """Return what doctor finds with this Postfix as the relay."""
    (root / "briefmail.toml").write_text(TOML, "utf-8")
    environ = {
        "SMTP_HOST": "localhost",
        "SMTP_PORT": str(postfix.relay.port),
        "SMTP_USERNAME": USER,
        "SMTP_PASSWORD": password,
    }
    found = Newsletter.open(root, environ=environ).doctor().findings
    return [f"{one.rule} {one.severity}: {one.text}" for one in found]


def test_a_relay_in_order_is_passed_in_silence_and_a_wrong_login_is_not(
    trusted: trustme.CA, tmp_path: Path
) -> None:
    """The certificate is checked, and the login is tried; nothing is sent."""
    with private_postfix(trusted, ["reader1"]) as postfix:
        assert said(tmp_path, postfix) == []
        (fault,) = said(tmp_path, postfix, "wrong horse")
        assert fault.startswith("relay-refuses error: localhost refuses the login")
        assert postfix.mail("reader1", wanted=0) == []


def test_a_certificate_that_expires_soon_is_a_warning(trusted: trustme.CA, tmp_path: Path) -> None:
    """There are still some days to have it renewed."""
    soon = datetime.now(UTC) + timedelta(days=3)
    certificate = trusted.issue_cert("localhost", not_after=soon)
    with private_postfix(trusted, [], certificate) as postfix:
        (fault,) = said(tmp_path, postfix)
    day = soon.date().isoformat()
    assert fault == f"relay-certificate warning: the certificate of localhost expires on {day}"


def test_a_certificate_that_has_expired_is_an_error(trusted: trustme.CA, tmp_path: Path) -> None:
    """A send would be refused in the same way."""
    past = datetime.now(UTC) - timedelta(days=1)
    certificate = trusted.issue_cert("localhost", not_after=past)
    with private_postfix(trusted, [], certificate) as postfix:
        (fault,) = said(tmp_path, postfix)
    assert fault.startswith("relay-refuses error: localhost: no TLS: ")
    assert "expired" in fault


def test_a_certificate_for_another_name_is_an_error(trusted: trustme.CA, tmp_path: Path) -> None:
    """Somebody else may be answering."""
    with private_postfix(trusted, [], trusted.issue_cert("mail.example.net")) as postfix:
        (fault,) = said(tmp_path, postfix)
    assert fault.startswith("relay-refuses error: localhost: no TLS: ")
    assert "localhost" in fault.partition("no TLS")[2]
