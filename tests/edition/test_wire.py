"""The wire template: whatever the values are, two parsers read exactly the filled text."""

import re
from email import message_from_bytes, policy
from email.message import EmailMessage
from html import escape
from pathlib import Path

import mailparser
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from press import NOW, check_lines, opened, person, print_edition, same

from briefmail.config import Mailbox
from briefmail.edition.leaving import Leaving
from briefmail.edition.merge import MergeTags
from briefmail.edition.message import Message
from briefmail.edition.wire import Envelope, WireTemplate, build_body
from briefmail.issue import Tag

WORDS = st.text(
    st.one_of(
        st.sampled_from(" .={}%#-\n\"'<>&é😀a"),
        st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\u2028\u2029"),
    ),
    max_size=200,
)
ENVELOPE = Envelope(
    Mailbox("News", "news@example.org"), None, "b@example.org", "News", "n.example.org"
)
LEAVING = Leaving("news@example.org", "Unsubscribe", "n.example.org")
TOKENS = [f"bm00000000e{n:04}x" for n in range(3)]
TAGS = MergeTags(
    [Tag(token, f"{{{{ v{n} }}}}", "expression", 1) for n, token in enumerate(TOKENS)], Path("x.md")
)


def message(subject: str, text: str, page: str, values: list[str]) -> Message:
    wire = WireTemplate(ENVELOPE, LEAVING, subject, build_body(text, page, TAGS), TAGS, NOW)
    fields = {f"v{n}": value for n, value in enumerate(values)}
    return wire.fill(person(**fields), "<1@example.org>")


def parts(data: bytes) -> list[tuple[str, str]]:
    """The two texts, as each of two parsers reads them."""
    parsed = message_from_bytes(data, policy=policy.default)
    bodies = []
    for subtype in ("plain", "html"):
        part = parsed.get_body((subtype,))
        assert isinstance(part, EmailMessage)
        bodies.append(part.get_payload(decode=True).decode().replace("\r\n", "\n"))
    other = mailparser.parse_from_bytes(data)
    return [
        (bodies[0], bodies[1]),
        tuple(part[0].replace("\r\n", "\n") for part in (other.text_plain, other.text_html)),
    ]


@given(
    pieces=st.lists(WORDS, min_size=4, max_size=4),
    values=st.lists(WORDS.filter(bool), min_size=3, max_size=3),
)
@settings(deadline=None, max_examples=150)
def test_any_text_and_any_values_are_read_as_they_were_put_together(
    pieces: list[str], values: list[str]
) -> None:
    """Text with three values in it; in HTML they are escaped, in both nothing else is changed."""
    template = pieces[0] + "".join(
        token + piece for token, piece in zip(TOKENS, pieces[1:], strict=True)
    )
    # A value right behind "mailto:" is a part of an address, and is quoted; test_text.py has that.
    assume(not re.search(r"https?://|mailto:|tel:", template, re.IGNORECASE))
    # Both parts begin with a letter and end in a line end, as the real ones do.
    text, page = f"T{template}\n", f"<p>{escape(template)}</p>\n"
    expected = text
    filled_page = page
    for token, value in zip(TOKENS, values, strict=True):
        expected = expected.replace(token, value)
        filled_page = filled_page.replace(token, escape(value))
    data = message("Hello", text, page, values).data
    check_lines(data)
    stdlib, other = parts(data)
    assert stdlib == (expected, filled_page)
    assert [same(part) for part in other] == [same(expected), same(filled_page)]


def test_text_that_looks_like_a_template_stays_text(tmp_path: Path) -> None:
    """In front of, behind and between tags, and in what the theme is given."""
    body = "`{{ 7*7 }}` {{ v }} `{% raw %}`{{ v }}`{# x #}` `{{ v }}`\n"
    toml = "[newsletter]\nname = '{{ 7*7 }} {% if x %} {# y #}'\npostal_address = '{{ v }}'\n"
    letter = opened(print_edition(tmp_path, body, toml=toml).message_for(person(v="{{ 8*8 }}")))
    for part in (letter.text, letter.page.text_content()):
        assert "{{ 7*7 }} {{ 8*8 }} {% raw %}{{ 8*8 }}{# x #} {{ v }}" in part
        assert "{{ 7*7 }} {% if x %} {# y #}" in part
    assert letter.message["From"].addresses[0].display_name == "{{ 7*7 }} {% if x %} {# y #}"


def test_a_boundary_cannot_be_written_by_a_value_or_an_editor(tmp_path: Path) -> None:
    """Quoted-printable has no ``=_``, and every boundary begins with it."""
    edition = print_edition(tmp_path, "One {{ v }}\n\nTwo\n")
    plain = opened(edition.message_for(person(v="x")))
    boundary = plain.message.get_boundary()
    assert boundary is not None
    assert boundary.startswith("=_")
    letter = opened(edition.message_for(person(v=f"--{boundary}--")))
    assert len(list(letter.message.walk())) == 3
    assert f"One --{boundary}--" in letter.text


def test_smtp_commands_in_a_text_are_text(tmp_path: Path) -> None:
    """RFC 5321 section 4.5.2: a line with one dot ends a mail; none can be written here."""
    body = "One\n\n```\n.\nMAIL FROM:<x@example.org>\n.\n```\n\n.{{ v }}\n"
    letter = opened(print_edition(tmp_path, body).message_for(person(v=".")))
    assert "    .\n    MAIL FROM:<x@example.org>\n    .\n" in letter.text
    assert "\n..\n" in letter.text


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
@settings(
    deadline=None, max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_body_of_an_issue_makes_a_legal_message(tmp_path: Path, text: str) -> None:
    """Or none at all, with a reason; control characters and all."""
    from briefmail.errors import InputError

    try:
        edition = print_edition(tmp_path, f"x {text} y\n")
    except InputError:
        return
    opened(edition.message_for(person()))
