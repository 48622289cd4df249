"""From one row of a list to one person, or to the reason why it is none.

Here, and only here, control characters are dealt with: no field of a :class:`Recipient` has one,
so that none can reach a header or end a line of SMTP.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from briefmail.audience.address import Address, Invalid, parse_address
from briefmail.audience.exports import NAME_COLUMNS, Layout
from briefmail.audience.listfile import Record, shown
from briefmail.audience.recipient import Recipient

# A To line of more is no name any more, and RFC 5322 section 2.1.1 ends a line at 998 octets.
NAME_LIMIT = 200
VALUE_LIMIT = 100_000  # characters; Gmail clips a whole message at about as many

CONTROL = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029]"
)  # C0, DEL, C1, line and paragraph separator
# What may stand around a value without being part of it; web pages and Word leave some of these.
_BLANKS = " \t\r\n\v\xa0\u200b\u2060\u3000\ufeff"
_BREAKS = re.compile(r" *[\t\n\v\r][ \t\n\v\r]*")
_MAILBOX = re.compile(r"([^<>]*)<([^<>]*)>")


@dataclass(frozen=True, slots=True)
class OptedOut:
    """Somebody whom the list itself marks as not to be written to.

    ``address`` is None if it cannot be read, and then no other row can be theirs either.
    """

    address: Address | None


def read_row(layout: Layout, record: Record) -> Recipient | OptedOut | Invalid:
    """Read a row. Who has left stays out, however broken the rest of the row is.

    A line break or a tab within a value becomes a blank: a note in a spreadsheet must not cost
    anybody the mail. In an address or a name it makes the row invalid, as any other control
    character does everywhere. A row with more values than the header has columns is invalid
    too: somewhere in it they have slipped sideways.
    """
    if record.fault:
        return Invalid(record.fault)
    if _has_left(layout, record.cells):
        address = parse_address(_split_mailbox(_cell(layout, record))[1])
        return OptedOut(address if isinstance(address, Address) else None)
    values = _clean(layout, record.cells)
    if isinstance(values, Invalid):
        return values
    return _recipient(layout, values, record.line)


def _cell(layout: Layout, record: Record) -> str:
    """Return the address as it stands in the row; a row may be short."""
    return record.cells[layout.address].strip(_BLANKS) if layout.address < len(record.cells) else ""


def _has_left(layout: Layout, cells: Sequence[str]) -> bool:
    return any(
        index < len(cells) and means_no(cells[index].strip().lower())
        for index, means_no in layout.opt_out
    )


def _clean(layout: Layout, cells: Sequence[str]) -> list[str] | Invalid:
    """Take the blanks from around the values, once nothing in them is wrong."""
    width = len(layout.fields)
    if len(cells) > width and any(map(str.strip, cells[width:])):
        return Invalid(f"has {len(cells)} values where the header has {width} columns")
    whole = "".join(cells)
    if len(whole) > VALUE_LIMIT and max(map(len, cells)) > VALUE_LIMIT:
        return Invalid(f"has a value of {max(map(len, cells)):,} characters")
    if whole.isprintable():
        return [cell.strip() for cell in cells[:width]]
    return _without_controls(layout, cells)


def _without_controls(layout: Layout, cells: Sequence[str]) -> list[str] | Invalid:
    values = []
    for index, (field, cell) in enumerate(zip(layout.fields, cells, strict=False)):
        value = cell.strip(_BLANKS)
        in_header = index == layout.address or field in NAME_COLUMNS
        if not in_header:
            value = _BREAKS.sub(" ", value)
        if bad := CONTROL.search(value):
            where = "the address" if index == layout.address else field or f"column {index + 1}"
            return Invalid(f"has {_called(bad[0])} in {where}")
        values.append(value)
    return values


def _called(control: str) -> str:
    if control in "\n\v\r":
        return "a line break"
    return "a tab" if control == "\t" else f"a control character (U+{ord(control):04X})"


def _recipient(layout: Layout, values: Sequence[str], line: int) -> Recipient | Invalid:
    cell = values[layout.address] if layout.address < len(values) else ""
    if not cell:
        return Invalid("has no address")
    display_name, spec = _split_mailbox(cell)
    address = parse_address(spec)
    if isinstance(address, Invalid):
        return Invalid(f"'{shown(cell)}' is not an address: {address.reason}")
    fields = {"email": address.address}
    for field, value in zip(layout.fields, values, strict=False):
        if field and value and field not in fields:
            fields[field] = value
    name = fields.get("name") or _full_name(fields) or display_name
    if len(name) > NAME_LIMIT:
        return Invalid(f"has a name of {len(name):,} characters; {NAME_LIMIT} are allowed")
    if name:
        fields["name"] = name
    return Recipient(address.address, address.key, name, fields, line)


def _full_name(fields: dict[str, str]) -> str:
    return f"{fields.get('first_name', '')} {fields.get('last_name', '')}".strip()


def _split_mailbox(cell: str) -> tuple[str, str]:
    """Split ``Name <a@b>`` (RFC 5322 section 3.4) into name and address; the name may be ""."""
    match = _MAILBOX.fullmatch(cell) if cell.endswith(">") else None
    if not match:
        return "", cell
    name, spec = match[1].strip(), match[2].strip()
    if len(name) > 1 and name[0] == name[-1] == '"':
        name = re.sub(r"\\(.)", r"\1", name[1:-1]).strip()
    return ("" if name == spec else name), spec
