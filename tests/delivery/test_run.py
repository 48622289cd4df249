"""A send run: who gets the message, who does not, and what is known afterwards."""

import os
import signal
import time
from collections import Counter
from datetime import datetime

import pytest
from fake_relay import DROP, FakeRelay, Verb
from scene import EDITION, NOW, Scene, addresses, message_for, people, person

from briefmail.audience import Recipient
from briefmail.delivery import Delivery, Enrolled, Ledger, RunResult, Totals
from briefmail.edition.message import Message
from briefmail.errors import (
    BriefmailError,
    ContentRefused,
    LoginRefused,
    MergeError,
    RelayUnavailable,
    StoreError,
)


def result(
    sent: int = 0,
    refused: int = 0,
    deferred: int = 0,
    uncertain: int = 0,
    stopped: BriefmailError | None = None,
    interrupted: bool = False,
) -> RunResult:
    return RunResult(sent, refused, deferred, uncertain, stopped, interrupted)


def test_everybody_gets_it_once_and_the_edition_closes(scene: Scene, relay: FakeRelay) -> None:
    scene.enrol(people(1, 5))
    assert scene.send() == result(sent=5)
    assert relay.recipients == addresses(1, 5)
    assert relay.connections == 1
    assert scene.totals == Totals(sent=5)
    assert scene.progress == [(address, "sent") for address in addresses(1, 5)]
    record = scene.ledger.edition(EDITION)
    assert record is not None
    assert record.closed_at == NOW.isoformat(timespec="milliseconds")


def test_a_second_run_sends_to_nobody(scene: Scene, relay: FakeRelay) -> None:
    scene.enrol(people(1, 3))
    scene.send()
    assert scene.enrol(people(1, 3)) == Enrolled(
        new=0, open=0, sent=3, refused=0, uncertain=0, withdrawn=0
    )
    assert scene.send() == result()
    assert (relay.connections, len(relay.received)) == (1, 3)


def test_a_refused_recipient_is_named_and_the_rest_go_on(scene: Scene, relay: FakeRelay) -> None:
    relay.on("RCPT", "550 5.1.1 no such user", part="reader2@")
    relay.on("DOT", "550 5.7.1 not for this one", part="reader4@")
    scene.enrol(people(1, 5))
    outcome = scene.send()
    assert (outcome, outcome.exit_status) == (result(sent=3, refused=2), 0)
    assert scene.states() == {
        "sent": [person(n).address for n in (1, 3, 5)],
        "refused": [person(n).address for n in (2, 4)],
    }
    assert [str(entry.reply) for entry in scene.ledger.entries(EDITION, "refused")] == [
        "550 5.1.1 no such user",
        "550 5.7.1 not for this one",
    ]


def test_a_greylisted_person_is_left_for_the_next_run(scene: Scene, relay: FakeRelay) -> None:
    relay.on("RCPT", "450 4.2.0 greylisted", part="reader2@", times=1)
    scene.enrol(people(1, 3))
    outcome = scene.send()
    assert (outcome, outcome.exit_status) == (result(sent=2, deferred=1), 75)
    scene.enrol(people(1, 3))
    assert scene.send() == result(sent=1)
    assert Counter(relay.recipients) == Counter(addresses(1, 3))


def test_the_limit_leaves_the_others_pending(scene: Scene, relay: FakeRelay) -> None:
    relay.on("RCPT", "550 5.1.1 no such user", part="reader2@")
    scene.enrol(people(1, 5))
    assert scene.send(limit=3) == result(sent=2, refused=1)
    assert scene.totals == Totals(sent=2, refused=1, pending=2)
    assert scene.send(limit=0) == result()
    assert scene.send(limit=9) == result(sent=2)


def test_whoever_is_suppressed_between_two_runs_gets_nothing(
    scene: Scene, relay: FakeRelay
) -> None:
    relay.on("RCPT", "450 4.2.0 later", part="reader1@")
    scene.enrol(people(1, 4))
    scene.send(limit=2)
    scene.enrol([person(3)])
    assert scene.send() == result(sent=1)
    assert relay.recipients == ["reader2@example.org", "reader3@example.org"]
    assert scene.totals == Totals(sent=2, withdrawn=2)


def test_an_address_that_smtp_cannot_say_is_refused_by_us(scene: Scene, relay: FakeRelay) -> None:
    odd = Recipient("càit@exàmple.org", "càit@exàmple.org", "", {}, 1)
    scene.enrol([odd, person(2)])
    assert scene.send(message=plain) == result(sent=1, refused=1)
    assert relay.recipients == ["reader2@example.org"]


def plain(recipient: Recipient) -> Message:
    return Message("b@example.com", recipient.address, "<x@example.com>", b"\r\nHello.\r\n")


# --- connections ----------------------------------------------------------------------------------


def test_a_relay_that_hangs_up_every_so_often_gets_everybody_on_new_connections(
    scene: Scene, relay: FakeRelay
) -> None:
    relay.on("MAIL", DROP, times=1)
    relay.on("RCPT", DROP, part="reader4@", times=1)
    relay.on("RCPT", "421 4.7.0 enough for one connection", part="reader7@", times=1)
    scene.enrol(people(1, 9))
    assert scene.send() == result(sent=9)
    assert Counter(relay.recipients) == Counter(addresses(1, 9))
    assert relay.connections == 4


def test_a_message_that_breaks_the_connection_twice_is_deferred_and_the_rest_go_on(
    scene: Scene, relay: FakeRelay
) -> None:
    relay.on("RCPT", DROP, part="reader2@")
    scene.enrol(people(1, 4))
    assert scene.send() == result(sent=3, deferred=1)
    assert scene.states()["deferred"] == ["reader2@example.org"]


def test_no_reply_to_the_dot_is_uncertain_and_never_repeated(
    scene: Scene, relay: FakeRelay
) -> None:
    relay.on("DOT", DROP, part="reader2@", times=1)
    scene.enrol(people(1, 4))
    assert scene.send() == result(sent=3, uncertain=1)
    scene.enrol(people(1, 4))
    assert scene.send() == result()
    assert Counter(relay.recipients) == Counter(addresses(1, 4))
    (entry,) = scene.ledger.entries(EDITION, "uncertain")
    assert (entry.address, entry.message_id) == ("reader2@example.org", "<2@example.com>")


@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("answer", ["421 4.3.2 closing", "451 4.3.0 no disk", DROP])
def test_three_failures_of_the_relay_in_a_row_end_the_run(
    scene: Scene, relay: FakeRelay, verb: Verb, answer: str
) -> None:
    scene.enrol(people(1, 9))
    scene.send(limit=2)
    relay.on(verb, answer)
    outcome = scene.send()
    assert isinstance(outcome.stopped, RelayUnavailable)
    assert (outcome.deferred, outcome.exit_status) == (1, 75)
    assert scene.totals == Totals(sent=2, deferred=1, pending=6)
    assert relay.connections == 4


def test_a_relay_that_is_down_from_the_start_is_tried_once(scene: Scene, relay: FakeRelay) -> None:
    relay.on("CONNECT", "421 4.3.2 busy")
    scene.enrol(people(1, 3))
    outcome = scene.send()
    assert isinstance(outcome.stopped, RelayUnavailable)
    assert (outcome.exit_status, relay.connections) == (75, 1)
    assert scene.totals == Totals(pending=3)


def test_a_relay_that_goes_away_and_comes_back_is_waited_for_twice(
    scene: Scene, relay: FakeRelay
) -> None:
    relay.on("CONNECT", "220 first", times=1)
    relay.on("CONNECT", "421 4.3.2 busy", times=1)
    relay.on("RCPT", DROP, part="reader2@", times=1)
    scene.enrol(people(1, 3))
    assert scene.send() == result(sent=3)
    assert relay.connections == 3


@pytest.mark.parametrize(
    ("verb", "answer"),
    [("MAIL", "550 5.7.1 sender not yours"), ("RCPT", "550 5.4.5 daily limit exceeded")],
)
def test_a_final_no_to_us_ends_the_run_at_once_and_refuses_nobody(
    scene: Scene, relay: FakeRelay, verb: Verb, answer: str
) -> None:
    scene.enrol(people(1, 3))
    scene.send(limit=1)
    relay.on(verb, answer)
    outcome = scene.send()
    assert str(outcome.stopped) == f"the relay takes no mail from us now: {answer}"
    assert outcome.exit_status == 75
    assert scene.totals == Totals(sent=1, deferred=1, pending=1)


def test_a_relay_that_wants_a_login_stops_the_run_and_marks_nobody(
    scene: Scene, relay: FakeRelay
) -> None:
    relay.on("MAIL", "530 5.7.0 log in first")
    scene.enrol(people(1, 3))
    outcome = scene.send()
    assert isinstance(outcome.stopped, LoginRefused)
    assert (outcome.exit_status, scene.totals) == (78, Totals(pending=3))


# --- refused by everybody -------------------------------------------------------------------------


def test_content_that_is_refused_for_three_people_stops_the_edition_and_refuses_nobody(
    scene: Scene, relay: FakeRelay
) -> None:
    relay.on("DOT", "554 5.7.1 looks like spam")
    scene.enrol(people(1, 5))
    outcome = scene.send()
    assert isinstance(outcome.stopped, ContentRefused)
    assert outcome.stopped.message == (
        "3 people in a row were refused alike, and nobody accepted: 554 5.7.1 looks like spam"
    )
    assert (outcome.deferred, outcome.exit_status) == (3, 65)
    assert scene.totals == Totals(deferred=3, pending=2)
    assert scene.progress == [(address, "deferred") for address in addresses(1, 3)]


def test_three_people_refused_alike_before_the_message_mean_that_the_relay_refuses_us(
    scene: Scene, relay: FakeRelay
) -> None:
    relay.on("RCPT", "554 5.7.1 relay access denied")
    scene.enrol(people(1, 5))
    outcome = scene.send()
    assert isinstance(outcome.stopped, RelayUnavailable)
    assert (outcome.exit_status, scene.totals) == (75, Totals(deferred=3, pending=2))


def test_three_dead_mailboxes_at_the_head_of_the_list_are_just_that(
    scene: Scene, relay: FakeRelay
) -> None:
    for number in (1, 2, 3):
        relay.on("RCPT", "550 5.1.1 no such user", part=f"reader{number}@")
    scene.enrol(people(1, 4))
    assert scene.send() == result(sent=1, refused=3)


def test_refusals_that_were_kept_back_stand_once_somebody_is_accepted(
    scene: Scene, relay: FakeRelay
) -> None:
    for number in (1, 2, 4, 5, 6):
        relay.on("RCPT", "550 no", part=f"reader{number}@")
    scene.enrol(people(1, 7))
    assert scene.send() == result(sent=2, refused=5)
    assert scene.progress[:3] == [
        ("reader3@example.org", "sent"),
        ("reader1@example.org", "refused"),
        ("reader2@example.org", "refused"),
    ]


def test_refusals_that_differ_are_about_the_people(scene: Scene, relay: FakeRelay) -> None:
    for number, answer in enumerate(("550 no", "551 no", "553 no", "550 no"), start=1):
        relay.on("RCPT", answer, part=f"reader{number}@")
    scene.enrol(people(1, 4))
    assert scene.send() == result(refused=4)


def test_the_only_person_may_be_refused(scene: Scene, relay: FakeRelay) -> None:
    relay.on("RCPT", "550 no")
    scene.enrol(people(1, 1))
    assert scene.send() == result(refused=1)
    assert scene.totals == Totals(refused=1)


def test_a_refusal_that_was_kept_back_is_tried_again_if_the_relay_fails_meanwhile(
    scene: Scene, relay: FakeRelay
) -> None:
    relay.on("RCPT", "550 no", part="reader1@")
    relay.on("RCPT", "550 5.4.5 limit", part="reader2@")
    scene.enrol(people(1, 3))
    outcome = scene.send()
    assert (outcome.deferred, outcome.exit_status) == (2, 75)
    assert scene.states()["deferred"] == addresses(1, 2)


def test_a_message_too_large_for_the_relay_stops_the_edition(
    scene: Scene, relay: FakeRelay
) -> None:
    relay.on("MAIL", "552 5.3.4 too big")
    scene.enrol(people(1, 3))
    outcome = scene.send()
    assert isinstance(outcome.stopped, ContentRefused)
    assert (outcome.exit_status, scene.totals) == (65, Totals(deferred=1, pending=2))


def test_one_copy_too_large_where_others_were_not_is_that_persons(
    scene: Scene, relay: FakeRelay
) -> None:
    relay.on("DOT", "552 5.3.4 too big", part="reader2@")
    scene.enrol(people(1, 3))
    assert scene.send() == result(sent=2, refused=1)


# --- stopped --------------------------------------------------------------------------------------


def test_the_first_interrupt_finishes_who_is_in_hand_and_gives_the_others_back(
    scene: Scene, relay: FakeRelay
) -> None:
    def interrupt() -> str:
        os.kill(os.getpid(), signal.SIGINT)
        return "250 2.0.0 queued"

    relay.on("DOT", interrupt, part="reader2@")
    before = signal.getsignal(signal.SIGINT)
    scene.enrol(people(1, 4))
    outcome = scene.send()
    assert (outcome, outcome.exit_status) == (result(sent=2, interrupted=True), 130)
    assert scene.totals == Totals(sent=2, pending=2)
    assert signal.getsignal(signal.SIGINT) is before
    assert scene.send() == result(sent=2)
    assert relay.recipients == addresses(1, 4)


def test_the_second_interrupt_stops_at_once_and_says_who_is_uncertain(
    scene: Scene, relay: FakeRelay
) -> None:
    def interrupt_twice() -> str:
        at_work = signal.getsignal(signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        while signal.getsignal(signal.SIGINT) == at_work:  # until the first has been heard
            time.sleep(0.001)
        os.kill(os.getpid(), signal.SIGINT)
        return DROP

    relay.on("DOT", interrupt_twice, part="reader2@")
    scene.enrol(people(1, 4))
    outcome = scene.send()
    assert (outcome.interrupted, outcome.sent, outcome.uncertain) == (True, 1, 1)
    assert scene.totals == Totals(sent=1, uncertain=1, pending=2)


def test_a_second_interrupt_does_not_come_between_an_answer_and_writing_it_down(
    scene: Scene, relay: FakeRelay
) -> None:
    """What is told is what the ledger has, and a ledger in the middle of a step is not left so."""

    def clock() -> datetime:  # the ledger looks at it whenever it writes
        if relay.acknowledged and not scene.progress:
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)
        return NOW

    scene.ledger = Ledger(scene.ledger._database, clock)
    scene.enrol(people(1, 1))
    assert scene.send() == result(sent=1, interrupted=True)
    assert scene.totals == Totals(sent=1)


def test_a_third_interrupt_ends_whatever_does_not_end_by_itself(
    scene: Scene, relay: FakeRelay
) -> None:
    def hang(recipient: Recipient) -> Message:
        for _ in range(3):
            os.kill(os.getpid(), signal.SIGINT)
        raise AssertionError("it was not interrupted")

    scene.enrol(people(1, 2))
    assert scene.send(message=hang) == result(sent=0, interrupted=True)
    assert scene.totals == Totals(pending=2)


def test_a_message_that_cannot_be_made_stops_the_run_and_reserves_nobody(scene: Scene) -> None:
    def broken(recipient: Recipient) -> Message:
        if recipient.line == 2:
            raise MergeError([])
        return message_for(recipient)

    scene.enrol(people(1, 3))
    outcome = scene.send(message=broken)
    assert isinstance(outcome.stopped, MergeError)
    assert scene.totals == Totals(sent=1, pending=2)


def test_a_bug_in_a_callback_leaves_nobody_reserved(scene: Scene) -> None:
    def bug(recipient: Recipient, delivery: Delivery) -> None:
        raise ZeroDivisionError

    scene.enrol(people(1, 3))
    with pytest.raises(ZeroDivisionError):
        scene.send(on_progress=bug)
    assert scene.totals == Totals(sent=1, pending=2)


def test_a_claim_that_cannot_be_written_lets_no_message_go(scene: Scene, relay: FakeRelay) -> None:
    scene.enrol(people(1, 3))
    scene.ledger._database.execute(
        "CREATE TRIGGER full BEFORE UPDATE ON delivery WHEN new.state = 'claimed' AND new.line = 2"
        " BEGIN SELECT raise(ABORT, 'database or disk is full'); END"
    )
    outcome = scene.send()
    assert isinstance(outcome.stopped, StoreError)
    assert outcome.exit_status == 74
    assert relay.recipients == ["reader1@example.org"]
    assert scene.totals == Totals(sent=1, pending=2)


def test_a_claim_that_somebody_else_has_taken_lets_no_message_go(
    scene: Scene, relay: FakeRelay
) -> None:
    def steal(recipient: Recipient) -> Message:
        if recipient.line == 2:
            scene.ledger._database.execute("UPDATE delivery SET state = 'sent' WHERE line = 2")
        return message_for(recipient)

    scene.enrol(people(1, 3))
    assert scene.send(message=steal) == result(sent=2)
    assert relay.recipients == ["reader1@example.org", "reader3@example.org"]
