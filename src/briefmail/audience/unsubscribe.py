"""The token in an unsubscribe link: who leaves which list, and proof that we wrote it.

RFC 8058 section 3.1: the URI must identify recipient and list without further ado, and should
have a component that is hard to forge, so that nobody can unsubscribe somebody else. The token
names no issue and no date: the link in a mail of years ago still works. It is good for as long
as the secret and the list's id stay what they are.
"""

import base64
import binascii
import hmac

# The longest key has 254 characters, up to four octets each; the rest is the signature.
TOKEN_LIMIT = 1500


def unsubscribe_token(secret: str, list_id: str, address_key: str) -> str:
    """Sign ``address_key`` (the ledger's) for the list ``list_id``.

    The token is made of letters, digits, ``-``, ``_`` and one ``.``, so it needs no escaping in
    a URL. The key can be read from it: it is no secret from whoever has the mail.
    """
    if not secret:
        raise ValueError("an unsubscribe token needs a secret: without one anybody can make it")
    # The list's id is given a length, so that no other pair of list and address reads the same.
    message = f"briefmail unsubscribe 1 {len(list_id)} {list_id} {address_key}".encode()
    signature = hmac.digest(secret.encode(), message, "sha256")
    return f"{_encode(address_key.encode())}.{_encode(signature)}"


def verify_token(secret: str, list_id: str, token: str) -> str | None:
    """Return the ledger key that ``token`` was made for, or None if it is not one of ours.

    What is compared is compared in constant time, so that a signature cannot be guessed a
    character at a time.
    """
    if len(token) > TOKEN_LIMIT or not token.isascii():
        return None
    key = _decode(token.partition(".")[0])
    if key is None:
        return None
    return key if hmac.compare_digest(token, unsubscribe_token(secret, list_id, key)) else None


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _decode(text: str) -> str | None:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        return None
