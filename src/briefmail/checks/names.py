"""Questions to the domain name system, answered by dnspython or by a table in a test."""

from typing import Literal, Protocol

Kind = Literal["A", "AAAA", "MX", "TXT", "PTR", "CNAME"]
SECONDS = 5.0
"""How long one question may take, over all servers that are asked."""


class NamesUnavailableError(Exception):
    """Nobody could be asked, or no answer came: nothing is known about the name."""


class Names(Protocol):
    """Looks names up."""

    def records(self, name: str, kind: Kind) -> tuple[str, ...]:
        """Return the records of a name as text, none if there are none or no such name.

        An MX record is ``10 mail.example.org.``; a TXT record is one text, however it is cut into
        strings (RFC 7208 section 3.3). Raises :class:`NamesUnavailableError`.
        """


def no_mail(names: Names, domain: str) -> str:
    """Why a domain takes no mail, as the end of a sentence; "" if it does.

    Mail goes to the MX, else to the domain's own address (RFC 5321 section 5.1), and a null MX
    says that there is none (RFC 7505). Raises :class:`NamesUnavailableError`.
    """
    found = names.records(domain, "MX")
    if any(record.split()[-1] == "." for record in found):
        return "says that it takes no mail at all (null MX)"
    if found or names.records(domain, "A") or names.records(domain, "AAAA"):
        return ""
    return "has no mail server"


class DnsNames:
    """Asks the name servers that this machine uses; each question once."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, Kind], tuple[str, ...]] = {}

    def records(self, name: str, kind: Kind) -> tuple[str, ...]:
        """Return what they say."""
        asked = (name.rstrip(".").lower(), kind)
        if asked not in self._known:
            self._known[asked] = _ask(*asked)
        return self._known[asked]


def _ask(name: str, kind: Kind) -> tuple[str, ...]:
    # It takes a tenth of a second to import, and only a check of domains needs it.
    from dns.exception import DNSException
    from dns.rdtypes.txtbase import TXTBase
    from dns.resolver import NXDOMAIN, NoAnswer, resolve
    from dns.reversename import from_address

    try:
        where = from_address(name) if kind == "PTR" else name
        answer = resolve(where, kind, lifetime=SECONDS)
    except (NXDOMAIN, NoAnswer):
        return ()
    except (DNSException, OSError) as error:
        raise NamesUnavailableError(str(error)) from error
    return tuple(
        b"".join(one.strings).decode("utf-8", "replace") if isinstance(one, TXTBase) else str(one)
        for one in answer
    )
