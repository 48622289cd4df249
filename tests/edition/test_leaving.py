"""How a recipient leaves: the link that they see and the fields behind a client's button."""

from email import message_from_bytes

from press import person

from briefmail.audience import unsubscribe_token, verify_token
from briefmail.edition.leaving import Leaving

ADA = person("Ada", "Ada+x@xn--bcher-kva.example")
MAIL = Leaving("leave@example.org", "Cuir crìoch", "news.example.org")
WEB = Leaving(
    "leave@example.org", "Unsubscribe", "news.example.org", "https://example.org/leave", "secret"
)
MAILTO = "mailto:leave@example.org?subject=Unsubscribe%20Ada%2Bx@xn--bcher-kva.example"


def link_of(leaving: Leaving, *, inert: bool = False) -> str:
    """Return the link that Ada sees."""
    return leaving.ways(ADA, inert=inert)[0]


def header_of(leaving: Leaving, *, inert: bool = False) -> bytes:
    """Return the header fields for Ada's mail client."""
    return leaving.ways(ADA, inert=inert)[1]


def test_without_a_web_address_a_mail_with_its_subject_filled_in() -> None:
    """The editor reads from it who wants to leave."""
    link = "mailto:leave@example.org?subject=Cuir%20cr%C3%ACoch%20Ada%2Bx@xn--bcher-kva.example"
    assert link_of(MAIL) == link
    assert header_of(MAIL) == f"List-Unsubscribe: <{link}>\r\n".encode()


def test_with_one_a_link_that_is_theirs_alone() -> None:
    """RFC 8058: one HTTPS address, the mailto as a second way, and the field of one click."""
    token = unsubscribe_token("secret", "news.example.org", ADA.key)
    assert verify_token("secret", "news.example.org", token) == ADA.key
    link = f"https://example.org/leave?t={token}"
    assert link_of(WEB) == link
    assert (
        header_of(WEB)
        == (
            f"List-Unsubscribe: <{link}>,\r\n <{MAILTO}>\r\n"
            "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
        ).encode()
    )


def test_a_web_address_may_have_parameters_of_its_own() -> None:
    """The token is added to them."""
    leaving = Leaving("l@example.org", "x", "n.example.org", "https://example.org/?page=leave", "s")
    assert link_of(leaving).startswith("https://example.org/?page=leave&t=")


def test_links_in_tests_and_previews_do_nothing() -> None:
    """Of the same form, without a token or an address in them."""
    assert link_of(MAIL, inert=True).endswith("?subject=Cuir%20cr%C3%ACoch%20%28test%29")
    assert link_of(WEB, inert=True) == "https://example.org/leave?t=test"
    fields = message_from_bytes(header_of(WEB, inert=True) + b"\r\n")
    assert fields["List-Unsubscribe"] == (
        "<https://example.org/leave?t=test>,\r\n"
        " <mailto:leave@example.org?subject=Unsubscribe%20%28test%29>"
    )
    assert verify_token("secret", "news.example.org", "test") is None


def test_an_odd_address_of_the_newsletter_is_quoted() -> None:
    """RFC 6068 section 2: these would end the address."""
    leaving = Leaving("a?b&c%d+e@example.org", "x", "n.example.org")
    assert link_of(leaving).startswith("mailto:a%3Fb%26c%25d+e@example.org?subject=")


def test_the_longest_address_still_has_its_field() -> None:
    """Of 254 octets, with every one of the local part quoted."""
    recipient = person(address="ò" * 32 + "@" + ("a" * 62 + ".") * 2 + "a" * 51 + ".example.org")
    leaving = Leaving("l@example.org", "x", "n.example.org", "https://example.org/l", "s")
    link, header = leaving.ways(recipient)
    mailto, _ = Leaving("l@example.org", "x", "").ways(recipient)
    field = message_from_bytes(header + b"\r\n")["List-Unsubscribe"]
    assert field == f"<{link}>,\r\n <{mailto}>"
