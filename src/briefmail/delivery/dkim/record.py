"""The DNS record that has a key's public half (RFC 6376 section 3.6, RFC 8463 section 4)."""

from dataclasses import dataclass

from briefmail.config import KeyKind

RSA_BITS = 2048
"""What a signer should use at least (RFC 8301 section 3.2)."""
_STRING = 255  # RFC 1035 section 3.3: the longest string of a TXT record


@dataclass(frozen=True, slots=True)
class DkimRecord:
    """What DNS must say for a signature by this key to hold. ``text`` is the record's, whole."""

    domain: str
    selector: str
    kind: KeyKind
    bits: int
    text: str

    @property
    def name(self) -> str:
        """Where the record lies (section 3.6.2.1)."""
        return f"{self.selector}._domainkey.{self.domain}"

    @property
    def zone_line(self) -> str:
        """The record as a zone file has it, in strings that are short enough."""
        strings = [self.text[at : at + _STRING] for at in range(0, len(self.text), _STRING)]
        quoted = " ".join(f'"{string}"' for string in strings)
        return f"{self.name}. IN TXT ( {quoted} )"

    @property
    def weak(self) -> bool:
        """Whether the key is shorter than it should be."""
        return self.kind == "rsa" and self.bits < RSA_BITS

    def __str__(self) -> str:
        kind = f"RSA, {self.bits} bits" if self.kind == "rsa" else "Ed25519"
        return f"{self.domain} by {self.selector} ({kind})"
