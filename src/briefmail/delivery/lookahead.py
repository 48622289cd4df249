"""Messages written ahead: while the relay is busy with some people, those of the next are filled.

Between the moment at which the relay has said what it has to say and the one at which it has
something to do again, a run does as little as it can.
"""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from briefmail.audience import Recipient
from briefmail.errors import BriefmailError

if TYPE_CHECKING:
    from briefmail.edition.message import Message


class Lookahead:
    """Writes each message once, by ``write``, if there is time before its turn comes."""

    def __init__(self, write: Callable[[Recipient], "Message"]) -> None:
        self._write = write
        self._written: dict[str, Message] = {}

    def write(self, people: Iterable[Recipient]) -> None:
        """Write the messages of those who come next. One that cannot be written waits."""
        for person in people:
            if person.key not in self._written:
                try:
                    self._written[person.key] = self._write(person)
                except BriefmailError:  # raised again, and dealt with, when its turn comes
                    return

    def message_for(self, person: Recipient) -> "Message":
        """Hand over somebody's message; raises what writing it raises."""
        return self._written.pop(person.key, None) or self._write(person)
