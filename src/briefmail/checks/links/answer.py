"""What a server answered, or what kept it from answering."""

from dataclasses import dataclass
from typing import Literal
from urllib.parse import urldefrag

Fault = Literal["", "name", "connection", "tls", "timeout", "redirects", "address", "late"]
"""What kept a server from answering: no such name, no connection, a certificate that is not good,
no answer in time, redirects without end, no address, or our own time was up."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What asking for ``url`` came to.

    ``status`` is that of the last page, None where there was a ``fault`` instead. ``final`` is
    where redirects led; ``permanent`` says that every one of them was (301 or 308).
    """

    url: str
    status: int | None = None
    fault: Fault = ""
    final: str = ""
    permanent: bool = False

    @property
    def is_good(self) -> bool:
        """Whether there is something to see."""
        return self.status is not None and self.status < 400


def page_of(href: str) -> str:
    """An address without the place in the page: what a server is asked for."""
    return urldefrag(href).url
