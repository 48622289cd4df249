"""The dialogue without a socket: every cut of what the relay says, every order, every end."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scene import message_for, person

from briefmail.delivery.channel import (
    Channel,
    ClaimWanted,
    Closed,
    Decided,
    Event,
    Facts,
    GivenBack,
)
from briefmail.delivery.reply import REPLY_LIMIT
from briefmail.delivery.timeouts import Timeouts
from briefmail.errors import LoginRefused, RelayUnavailable

ONE, TWO = message_for(person(1)), message_for(person(2))
OK = b"250 2.0.0 ok\r\n"
GO = b"354 go ahead\r\n"
ENVELOPE_ONE = b"MAIL FROM:<bounces@example.com>\r\nRCPT TO:<reader1@example.org>\r\nDATA\r\n"
ENVELOPE_TWO = ENVELOPE_ONE.replace(b"reader1", b"reader2")


@dataclass
class Talk:
    """A channel with a socket that takes everything, and all that has happened on it."""

    pipelining: bool = True
    events: list[Event[int]] = field(default_factory=list)
    written: bytes = b""

    def __post_init__(self) -> None:
        self.channel: Channel[int] = Channel(Facts("relay", self.pipelining))

    def write(self, most: int | None = None) -> bytes:
        """Let the output leave, or its first octets; return what has left."""
        output = bytes(self.channel.output)[:most]
        self.channel.wrote(len(output))
        self.written += output
        return output

    def hear(self, *pieces: bytes) -> list[Event[int]]:
        found: list[Event[int]] = []
        for piece in pieces:
            found += self.channel.receive(piece)
        found += self.channel.ask()
        self.events += found
        return found

    def lose(self) -> list[Event[int]]:
        return self.channel.lost("reset")

    def at_dot(self) -> None:
        """Bring message 1 to its dot, and the envelope of 2 behind it."""
        self.channel.begin(1, ONE)
        while not self.channel.waits_for_claim:
            self.write()
            self.hear(GO if self.written.endswith(b"DATA\r\n") and not self.pipelining else OK)
            if self.pipelining:
                self.hear(OK + GO)
        self.channel.grant()
        self.channel.begin(2, TWO)


def states(events: Sequence[Event[int]]) -> list[tuple[int, str]]:
    """What became of whom: a state, or "back"."""
    return [
        (event.ticket, event.delivery.state if isinstance(event, Decided) else "back")
        for event in events
        if isinstance(event, Decided | GivenBack)
    ]


def error_of(events: Sequence[Event[int]]) -> object:
    assert isinstance(events[-1], Closed)
    return events[-1].error


# --- the order of things --------------------------------------------------------------------------


def test_with_pipelining_the_next_envelope_goes_behind_the_dot() -> None:
    talk = Talk()
    talk.channel.begin(1, ONE)
    assert talk.write() == ENVELOPE_ONE
    assert talk.hear(OK + OK + GO) == [ClaimWanted(1)]
    talk.channel.grant()
    talk.channel.begin(2, TWO)
    assert talk.write() == ONE.data + b".\r\n" + ENVELOPE_TWO
    assert states(talk.hear(OK + OK + OK + GO)) == [(1, "sent")]
    assert talk.events[-1] == ClaimWanted(2)


def test_without_pipelining_each_command_waits_for_its_reply() -> None:
    talk = Talk(pipelining=False)
    talk.channel.begin(1, ONE)
    said = [talk.write()]
    for reply in (OK, OK, GO):
        assert talk.write() == b""
        talk.hear(reply)
        said.append(talk.write())
    assert [*said] == [*ENVELOPE_ONE.splitlines(keepends=True), b""]
    talk.channel.grant()
    talk.channel.begin(2, TWO)
    assert talk.write() == ONE.data + b".\r\n"
    assert states(talk.hear(OK)) == [(1, "sent")]
    assert talk.write() == ENVELOPE_TWO.splitlines(keepends=True)[0]


def test_a_claim_is_asked_for_once() -> None:
    talk = Talk()
    talk.channel.begin(1, ONE)
    talk.write()
    assert talk.hear(OK + OK + GO) == [ClaimWanted(1)]
    assert talk.hear(b"") == []


def test_a_channel_takes_two_messages_and_the_second_only_behind_a_dot() -> None:
    talk = Talk()
    assert talk.channel.hungry
    talk.channel.begin(1, ONE)
    assert not talk.channel.hungry
    talk.write()
    talk.hear(OK + OK + GO)
    assert not talk.channel.hungry
    talk.channel.grant()
    assert talk.channel.hungry
    talk.channel.begin(2, TWO)
    assert not talk.channel.hungry


# --- refusals before the message ------------------------------------------------------------------


def test_refused_and_asked_for_data_all_the_same_a_lone_dot_leads_out() -> None:
    talk = Talk()
    talk.channel.begin(1, ONE)
    talk.write()
    assert states(talk.hear(OK + b"550 5.1.1 who?\r\n" + GO)) == [(1, "refused")]
    talk.channel.begin(2, TWO)
    assert talk.write() == b".\r\n" + ENVELOPE_TWO
    talk.hear(b"554 5.5.1 no valid recipients\r\n" + OK + OK + GO)
    assert talk.events[-1] == ClaimWanted(2)


@pytest.mark.parametrize("reply", [b"503 5.5.1 RCPT first\r\n", b"554 no valid recipients\r\n"])
def test_refused_and_not_asked_for_data_a_reset_leads_on(reply: bytes) -> None:
    talk = Talk()
    talk.channel.begin(1, ONE)
    talk.write()
    assert states(talk.hear(OK + b"550 5.1.1 who?\r\n" + reply)) == [(1, "refused")]
    talk.channel.begin(2, TWO)
    assert talk.write() == b"RSET\r\n" + ENVELOPE_TWO
    talk.hear(OK + OK + OK + GO)
    assert talk.events[-1] == ClaimWanted(2)


def test_there_is_no_lone_dot_where_somebody_was_accepted() -> None:
    talk = Talk()
    talk.channel.begin(1, ONE)
    talk.write()
    events = talk.hear(b"552 5.3.4 too big\r\n" + OK + GO)
    assert states(events) == [(1, "deferred")]
    assert isinstance(error_of(events), RelayUnavailable)
    assert talk.write() == b""


def test_a_login_wanted_first_decides_about_nobody() -> None:
    talk = Talk()
    talk.channel.begin(1, ONE)
    talk.write()
    events = talk.hear(b"530 5.7.0 log in\r\n503 no\r\n503 no\r\n")
    assert states(events) == [(1, "back")]
    assert isinstance(error_of(events), LoginRefused)


# --- ends -----------------------------------------------------------------------------------------


def test_closed_behind_the_dot_the_first_is_uncertain_and_the_next_given_back() -> None:
    talk = Talk()
    talk.at_dot()
    talk.write()
    assert states(talk.lose()) == [(1, "uncertain"), (2, "back")]


def test_closed_before_the_first_octet_of_the_dot_has_left_nobody_is_in_doubt() -> None:
    talk = Talk()
    talk.at_dot()
    talk.write(len(ONE.data))
    assert states(talk.lose()) == [(1, "deferred"), (2, "back")]


def test_closed_with_one_octet_of_the_dot_written_the_first_is_uncertain() -> None:
    talk = Talk()
    talk.at_dot()
    talk.write(len(ONE.data) + 1)
    assert states(talk.lose()) == [(1, "uncertain"), (2, "back")]


def test_what_tls_may_have_sent_counts_as_sent() -> None:
    talk = Talk()
    talk.at_dot()
    talk.channel.risk(len(ONE.data) + 1)
    assert states(talk.lose()) == [(1, "uncertain"), (2, "back")]


def test_421_to_a_command_behind_the_dot_leaves_the_answered_one_sent() -> None:
    talk = Talk()
    talk.at_dot()
    talk.write()
    events = talk.hear(OK + OK + b"421 4.3.2 closing\r\n")
    assert states(events) == [(1, "sent"), (2, "deferred")]
    assert isinstance(error_of(events), RelayUnavailable)


def test_421_to_the_dot_defers_and_gives_the_next_back() -> None:
    talk = Talk()
    talk.at_dot()
    talk.write()
    assert states(talk.hear(b"421 4.3.2 closing\r\n")) == [(1, "deferred"), (2, "back")]


@pytest.mark.parametrize("early", [b"421 4.3.2 closing\r\n", OK])
def test_a_reply_before_the_dot_has_left_is_no_reply_to_it(early: bytes) -> None:
    talk = Talk()
    talk.at_dot()
    talk.write(5)
    assert states(talk.hear(early)) == [(1, "deferred"), (2, "back")]
    talk = Talk()
    talk.at_dot()
    talk.write(len(ONE.data) + 2)
    assert states(talk.hear(early)) == [(1, "uncertain"), (2, "back")]


def test_one_reply_too_many_ends_the_connection() -> None:
    talk = Talk()
    talk.channel.begin(1, ONE)
    talk.write()
    events = talk.hear(OK + OK + GO + OK)
    assert states(events) == [(1, "deferred")]
    assert not talk.channel.usable
    talk = Talk()
    assert isinstance(error_of(talk.hear(OK)), RelayUnavailable)


def test_half_a_reply_after_354_is_waited_for_before_a_claim() -> None:
    talk = Talk()
    talk.channel.begin(1, ONE)
    talk.write()
    assert talk.hear(OK + OK + GO + b"42") == []
    assert states(talk.hear(b"1 closing\r\n")) == [(1, "deferred")]


@pytest.mark.parametrize("reply", [b"hello\r\n", b"99 x\r\n", b"2500 x\r\n", b"250-a\r\n550 b\r\n"])
def test_what_is_no_reply_ends_the_connection(reply: bytes) -> None:
    talk = Talk()
    talk.channel.begin(1, ONE)
    talk.write()
    events = talk.hear(reply)
    assert states(events) == [(1, "deferred")]
    assert "does not speak SMTP" in str(error_of(events))


@pytest.mark.parametrize("line", [b"x" * 70, b"250-" + b"x" * 70 + b"\r\n"])
def test_an_endless_reply_is_not_kept(line: bytes) -> None:
    talk = Talk()
    talk.channel.begin(1, ONE)
    talk.write()
    events: list[Event[int]] = []
    fed = 0
    while not events:
        events = talk.hear(line)
        fed += len(line)
        assert fed <= 2 * REPLY_LIMIT
    assert states(events) == [(1, "deferred")]


def test_without_a_claim_nothing_is_sent_and_nothing_is_said() -> None:
    talk = Talk()
    talk.channel.begin(1, ONE)
    talk.write()
    talk.hear(OK + OK + GO)
    assert talk.channel.withhold() == [Closed(None)]
    assert talk.write() == b""


def test_each_wait_has_its_own_patience() -> None:
    limits = Timeouts(mail=1, rcpt=2, data=3, block=4, dot=5, quit=6, command=7)
    channel: Channel[int] = Channel(Facts("relay"), limits)
    assert channel.patience is None
    seen = []
    channel.begin(1, ONE)
    for reply in (OK, OK, GO):
        seen.append(channel.patience)
        channel.wrote(len(channel.output))
        seen.append(channel.patience)
        channel.receive(reply)
        channel.ask()
    channel.grant()
    channel.wrote(len(channel.output))
    seen.append(channel.patience)
    channel.receive(OK)
    channel.quit()
    channel.wrote(len(channel.output))
    seen.append(channel.patience)
    assert seen == [4, 1, 4, 2, 4, 3, 5, 6]


# --- any cut, any answers -------------------------------------------------------------------------

REPLIES = st.sampled_from(
    [
        (250, b"250 2.0.0 ok\r\n"),
        (250, b"250-one\r\n250-two\r\n250 three\n"),
        (450, b"450 4.2.0 later\r\n"),
        (550, b"550-5.1.1 who\r\n550 5.1.1 is that?\r\n"),
    ]
)


@dataclass
class Relay:
    """The other side, as RFC 5321 has it, with a script for what it answers to each person."""

    answers: Sequence[tuple[tuple[int, bytes], tuple[int, bytes]]]
    accepted: list[int] = field(default_factory=list)
    buffer: bytes = b""
    person: int = 0
    in_data: bool = False
    recipient: bool = False

    def hears(self, octets: bytes) -> bytes:
        self.buffer += octets
        out = b""
        while b"\r\n" in self.buffer:
            line, _, self.buffer = self.buffer.partition(b"\r\n")
            out += self._line(line)
        return out

    def _line(self, line: bytes) -> bytes:
        rcpt, dot = self.answers[self.person - 1] if self.person else ((250, OK), (250, OK))
        if self.in_data:
            if line != b".":
                return b""
            self.in_data = False
            if dot[0] == 250 and self.recipient:
                self.accepted.append(self.person)
            return dot[1] if self.recipient else b"554 nobody\r\n"
        if line.startswith(b"MAIL"):
            self.person += 1
            self.recipient = False
            return OK
        if line.startswith(b"RCPT"):
            self.recipient = rcpt[0] == 250
            return rcpt[1]
        if line == b"DATA":
            self.in_data = self.recipient or self.person % 2 == 0
            return GO if self.in_data else b"503 no\r\n"
        assert line == b"RSET"
        return OK


@settings(max_examples=150, deadline=None)
@given(
    answers=st.lists(st.tuples(REPLIES, REPLIES), min_size=1, max_size=6),
    pipelining=st.booleans(),
    cuts=st.lists(st.integers(1, 40), min_size=1, max_size=12),
    lost_after=st.none() | st.integers(0, 400),
)
def test_whatever_the_cut_and_the_answers_everybody_has_one_outcome_and_it_is_true(
    answers: list[tuple[tuple[int, bytes], tuple[int, bytes]]],
    pipelining: bool,
    cuts: list[int],
    lost_after: int | None,
) -> None:
    relay, talk = Relay(answers), Talk(pipelining)
    todo, claimed, steps = list(range(1, len(answers) + 1)), set(), 0
    incoming = b""
    while talk.channel.usable and (todo or not talk.channel.idle):
        steps += 1
        if lost_after is not None and steps > lost_after:
            talk.events += talk.lose()
            break
        if todo and talk.channel.hungry:
            talk.channel.begin(todo[0], message_for(person(todo.pop(0))))
        incoming += relay.hears(talk.write(cuts[steps % len(cuts)]))
        size = cuts[(steps * 7) % len(cuts)]
        piece, incoming = incoming[:size], incoming[size:]
        for event in talk.hear(piece):
            if isinstance(event, ClaimWanted):
                assert event.ticket not in claimed
                claimed.add(event.ticket)
                talk.channel.grant()
    outcome = dict(states(talk.events))
    assert len(outcome) == len(states(talk.events))
    assert outcome.keys() == set(range(1, len(answers) + 1)) - set(todo)
    sent = {who for who, state in outcome.items() if state == "sent"}
    doubted = {who for who, state in outcome.items() if state == "uncertain"}
    assert sent <= set(relay.accepted) <= sent | doubted
    assert len(doubted) <= (0 if lost_after is None else 1)
    assert set(relay.accepted) | doubted <= claimed
