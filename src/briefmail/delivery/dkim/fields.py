"""Which header fields a signature covers (RFC 6376 section 5.4), and which ones a relay rewrites.

Each is oversigned, listed once more than it occurs, so that nobody can add another that a reader
would see instead. Sender is left free: some relays add it.
"""

import re

SIGNED = (
    "From",
    "To",
    "Cc",
    "Reply-To",
    "Subject",
    "Date",
    "Message-ID",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
    "List-Id",
    "List-Unsubscribe",  # RFC 8058 section 4: this one and the next must be covered
    "List-Unsubscribe-Post",
)
# A relay's host -> what it replaces, so that a signature over it would not hold. SES:
# docs.aws.amazon.com/ses/latest/dg/send-email-authentication-dkim-manual.html
_REWRITTEN = {
    re.compile(r"email-smtp(-fips)?\.[a-z0-9-]+\.amazonaws\.com(\.cn)?"): {"Date", "Message-ID"},
}


def fields_for(host: str) -> tuple[str, ...]:
    """Return the fields to sign for the relay at ``host``."""
    rewritten: set[str] = set()
    for pattern, names in _REWRITTEN.items():
        if pattern.fullmatch(host.lower().rstrip(".")):
            rewritten |= names
    return tuple(name for name in SIGNED if name not in rewritten)
