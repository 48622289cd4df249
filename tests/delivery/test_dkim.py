"""Signatures that hold where they should and break where they should, by others' verifiers."""

import datetime as dt
import os
import re
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from dkim.canonicalization import Relaxed
from dkim_verifiers import Records, Verdicts, by_dkimpy, by_opendkim
from hypothesis import given
from hypothesis import strategies as st

from briefmail import config
from briefmail.audience import Recipient
from briefmail.config import DkimKey, KeyKind
from briefmail.delivery import Signer, fields_for, make_key, read_keys
from briefmail.delivery.dkim.canonical import relaxed_body, relaxed_fields
from briefmail.edition import Edition, Message, build_edition
from briefmail.errors import ConfigError
from briefmail.issue import read_issue

REPOSITORY = Path(__file__).parents[2]
ISSUES = sorted((REPOSITORY / "issues").glob("*.md"))
NOW = dt.datetime(2016, 9, 7, 9, 0, tzinfo=dt.UTC)
PASS: Verdicts = {"old": True, "new": True}
FAIL: Verdicts = {"old": False, "new": False}
FIELDS = {"email": "morag@example.org", "first_name": "Mòrag", "organisation": "Orravay Trust"}
MORAG = Recipient("morag@example.org", "morag@example.org", "Mòrag", FIELDS, 2)
KEYS = (DkimKey("rsa", "old", "old.pem"), DkimKey("ed25519", "new", "new.pem"))
Change = Callable[[bytes], bytes]


@dataclass(frozen=True)
class Signed:
    """A signer with a key of each kind, and what DNS has for them."""

    signer: Signer
    records: Records

    def __call__(self, message: Message) -> bytes:
        return self.signer.sign(message).data


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a key of each kind."""
    folder = tmp_path_factory.mktemp("keys")
    for key in KEYS:
        write_key(folder / key.path, make_key(key.kind))
    return folder


def write_key(path: Path, data: bytes, mode: int = 0o600) -> None:
    path.write_bytes(data)
    path.chmod(mode)


@pytest.fixture(scope="module")
def signed(keys: Path) -> Signed:
    return signed_for("localhost", keys)


def signed_for(host: str, keys: Path) -> Signed:
    signer = Signer(read_keys(KEYS, "example.org", keys), fields_for(host), lambda: NOW)
    return Signed(signer, {record.name: record.text for record in signer.records})


@cache
def edition_of(issue: Path) -> Edition:
    return build_edition(read_issue(issue), config.load(REPOSITORY, {}), NOW)


def message(issue: Path = ISSUES[0]) -> Message:
    return edition_of(issue).message_for(MORAG)


@pytest.mark.parametrize("issue", ISSUES, ids=lambda path: path.stem)
def test_the_repository_s_issues_verify_with_both_keys_by_two_verifiers(
    signed: Signed, issue: Path
) -> None:
    data = signed(message(issue))
    assert by_dkimpy(data, signed.records) == PASS
    assert by_opendkim(data, signed.records) == PASS


def test_signing_only_puts_short_lines_in_front(signed: Signed) -> None:
    plain = message()
    result = signed.signer.sign(plain)
    assert result.data.endswith(b"\r\n" + plain.data)
    added = result.data.removesuffix(plain.data)
    assert [m[1] for m in re.finditer(rb"^(\S+): v=1; a=(\S+);", added, re.MULTILINE)] == [
        b"DKIM-Signature",
        b"DKIM-Signature",
    ]
    assert max(map(len, added.split(b"\r\n"))) <= 78
    assert (result.message_id, result.recipient) == (plain.message_id, plain.recipient)


def test_an_address_beyond_ascii_is_signed_as_it_stands(signed: Signed) -> None:
    """In UTF-8 (RFC 6532, RFC 8616)."""
    address = "mòrag@example.org"
    data = signed(edition_of(ISSUES[0]).message_for(replace(MORAG, address=address)))
    assert f"<{address}>\r\n".encode() in data
    assert by_dkimpy(data, signed.records) == PASS
    assert by_opendkim(data, signed.records) == PASS


# --- what must not pass ---------------------------------------------------------------------------

MULTIPLE = ("From: x@example.net", "Subject: Other", "List-Unsubscribe: <https://example.net/>")
ABSENT = ("Cc: x@example.net", "List-Unsubscribe-Post: List-Unsubscribe=One-Click")
COVERED = ("From", "To", "Reply-To", "Subject", "Date", "Message-ID", "MIME-Version")
COVERED += ("Content-Type", "List-Id", "List-Unsubscribe")


@pytest.mark.parametrize("line", [*MULTIPLE, *ABSENT])
@pytest.mark.parametrize("where", ["on top", "at the end"])
def test_a_field_that_somebody_adds_breaks_every_signature(
    signed: Signed, line: str, where: str
) -> None:
    """A second one of those that are there, or a first one of those that are not."""
    data, added = signed(message()), line.encode() + b"\r\n"
    if where == "on top":
        data = added + data
    else:
        head, _, body = data.partition(b"\r\n\r\n")
        data = head + b"\r\n" + added + b"\r\n" + body
    assert by_dkimpy(data, signed.records) == FAIL
    assert by_opendkim(data, signed.records) == FAIL


@pytest.mark.parametrize("name", COVERED)
def test_a_field_that_is_changed_or_taken_away_breaks_every_signature(
    signed: Signed, name: str
) -> None:
    data = signed(message())
    field = re.search(rf"^{name}: (?:.*\r\n)(?:[ \t].*\r\n)*".encode(), data, re.MULTILINE)
    assert field
    changed = field[0][:-3] + (b"x" if field[0][-3:-2] != b"x" else b"y") + b"\r\n"
    for other in (changed, b""):
        tampered = data.replace(field[0], other, 1)
        assert by_dkimpy(tampered, signed.records) == FAIL
        assert by_opendkim(tampered, signed.records) == FAIL


@given(st.data())
def test_any_changed_character_of_the_body_or_of_a_covered_field_breaks_every_signature(
    signed: Signed, data: st.DataObject
) -> None:
    whole = signed(message())
    start = whole.index(b"From: ")
    places = [m.start() for m in re.finditer(rb"[^\s:]", whole) if m.start() >= start]
    place = data.draw(st.sampled_from(places))
    other = data.draw(st.sampled_from([c for c in b"aZ9=<" if c not in {whole[place], 32}]))
    head = place < whole.index(b"\r\n\r\n")
    if head and bytes([whole[place], other]).decode("latin-1").casefold().count("a") == 2:
        return  # the case of a field's name means nothing
    tampered = whole[:place] + bytes([other]) + whole[place + 1 :]
    assert by_dkimpy(tampered, signed.records) == FAIL


def test_another_s_key_under_our_selector_does_not_fit(signed: Signed, tmp_path: Path) -> None:
    for key in KEYS:
        write_key(tmp_path / key.path, make_key(key.kind))
    assert by_dkimpy(signed(message()), signed_for("localhost", tmp_path).records) == FAIL


# --- what must pass -------------------------------------------------------------------------------


def refolded(data: bytes) -> bytes:
    head, _, body = data.partition(b"\r\n\r\n")
    return (
        head.replace(b" <", b"\r\n\t  <").replace(b"\r\nFrom:", b"\r\nFROM:") + b"\r\n\r\n" + body
    )


@pytest.mark.parametrize(
    "change",
    [
        refolded,
        lambda data: data.replace(b" the ", b" \t the   "),
        lambda data: data.replace(b"--\r\n", b"--  \r\n"),
        lambda data: data + b" \r\n\t\r\n\r\n",
        lambda data: b"Received: from here\r\nSender: x@example.net\r\n" + data,
        lambda data: data.replace(b"\r\n", b"\n"),
    ],
    ids=["folding", "blanks", "blanks at the end", "empty lines", "a relay's fields", "line ends"],
)
def test_what_relays_do_to_blanks_and_on_top_breaks_nothing(signed: Signed, change: Change) -> None:
    original = signed(message())
    changed = change(original)
    assert changed != original
    assert by_dkimpy(changed, signed.records) == PASS
    assert by_opendkim(changed, signed.records) == PASS


def test_date_and_message_id_are_left_to_a_relay_that_rewrites_them(keys: Path) -> None:
    ses = signed_for("email-smtp.eu-west-1.amazonaws.com", keys)
    data = re.sub(rb"(Date|Message-ID): .*", rb"\1: rewritten", ses(message()))
    assert by_dkimpy(data, ses.records) == PASS
    assert by_opendkim(data, ses.records) == PASS
    second = b"Subject: Other\r\n" + data
    assert by_dkimpy(second, ses.records) == FAIL


@given(st.lists(st.sampled_from([b"a", b"b", b" ", b"\t", b"\r\n"])))
def test_bodies_are_relaxed_as_another_implementation_does_it(pieces: list[bytes]) -> None:
    body = b"".join(pieces) + b"\r\n"
    assert relaxed_body(body) == Relaxed.canonicalize_body(body)


def test_an_empty_body_and_one_without_a_last_line_end() -> None:
    """RFC 6376 section 3.4.4."""
    assert [relaxed_body(body) for body in (b"", b"\r\n", b"a", b"a ")] == [
        b"",
        b"",
        b"a\r\n",
        b"a\r\n",
    ]


PIECES = st.lists(st.sampled_from(["a", "B", ":", " ", "\t", "\r\n ", "\r\n\t"])).map("".join)


@given(st.lists(PIECES, min_size=1, max_size=4))
def test_fields_are_relaxed_as_another_implementation_does_it(values: list[str]) -> None:
    head = b"\r\n".join(f"X-{n % 2} :{value}".encode() for n, value in enumerate(values))
    parted = [(f"X-{n % 2} ".encode(), f"{value}\r\n".encode()) for n, value in enumerate(values)]
    theirs: dict[bytes, list[bytes]] = {}
    for name, value in Relaxed.canonicalize_headers(parted):
        theirs.setdefault(name, []).append(name + b":" + value.removesuffix(b"\r\n"))
    assert relaxed_fields(head) == theirs


# --- keys -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "bits"), [("rsa", 2048), ("ed25519", 256)])
def test_a_new_key_has_a_record_of_its_own(kind: KeyKind, bits: int, keys: Path) -> None:
    (key,) = read_keys([k for k in KEYS if k.kind == kind], "example.org", keys)
    assert (key.record.kind, key.record.bits, key.record.weak) == (kind, bits, False)
    assert key.record.name == f"{key.record.selector}._domainkey.example.org"
    strings = re.findall(r'"([^"]*)"', key.record.zone_line)
    assert "".join(strings) == key.record.text
    assert max(map(len, strings)) <= 255  # RFC 1035 section 3.3


def test_the_record_of_the_key_in_rfc_8463_is_the_one_that_is_there(tmp_path: Path) -> None:
    """Its appendices A.1 and A.2."""
    seed = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
    der = bytes.fromhex(f"302e020100300506032b657004220420{seed}")  # RFC 8410 section 7
    lines = [b"-----BEGIN PRIVATE KEY-----", b64encode(der), b"-----END PRIVATE KEY-----"]
    write_key(tmp_path / "rfc.pem", b"\n".join(lines))
    (key,) = read_keys(
        [DkimKey("ed25519", "brisbane", "rfc.pem")], "football.example.com", tmp_path
    )
    assert (key.record.name, key.record.text) == (
        "brisbane._domainkey.football.example.com",
        "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
    )


def test_keys_of_other_tools_and_short_ones_are_taken_and_the_short_are_called_weak(
    tmp_path: Path,
) -> None:
    """openssl and opendkim-genkey write PKCS#1; RFC 8301 allows 1024 bits and advises 2048."""
    key = rsa.generate_private_key(65537, 1024)
    data = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    write_key(tmp_path / "old.pem", data)
    (found,) = read_keys(KEYS[:1], "example.org", tmp_path)
    assert (found.record.bits, found.record.weak) == (1024, True)


SHORT_KEY = b"""\
-----BEGIN PRIVATE KEY-----
MIIBVgIBADANBgkqhkiG9w0BAQEFAASCAUAwggE8AgEAAkEAr5XAurFRuLxwy3SF
vHnq/JRxBSMBFDmsr1mFzZEL5oIfERdGJ/JdWQ5BbtH7xkSgc1PyTci+CsoBOZPq
XYzXvQIDAQABAkEAowcWhcFyMWa2DBJKwi8pIg/pyG0x6UeLsNwcQjv0oraP+VsC
xoP90fbjL7hNC6LzXocZ+B2roEx1nPPHiur4AQIhAOJUZiHygzrQ4i90IJaue1Mv
yK8m4CoXxWjWivgsKRkBAiEAxppd10npMFtFd7hs5o+61WxtIRP6bOZA248x4xyj
Yr0CIQCYWl/18h3MddgMQYu+Yu25ba0V2oGDVEUa8XDS5kc0AQIhAJ/R64Brfxcl
69I6/I/RzDUhivRagmUOKdVF94xfKHA1AiAMz7VlaRvEEdGhZUt77GYmlsSo7BIQ
J24uRX3/PBEbfA==
-----END PRIVATE KEY-----
"""


def complaints(folder: Path, *keys: DkimKey) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read_keys(keys, "example.org", folder)
    assert caught.value.exit_status == 78
    return [str(problem).removeprefix(f"{folder}/") for problem in caught.value.problems]


@pytest.mark.skipif(os.name != "posix", reason="only POSIX has these permissions")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o666])
def test_a_file_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "new.pem"
    write_key(path, make_key("ed25519"), mode)
    assert complaints(tmp_path, KEYS[1]) == [
        f"new.pem: is open to others of this computer: chmod 600 {path}"
    ]


def test_every_file_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    write_key(tmp_path / "new.pem", b"v=DKIM1; k=ed25519; p=\xff\x00")
    (tmp_path / "folder").mkdir()
    folder = DkimKey("rsa", "old", "folder")
    assert complaints(tmp_path, *KEYS, folder) == [
        "old.pem: is missing; 'briefmail dkim keygen' makes a key",
        "new.pem: is not a private key in PEM form",
        "folder: cannot be read: Is a directory",
    ]


def test_a_key_that_mail_cannot_be_signed_with_is_refused(tmp_path: Path, keys: Path) -> None:
    """The two changed about, one that is too short, one with a passphrase, another curve."""
    curve = ec.generate_private_key(ec.SECP256R1())
    closed = curve.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")
    )
    opened = curve.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for name, data in {"short": SHORT_KEY, "closed": closed, "curve": opened}.items():
        write_key(tmp_path / name, data)
    exchanged = [replace(KEYS[0], path="new.pem"), replace(KEYS[1], path="old.pem")]
    rule = "RSA goes into key, Ed25519 into ed25519_key"
    assert complaints(keys, *exchanged) == [
        f"new.pem: is an Ed25519 key, and dkim.key wants an RSA key: {rule}",
        f"old.pem: is an RSA key, and dkim.ed25519_key wants an Ed25519 key: {rule}",
    ]
    others = [replace(KEYS[0], path=name) for name in ("short", "closed", "curve")]
    assert complaints(tmp_path, *others) == [
        "short: has 512 bits, and mail wants at least 1024, best 2048",
        "closed: is protected by a passphrase, which briefmail cannot ask for",
        "curve: is neither an RSA nor an Ed25519 key",
    ]
