"""Addresses: what is usable, what goes into the envelope and under which key it is known."""

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
    ],
)
def test_an_address_keeps_its_local_part_and_has_one_key(text: str, address: str, key: str) -> None:
    assert parse_address(text) == Address(address, key)


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
        (
            "ömil@example.org",
            "before the @ it has letters outside ASCII, which no mail can be sent to"
            " without SMTPUTF8 (RFC 6531)",
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


@given(
    st.one_of(
        st.emails(),
        st.text(max_size=40),
        st.text(alphabet="ab.@-\"'<>é \r\n\0\u2028\udc80", max_size=20),
    )
)
def test_no_text_makes_it_fail_and_it_agrees_with_the_library(text: str) -> None:
    result = parse_address(text)
    try:
        known = validate_email(text.strip(), check_deliverability=False, allow_smtputf8=False)
    except (EmailNotValidError, UnicodeError):
        assert isinstance(result, Invalid)
        assert result.reason.isprintable()
        return
    local = known.original.rpartition("@")[0]
    if len(local) <= 64:
        assert isinstance(result, Address)
        assert result.address == f"{local}@{known.ascii_domain}"
        assert result.key == result.address.casefold()
