"""A recipient: a mailbox, and the merge fields that make the copy theirs."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Recipient:
    """One person on the list.

    ``address`` is the addr-spec for the envelope and ``key`` the ledger's name for it (see
    :class:`~briefmail.audience.address.Address`). ``name`` is the display name, "" if none is
    known. ``fields`` holds ``email``, ``name`` if there is one, and every other column that is
    filled for this person under the name of :func:`~briefmail.audience.exports.field_name`: an
    empty cell is absent, so that a template's ``default`` works. ``line`` is where the person
    stands in the list; the header is usually line 1.

    No value has a control character in it, but all of them are data from outside: they are
    escaped for the place they land in, and never compiled.
    """

    address: str
    key: str
    name: str
    fields: Mapping[str, str]
    line: int
