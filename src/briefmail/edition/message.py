"""One person's message: the envelope (RFC 5321) and the bytes (RFC 5322)."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Message:
    """What one recipient gets. ``data`` has CRLF line ends only and is not dot-stuffed.

    ``recipient`` is the addr-spec for RCPT with its domain as A-label, ``reverse_path`` that
    for MAIL. ``message_id`` includes its angle brackets. All is ASCII but for the recipient's local
    part, in the envelope and in ``To``; if that is not, the message needs SMTPUTF8 (RFC 6531).
    """

    reverse_path: str
    recipient: str
    message_id: str
    data: bytes = field(repr=False)

    @property
    def needs_smtputf8(self) -> bool:
        """Whether only a relay that offers SMTPUTF8 may be given it (RFC 6531 section 3.2)."""
        return not self.recipient.isascii()
