"""What a relay answers: the code of RFC 5321 and, where it sends one, the status of RFC 3463."""

import re
from collections import deque
from dataclasses import dataclass

# RFC 2034 section 4: class.subject.detail at the head of each line, of the same class as the code.
_STATUS = re.compile(r"([245]\.\d{1,3}\.\d{1,3})(?:\s+|$)")
_LONGEST_TEXT = 1000  # two lines of the largest size in RFC 5321 section 4.5.3.1.5
REPLY_LIMIT = 65_536
"""The octets of one reply beyond which a relay is not listened to: 128 lines of full length."""


@dataclass(frozen=True, slots=True)
class Reply:
    r"""One reply. ``status`` is its enhanced status such as ``5.1.1``, or empty.

    ``text`` is one line that is safe to print: whatever could move the cursor, change a colour
    or turn the direction of writing is escaped as ``\x1b``. It is cut at 1,000 characters.
    """

    code: int
    status: str
    text: str

    @classmethod
    def parse(cls, code: int, text: bytes) -> "Reply":
        """Read a reply whose lines, without their codes, are joined by LF.

        Raises ValueError if ``code`` is none that RFC 5321 section 4.2.1 knows.
        """
        if not 200 <= code <= 599:
            raise ValueError(f"{code} is not a reply code")
        status, lines = "", []
        for line in text.decode("utf-8", "backslashreplace").split("\n"):
            match = _STATUS.match(line)
            if match and match[1].startswith(str(code)[0]):
                status, line = status or match[1], line[match.end() :]  # noqa: PLW2901
            lines.append(printable(line.strip()))
        return cls(code, status, " ".join(lines).strip()[:_LONGEST_TEXT])

    @property
    def positive(self) -> bool:
        """2yz: the command is done."""
        return 200 <= self.code <= 299

    @property
    def transient(self) -> bool:
        """4yz: not now; the same command may succeed later."""
        return 400 <= self.code <= 499

    @property
    def permanent(self) -> bool:
        """5yz: no; the same command should not be repeated."""
        return self.code >= 500

    def __str__(self) -> str:
        return " ".join(part for part in (str(self.code), self.status, self.text) if part)


class ReplyReader:
    """Cuts what a relay says into replies, wherever the network has cut it before.

    Lines may end in a bare LF, because some relays do that. What has been fed is kept until the
    reply that it belongs to is complete, and never more than :data:`REPLY_LIMIT` of it.
    """

    def __init__(self) -> None:
        self._whole: deque[bytes] = deque()  # lines that have come, and have not been read
        self._rest = b""  # the beginning of the next
        self._lines: list[bytes] = []  # of the reply that is being read
        self._size = 0

    @property
    def empty(self) -> bool:
        """Whether everything that was fed has been read, and no reply is half there."""
        return not (self._rest or self._whole or self._lines)

    def feed(self, octets: bytes) -> None:
        """Take more of what the relay says."""
        *whole, self._rest = (self._rest + octets).split(b"\n")
        self._whole.extend(whole)

    def next(self) -> tuple[int, bytes] | None:
        """Return the code and the text of the next reply, None while it is incomplete.

        The lines of the text are joined by LF. Raises ValueError for what is no reply.
        """
        while self._whole:
            line = self._whole.popleft()
            code, mark = line[:3], line[3:4]
            if not code.isdigit() or mark not in b" -\r" or not 200 <= int(code) <= 599:
                raise ValueError(_shown(line))
            if mark != b"-" and not self._lines:
                return int(code), line[4:]
            if self._lines and self._lines[0][:3] != code:
                raise ValueError(_shown(line))
            self._lines.append(line)
            self._size += len(line)
            if mark != b"-":
                return int(code), self._take()
            self._bound()
        self._bound()
        return None

    def _take(self) -> bytes:
        lines, self._lines, self._size = self._lines, [], 0
        return b"\n".join([line[4:] for line in lines])

    def _bound(self) -> None:
        if self._size + len(self._rest) > REPLY_LIMIT:
            raise ValueError(f"a reply of more than {REPLY_LIMIT} octets")


def _shown(line: bytes) -> str:
    return printable(line.decode("ascii", "backslashreplace").strip())[:100]


def printable(text: str) -> str:
    """Escape every character that a terminal would obey instead of showing it."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )
