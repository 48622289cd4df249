"""Signing one message: its DKIM-Signature fields are put in front, and nothing else changes.

What is the same for a whole edition, nearly all of a field but its hashes, is made once.
"""

from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache
from hashlib import sha256

from briefmail.delivery.dkim.canonical import relaxed_body, relaxed_fields
from briefmail.delivery.dkim.keys import SigningKey
from briefmail.delivery.dkim.record import DkimRecord
from briefmail.edition.message import Message

_FOLD = "\r\n "
_LINE = 76


class Signer:
    """Signs messages, with one signature a key, the first key's on top.

    ``fields`` are the names to cover, each oversigned; see :func:`fields_for`.
    """

    def __init__(
        self,
        keys: Sequence[SigningKey],
        fields: Sequence[str],
        now: Callable[[], datetime],
    ) -> None:
        self._keys = tuple(keys)
        self._now = now
        self._names = [name.lower().encode("ascii") for name in fields]
        self._fields = tuple(fields)
        self._opening = cache(self._make_opening)

    @property
    def records(self) -> tuple[DkimRecord, ...]:
        """What DNS must have for the signatures to hold."""
        return tuple(key.record for key in self._keys)

    def sign(self, message: Message) -> Message:
        """Return the message with its signatures; it needs a From (section 5.4)."""
        head, _, body = message.data.partition(b"\r\n\r\n")
        present = relaxed_fields(head)
        covered = [present.get(name, []) for name in self._names]
        # Section 5.4.2: of several with one name, the lowest comes first.
        lines = [line for same in covered for line in reversed(same)]
        hashed = b"\r\n".join(lines) + b"\r\n"
        body_hash = b64encode(sha256(relaxed_body(body)).digest()).decode("ascii")
        rest = f"t={int(self._now().timestamp())};{_FOLD}bh={body_hash};{_FOLD}b="
        counts = tuple(map(len, covered))
        signatures = [self._signature(key, counts, rest, hashed) for key in self._keys]
        return replace(message, data=b"".join((*signatures, message.data)))

    def _signature(
        self, key: SigningKey, counts: tuple[int, ...], rest: str, hashed: bytes
    ) -> bytes:
        value = self._opening(key, counts) + rest
        # The field itself comes last, relaxed as well, with an empty b= and no line end (3.7).
        own = "dkim-signature:" + value.replace(_FOLD, " ")
        signature = b64encode(key.sign(hashed + own.encode("ascii"))).decode("ascii")
        lines = [signature[at : at + _LINE - 4] for at in range(0, len(signature), _LINE - 4)]
        return f"DKIM-Signature: {value}{_FOLD.join(lines)}\r\n".encode("ascii")

    def _make_opening(self, key: SigningKey, counts: tuple[int, ...]) -> str:
        """The tags before the time, for messages with so many of each field."""
        record = key.record
        tags = f"v=1; a={record.kind}-sha256; c=relaxed/relaxed; d={record.domain};"
        named = [n for n, count in zip(self._fields, counts, strict=True) for _ in range(count + 1)]
        return f"{tags}{_FOLD}s={record.selector};{_FOLD}{_folded(named)};{_FOLD}"


def _folded(names: list[str]) -> str:
    """Write h=, folded after a colon where a line would be too long."""
    lines = ["h="]
    for name in names:
        if len(lines[-1]) + len(name) >= _LINE:
            lines.append("")
        lines[-1] += f"{name}:"
    return _FOLD.join(lines).removesuffix(":")
