"""What is asked of a whole roll at once: domains, kinds of address, people with several rows.

The scratch database answers, so that a list of millions is not held in memory for it.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from briefmail.store import Database

_SEND = "disposition = 'send'"
# An address has one @: a local part with another would have to be quoted, and those are no valid
# rows. The key's local part is casefolded, and its domain the A-label in lower case.
_LOCAL = "substr(key, 1, instr(key, '@') - 1)"
_DOMAIN = "substr(key, instr(key, '@') + 1)"
# Gmail delivers what differs in dots only to one mailbox, and what follows a plus too
# (https://support.google.com/mail/answer/7436150); its two domains are one.
_GMAIL = "(key LIKE '%@gmail.com' OR key LIKE '%@googlemail.com')"
_GMAIL_BOX = "replace(substr(key, 1, instr(replace(key, '+', '@'), '@') - 1), '.', '')"


class Row(NamedTuple):
    """Somebody's address and the line where it stands."""

    address: str
    line: int


@dataclass(frozen=True, slots=True)
class Rows:
    """So many people, and the first few of them in the order of the list."""

    count: int
    first: tuple[Row, ...]


class Domain(NamedTuple):
    """A domain, how many people have their mail there, and the line of the first of them."""

    name: str
    people: int
    line: int


class Census:
    """Questions to the scratch database of a roll; it answers for those who are to be sent to."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def domains(self) -> Iterator[Domain]:
        """Yield each domain once, in the order of the alphabet."""
        rows = self._database.rows(
            f"SELECT {_DOMAIN}, count(*), min(line) FROM people"  # noqa: S608 -- our own words
            f" WHERE {_SEND} GROUP BY 1"
        )
        return (Domain(*row) for row in rows)

    def local_parts(self, names: Collection[str], first: int) -> Rows:
        """Find the people whose address has one of these names before the @."""
        marks = ", ".join("?" * len(names))
        return self._found(f"{_SEND} AND {_LOCAL} IN ({marks})", first, *names)

    def same_mailbox(self, first: int) -> Rows:
        """Find the people whose Gmail address is an earlier one's with other dots, or a plus."""
        repeated = (
            f"SELECT line, row_number() OVER (PARTITION BY {_GMAIL_BOX} ORDER BY line) AS nth"  # noqa: S608
            f" FROM people WHERE {_SEND} AND {_GMAIL}"
        )
        return self._found(
            f"line IN (SELECT line FROM ({repeated}) WHERE nth > 1)",  # noqa: S608
            first,
        )

    def repeated(self, first: int) -> Rows:
        """Find the further rows of people who are on the list already; one for each person."""
        return self._found("again IS NOT NULL", first, line="again")

    def _found(self, condition: str, first: int, *values: Any, line: str = "line") -> Rows:
        (count,) = self._database.one(
            f"SELECT count(*) FROM people WHERE {condition}",  # noqa: S608
            *values,
        )
        rows = self._database.rows(
            f"SELECT address, {line} FROM people WHERE {condition} ORDER BY {line} LIMIT ?",  # noqa: S608
            *values,
            first,
        )
        return Rows(count, tuple(Row(*row) for row in rows if count))
