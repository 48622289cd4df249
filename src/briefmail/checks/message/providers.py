"""Domains that a sender may be in: those of free providers, those of nobody, and one's own."""

from collections.abc import Mapping

# Where mail of the big free providers is submitted: their DMARC records, or what receivers know
# of them, make any other relay look like a forgery.
FREEMAIL: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("gmail.com", "googlemail.com"), ("gmail.com", "googlemail.com", "google.com")),
    **dict.fromkeys(
        ("yahoo.com", "yahoo.co.uk", "yahoo.fr", "yahoo.de", "ymail.com"), ("yahoo.com",)
    ),
    **dict.fromkeys(("aol.com", "aol.co.uk"), ("aol.com",)),
    **dict.fromkeys(
        ("outlook.com", "hotmail.com", "hotmail.co.uk", "live.com", "live.co.uk", "msn.com"),
        ("outlook.com", "office365.com", "live.com"),
    ),
    **dict.fromkeys(("icloud.com", "me.com", "mac.com"), ("me.com", "icloud.com")),
    **dict.fromkeys(("gmx.com", "gmx.net", "gmx.de", "gmx.co.uk"), ("gmx.com", "gmx.net")),
    **dict.fromkeys(("proton.me", "protonmail.com", "pm.me"), ("proton.me", "protonmail.ch")),
    "web.de": ("web.de",),
}
"""A free provider's domain, and the domains that its relays are in."""
# RFC 2606, RFC 6761.
_RESERVED = ("example.org", "example.com", "example.net", "example", "test", "invalid", "localhost")


def is_in(name: str, domain: str) -> bool:
    """Whether a name is a domain or lies below it."""
    return name == domain or name.endswith(f".{domain}")


def is_reserved(name: str) -> bool:
    """Whether a domain is kept for examples, so that nobody can have it."""
    return any(is_in(name, domain) for domain in _RESERVED)
