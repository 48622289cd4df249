"""What the columns of a list mean: the headers that people and newsletter services write.

To support another header, add its name to a row of :data:`COLUMNS`; to obey another service's
mark for people who want no more mail, add a row to :data:`OPT_OUT`. Names stand here as
:func:`field_name` gives them: ``E-mail Address`` is ``e_mail_address``.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

# What briefmail calls a column <- what others call it. Where a list has several of a row, the
# first in the row is meant and the others are fields of their own.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "email": (
        "email",
        "email_address",  # Mailchimp, Buttondown
        "e_mail",
        "e_mail_address",  # Outlook contacts
        "e_mail_1_value",  # Google contacts
        "e_mail_adresse", "e_mailadresse", "mailadresse",  # German
        "adresse_e_mail", "adresse_email", "courriel",  # French
        "correo_electrónico", "correo_electronico",  # Spanish
        "indirizzo_email", "e_mailadres", "e_post", "post_d",  # Italian, Dutch, Swedish, Gaelic
        "email_id", "subscriber_email", "mail_address", "mail",
    ),
    "name": ("name", "full_name", "fullname", "display_name"),
    "first_name": (
        "first_name", "firstname", "fname", "given_name", "forename", "vorname", "prénom",
    ),
    "last_name": ("last_name", "lastname", "lname", "family_name", "surname", "nachname"),
}  # fmt: skip

NAME_COLUMNS = frozenset({"name", "first_name", "last_name"})

_NO = frozenset({"", "no", "n", "false", "f", "0", "off", "never", "none", "null", "-"})


def _filled(value: str) -> bool:
    """Match a date, a yes, and anything else but a no."""
    return value not in _NO


def _no(value: str) -> bool:
    """Match a plain no; an empty cell says nothing."""
    return value != "" and value in _NO


def _one_of(*values: str) -> Callable[[str], bool]:
    return frozenset(values).__contains__


_BUTTONDOWN = ("unsubscribed", "removed", "blocked", "undeliverable", "complained", "unactivated")

# column -> does this value, in lower case, mean that the person is to get no more mail?
# In doubt yes: to leave somebody out can be put right, to write to them cannot.
OPT_OUT: Mapping[str, Callable[[str], bool]] = {
    # Mailchimp: unsubscribed_*.csv and cleaned_*.csv of an audience export. Headers as in
    # TryGhost/migrate, packages/mg-mailchimp-members/src/test/fixtures/; cleaned means bounced
    # (mailchimp.com/help/about-cleaned-contacts).
    "unsub_time": _filled,
    "clean_time": _filled,
    # Substack: email_list.*.csv. TryGhost/migrate, packages/mg-substack-members-csv/test/fixtures/
    # fixtures_signup_emails.csv. ``active_subscription`` is about money, not about mail.
    "email_disabled": _filled,
    # Ghost: members.*.csv, and ghost.org/docs/members/import-members for the meaning of false.
    "subscribed_to_emails": _no,
    "deleted_at": _filled,
    # listmonk: subscribers.csv. knadh/listmonk, cmd/subscribers.go, handleExportSubscribers; its
    # statuses are enabled, disabled and blocklisted. Other services and people write the rest.
    "status": _one_of(
        "disabled", "blocklisted", "blacklisted", "blocked", "suppressed",
        "unsubscribed", "non-subscribed", "nonsubscribed", "not subscribed", "not_subscribed",
        "opted out", "opted-out", "opted_out", "removed", "archived", "deleted", "inactive",
        "cleaned", "bounced", "undeliverable", "complained", "unconfirmed", "unactivated",
    ),
    # Buttondown: the subscriber export. Its fields are those of
    # docs.buttondown.com/api-subscribers-introduction and its types those of
    # docs.buttondown.com/api-subscribers-type; the field was subscriber_type until August 2024.
    "type": _one_of(*_BUTTONDOWN),
    "subscriber_type": _one_of(*_BUTTONDOWN),
    "unsubscription_date": _filled,
    "undeliverability_date": _filled,
    # What people call it in their own spreadsheets.
    "unsubscribed": _filled,
    "unsubscribed_at": _filled,
    "opted_out": _filled,
    "opt_out": _filled,
    "subscribed": _no,
}  # fmt: skip


def field_name(header: str) -> str:
    """Name the merge field of a column: ``First Name`` is ``first_name``, a blank header "".

    It is an identifier in lower case, so that a template can name it. Letters keep their
    accents; a name that would begin with a digit gets an underscore before it.
    """
    text = unicodedata.normalize("NFKC", header).casefold()
    name = re.sub(r"\W+", "_", text).strip("_")
    if name and not name.isidentifier():
        name = "_" + name
    return name if name.isidentifier() else ""


@dataclass(frozen=True, slots=True)
class Layout:
    """Which column of a list is what.

    ``address`` is the index of the address column. ``fields`` has a field name for each column
    or "" for one that is left out; two columns of the same name are one field, and the first
    that is filled counts. ``opt_out`` has the columns that can mark a person as having left.
    """

    address: int
    fields: tuple[str, ...]
    opt_out: tuple[tuple[int, Callable[[str], bool]], ...]


def layout_of(header: Sequence[str]) -> Layout | None:
    """Read the header of a list; None if it has no column for the address."""
    columns = [field_name(cell) for cell in header]
    ours = {_first_of(known, columns): name for name, known in COLUMNS.items()}
    fields = [ours.get(column, column) for column in columns]
    if "email" not in fields:
        return None
    address = fields.index("email")
    return Layout(
        address=address,
        fields=tuple("" if name == "email" else name for name in fields),
        opt_out=tuple(
            (index, OPT_OUT[column]) for index, column in enumerate(columns) if column in OPT_OUT
        ),
    )


def _first_of(known: Sequence[str], columns: Sequence[str]) -> str | None:
    return next((name for name in known if name in columns), None)
