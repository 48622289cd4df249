"""One message for one person, whatever is in it and however the network cuts it."""

from collections.abc import Iterator
from itertools import product, repeat

import pytest
from hostile_messages import (
    Wire,
    faults,
    field_names,
    header_faults,
    on_the_wire,
    run,
    unstuffed,
)

from briefmail.delivery.channel import DOT
from briefmail.delivery.wire import wire_data
from briefmail.edition.message import Message
from briefmail.errors import BriefmailError

NAMES = field_names(reply_to=False, one_click=False)
HEAD = (
    b"From: News <news@example.org>\r\nTo: Ann <ann@example.org>\r\nSubject: Hello\r\nDate: now\r\n"
    b"Message-ID: <1@example.org>\r\nList-Id: <news.example.org>\r\n"
    b"List-Unsubscribe: <mailto:news@example.org>\r\nMIME-Version: 1.0\r\n"
    b"Content-Type: text/plain\r\n\r\n"
)
DOTS = b".\r\n..\r\n...\r\n\r\n.a\r\na.\r\n. \r\n.\r\n"


def message(body: bytes = b"Hello.\r\n", head: bytes = HEAD) -> Message:
    return Message("news@example.org", "ann@example.org", "<1@example.org>", head + body)


def test_hostile_issues_and_recipients_become_one_message_each_or_none() -> None:
    """The long run is by hand: ``python tests/faults/hostile_messages.py --count 1000000``."""
    result = run(2000, seed=1, per_issue=200)
    assert result.wrong == ()
    assert (result.messages, result.issues) == (2000, 12)
    assert result.recipients_refused > 0
    assert result.issues_refused > 0


def test_any_lines_of_dots_come_back_as_they_were_and_end_once() -> None:
    """All 9,841 texts of up to eight dots, letters and line ends, read as a relay does."""
    for length in range(9):
        for parts in product([b".", b"a", b"\r\n"], repeat=length):
            text = b"".join(parts)
            data = wire_data(text, "ann@example.org") + DOT
            assert unstuffed(data) == (text if text.endswith(b"\r\n") else text + b"\r\n")
            assert data.split(b"\r\n").count(b".") == 1


@pytest.mark.parametrize("bare", [b"\r", b"\n"])
def test_no_text_with_a_bare_cr_or_lf_is_written(bare: bytes) -> None:
    """All of up to six pieces: what some relays take for the end of a message is among them."""
    for length in range(1, 7):
        for parts in product([b".", bare, b"\r\n"], repeat=length):
            text = b"".join(parts)
            if text.replace(b"\r\n", b"").count(bare):
                with pytest.raises(BriefmailError):
                    wire_data(text, "ann@example.org")


def test_wherever_the_network_cuts_a_message_it_arrives_unchanged() -> None:
    """Cut into two at every place, and into pieces of every length."""
    whole = on_the_wire(message(DOTS), repeat(1_000_000))
    assert whole is not None
    assert faults(whole, message(DOTS), NAMES) == []
    assert whole.data.endswith(b"\r\n\r\n..\r\n...\r\n....\r\n\r\n..a\r\na.\r\n.. \r\n..\r\n.\r\n")
    for length in range(1, len(whole.data)):
        assert on_the_wire(message(DOTS), in_two(length)) == whole
        assert on_the_wire(message(DOTS), repeat(length)) == whole


def in_two(length: int) -> Iterator[int]:
    """A first piece of ``length``, after the commands, and then all the rest."""
    yield 1_000_000
    yield length
    yield from repeat(1_000_000)


# --- the judge ------------------------------------------------------------------------------------

GOOD = Wire(
    b"MAIL FROM:<news@example.org>\r\nRCPT TO:<ann@example.org>\r\nDATA\r\n",
    HEAD + b"Hello.\r\n.\r\n",
)


def test_a_good_message_has_no_faults() -> None:
    assert faults(GOOD, message(), NAMES) == []


@pytest.mark.parametrize(
    ("bad", "fault"),
    [
        (b"Hello.\n", "a bare CR or LF"),
        (b"Hello.\r", "a bare CR or LF"),
        (b"Hello.\r\n.\r\nMAIL FROM:<x@example.net>\r\n", "it does not end with its one lone dot"),
        (b"Hello.\r\n" + b"x" * 1000 + b"\r\n", "a line over 998 octets"),
        (b"Hello.\xc3\xa0\r\n", "octets that are not 7-bit text"),
        (b"Hello.\0\r\n", "octets that are not 7-bit text"),
        (b".Hello.\r\n", "a relay would read another message"),
    ],
)
def test_what_is_wrong_on_the_wire_is_seen(bad: bytes, fault: str) -> None:
    wire = Wire(GOOD.commands, HEAD + bad + b".\r\n")
    assert fault in faults(wire, message(bad), NAMES)


def test_a_second_recipient_is_seen() -> None:
    more = GOOD.commands.replace(b"DATA", b"RCPT TO:<eve@example.net>\r\nDATA")
    assert faults(Wire(more, GOOD.data), message(), NAMES) == [
        "the commands are not MAIL, one RCPT and DATA"
    ]


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (b"To: ", b"Bcc: eve@example.net\r\nTo: ", "header fields that we did not write"),
        (b"Date: now\r\n", b"", "header fields that we did not write, or not once"),
        (b"Ann <ann@", b"Ann <eve@example.net>, <ann@", "To is not the one mailbox"),
        (b"Ann <ann@", b"Ann, eve@example.net <ann@", "To is not the one mailbox"),
        (b"Ann <ann@example.org>", b"eve@example.net", "To is not the one mailbox"),
        (b"News <", b"News, x@example.net <", "From is not the one mailbox"),
    ],
)
def test_a_header_that_is_not_ours_is_seen(old: bytes, new: bytes, fault: str) -> None:
    (found,) = header_faults(message(head=HEAD.replace(old, new)), NAMES)
    assert found.startswith(fault)
