"""What a relay answers: the code of RFC 5321 and, where it sends one, the status of RFC 3463."""

import re
from dataclasses import dataclass

# RFC 2034 section 4: class.subject.detail at the head of each line, of the same class as the code.
_STATUS = re.compile(r"([245]\.\d{1,3}\.\d{1,3})(?:\s+|$)")
_LONGEST_TEXT = 1000  # two lines of the largest size in RFC 5321 section 4.5.3.1.5


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


def printable(text: str) -> str:
    """Escape every character that a terminal would obey instead of showing it."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )
