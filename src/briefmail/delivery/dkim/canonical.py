"""Relaxed canonicalisation (RFC 6376 section 3.4): what a relay may change without harm.

Names' case, folding, and how much blank there is between words; nothing that can be read.
"""

import re

_RUN = re.compile(rb"  +")
# One scan tells a body that is relaxed already, as quoted-printable nearly always is. The blank
# in front lets the search skip from one to the next: with a class there it takes ten times as long.
_LOOSE = re.compile(rb" [ \r]")


def relaxed_fields(head: bytes) -> dict[bytes, list[bytes]]:
    """Return the header fields by their names in lower case, as section 3.4.2 wants them.

    ``head`` is what stands before the empty line. Each field is ``name:value`` without CRLF.
    """
    found: dict[bytes, list[bytes]] = {}
    unfolded = _RUN.sub(b" ", head.replace(b"\t", b" ").replace(b"\r\n ", b" "))
    for line in unfolded.split(b"\r\n"):
        name, _, value = line.partition(b":")
        name = name.rstrip(b" ").lower()
        found.setdefault(name, []).append(name + b":" + value.strip(b" "))
    return found


def relaxed_body(body: bytes) -> bytes:
    """Return the body as section 3.4.4 wants it. Line ends are CRLF."""
    if b"\t" in body:
        body = body.replace(b"\t", b" ")
    if _LOOSE.search(body) or body.endswith(b" "):
        body = _RUN.sub(b" ", body).replace(b" \r\n", b"\r\n").removesuffix(b" ")
    if body.endswith(b"\r\n") and not body.endswith(b"\r\n\r\n"):
        return body if len(body) > 2 else b""
    body = body.rstrip(b"\r\n")
    return body + b"\r\n" if body else b""
