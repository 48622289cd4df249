"""One e-mail address (RFC 5321, RFC 6531): is it usable, what goes into RCPT, what into the ledger.

The rules are those of the email-validator library, which is imported here and nowhere else.
Nothing is looked up in the DNS.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from email_validator import EmailNotValidError, validate_email

# RFC 5321 section 4.5.3.1, in octets; of UTF-8 with RFC 6531 (section 3.3). A path has 256 with its
# angle brackets, so an address has 254.
LOCAL_PART_LIMIT = 64
ADDRESS_LIMIT = 254

# RFC 5321 section 4.1.2, Dot-string: what all but a handful of local parts look like.
_DOT_STRING = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_SENTENCE = re.compile(r"(^|[.:] )([A-Z])(?=[a-z ])")


@dataclass(frozen=True, slots=True)
class Address:
    """A mailbox that can be sent to.

    ``address`` is the addr-spec for the envelope: the local part as it was written, the domain
    as A-label in lower case. Only the local part can have letters outside ASCII, which are NFC
    (RFC 6532 section 3.1), and not every relay takes them (SMTPUTF8, RFC 6531). None of them is a
    control, a blank or a mark that changes the direction of writing. ``key`` is what the ledger
    and the suppressions know the person by: the same with the local part NFC and casefolded.
    """

    address: str
    key: str

    def __str__(self) -> str:
        return self.address


@dataclass(frozen=True, slots=True)
class Invalid:
    """Why something is not usable, as the end of a sentence: ``it has no @``."""

    reason: str


def parse_address(text: str) -> Address | Invalid:
    """Read one addr-spec, without a display name; blanks around it do not matter."""
    text = text.strip()
    if len(text) > ADDRESS_LIMIT:
        return Invalid(f"it has {len(text)} characters, and mail allows {ADDRESS_LIMIT}")
    local, at, domain = text.rpartition("@")
    if not at:
        return Invalid("it has no @")
    if not _DOT_STRING.fullmatch(local):
        if reason := _why_not(text):
            return Invalid(reason)
        local = unicodedata.normalize("NFC", local)
    if len(local.encode()) > LOCAL_PART_LIMIT:
        return Invalid(f"before the @ it has {_length(local)}, and mail allows 64")
    return _with_domain(local, domain)


def _with_domain(local: str, domain: str) -> Address | Invalid:
    label = _a_label(domain)
    if isinstance(label, Invalid):
        return label
    address = f"{local}@{label}"
    if len(address.encode()) > ADDRESS_LIMIT:
        return Invalid(f"as it is sent it has {_length(address)}, and mail allows 254")
    return Address(address, _ledger_key(local, label))


def _length(text: str) -> str:
    return f"{len(text)} characters" if text.isascii() else f"{len(text.encode())} octets"


def _ledger_key(local: str, a_label: str) -> str:
    """Give the one spelling under which a mailbox is known, however it was written."""
    return f"{unicodedata.normalize('NFC', local).casefold()}@{a_label}"


# A list has far fewer domains than people, and a domain is the dear part of an address.
@lru_cache(maxsize=10_000)
def _a_label(domain: str) -> str | Invalid:
    """Write a domain as it goes over the wire: IDNA 2008, lower case."""
    try:
        label = validate_email(f"a@{domain}", check_deliverability=False).ascii_domain
    except (EmailNotValidError, UnicodeError) as error:
        return Invalid(_plain(error))
    return label.lower()


def _why_not(text: str) -> str:
    """Say what the library has against an address whose local part is no ASCII Dot-string.

    Nothing, if it is one with letters of other scripts (RFC 6531 section 3.3).
    """
    try:
        found = validate_email(text, check_deliverability=False, allow_smtputf8=True)
    except (EmailNotValidError, UnicodeError) as error:
        return _plain(error)
    if found.smtputf8:
        return ""
    return "the part before the @ is written in a way that few mail servers accept"


def _plain(error: Exception) -> str:
    """Turn the library's sentence into the end of ours."""
    if isinstance(error, UnicodeError):
        return "it has characters that are not text"
    sentence = _SENTENCE.sub(lambda start: start[1] + start[2].lower(), str(error))
    return sentence.rstrip(".").replace(". ", ": ")
