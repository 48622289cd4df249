"""Our newsletter on the bench: an issue written to size, and a list of people with names."""

import shutil
import sys
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src"
ISSUE = Path("issues", "issue.md")
WORDS = (
    *("harbour", "community", "land", "trust", "island", "council", "wind", "turbine", "ferry"),
    *("school", "meeting", "buy-out", "estate", "croft", "tenants", "ballot"),
    *("the", "a", "of", "and", "in", "to", "with", "for"),
)
SETTINGS = """\
[newsletter]
name = "Benchmark"
from = "Benchmark <news@example.org>"
list_id = "bench.example.org"
postal_address = "Kirkbrae"
[mail]
unsubscribe_address = "leave@example.org"
unsubscribe_url = "https://example.org/leave"
"""
SMALL_PAGE = """<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>News</title>
<meta name="viewport" content="width=device-width"><style>
h1 { font-size: 24px } a { color: #0b5d4e }
@media (prefers-color-scheme: dark) { a { color: #8fd3c1 } }
</style></head><body><div lang="en"><h1>{{ issue.subject }}</h1>
{{ issue.introduction | html }}<p><a href="{{ slots.unsubscribe_url }}">Unsubscribe</a></p></div>
</body></html>"""
"""A theme for small messages: the packaged one alone has some 11 kB."""


def write_newsletter(folder: Path, kilobytes: int, people: int) -> None:
    """Make a newsletter in ``folder`` whose messages have at least so many thousand octets."""
    (folder / "issues").mkdir(parents=True)
    (folder / "briefmail.toml").write_text(SETTINGS)
    (folder / ".env").write_text(f"BRIEFMAIL_SECRET={'benchmark-' * 4}\n")
    if kilobytes < 12:
        (folder / "templates" / "email").mkdir(parents=True)
        (folder / "templates" / "email" / "page.html").write_text(SMALL_PAGE)
    _write_issue(folder, kilobytes * 1000)
    with (folder / "recipients.csv").open("w") as listing:
        listing.write("email,first_name,last_name\n")
        listing.writelines(f"reader{n}@example.org,Reader{n},Benchmark\n" for n in range(people))


def message_to(folder: Path, address: str, first_name: str) -> bytes:
    """Return the message that somebody would get."""
    sys.path.insert(0, str(SOURCE))
    from briefmail.audience import Recipient
    from briefmail.newsletter import Newsletter

    fields = {"email": address, "first_name": first_name}
    someone = Recipient(address, address, f"{first_name} Benchmark", fields, 2)
    edition = Newsletter.open(folder, environ={}).edition(folder / ISSUE)
    return edition.message_for(someone).data


def forget(folder: Path) -> None:
    """Throw away what earlier sends have left, so that the next one begins anew."""
    for name in (".briefmail", "sent"):
        shutil.rmtree(folder / name, ignore_errors=True)


def _write_issue(folder: Path, octets: int) -> None:
    """Write as many paragraphs as make a message of the size; both of its texts count."""
    paragraphs = 0
    while True:
        text = [
            " ".join(WORDS[(n + k * 7) % len(WORDS)] for k in range(24)) for n in range(paragraphs)
        ]
        (folder / ISSUE).write_text(
            "---\nsubject: A benchmark\n---\n\n"
            'Dear {{ first_name | default("friend") }},\n\n' + "\n\n".join(text) + "\n"
        )
        size = len(message_to(folder, "reader1000@example.org", "Reader1000"))
        if size >= octets:
            return
        paragraphs += max(1, (octets - size) // 1200)
