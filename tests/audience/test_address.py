"""Addresses: what is usable, what goes into the envelope and under which key it is known."""

from unicodedata import normalize

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import given
from hypothesis import strategies as st

from briefmail.audience import Address, Invalid, parse_address


@pytest.mark.parametrize(
    ("text", "address", "key"),
    [
        ("jo@example.org", "jo@example.org", "jo@example.org"),
        (" Jo.Bloggs@EXAMPLE.org ", "Jo.Bloggs@example.org", "jo.bloggs@example.org"),
        ("o'neil+news@example.com", "o'neil+news@example.com", "o'neil+news@example.com"),
        ("Jo@Bücher.example", "Jo@xn--bcher-kva.example", "jo@xn--bcher-kva.example"),
        ("jo@XN--BCHER-KVA.example", "jo@xn--bcher-kva.example", "jo@xn--bcher-kva.example"),
        ("x" * 64 + "@example.org", "x" * 64 + "@example.org", "x" * 64 + "@example.org"),
        ("Mòrag@Example.org", "Mòrag@example.org", "mòrag@example.org"),
        ("用户@Bücher.example", "用户@xn--bcher-kva.example", "用户@xn--bcher-kva.example"),
        ("שלום.1@example.org", "שלום.1@example.org", "שלום.1@example.org"),
        ("ò" * 32 + "@example.org", "ò" * 32 + "@example.org", "ò" * 32 + "@example.org"),
        ("STRAẞE@example.org", "STRAẞE@example.org", "strasse@example.org"),
    ],
)
def test_an_address_keeps_its_local_part_and_has_one_key(text: str, address: str, key: str) -> None:
    assert parse_address(text) == Address(address, key)


def test_a_letter_in_two_characters_is_the_letter_in_one() -> None:
    """As some systems write file names and what is typed there; RFC 6532 section 3.1 wants NFC."""
    assert parse_address("Mo\u0300rag@example.org") == parse_address("M\xf2rag@example.org")
    assert parse_address("\u212aim@example.org") == Address("Kim@example.org", "kim@example.org")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "it has no @"),
        ("jo.example.org", "it has no @"),
        ("@example.org", "there must be something before the @-sign"),
        ("jo@", "there must be something after the @-sign"),
        ("jo@example", "the part after the @-sign is not valid: it should have a period"),
        ("jo..b@example.org", "an email address cannot have two periods in a row"),
        (
            "jo bloggs@example.org",
            "the email address contains invalid characters before the @-sign: SPACE",
        ),
        (
            "jo@example.org, al@example.org",
            "the part after the @-sign contains invalid characters: ',', '@', SPACE",
        ),
        (
            "jo\r\nBcc: al@example.org",
            "the email address contains invalid characters before the @-sign:"
            " ':', SPACE, U+000A, U+000D",
        ),
        ('"jo"@example.org', "quoting the part before the @-sign is not allowed here"),
        ("jo@[127.0.0.1]", "a bracketed IP address after the @-sign is not allowed here"),
        ("x" * 65 + "@example.org", "before the @ it has 65 characters, and mail allows 64"),
        ("jo@" + "x" * 260, "it has 263 characters, and mail allows 254"),
        ("ò" * 33 + "@example.org", "before the @ it has 66 octets, and mail allows 64"),
        ("ò..b@example.org", "an email address cannot have two periods in a row"),
        ('"ò"@example.org', "quoting the part before the @-sign is not allowed here"),
        (
            "ò b@example.org",
            "the email address contains invalid characters before the @-sign: SPACE",
        ),
        (
            "\u202egaròm@example.org",
            "the email address contains unsafe characters: RIGHT-TO-LEFT OVERRIDE",
        ),
        (
            "m\u2066òrag\u2069@example.org",
            "the email address contains unsafe characters:"
            " LEFT-TO-RIGHT ISOLATE, POP DIRECTIONAL ISOLATE",
        ),
        (
            "mò\u200brag@example.org",
            "the email address contains unsafe characters: ZERO WIDTH SPACE",
        ),
        (
            "\u0300a@example.org",
            "the email address contains unsafe characters: COMBINING GRAVE ACCENT",
        ),
        (
            "a\u037e@example.org",
            "after Unicode normalization: the email address contains invalid characters before the"
            " @-sign: ';'",
        ),
    ],
)
def test_what_is_not_usable_says_why_in_one_sentence(text: str, reason: str) -> None:
    assert parse_address(text) == Invalid(reason)


def test_the_length_that_counts_is_that_on_the_wire() -> None:
    """As it is written, with its domain in Unicode, this address would be short enough."""
    address = "x" * 64 + "@" + ".".join(["bücher"] * 16) + ".example"
    assert len(address) < 254
    assert parse_address(address) == Invalid(
        "as it is sent it has 296 characters, and mail allows 254"
    )
    labels = ".".join(["a" * 62] * 3)
    assert parse_address(f"{'ò' * 30}@{labels}.example") == Invalid(
        "the email address is too long (1-3 characters too many)"
    )


@given(
    st.one_of(
        st.emails(),
        st.text(max_size=40),
        st.text(alphabet="ab.@-\"'<>é \r\n\0\u2028\udc80", max_size=20),
        st.text(alphabet="aé\u0300\u202e\u212a用.", max_size=40).map("{}@example.org".format),
    )
)
def test_no_text_makes_it_fail_and_it_agrees_with_the_library(text: str) -> None:
    result = parse_address(text)
    try:
        known = validate_email(text.strip(), check_deliverability=False)
    except (EmailNotValidError, UnicodeError):
        assert isinstance(result, Invalid)
        assert result.reason.isprintable()
        return
    local = normalize("NFC", known.original.rpartition("@")[0])
    if len(local.encode()) <= 64:
        assert isinstance(result, Address)
        assert result.address == f"{local}@{known.ascii_domain}"
        assert result.address.isprintable()
        assert result.key == result.address.casefold()
