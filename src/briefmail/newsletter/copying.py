"""The editor's copy: the last message of a send that settled everybody, once an edition."""

from collections.abc import Callable
from dataclasses import dataclass

from briefmail import delivery
from briefmail.audience import Roll
from briefmail.config import Config
from briefmail.delivery import Ledger
from briefmail.edition import Edition
from briefmail.errors import BriefmailError
from briefmail.newsletter.lists import STAND_IN, address_of
from briefmail.newsletter.signing import signed
from briefmail.newsletter.testing import hand_over


@dataclass(frozen=True, slots=True)
class EditorsCopy:
    """What became of the copy for the editor at ``to``; ``fault`` says what went wrong, if it did.

    It is in no total, and a fault changes nothing about the send.
    """

    to: str
    fault: str


def send_copy(
    config: Config,
    edition: Edition,
    roll: Roll,
    ledger: Ledger,
    connect: Callable[[], "delivery.Session"],
    signer: "delivery.Signer | None",
) -> EditorsCopy | None:
    """Send the editor's copy if it is wanted, everybody is settled, and it has not gone yet.

    It is the copy of the editor, if the list has them, else of the first person there.
    """
    record = ledger.edition(edition.name)
    if not (config.editor.copy and record and record.closed_at):
        return None
    if ledger.editor_has_copy(edition.name):
        return None
    to = address_of(config.editor.email)
    like = roll.find(to) or roll.first() or STAND_IN
    try:
        copy = signed(signer, edition.copy_for(like, to.address))
        done = hand_over(connect(), copy)
    except BriefmailError as error:
        return EditorsCopy(to.address, error.message)
    if done.state == "deferred":
        return EditorsCopy(to.address, str(done))
    ledger.note_copy(edition.name)
    return EditorsCopy(to.address, "" if done.state == "sent" else str(done))
