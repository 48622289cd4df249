"""What other programs write: their headers are understood, and whoever left there stays out."""

from pathlib import Path

import pytest

from briefmail.audience import Counts, Roll, field_name

EXPORTS = Path(__file__).parent / "exports"


def read(name: str) -> tuple[Counts, list[tuple[str, str]]]:
    with Roll.read(EXPORTS / name, suppressed=frozenset()) as roll:
        return roll.counts, [(person.address, person.name) for person in roll.recipients()]


def counts(**of: int) -> Counts:
    zero = dict.fromkeys(Counts.__slots__, 0)
    return Counts(**{**zero, **of, "rows": sum(of.values())})


@pytest.mark.parametrize(
    ("export", "expected", "people"),
    [
        (
            "mailchimp-subscribed.csv",
            counts(send=2),
            [("seonaid@example.org", "Seònaid NicDhòmhnaill"), ("tam@example.org", "Tam")],
        ),
        ("mailchimp-unsubscribed.csv", counts(opted_out=1), []),
        ("mailchimp-cleaned.csv", counts(opted_out=2), []),
        (
            "substack.csv",
            counts(send=2, opted_out=1),
            [("free@example.com", ""), ("paying@example.com", "")],
        ),
        (
            "ghost.csv",
            counts(send=2, opted_out=2),
            [("grace@example.com", "Grace Hopper"), ("reader@example.com", "")],
        ),
        ("listmonk.csv", counts(send=1, opted_out=2), [("anna@example.org", "Anna")]),
        (
            "buttondown.csv",
            counts(send=2, opted_out=3),
            [("regular@example.org", ""), ("premium@example.org", "")],
        ),
    ],
)
def test_an_export_sends_to_those_who_are_still_subscribed(
    export: str, expected: Counts, people: list[tuple[str, str]]
) -> None:
    assert read(export) == (expected, people)


@pytest.mark.parametrize(
    "header",
    ["email", "Email", " EMAIL ", "Email Address", "E-mail", "e-mail address", "E-Mail-Adresse"],
)
def test_the_address_column_is_known_by_many_names(header: str, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text(f"region,{header}\nFife,jo@example.org\n", encoding="utf-8")
    with Roll.read(path, suppressed=frozenset()) as roll:
        assert [person.fields for person in roll.recipients()] == [
            {"email": "jo@example.org", "region": "Fife"}
        ]


def test_mailchimp_merge_tags_fill_the_fields_everybody_knows(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("EMAIL,FNAME,LNAME\njo@example.org,Jo,Bloggs\n", encoding="utf-8")
    with Roll.read(path, suppressed=frozenset()) as roll:
        first = roll.first()
    assert first is not None
    assert first.fields == {
        "email": "jo@example.org",
        "first_name": "Jo",
        "last_name": "Bloggs",
        "name": "Jo Bloggs",
    }


def test_of_two_columns_that_may_be_the_address_the_plainer_name_is_meant(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("Email Address,Email\nold@example.org,jo@example.org\n", encoding="utf-8")
    with Roll.read(path, suppressed=frozenset()) as roll:
        assert [person.fields for person in roll.recipients()] == [
            {"email": "jo@example.org", "email_address": "old@example.org"}
        ]


@pytest.mark.parametrize(
    ("column", "left", "stays"),
    [
        ("unsubscribed", ["yes", "TRUE", "1", "2021-04-01"], ["", "no", "False", "0"]),
        ("subscribed", ["no", "FALSE", "0"], ["", "yes", "2021-04-01"]),
        ("Status", ["Unsubscribed", " bounced ", "Non-Subscribed"], ["", "active", "Subscribed"]),
        ("unsubscribed_at", ["2021-04-01"], ["", "NULL", "-"]),
    ],
)
def test_what_people_write_themselves_is_obeyed(
    column: str, left: list[str], stays: list[str], tmp_path: Path
) -> None:
    path = tmp_path / "list.csv"
    rows = [f"jo{n}@example.org,{value}\n" for n, value in enumerate(left + stays)]
    path.write_text(f"email,{column}\n" + "".join(rows), encoding="utf-8")
    with Roll.read(path, suppressed=frozenset()) as roll:
        assert roll.counts == counts(send=len(stays), opted_out=len(left))


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("First Name", "first_name"),
        ("  region ", "region"),
        ("Région", "région"),
        ("E-mail (work)", "e_mail_work"),
        ("2024 visits", "_2024_visits"),
        ("", ""),
        ("***", ""),
        ("{{ 7*7 }}", "_7_7"),
        ("a\r\nb\0c", "a_b_c"),
    ],
)
def test_a_header_becomes_an_identifier(header: str, name: str) -> None:
    assert field_name(header) == name
    assert name == "" or name.isidentifier()
