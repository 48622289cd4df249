"""One person's message: the envelope (RFC 5321) and the bytes (RFC 5322)."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Message:
    """What one recipient gets. ``data`` has CRLF line ends only and is not dot-stuffed.

    ``recipient`` is the addr-spec for RCPT with its domain as A-label, ``reverse_path`` that
    for MAIL. ``message_id`` includes its angle brackets.
    """

    reverse_path: str
    recipient: str
    message_id: str
    data: bytes = field(repr=False)
