"""A newsletter for London's fortnights, its clock, its relay, and dispatches of it."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

from command import parse
from fake_relay import FakeRelay

from briefmail import Newsletter
from briefmail.newsletter import Dispatched, How, Notice

EDITOR = "editor@example.com"
READERS = ("ada@example.org", "ruaridh@example.org", "zoe@example.org")
TOML = f"""\
[newsletter]
name = "News"
from = "news@example.org"

[schedule]
every = "2 weeks"
on = "Wednesday"
from = 2016-08-24
timezone = "Europe/London"

[editor]
email = "{EDITOR}"
"""
DUE = datetime(2016, 8, 24, 8, tzinfo=UTC)  # nine o'clock in London's summer
DAY = timedelta(days=1)
AT_ONCE = How(retry_for=timedelta())
"""A dispatch of the tests waits for no relay."""


@dataclass
class Desk:
    """The folder, the relay, and what was said because it could not be mailed."""

    folder: Path
    relay: FakeRelay
    now: datetime = DUE - DAY
    said: list[str] = field(default_factory=list)

    def write(self, name: str, matter: str = "status: ready\n", text: str = "Hello.") -> Path:
        """Write an issue with this front matter."""
        path = self.folder / "issues" / f"{name}.md"
        path.write_text(f"---\nsubject: News\n{matter}---\n\n{text} {name}\n", encoding="utf-8")
        return path

    def dispatch(self, now: datetime | None = None) -> Dispatched:
        """Dispatch by the clock of the test."""
        self.now = now or self.now
        config = Newsletter.open(self.folder).config

        def say(notice: Notice) -> None:
            self.said.append(notice.subject)

        return Newsletter(config, now=lambda: self.now).dispatch(AT_ONCE, say=say)

    @property
    def sent(self) -> list[str]:
        """Which readers got something, in that order."""
        return [person for person in self.relay.recipients if person != EDITOR]

    @property
    def mails(self) -> list[str]:
        """The subjects of what the editor got."""
        return [str(mail["Subject"]) for mail in self.letters]

    @property
    def letters(self) -> list[EmailMessage]:
        """What the editor got."""
        return [parse(m.data) for m in self.relay.received if m.recipient == EDITOR]

    @property
    def texts(self) -> list[str]:
        """The texts of what the editor got."""
        return [str(letter.get_content()).replace("\r\n", "\n") for letter in self.letters]


def due_now(folder: Path, relay: FakeRelay) -> Path:
    """Make a newsletter with an issue that is due by the real clock."""
    (folder / "issues").mkdir(parents=True)
    (folder / "briefmail.toml").write_text(
        f'[newsletter]\nname = "News"\nfrom = "news@example.org"\n[editor]\nemail = "{EDITOR}"\n'
    )
    (folder / "recipients.csv").write_text("email\n" + "\n".join(READERS) + "\n")
    (folder / ".env").write_text(
        f"SMTP_HOST=127.0.0.1\nSMTP_PORT={relay.port}\nSMTP_SECURITY=none\n"
    )
    moment = datetime.now(UTC).isoformat(timespec="seconds")
    (folder / "issues" / "news.md").write_text(
        f"---\nsubject: News\nstatus: ready\nsend_at: {moment}\n---\n\nHello.\n"
    )
    return folder
