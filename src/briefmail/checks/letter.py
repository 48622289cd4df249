"""A message read again from its bytes, by a reader that had no part in writing them.

RFC 5322 for the fields, RFC 2045 and 2046 for the parts. It judges nothing: what is wrong with what
it reads is for the rules to say.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

# RFC 2045 section 5.1, as far as a boundary needs it.
_BOUNDARY = re.compile(r'\bboundary\s*=\s*(?:"([^"]+)"|([^\s";]+))', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Field:
    """A header field: its name as written, and its lines with the name, without their ends."""

    name: str
    lines: tuple[bytes, ...]

    @property
    def value(self) -> str:
        """What stands after the colon, unfolded (RFC 5322 section 2.2.3)."""
        text = b"".join(self.lines).decode("utf-8", "replace")
        return text.partition(":")[2].strip()


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the body that has no parts itself: its fields, and its lines as they stand."""

    fields: tuple[Field, ...]
    lines: tuple[bytes, ...]

    def value(self, name: str) -> str:
        """The value of a field; "" if the part has none of the name."""
        return next(iter(values(self.fields, name)), "")


@dataclass(frozen=True, slots=True)
class Letter:
    """A message: all its bytes, its own fields, and its parts in their order."""

    data: bytes
    fields: tuple[Field, ...]
    parts: tuple[Part, ...]

    def all(self, name: str) -> list[str]:
        """The value of each field of that name."""
        return values(self.fields, name)

    def one(self, name: str) -> str:
        """The value of the first field of that name; "" if there is none."""
        return next(iter(self.all(name)), "")


def values(fields: tuple[Field, ...], name: str) -> list[str]:
    """The value of each of the fields that has the name, in whatever case."""
    return [field.value for field in fields if field.name.lower() == name.lower()]


def read_letter(data: bytes) -> Letter:
    """Read a message."""
    lines = data.split(b"\r\n")
    fields, body = _split(lines)
    return Letter(data, fields, tuple(_parts(fields, body)))


def _split(lines: list[bytes]) -> tuple[tuple[Field, ...], list[bytes]]:
    """Part the header from what follows the first empty line."""
    end = lines.index(b"") if b"" in lines else len(lines)
    groups: list[list[bytes]] = []
    for line in lines[:end]:
        if line[:1] in (b" ", b"\t") and groups:
            groups[-1].append(line)
        else:
            groups.append([line])
    fields = tuple(
        Field(group[0].partition(b":")[0].decode("latin-1"), tuple(group)) for group in groups
    )
    return fields, lines[end + 1 :]


def _parts(fields: tuple[Field, ...], body: list[bytes]) -> Iterator[Part]:
    kind = next(iter(values(fields, "Content-Type")), "")
    boundary = _BOUNDARY.search(kind) if kind.lower().startswith("multipart/") else None
    if boundary is None:
        yield Part(fields, tuple(body))
        return
    mark = b"--" + (boundary[1] or boundary[2]).encode("latin-1", "replace")
    inside: list[bytes] | None = None
    for line in body:
        if line.rstrip(b" \t") in (mark, mark + b"--"):
            if inside is not None:
                yield from _parts(*_split(inside))
            inside = [] if line.rstrip(b" \t") == mark else None
        elif inside is not None:
            inside.append(line)
