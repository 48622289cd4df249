"""What an outcome for one person means for the others of the run.

While nobody has been accepted, a refusal that does not name the mailbox is kept back as *deferred*:
three equal ones mean that the relay refuses the content (at DATA or the dot) or us (at RCPT), and
stop the run. If somebody is accepted, another refusal comes or the list ends first, they become
*refused*. A message that is refused whoever it is for stops the run too, unless others have been
accepted: then it is that person's.
"""

from dataclasses import replace

from briefmail.audience import Recipient
from briefmail.delivery.journal import Journal
from briefmail.delivery.outcome import Delivery, Scope, is_personal
from briefmail.errors import BriefmailError, ContentRefused, RelayUnavailable

EQUAL_REFUSALS = 3


class Verdicts:
    """Puts outcomes into the journal, the doubtful ones once their meaning is known."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._suspects: list[tuple[Recipient, Delivery]] = []
        self.accepted = False
        """Whether the relay has accepted anybody in this run."""

    def decide(self, person: Recipient, delivery: Delivery) -> BriefmailError | None:
        """Record an outcome, or keep it back; return what stops the run, if it does."""
        if delivery.scope is Scope.MESSAGE:
            if not self.accepted:
                self._journal.record(person, delivery)
                return ContentRefused(str(delivery), hint="make the message smaller")
            delivery = replace(delivery, state="refused", scope=Scope.RECIPIENT)
        if delivery.state == "refused" and not self.accepted and not is_personal(delivery):
            return self._suspect(person, delivery)
        self._journal.record(person, delivery)
        if delivery.state == "sent":
            self.accepted = True
            self.refuse_suspects()
        return None

    def _suspect(self, person: Recipient, delivery: Delivery) -> BriefmailError | None:
        """Keep a refusal back that may concern everybody. A crash leaves the person deferred."""
        if self._suspects and not _equal(self._suspects[-1][1], delivery):
            self.refuse_suspects()
        self._journal.defer_quietly(person, delivery)
        self._suspects.append((person, delivery))
        return _refused_alike(delivery) if len(self._suspects) >= EQUAL_REFUSALS else None

    def refuse_suspects(self) -> None:
        """Let those who were kept back be refused after all."""
        while self._suspects:
            self._journal.record(*self._suspects.pop(0))

    def leave_suspects_deferred(self) -> None:
        """Let those who were kept back stay deferred: the run ends without having found out."""
        while self._suspects:
            self._journal.report_deferred(*self._suspects.pop(0))


def _refused_alike(delivery: Delivery) -> BriefmailError:
    what = f"{EQUAL_REFUSALS} people in a row were refused alike, and nobody accepted: "
    if delivery.step == "RCPT":
        return RelayUnavailable(
            f"{what}{delivery.reply}",
            hint="the relay may want a login, or another sender: check SMTP_USERNAME in .env"
            " and newsletter.from in briefmail.toml",
        )
    return ContentRefused(
        f"{what}{delivery.reply}",
        hint="the relay objects to the message itself; ask its operator or change the issue",
    )


def _equal(one: Delivery, other: Delivery) -> bool:
    """Whether two refusals are alike; the text often names the person, so it does not count."""
    assert one.reply
    assert other.reply
    return (one.step, one.reply.code, one.reply.status) == (
        other.step,
        other.reply.code,
        other.reply.status,
    )
