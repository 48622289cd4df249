"""Whether an issue may go out: every reason against it, and what answers each."""

from dataclasses import replace
from datetime import date

import pytest

from briefmail.delivery import Totals
from briefmail.delivery.frozen import Frozen, Past
from briefmail.delivery.guard import Known, Wanted, difference, stops
from briefmail.delivery.receipt import Receipt

DAY = date(2016, 8, 24)
VERSION = Frozen(
    edition="2016-08-24",
    fingerprint="f1",
    relay="smtp.example.org",
    subject="Who owns Scotland?",
    html="<p>Hello {{ first_name }}</p>",
    text="Hello {{ first_name }}\n\nThe meeting is on Tuesday.\n\nBye\n",
    audience=500,
)
WANTED = Wanted(VERSION, DAY)
HALF_WAY = Known(
    fingerprint="f1", frozen=VERSION, totals=Totals(sent=300, pending=200), audience=500
)
RECEIPT = Receipt(
    "2016-08-24", VERSION.subject, DAY, "f1", "smtp.example.org", "2016-08-24T09:00:00.000+00:00"
)


def ways_on(known: Known, wanted: Wanted = WANTED) -> list[str]:
    return [stop.way_on for stop in stops(known, wanted)]


def changed(**values: object) -> Wanted:
    return Wanted(replace(VERSION, **values), DAY)


def test_nothing_speaks_against_the_first_issue_or_a_plain_resume() -> None:
    assert stops(Known(), WANTED) == ()
    assert stops(HALF_WAY, WANTED) == ()
    assert stops(replace(HALF_WAY, receipt=RECEIPT), WANTED) == ()


def test_an_issue_that_was_given_up_stops_if_there_is_nobody_else() -> None:
    (stop,) = stops(Known(given_up=2), replace(WANTED, people=0))
    assert (stop.about, stop.way_on) == ("issue", "--force given-up")
    assert stop.text == (
        "was given up, because it had been open for longer than schedule.give_up says:"
        " 2 people on the list did not get it"
    )
    assert ways_on(Known(given_up=2)) == []


def test_where_nobody_is_left_to_get_it_nothing_speaks_against_an_issue() -> None:
    assert stops(HALF_WAY, replace(changed(fingerprint="f2"), people=0)) == ()


@pytest.mark.parametrize(
    ("corrects", "expected"),
    [("land", []), (None, ["--force to-everybody"]), ("sea", ["--force to-everybody"])],
)
def test_a_correction_stops_before_it_goes_to_others_than_it_was_begun_for(
    corrects: str | None, expected: list[str]
) -> None:
    begun = replace(HALF_WAY, corrects="land")
    assert ways_on(begun, replace(WANTED, corrects=corrects)) == expected
    assert ways_on(HALF_WAY, replace(WANTED, corrects=corrects)) == []


def test_a_changed_issue_stops_the_resume_and_shows_what_changed() -> None:
    now = changed(fingerprint="f2", text=VERSION.text.replace("Tuesday", "Wednesday"))
    (stop,) = stops(HALF_WAY, now)
    assert (stop.about, stop.way_on) == ("issue", "--force edition-changed")
    assert stop.text.splitlines() == [
        "has changed since it went out to 300 people; the others would get another text than they"
        " had",
        "--- as it was sent",
        "+++ as it is now",
        "@@ -4,3 +4,3 @@",
        " ",
        "-The meeting is on Tuesday.",
        "+The meeting is on Wednesday.",
        " ",
    ]
    assert stops(HALF_WAY, now, force=["edition-changed"]) == ()
    assert stops(HALF_WAY, now, force=["relay-changed", "audience-fell"], again=True) == (stop,)


def test_a_changed_issue_that_nobody_has_had_is_simply_the_issue() -> None:
    known = replace(HALF_WAY, totals=Totals(deferred=300, refused=1, pending=200))
    assert stops(known, changed(fingerprint="f2", relay="other.example.org")) == ()


def test_somebody_in_doubt_may_have_had_it() -> None:
    known = replace(HALF_WAY, totals=Totals(uncertain=1, pending=499))
    assert ways_on(known, changed(fingerprint="f2")) == ["--force edition-changed"]


def test_a_ledger_from_before_texts_were_kept_still_knows_that_it_changed() -> None:
    (stop,) = stops(replace(HALF_WAY, frozen=None), changed(fingerprint="f2"))
    assert stop.text.endswith("(the earlier text was not kept)")


def test_another_relay_stops_the_resume() -> None:
    (stop,) = stops(HALF_WAY, changed(relay="other.example.org"))
    assert stop.way_on == "--force relay-changed"
    assert "smtp.example.org" in stop.text
    assert "other.example.org" in stop.text
    assert stops(HALF_WAY, changed(relay="SMTP.example.org")) == ()


def test_every_reason_is_named_at_once() -> None:
    now = changed(fingerprint="f2", relay="other.example.org", audience=100)
    assert ways_on(HALF_WAY, now) == [
        "--force edition-changed",
        "--force relay-changed",
        "--force audience-fell",
    ]


@pytest.mark.parametrize(
    "other",
    [
        Past("2016-08-10", DAY, frozenset({"f0"})),
        Past("land", date(2016, 8, 10), frozenset({"f0", "f1"})),
        Past("land", None, frozenset({"f1"})),
    ],
)
def test_the_date_or_the_words_of_an_issue_that_went_out_stop_the_first_send(other: Past) -> None:
    known = Known(others=(other,))
    assert ways_on(known) == ["--again"]
    assert other.name in stops(known, WANTED)[0].text
    assert stops(known, WANTED, again=True) == ()


def test_whoever_said_again_once_is_not_asked_at_every_resume() -> None:
    twin = Past("land", DAY, frozenset({"f1"}))
    assert stops(replace(HALF_WAY, others=(twin,), receipt=RECEIPT), WANTED) == ()


def test_issues_without_a_date_are_not_of_the_same_date() -> None:
    known = Known(others=(Past("land", None, frozenset({"f0"})),))
    assert stops(known, Wanted(VERSION, None)) == ()


def test_a_receipt_without_its_people_in_the_ledger_stops() -> None:
    (stop,) = stops(Known(receipt=RECEIPT), WANTED)
    assert stop.way_on == "--again"
    assert "sent/2016-08-24.toml" in stop.text
    assert stops(Known(receipt=RECEIPT), WANTED, again=True) == ()


def test_a_ledger_that_knows_of_fewer_than_the_receipt_stops() -> None:
    closed = replace(RECEIPT, closed_at="2016-08-24T10:00", totals=Totals(sent=500))
    assert ways_on(replace(HALF_WAY, receipt=closed)) == ["--again"]
    all_of_them = replace(HALF_WAY, totals=Totals(sent=500), receipt=closed)
    assert stops(all_of_them, WANTED) == ()


def test_a_ledger_put_back_from_before_people_were_settled_by_hand_stops() -> None:
    closed = replace(RECEIPT, totals=Totals(sent=300, by_hand=200))
    assert ways_on(replace(HALF_WAY, receipt=closed)) == ["--again"]
    settled = replace(HALF_WAY, totals=Totals(sent=300, by_hand=200), receipt=closed)
    assert stops(settled, WANTED) == ()


@pytest.mark.parametrize(
    ("before", "now", "stopped"),
    [
        (500, 250, False),
        (500, 249, True),
        (500, 0, True),
        (1, 0, True),
        (None, 0, False),
        (0, 0, False),
        (500, None, False),
    ],
)
def test_a_default_list_below_half_of_the_last_audience_stops(
    before: int | None, now: int | None, stopped: bool
) -> None:
    known = Known(audience=before)
    assert ways_on(known, changed(audience=now)) == ["--force audience-fell"] * stopped
    assert stops(known, changed(audience=now), force=["audience-fell"]) == ()


def test_a_difference_is_short() -> None:
    other = replace(VERSION, text="\n".join(f"line {n}" for n in range(300)))
    shown = difference(VERSION, other).splitlines()
    assert len(shown) == 41
    assert shown[-1].startswith("... and 2")


def test_a_subject_is_part_of_the_difference_and_a_picture_is_not() -> None:
    assert "+Subject: Nobody" in difference(VERSION, replace(VERSION, subject="Nobody"))
    assert "the words are the same" in difference(VERSION, replace(VERSION, html="<p>"))
