"""The loop that everybody writes first: smtplib, EmailMessage, and premailer for each recipient.

``smtplib_loop.py FOLDER PORT``: the texts are in ``text.txt`` and ``page.html``, the people in
``list.csv``. The page's ``{{ fields }}`` are filled, then its styles inlined.
"""

import csv
import smtplib
import sys
from email.message import EmailMessage
from pathlib import Path

from premailer import Premailer


def fill(text: str, person: dict[str, str]) -> str:
    for name, value in person.items():
        text = text.replace(f"{{{{ {name} }}}}", value)
    return text


def message(text: str, page: str, person: dict[str, str]) -> EmailMessage:
    made = EmailMessage()
    made["From"] = "Benchmark <news@example.org>"
    made["To"] = f"{person['first_name']} Benchmark <{person['email']}>"
    made["Subject"] = "A benchmark"
    made["List-Unsubscribe"] = f"<https://example.org/leave?t={person['token']}>"
    made.set_content(fill(text, person))
    inlined = Premailer(fill(page, person), disable_validation=True, allow_network=False)
    made.add_alternative(inlined.transform(), subtype="html")
    return made


def main(folder: Path, port: int) -> None:
    text, page = (folder / "text.txt").read_text(), (folder / "page.html").read_text()
    with (
        (folder / "list.csv").open(newline="") as listing,
        smtplib.SMTP("127.0.0.1", port) as smtp,
    ):
        for person in csv.DictReader(listing):
            smtp.send_message(message(text, page, person))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
