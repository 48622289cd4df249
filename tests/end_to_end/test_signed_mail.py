"""From ``briefmail dkim keygen`` to a mailbox: what arrives is signed, and verifies."""

import json
import os
import re
from pathlib import Path

import pytest
from command import Command, outbox
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from dkim_verifiers import Records, by_dkimpy, by_opendkim
from fake_relay import FakeRelay
from private_postfix import PrivatePostfix

BOTH = {"briefmail": True, "briefmail-ed25519": True}


def records_in(printed: str) -> Records:
    """Read what ``dkim record`` prints as a name server reads a zone file."""
    found = {}
    for name, strings in re.findall(r"^(\S+)\. IN TXT \( (.*) \)$", printed, re.MULTILINE):
        found[name] = "".join(re.findall(r'"([^"]*)"', strings))
    return found


@pytest.fixture
def records(briefmail: Command, starter: Path) -> Records:
    """Make two keys, set them as the command says, and return what DNS would have."""
    lines = ["[dkim]"]
    for words in ([], ["--ed25519"]):
        made = briefmail("dkim", "keygen", *words)
        assert made.status == 0
        lines += [line for line in made.out.splitlines() if " = " in line]
    unique = dict.fromkeys(lines)  # both have a line for the domain
    with (starter / "briefmail.toml").open("a", encoding="utf-8") as toml:
        toml.write("\n" + "\n".join(unique) + "\n")
    shown = briefmail("dkim", "record")
    assert shown.status == 0
    return records_in(shown.out)


def test_keygen_makes_a_key_that_nobody_else_sees_and_writes_over_none(
    briefmail: Command, starter: Path
) -> None:
    toml = (starter / "briefmail.toml").read_bytes()
    made = briefmail("dkim", "keygen")
    (record,) = records_in(made.out).items()
    assert record[0] == "briefmail._domainkey.example.org"
    assert record[1].startswith("v=DKIM1; k=rsa; p=MIIBIjAN")
    assert made.out.splitlines()[1:] == [
        'domain = "example.org"',
        'selector = "briefmail"',
        'key = "keys/briefmail.pem"',
    ]
    key = starter / "keys" / "briefmail.pem"
    data = key.read_bytes()
    assert data.startswith(b"-----BEGIN PRIVATE KEY-----\n")
    if os.name == "posix":
        assert key.stat().st_mode & 0o777 == 0o600
    assert (starter / "keys" / ".gitignore").read_text() == "*\n"
    assert "keys/" in (starter / ".gitignore").read_text().splitlines()
    again = briefmail("dkim", "keygen")
    assert (again.status, again.out) == (2, "")
    assert "keys/briefmail.pem is there already; nothing was written" in again.err
    assert key.read_bytes() == data
    other = briefmail("dkim", "keygen", "--selector", "autumn")
    assert 'key = "keys/autumn.pem"' in other.out
    assert briefmail("dkim", "keygen", "--selector", "../autumn").status == 2
    assert (starter / "briefmail.toml").read_bytes() == toml


def test_a_key_that_is_set_and_missing_is_made_where_it_is_set(
    briefmail: Command, starter: Path
) -> None:
    with (starter / "briefmail.toml").open("a") as toml:
        toml.write('\n[dkim]\nselector = "mine"\nkey = "secret/mine.pem"\n')
    made = briefmail("dkim", "keygen")
    assert list(records_in(made.out)) == ["mine._domainkey.example.org"]
    assert made.out.count("\n") == 1  # there is nothing to set any more
    assert records_in(briefmail("dkim", "record").out) == records_in(made.out)
    assert (starter / "secret" / "mine.pem").exists()


def test_record_without_a_key_says_how_to_get_one(briefmail: Command, starter: Path) -> None:
    result = briefmail("dkim", "record")
    assert (result.status, result.out) == (2, "")
    assert "briefmail dkim keygen" in result.err


def test_what_the_sandbox_catches_is_signed_and_so_are_test_copies(
    briefmail: Command, starter: Path, letter: Path, records: Records
) -> None:
    planned = briefmail("send", letter, "--dry-run")
    assert (
        "  Signed  example.org by briefmail (RSA, 2048 bits)"
        " and example.org by briefmail-ed25519 (Ed25519)\n"
    ) in planned.err
    as_json = json.loads(briefmail("send", letter, "--dry-run", "--json").out)
    assert as_json["signed_by"] == list(records)
    assert by_dkimpy(as_json["first_message"].encode(), records) == BOTH
    assert briefmail("send", letter, "--yes").status == 0
    assert [by_dkimpy(delivered(data), records) for data in outbox(starter)] == [BOTH] * 4
    assert briefmail("send", letter, "--test", "me@example.net").status == 0
    (copy,) = [data for data in outbox(starter) if b"[Test] " in data]
    assert by_dkimpy(delivered(copy), records) == BOTH


def delivered(data: bytes) -> bytes:
    """Take off what the sandbox puts on top."""
    return data[data.index(b"DKIM-Signature") :]


def test_the_editor_s_copy_is_signed(
    briefmail: Command, starter: Path, letter: Path, relay: FakeRelay, records: Records
) -> None:
    with (starter / "briefmail.toml").open("a") as toml:
        toml.write('\n[editor]\nemail = "me@example.net"\ncopy = true\n')
    assert briefmail("send", letter, "--yes").status == 0
    assert relay.recipients[-1] == "me@example.net"
    assert [by_dkimpy(message.data, records) for message in relay.received] == [BOTH] * 5


@pytest.mark.skipif(os.name != "posix", reason="only POSIX has these permissions")
@pytest.mark.parametrize("words", [["--yes"], ["--dry-run"], ["--test", "me@example.net"]])
def test_keys_that_cannot_be_used_stop_a_send_before_anybody_is_marked(
    briefmail: Command,
    starter: Path,
    letter: Path,
    relay: FakeRelay,
    records: Records,
    words: list[str],
) -> None:
    (starter / "keys" / "briefmail.pem").unlink()
    (starter / "keys" / "briefmail-ed25519.pem").chmod(0o644)
    result = briefmail("send", letter, *words)
    assert (result.status, result.out) == (78, "")
    assert "keys/briefmail.pem: is missing; 'briefmail dkim keygen' makes a key" in result.err
    assert "keys/briefmail-ed25519.pem: is open to others of this computer" in result.err
    assert (relay.connections, list((starter / ".briefmail").glob("*"))) == (0, [])


def test_an_issue_from_somebody_else_is_not_signed_for_our_domain(
    briefmail: Command, starter: Path, letter: Path, records: Records
) -> None:
    """Whether the toml names the domain or leaves it to ``newsletter.from``."""
    letter.write_text("---\nsubject: Short\nfrom: guest@example.net\n---\n\nHello.\n")
    complaint = "short.md:3: from is at example.net, and the mail is signed for example.org\n"
    toml = starter / "briefmail.toml"
    for text in (toml.read_text(), toml.read_text().replace('\ndomain = "example.org"', "")):
        toml.write_text(text)
        result = briefmail("send", letter, "--yes")
        assert (result.status, result.out) == (65, "")
        assert complaint in result.err


def test_a_short_key_signs_with_a_warning(
    briefmail: Command, starter: Path, letter: Path, records: Records
) -> None:
    """RFC 8301 section 3.2."""
    short = rsa.generate_private_key(65537, 1024)
    path = starter / "keys" / "briefmail.pem"
    path.write_bytes(
        short.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    )
    result = briefmail("send", letter, "--yes")
    assert result.status == 0
    assert "warning: the DKIM key briefmail has 1024 bits; make one of 2048\n" in result.err


@pytest.mark.postfix
def test_what_a_postfix_delivers_verifies(
    briefmail: Command,
    starter: Path,
    records: Records,
    postfix: PrivatePostfix,
    submission: dict[str, str],
) -> None:
    """The first issue of a new newsletter, with merge fields, dots and letters beyond ASCII."""
    (issue,) = (starter / "issues").glob("*.md")
    with issue.open("a", encoding="utf-8") as file:
        file.write("\n.\n..two dots, Mòrag\n\n```\ntwo  blanks\tand a tab\n```\n")
    assert briefmail("send", issue, "--yes", **submission).status == 0
    for mailbox in ("ada", "ruaridh", "zoe", "hello"):
        postfix.mail(mailbox)
        (path,) = (postfix.root / "mail" / mailbox / "new").iterdir()
        data = path.read_bytes()
        assert b"\nReceived: " in data
        assert by_dkimpy(data, records) == BOTH
        assert by_opendkim(data, records) == BOTH
