"""The token in an unsubscribe link: says who leaves which list, and cannot be forged."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from briefmail.audience import unsubscribe_token, verify_token

SECRET, LIST, KEY = "correct horse battery staple", "news.example.org", "jo@example.org"


@given(st.emails() | st.text(max_size=254).filter(lambda text: text.isprintable()))
def test_a_token_says_whom_it_was_made_for_and_needs_no_escaping(key: str) -> None:
    token = unsubscribe_token(SECRET, LIST, key)
    assert re.fullmatch(r"[A-Za-z0-9_.-]+", token)
    assert verify_token(SECRET, LIST, token) == key


def test_a_token_of_years_ago_still_works() -> None:
    """This one was made when the format was; it must be good for as long as anybody has a mail."""
    token = "am9AZXhhbXBsZS5vcmc.vgLM9zxq6I3btxkR0jW0CNmSrgrox9elbdqvPOjt5i4"
    assert unsubscribe_token(SECRET, LIST, KEY) == token
    assert verify_token(SECRET, LIST, token) == KEY


def test_a_token_is_good_for_one_list_and_one_secret() -> None:
    token = unsubscribe_token(SECRET, LIST, KEY)
    assert verify_token(SECRET, "other.example.org", token) is None
    assert verify_token("another secret", LIST, token) is None


def test_list_and_address_cannot_be_shifted_against_each_other() -> None:
    signature = unsubscribe_token(SECRET, "a", "b c").partition(".")[2]
    assert unsubscribe_token(SECRET, "a b", "c").partition(".")[2] != signature


def test_every_single_change_to_a_token_is_noticed() -> None:
    token = unsubscribe_token(SECRET, LIST, KEY)
    for place in range(len(token)):
        for character in "Aa0_-.=é":
            forged = token[:place] + character + token[place + 1 :]
            if forged != token:
                assert verify_token(SECRET, LIST, forged) is None
        assert verify_token(SECRET, LIST, token[:place]) is None
    assert verify_token(SECRET, LIST, token + "=") is None


@given(st.text(max_size=80) | st.text(alphabet="AZaz09-_.=", max_size=120))
def test_made_up_tokens_are_refused(token: str) -> None:
    assert verify_token(SECRET, LIST, token) is None


def test_a_token_that_is_far_too_long_is_not_even_looked_at() -> None:
    assert verify_token(SECRET, LIST, "A" * 10_000_000) is None


def test_no_token_is_made_without_a_secret() -> None:
    with pytest.raises(ValueError, match="needs a secret"):
        unsubscribe_token("", LIST, KEY)
    with pytest.raises(ValueError, match="needs a secret"):
        verify_token("", LIST, unsubscribe_token(SECRET, LIST, KEY))
