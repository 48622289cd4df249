"""Who gets it: addresses, the recipient list, suppressions, and the token to leave by.

:class:`Roll` reads a list (:class:`ListFile`) once and says who is to be written to; each of them
is a :class:`Recipient`.
"""

from briefmail.audience.address import Address, Invalid, parse_address
from briefmail.audience.census import Census, Domain, Row, Rows
from briefmail.audience.exports import field_name
from briefmail.audience.listfile import NO_DELIMITER, ListFile
from briefmail.audience.recipient import Recipient
from briefmail.audience.roll import Counts, Roll
from briefmail.audience.suppressions import MIGRATIONS, Suppression, Suppressions
from briefmail.audience.unsubscribe import unsubscribe_token, verify_token

__all__ = [
    "MIGRATIONS",
    "NO_DELIMITER",
    "Address",
    "Census",
    "Counts",
    "Domain",
    "Invalid",
    "ListFile",
    "Recipient",
    "Roll",
    "Row",
    "Rows",
    "Suppression",
    "Suppressions",
    "field_name",
    "parse_address",
    "unsubscribe_token",
    "verify_token",
]
