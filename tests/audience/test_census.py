"""What the scratch database of a roll says of everybody at once."""

from pathlib import Path

from briefmail.audience import Domain, Roll, Row, Rows

LIST = """\
email,name,unsubscribed
a.gow@gmail.com,,
Info@kirkbrae.scot,,
agow+news@googlemail.com,,
agow@kirkbrae.scot,,
INFO@kirkbrae.scot,,
left@gmail.com,,yes
a.g.ow@gmail.com,,
info@KIRKBRAE.scot,,
info@gone.scot,,yes
"""


def read(tmp_path: Path) -> Roll:
    path = tmp_path / "list.csv"
    path.write_text(LIST, encoding="utf-8")
    return Roll.read(path, suppressed=frozenset())


def test_domains_are_counted_over_those_who_are_sent_to(tmp_path: Path) -> None:
    with read(tmp_path) as roll:
        assert list(roll.census().domains()) == [
            Domain("gmail.com", 2, 2),
            Domain("googlemail.com", 1, 4),
            Domain("kirkbrae.scot", 2, 3),
        ]


def test_names_before_the_at_are_found_whatever_their_case(tmp_path: Path) -> None:
    with read(tmp_path) as roll:
        assert roll.census().local_parts(["info", "office"], 5) == Rows(
            1, (Row("Info@kirkbrae.scot", 3),)
        )


def test_gmail_mailboxes_are_one_whatever_their_dots_and_tags(tmp_path: Path) -> None:
    with read(tmp_path) as roll:
        assert roll.census().same_mailbox(1) == Rows(2, (Row("agow+news@googlemail.com", 4),))


def test_a_persons_second_row_is_known_and_the_third_is_not_counted_again(tmp_path: Path) -> None:
    with read(tmp_path) as roll:
        assert roll.counts.duplicate == 2
        assert roll.census().repeated(5) == Rows(1, (Row("Info@kirkbrae.scot", 6),))
