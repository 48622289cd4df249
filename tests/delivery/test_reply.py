"""A relay's answers are read, made safe to print and sorted."""

import pytest

from briefmail.delivery import Delivery, Reply, Scope
from briefmail.delivery.outcome import Step, judge


@pytest.mark.parametrize(
    ("code", "text", "reply"),
    [
        (250, b"2.0.0 Ok: queued", Reply(250, "2.0.0", "Ok: queued")),
        (550, b"No such user", Reply(550, "", "No such user")),
        (550, b"5.1.1", Reply(550, "5.1.1", "")),
        (550, b"5.7.1 one\n5.7.1 two", Reply(550, "5.7.1", "one two")),
        (450, b"5.1.1 of another class", Reply(450, "", "5.1.1 of another class")),
        (550, b"5.1.1000 too long", Reply(550, "", "5.1.1000 too long")),
        (550, "5.1.1 càit?".encode(), Reply(550, "5.1.1", "càit?")),
        (550, b"caf\xe9", Reply(550, "", "caf\\xe9")),
        (550, b"\x1b[2J\x07 gone\r", Reply(550, "", "\\x1b[2J\\x07 gone")),
        (550, "\u202egnp.exe\u2028".encode(), Reply(550, "", "\\u202egnp.exe")),
    ],
)
def test_a_reply_is_read_into_code_status_and_printable_text(
    code: int, text: bytes, reply: Reply
) -> None:
    assert Reply.parse(code, text) == reply


@pytest.mark.parametrize("code", [-1, 0, 25, 199, 600])
def test_what_is_no_reply_code_is_refused(code: int) -> None:
    with pytest.raises(ValueError, match="is not a reply code"):
        Reply.parse(code, b"hello")


def test_an_endless_text_is_cut() -> None:
    assert len(Reply.parse(550, b"x" * 100_000).text) == 1000


def test_a_reply_reads_like_the_relay_wrote_it() -> None:
    assert str(Reply(550, "5.1.1", "No such user")) == "550 5.1.1 No such user"
    assert str(Reply(550, "", "")) == "550"


@pytest.mark.parametrize(
    ("step", "reply", "state", "scope"),
    [
        ("dot", "250 2.0.0", "sent", Scope.RECIPIENT),
        ("RCPT", "550 5.1.1", "refused", Scope.RECIPIENT),
        ("RCPT", "550", "refused", Scope.RECIPIENT),
        ("RCPT", "550 5.7.1", "refused", Scope.RECIPIENT),
        ("dot", "554 5.7.1", "refused", Scope.RECIPIENT),
        ("DATA", "554", "refused", Scope.RECIPIENT),
        ("RCPT", "450 4.2.0", "deferred", Scope.RECIPIENT),
        ("RCPT", "452", "deferred", Scope.RECIPIENT),
        ("RCPT", "552", "deferred", Scope.RECIPIENT),
        ("dot", "451 4.7.1", "deferred", Scope.RECIPIENT),
        ("dot", "552", "refused", Scope.RECIPIENT),
        ("MAIL", "550 5.7.1", "deferred", Scope.SESSION),
        ("MAIL", "550 5.6.7", "refused", Scope.RECIPIENT),
        ("dot", "554 5.6.9", "refused", Scope.RECIPIENT),
        ("MAIL", "450 4.6.7", "deferred", Scope.SESSION),
        ("MAIL", "451", "deferred", Scope.SESSION),
        ("RCPT", "421 4.7.0", "deferred", Scope.SESSION),
        ("dot", "421", "deferred", Scope.SESSION),
        ("RCPT", "550 5.4.5", "deferred", Scope.SESSION),
        ("dot", "454 4.4.2", "deferred", Scope.SESSION),
        ("dot", "452 4.3.1", "deferred", Scope.SESSION),
        ("RCPT", "550 5.3.0", "deferred", Scope.SESSION),
        ("RCPT", "553 5.1.8", "deferred", Scope.SESSION),
        ("MAIL", "552", "deferred", Scope.MESSAGE),
        ("dot", "552 5.3.4", "deferred", Scope.MESSAGE),
    ],
)
def test_a_reply_is_sorted_by_state_and_scope(
    step: Step, reply: str, state: str, scope: Scope
) -> None:
    code, _, status = reply.partition(" ")
    delivery = judge(step, Reply(int(code), status, ""))
    assert (delivery.state, delivery.scope) == (state, scope)


def test_a_delivery_says_what_happened_and_what_the_relay_said() -> None:
    assert str(judge("RCPT", Reply(550, "5.1.1", "Who?"))) == (
        "the relay refuses the address: 550 5.1.1 Who?"
    )
    assert str(Delivery("deferred", "connection", None, "it rained")) == "it rained"
