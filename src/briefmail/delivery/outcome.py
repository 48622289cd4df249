"""What became of one message, and how far a failure reaches.

The states are a closed list; every answer, silence and fault of a relay ends in one of them:

========== =====================================================================================
sent       the relay answered 2yz to the final dot: it has the message and is responsible for it
           (RFC 5321 section 4.1.1.4). Whether a mailbox got it is another matter
deferred   certainly not taken over, and worth another try: 4yz, or a fault before the final dot
refused    5yz for this person: not taken over, and not worth another try (section 4.2.1)
uncertain  no reply after any byte of the final dot: the relay may or may not have it (RFC 1047)
========== =====================================================================================

*sent*, *refused* and *uncertain* are settled: the person is not tried again unasked.
"""

import re
from dataclasses import dataclass
from enum import Enum
from typing import Literal

from briefmail.delivery.reply import Reply

State = Literal["sent", "deferred", "refused", "uncertain"]
Step = Literal["connection", "MAIL", "RCPT", "DATA", "dot"]
"""The command that decided. ``connection``: none did; ``dot``: the end of the message."""


class Scope(Enum):
    """Whom a failure concerns, and with that who is still worth trying."""

    SESSION = "the relay, or this connection to it: everybody waits"
    MESSAGE = "the message, whoever it is for: the edition stops"
    RECIPIENT = "this one person: everybody else goes on"


@dataclass(frozen=True, slots=True)
class Delivery:
    """The outcome for one person.

    ``reply`` is None if the relay said nothing that counts; ``reason`` says in a few words what
    happened and does not repeat the reply.
    """

    state: State
    step: Step
    reply: Reply | None
    reason: str
    scope: Scope = Scope.RECIPIENT

    def __str__(self) -> str:
        return f"{self.reason}: {self.reply}" if self.reply else self.reason


def judge(step: Step, reply: Reply) -> Delivery:
    """Sort a relay's final reply to one person's message into a :class:`Delivery`."""
    if reply.positive:
        return Delivery("sent", step, reply, "the relay has it")
    scope = _scope(step, reply)
    if scope is Scope.SESSION:
        return Delivery("deferred", step, reply, "the relay takes no mail from us now", scope)
    if scope is Scope.MESSAGE:
        return Delivery("deferred", step, reply, "the relay finds the message too large", scope)
    # RFC 5321 section 4.5.3.1.10: 552 to RCPT is an old way to say 452, "too many recipients".
    if reply.transient or (step, reply.code) == ("RCPT", 552):
        return Delivery("deferred", step, reply, "the relay asks to try again later")
    what = "address" if step == "RCPT" else "message"
    return Delivery("refused", step, reply, f"the relay refuses the {what}")


def _scope(step: Step, reply: Reply) -> Scope:
    subject, _, detail = reply.status.partition(".")[2].partition(".")
    # RFC 3463 section 3.4: message too big for system. With RFC 1870 the answer to MAIL is 552.
    if reply.permanent and ((subject, detail) == ("3", "4") or (step, reply.code) == ("MAIL", 552)):
        return Scope.MESSAGE
    # RFC 6531 section 3.5: an address or a header outside ASCII is not taken after all. Of ours
    # only the recipient's address can be, whatever the command was, so nobody else is concerned.
    if reply.permanent and (subject, detail) in {("6", "7"), ("6", "9")}:
        return Scope.RECIPIENT
    # RFC 5321 section 3.8: 421 may answer any command and closes the connection. A refused
    # sender, the relay's own system (x.3.x) and its routes or limits (x.4.x) are not the
    # recipient's fault; nor is a sender that is only refused once a recipient is named.
    if reply.code == 421 or step == "MAIL" or subject in {"3", "4"}:
        return Scope.SESSION
    if subject == "1" and detail in {"7", "8"}:
        return Scope.SESSION
    return Scope.RECIPIENT


# RFC 3463 sections 3.2 and 3.3: the destination's address or mailbox is at fault; RFC 6531 section
# 3.5: that it is not ASCII is.
_ABOUT_THE_MAILBOX = re.compile(r"5\.(?:1\.(?:[1-6]|10)|2\.[0-2]|6\.[79])")


def is_personal(delivery: Delivery) -> bool:
    """Whether a refusal says itself that it is about this one mailbox and nobody else's.

    One without a reply is ours, for an address that cannot be used.
    """
    return delivery.reply is None or bool(_ABOUT_THE_MAILBOX.fullmatch(delivery.reply.status))
