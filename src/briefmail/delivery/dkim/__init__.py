"""DKIM (RFC 6376): each message signed as it leaves, with RSA, Ed25519 (RFC 8463) or both.

The library behind ``keys`` and ``signer`` takes its time to load, so :mod:`briefmail.delivery`
hands them out when they are first asked for.
"""
