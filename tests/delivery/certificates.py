"""A relay's side of TLS."""

import ssl

import trustme


def server_context(authority: trustme.CA, *names: str) -> ssl.SSLContext:
    """Return a context with a fresh certificate for ``names``."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    return context
