"""Quoted-printable pieces, which are legal wherever they are put together."""

import quopri
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from briefmail.edition.quoted_printable import SOFT_BREAK, encode, encode_slot

CHARACTERS = st.characters(exclude_categories=["Cs"])
TEXT = st.text(st.one_of(st.sampled_from(" .=\t\n{}é😀x"), CHARACTERS), max_size=400)
LINE = st.text(st.one_of(st.sampled_from(" .={}-é😀x"), CHARACTERS), max_size=300)


def decoded(encoded: str) -> str:
    return quopri.decodestring(encoded.encode("ascii")).decode("utf-8").replace("\r\n", "\n")


def check(encoded: str) -> None:
    assert not re.search(r"(?<!\r)\n|\r(?!\n)", encoded)
    for line in encoded.split("\r\n"):
        assert len(line) <= 76
        assert not line.startswith(".")
        assert line == line.rstrip(" \t")
        assert re.fullmatch(r"(?:[\t\x20-\x7e])*", line)
        assert not re.search(r"=(?![0-9A-F]{2}|$)", line)
    assert "{" not in encoded


@given(TEXT)
@example("." * 80)
@example(" " * 80)
@example("é" * 80)
@example("a" * 74 + " ")
@example("a" * 75)
@example("a" * 76)
@example("a" * 75 + ".")
@example("a" * 74 + "=")
def test_any_text_comes_back_and_every_line_is_legal(text: str) -> None:
    """At most 76 characters, no blank at an end, no dot at a beginning, nothing but CRLF."""
    text = text.replace("\r", "")
    encoded = encode(text)
    check(encoded)
    assert decoded(encoded) == text


@given(st.lists(st.tuples(LINE, LINE), min_size=1, max_size=6), LINE)
@example([("", "")], "")
@example([("", "."), ("", ".")], ".")
@example([("a ", " b ")], " c")
def test_pieces_and_values_come_back_as_one_text(pairs: list[tuple[str, str]], end: str) -> None:
    """A constant, a soft break, a value, a soft break: whatever either of them is."""
    pairs = [(a.replace("\r", ""), b.replace("\r", "")) for a, b in pairs]
    end = end.replace("\r", "")
    whole = ""
    for constant, value in pairs:
        whole += (encode(constant) + SOFT_BREAK if constant else "") + encode_slot(value)
    whole += encode(end)
    check(whole)
    assert decoded(whole) == "".join(a + b for a, b in pairs) + end


@pytest.mark.parametrize(
    "value", ["", "Mòrag", "a" * 74, "a" * 75, "From ", ".", "=", "-", "{{ x }}"]
)
def test_a_value_is_followed_by_a_soft_break(value: str) -> None:
    """So that the next piece begins a line, and no line grows with a value."""
    encoded = encode_slot(value)
    assert encoded.endswith(SOFT_BREAK)
    check(encoded)
    assert decoded(encoded) == value


def test_a_long_line_takes_time_in_proportion() -> None:
    """Two megabytes on one line are as quick as on many; this ends within the second."""
    text = "é" * 700_000
    assert decoded(encode(text)) == text
