"""The keys that sign: read from their files, or made.

RSA is RFC 6376 with the lengths of RFC 8301, Ed25519 is RFC 8463. A file is PEM; what is made here
is PKCS#8 (RFC 5958).
"""

import os
import stat
from base64 import b64encode
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import (
    RSAPrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from briefmail.config import DkimKey, KeyKind
from briefmail.delivery.dkim.record import RSA_BITS, DkimRecord
from briefmail.errors import ConfigError, Problem

LEAST_RSA_BITS = 1024  # RFC 8301 section 3.2: a verifier must not take less
_NAMES = {"rsa": "an RSA key", "ed25519": "an Ed25519 key"}

PrivateKey = RSAPrivateKey | Ed25519PrivateKey


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key in use. ``sign`` takes the octets of RFC 6376 section 3.7 and returns the signature."""

    record: DkimRecord
    sign: Callable[[bytes], bytes] = field(repr=False, compare=False)


def read_keys(wanted: Iterable[DkimKey], domain: str, root: Path) -> tuple[SigningKey, ...]:
    """Read keys to sign for ``domain`` with; relative names are seen from ``root``.

    Raises :class:`ConfigError` with every file that is missing, open to others or no such key.
    """
    keys, problems = [], []
    for one in wanted:
        path = one.file(root)
        try:
            keys.append(_read(path, one, domain))
        except ValueError as error:
            problems.append(Problem(path, None, str(error)))
    if problems:
        raise ConfigError(problems)
    return tuple(keys)


def make_key(kind: KeyKind) -> bytes:
    """Return a new private key as PEM."""
    made: PrivateKey = (
        generate_private_key(65537, RSA_BITS) if kind == "rsa" else Ed25519PrivateKey.generate()
    )
    return made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _read(path: Path, wanted: DkimKey, domain: str) -> SigningKey:
    """Read one key; ValueError with words that continue the file's name."""
    key = _parse(_bytes_of(path))
    match key:
        case RSAPrivateKey() if wanted.kind == "rsa":
            if key.key_size < LEAST_RSA_BITS:
                raise ValueError(
                    f"has {key.key_size} bits, and mail wants at least 1024, best 2048"
                )
            return _rsa(key, domain, wanted.selector)
        case Ed25519PrivateKey() if wanted.kind == "ed25519":
            return _ed25519(key, domain, wanted.selector)
    found = _NAMES["rsa" if isinstance(key, RSAPrivateKey) else "ed25519"]
    raise ValueError(
        f"is {found}, and dkim.{wanted.setting} wants {_NAMES[wanted.kind]}: RSA goes into key,"
        " Ed25519 into ed25519_key"
    )


def _bytes_of(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise ValueError(f"is open to others of this computer: chmod 600 {path}")
            return file.read()
    except FileNotFoundError:
        raise ValueError("is missing; 'briefmail dkim keygen' makes a key") from None
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror}") from None


def _parse(data: bytes) -> PrivateKey:
    try:
        key = load_pem_private_key(data, None)
    except TypeError:
        raise ValueError("is protected by a passphrase, which briefmail cannot ask for") from None
    except (ValueError, UnsupportedAlgorithm):
        raise ValueError("is not a private key in PEM form") from None
    if not isinstance(key, PrivateKey):
        raise ValueError("is neither an RSA nor an Ed25519 key")
    return key


def _rsa(key: RSAPrivateKey, domain: str, selector: str) -> SigningKey:
    scheme, digest = padding.PKCS1v15(), hashes.SHA256()
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    text = f"v=DKIM1; k=rsa; p={b64encode(public).decode()}"
    record = DkimRecord(domain, selector, "rsa", key.key_size, text)
    return SigningKey(record, lambda data: key.sign(data, scheme, digest))


def _ed25519(key: Ed25519PrivateKey, domain: str, selector: str) -> SigningKey:
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    text = f"v=DKIM1; k=ed25519; p={b64encode(public).decode()}"
    record = DkimRecord(domain, selector, "ed25519", 256, text)
    # RFC 8463 section 3: what is signed is the hash.
    return SigningKey(record, lambda data: key.sign(sha256(data).digest()))
