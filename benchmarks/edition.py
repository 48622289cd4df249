"""What an issue costs once, and what each of its messages costs.

Run it from the repository's root, with briefmail installed or its source on the path::

    python benchmarks/edition.py

For both issues of this repository and for two made-up ones it prints the time to read the issue
file, the time to build the edition (theme, pictures, inlining, encoding), and the time from a
recipient to the bytes of their message: each the median of several rounds in this process, after
one that does not count. Beside it stands what the same message costs when it is made for each
recipient: with an :class:`email.message.EmailMessage` out of finished texts, and with premailer
out of a page whose styles are not inlined yet. Both are timed in the same run and given as
multiples, because the machine matters more than the figure.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

from premailer import Premailer

from briefmail import config
from briefmail.audience import Recipient
from briefmail.edition import Edition, build_edition
from briefmail.edition.dress import dress
from briefmail.edition.theme import Theme
from briefmail.issue import Issue, read_issue

REPOSITORY = Path(__file__).parents[1]
NOW = datetime(2016, 9, 7, 9, 0, tzinfo=UTC)
ROUNDS = 7
MESSAGES = 400

PARAGRAPH = (
    "The burn in the glen makes *62 kilowatts* on a wet day, and [in the glen]"
    "(https://example.org/glen) that is **most of them**. In its first full year it earned"
    " £38,600, and the shareholders, who are very nearly all neighbours, voted for a bus.\n\n"
)


def people(count: int) -> list[Recipient]:
    """Make recipients with the fields that the issues ask for."""
    regions = ("Fife", "Highland", "")
    found = []
    for number in range(count):
        address = f"reader{number}@example.org"
        fields = {
            "email": address,
            "first_name": f"Mòrag {number}",
            "organisation": "Orravay Trust",
        }
        if region := regions[number % 3]:
            fields["region"] = region
        name = f"Mòrag MacAskill {number}"
        found.append(Recipient(address, address, name, {**fields, "name": name}, number + 2))
    return found


def made_up(root: Path, size: int) -> Path:
    """Write an issue of about ``size`` bytes: stories of three paragraphs, a field in each."""
    body = ""
    while len(body.encode()) < size:
        body += f"## Story {len(body)}\n\nDear {{{{ first_name }}}},\n\n" + 3 * PARAGRAPH
    path = root / f"{size // 1000} kB.md"
    path.write_text(f"---\nsubject: Made up for {{{{ first_name }}}}\n---\n\n{body}", "utf-8")
    return path


def median(work: Callable[[], object], count: int = 1) -> float:
    """The seconds that ``work`` takes, which does ``count`` things: the median of its rounds."""
    times = []
    for _ in range(ROUNDS + 1):
        start = time.perf_counter()
        work()
        times.append((time.perf_counter() - start) / count)
    return statistics.median(times[1:])


def fill(edition: Edition, recipients: list[Recipient]) -> None:
    """Write each recipient's message and let go of it, as a send does."""
    for recipient in recipients:
        edition.message_for(recipient)


def with_the_standard_library(edition: Edition, recipients: list[Recipient]) -> None:
    """Build and write an EmailMessage for each recipient; the texts are not even filled."""
    for recipient in recipients:
        message = EmailMessage(policy=SMTP)
        message["From"] = str(edition.sender)
        message["To"] = recipient.address
        message["Subject"] = edition.issue.subject
        message.set_content(edition.text, cte="quoted-printable")
        message.add_alternative(edition.html, subtype="html", cte="quoted-printable")
        message.as_bytes()


def with_premailer(page: str, count: int) -> None:
    """Inline the page for each recipient, with the same options as the edition does once."""
    for _ in range(count):
        Premailer(
            page, strip_important=False, allow_network=False, disable_validation=True
        ).transform()


def bare_page(issue: Issue, settings: config.Config) -> str:
    """The page of an issue before its styles are inlined."""
    theme = Theme(settings)
    slots = {"unsubscribe_url": "https://example.org/leave", "email": "ada@example.org"}
    return dress(theme.page(issue, slots, issue.preheader), issue, settings.root, theme).page


def measure(path: Path, settings: config.Config) -> str:
    """Time one issue and return its line of the table."""
    recipients = people(MESSAGES)
    issue = read_issue(path)
    edition = build_edition(issue, settings, NOW)
    size = len(edition.message_for(recipients[0]).data)
    page = bare_page(issue, settings)

    reading = median(lambda: read_issue(path))
    building = median(lambda: build_edition(issue, settings, NOW))
    filling = median(lambda: fill(edition, recipients), MESSAGES)
    standard = median(lambda: with_the_standard_library(edition, recipients[:5]), 5)
    inlining = median(lambda: with_premailer(page, 2), 2)
    return (
        f"{path.stem:12}{size / 1000:9.0f}{reading * 1e3:10.1f}{building * 1e3:10.1f}"
        f"{filling * 1e6:12.1f}{standard / filling:12.0f} x{inlining / filling:10.0f} x"
    )


def main() -> None:
    """Print a line for each issue."""
    print(
        f"Python {sys.version.split()[0]}; medians of {ROUNDS} rounds, {MESSAGES} messages each\n"
    )
    print(
        f"{'issue':12}{'mail kB':>9}{'read ms':>10}{'build ms':>10}{'message us':>12}"
        f"{'EmailMessage':>14}{'premailer':>12}"
    )
    settings = config.load(REPOSITORY, {})
    for path in sorted((REPOSITORY / "issues").glob("*.md")):
        print(measure(path, settings))
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for size in (32_000, 5_000):
            print(measure(made_up(root, size), config.load(root, {})))


if __name__ == "__main__":
    main()
