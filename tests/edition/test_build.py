"""From an issue to an edition, and from an edition to one person's message."""

import datetime as dt
from dataclasses import replace
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from press import FIRST_LINE, HEAD, NOW, opened, person, print_edition

from briefmail.audience import parse_address, verify_token
from briefmail.errors import InputError, IssueError, MergeError, Problem

TOML = """\
[newsletter]
name = "The Briefing"
from = "Càtriona <briefing@example.org>"
reply_to = "editor@example.org"
postal_address = "Kirkbrae"
list_id = "briefing.example.org"
"""
ADA = person("Ada Lovelace", first_name="Ada")
BOB = person("Bob", "bob@example.org", first_name="Bob")


def test_the_whole_of_a_message(tmp_path: Path) -> None:
    """Envelope, every field in its order, and both parts."""
    edition = print_edition(tmp_path, "Dear {{ first_name }}\n", toml=TOML)
    message = edition.message_for(ADA)
    letter = opened(message)
    assert (message.recipient, message.reverse_path) == ("ada@example.org", "briefing@example.org")
    assert list(letter.message.items()) == [
        ("From", "Càtriona <briefing@example.org>"),
        ("To", "Ada Lovelace <ada@example.org>"),
        ("Reply-To", "editor@example.org"),
        ("Subject", "Hello"),
        ("Date", "Wed, 07 Sep 2016 09:00:00 +0000"),
        ("Message-ID", message.message_id),
        ("List-Id", "The Briefing <briefing.example.org>"),
        (
            "List-Unsubscribe",
            "<mailto:editor@example.org?subject=Unsubscribe%20ada@example.org>",
        ),
        ("MIME-Version", "1.0"),
        ("Content-Type", letter.message["Content-Type"]),
    ]
    assert [part.get_content_type() for part in letter.message.walk()] == [
        "multipart/alternative", "text/plain", "text/html",
    ]  # fmt: skip
    assert "Dear Ada" in letter.text
    assert letter.page.xpath("//p[text()='Dear Ada']")
    assert "ada@example.org" in letter.page.text_content()
    leave = "mailto:editor@example.org?subject=Unsubscribe%20ada@example.org"
    assert leave in letter.page.xpath("//a/@href")
    assert leave in letter.text


def test_without_any_settings_there_is_a_sender_for_the_sandbox(tmp_path: Path) -> None:
    """And a list id, made of the name and that sender's domain."""
    letter = opened(print_edition(tmp_path, "x\n").message_for(person()))
    assert letter.message["From"] == "Newsletter <newsletter@example.org>"
    assert letter.message["List-Id"] == "Newsletter <newsletter.example.org>"
    assert letter.message["Reply-To"] is None


@pytest.mark.parametrize(
    ("name", "label"),
    [("The Briefing", "the-briefing"), ("Dùn & Co.", "dun-co"), ("通讯", "newsletter")],
)
def test_a_name_becomes_a_list_id(tmp_path: Path, name: str, label: str) -> None:
    """RFC 2919: in a domain that we own."""
    edition = print_edition(tmp_path, "x\n", toml=f'[newsletter]\nname = "{name}"\n')
    field = opened(edition.message_for(ADA)).message["List-Id"]
    assert field.endswith(f"<{label}.example.org>")


def test_the_issue_can_have_a_sender_of_its_own(tmp_path: Path) -> None:
    """Bounces go where the settings say, else to the sender."""
    head = HEAD + "from: Guest <guest@example.com>\nreply_to: answers@example.com\n"
    message = print_edition(tmp_path, "x\n", head=head, toml=TOML).message_for(ADA)
    fields = opened(message).message
    assert fields["From"] == "Guest <guest@example.com>"
    assert fields["Reply-To"] == "answers@example.com"
    assert message.reverse_path == "guest@example.com"
    toml = TOML + '[mail]\nbounce_address = "bounces@example.org"\n'
    message = print_edition(tmp_path, "x\n", head=head, toml=toml).message_for(ADA)
    assert message.reverse_path == "bounces@example.org"
    assert b"bounces@" not in message.data


def test_an_international_domain_is_written_as_its_a_label(tmp_path: Path) -> None:
    """In the envelope and in To: no SMTPUTF8 is needed."""
    address = parse_address("Ada@Bücher.example")
    recipient = replace(ADA, address=address.address, key=address.key, name="Àda")  # type: ignore[union-attr]
    message = print_edition(tmp_path, "x\n").message_for(recipient)
    assert message.recipient == "Ada@xn--bcher-kva.example"
    assert opened(message).message["To"] == "Àda <Ada@xn--bcher-kva.example>"


def test_a_local_part_outside_ascii_stands_in_to_as_it_is_and_nowhere_else_so(
    tmp_path: Path,
) -> None:
    """RFC 6532: nothing can encode it there; in the texts, the subject and the links it is."""
    recipient = person("Àda", "Àda@example.org")
    head = HEAD.replace("Hello", "Hello, {{ email }}")
    message = print_edition(tmp_path, "For {{ email }}\n", head=head).message_for(recipient)
    assert (message.recipient, message.needs_smtputf8) == ("Àda@example.org", True)
    field = "To: =?utf-8?b?w4BkYQ==?= <Àda@example.org>\r\n".encode()
    assert field in message.data
    letter = opened(replace(message, data=message.data.replace(field, b"To: ada@example.org\r\n")))
    assert letter.message["Subject"] == "Hello, Àda@example.org"
    assert "For Àda@example.org" in letter.text
    assert "subject=Unsubscribe%20%C3%80da@example.org>" in letter.message["List-Unsubscribe"]
    assert "%C3%80da@example.org" in letter.html


# --- identity -------------------------------------------------------------------------------------


def test_a_message_id_is_one_persons_and_one_editions(tmp_path: Path) -> None:
    """The same on every run, whatever the time; of nobody else and of no other newsletter."""
    edition = print_edition(tmp_path, "x\n", toml=TOML)
    later = print_edition(tmp_path, "y\n", toml=TOML, now=NOW + dt.timedelta(days=1))
    first = edition.message_for(ADA).message_id
    assert later.message_for(ADA).message_id == first
    assert edition.message_for(ADA, inert=True).message_id == first
    others = [
        edition.message_for(BOB),
        print_edition(tmp_path, "x\n", toml=TOML, name="2016-09-21").message_for(ADA),
        print_edition(tmp_path, "x\n", toml=TOML, head=HEAD + "slug: other\n").message_for(ADA),
        print_edition(tmp_path, "x\n", toml=TOML.replace('"brie', '"news')).message_for(ADA),
    ]
    assert len({first, *(message.message_id for message in others)}) == 5
    assert first.startswith("<")
    assert first.endswith("@example.org>")
    assert "ada" not in first


def test_messages_do_not_depend_on_their_order(tmp_path: Path) -> None:
    """Whoever comes first, and however often."""
    edition = print_edition(tmp_path, "Dear {{ first_name }}{% if v %}, {{ v }}{% endif %}\n")
    people = [ADA, BOB, person("Eve", "eve@example.org", first_name="Eve", v="x" * 500)]
    forth = [edition.message_for(one).data for one in people]
    back = [edition.message_for(one).data for one in reversed(people)]
    assert forth == back[::-1]


BODY = "Dear {{ first_name | default('friend') }}\n\n![x](a.png)\n"


def fingerprint(root: Path, **changes: object) -> str:
    """The fingerprint of an edition with a picture, an attachment and a template of its own."""
    (root / "issues").mkdir(exist_ok=True)
    (root / "issues" / "a.png").write_bytes(bytes(str(changes.pop("picture", "1")), "ascii"))
    (root / "issues" / "a.pdf").write_bytes(bytes(str(changes.pop("attached", "1")), "ascii"))
    (root / "templates" / "email").mkdir(parents=True, exist_ok=True)
    slots = "{{ slots.unsubscribe_url }} {{ slots.email }}"
    footer = f"<p>{changes.pop('footer', 'Foot')} {slots}</p>"
    (root / "templates" / "email" / "footer.html").write_text(footer, "utf-8")
    arguments = {"body": BODY, "head": HEAD + "attachments: [a.pdf]\n", "toml": TOML, **changes}
    return print_edition(root, **arguments).fingerprint  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "change",
    [
        {"body": BODY + "More\n"},
        {"body": BODY.replace("'friend'", "'reader'")},
        {"body": BODY.replace("![x]", "![y]")},
        {"head": HEAD.replace("Hello", "Hallo") + "attachments: [a.pdf]\n"},
        {"head": HEAD + "preheader: p\nattachments: [a.pdf]\n"},
        {"head": HEAD},
        {"picture": 2},
        {"attached": 2},
        {"footer": "Hand"},
        {"toml": TOML + '[theme]\nsurface = "#aa0000"\n'},
        {"toml": TOML.replace("Càtriona", "Ceit")},
        {"toml": TOML.replace("editor@", "answers@")},
        {"toml": TOML.replace("Kirkbrae", "Orravay")},
    ],
)
def test_a_fingerprint_changes_with_whatever_a_reader_could_see(
    tmp_path: Path, change: dict[str, object]
) -> None:
    """Text, tags, pictures, attachments, templates, settings."""
    assert fingerprint(tmp_path, **change) != fingerprint(tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        {"now": NOW + dt.timedelta(days=9)},
        {"head": HEAD + "# A remark\nstatus: ready\nattachments: [a.pdf]\n"},
        {"head": HEAD + "send_at: 2016-09-07 09:00\nattachments: [a.pdf]\n"},
        {"name": "another"},
        {"toml": TOML + '[mail]\nbounce_address = "bounces@example.org"\n'},
    ],
)
def test_a_fingerprint_does_not_change_with_anything_else(
    tmp_path: Path, change: dict[str, object]
) -> None:
    """The time, a remark, what the issue is called."""
    assert fingerprint(tmp_path, **change) == fingerprint(tmp_path)


# --- leaving --------------------------------------------------------------------------------------


def test_with_a_web_address_one_click_is_enough(tmp_path: Path) -> None:
    """RFC 8058; the token in the field is the one in the page and in the text."""
    toml = TOML + '[mail]\nunsubscribe_url = "https://example.org/leave"\n'
    edition = print_edition(tmp_path, "x\n", toml=toml, environ={"BRIEFMAIL_SECRET": "s"})
    letter = opened(edition.message_for(ADA))
    link = letter.message["List-Unsubscribe"].split(">")[0].removeprefix("<")
    assert letter.message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert verify_token("s", "briefing.example.org", link.partition("?t=")[2]) == ADA.key
    assert link in letter.page.xpath("//a/@href")
    assert f"Unsubscribe:\n{link}\n" in letter.text


def test_without_one_there_is_no_field_for_one_click(tmp_path: Path) -> None:
    """It would promise what nobody keeps."""
    letter = opened(print_edition(tmp_path, "x\n", toml=TOML).message_for(ADA))
    assert letter.message["List-Unsubscribe-Post"] is None


def test_a_test_message_is_marked_and_inert(tmp_path: Path) -> None:
    """To another address, with the recipient's values and nothing that could sign them off."""
    toml = TOML + '[mail]\nunsubscribe_url = "https://example.org/leave"\n'
    head = "subject: Hello {{ first_name }}\ndate: 2016-09-07\n"
    edition = print_edition(
        tmp_path, "x\n", head=head, toml=toml, environ={"BRIEFMAIL_SECRET": "s"}
    )
    message = edition.test_message(ADA, "editor@example.org")
    letter = opened(message)
    assert message.recipient == "editor@example.org"
    assert letter.message["To"] == "editor@example.org"
    assert letter.message["Subject"] == "[Test] Hello Ada"
    assert message.message_id != edition.message_for(ADA).message_id
    assert message.message_id != edition.test_message(ADA, "editor@example.org").message_id
    for text in (letter.message["List-Unsubscribe"], letter.html, letter.text):
        assert "https://example.org/leave?t=test" in text
        assert "?t=" not in text.replace("?t=test", "")
    mailto = edition.message_for(ADA, inert=True)
    assert b"?t=3Dtest" in mailto.data
    assert opened(mailto).message["Subject"] == "Hello Ada"


def test_a_marked_subject_is_encoded_as_a_whole(tmp_path: Path) -> None:
    """Without a merge field in it, too."""
    edition = print_edition(tmp_path, "x\n", head="subject: Là\ndate: 2016-09-07\n")
    message = edition.test_message(ADA, "editor@example.org")
    assert message_from_bytes(message.data, policy=policy.default)["Subject"] == "[Test] Là"


# --- subject and preheader ------------------------------------------------------------------------


def preheader(root: Path, body: str, head: str = HEAD) -> str:
    """What stands after the subject in an inbox, as the page has it."""
    edition = print_edition(root, body, head=head)
    page = opened(edition.message_for(person(first_name="Ada"))).page
    shown = "".join(page.xpath("//div[@class='preheader']/text()"))
    words = shown.rstrip("\u2007\ufeff\u034f")
    assert edition.preheader_for(person(first_name="Ada")) == words
    return words


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("# Title\n\nThe *first* [words](https://example.org/) & more.\n\nSecond.\n",
         "The first words & more."),
        ("# S\n\n## Story\n\nTeaser\nhere.\n\n<!-- more -->\n\nRest.\n", "Teaser here."),
        ("![x](https://example.org/a.png)\n\nWords.\n", "Words."),
        ("Dear {{ first_name }},\n", "Dear Ada,"),
        ("word " * 40, "word " * 21 + "word…"),
        ("字" * 200, "字" * 110 + "…"),
        ("字" * 105 + "{{ first_name }}" + "字" * 9, "字" * 105 + "…"),
        ("a{% if x %}b{% endif %}\n\nSecond.\n", "Second."),
        ("Before.\n\n{% if x %}\n\nSecret.\n\n{% endif %}\n", "Before."),
        ("{% if x %}\n\nSecret {{ x }}.\n\n{% endif %}\n\nAfter.\n", ""),
        ("# S\n\n{% if x %}\n\n## A\n\nSecret.\n\n{% endif %}\n\n## B\n\nOpen.\n", ""),
    ],
)  # fmt: skip
def test_a_preheader_is_made_of_the_first_words_that_are_for_everybody(
    tmp_path: Path, body: str, expected: str
) -> None:
    """Cut at a word; what a condition may hide is not told to all."""
    assert preheader(tmp_path, body) == expected


def test_a_preheader_can_be_written(tmp_path: Path) -> None:
    """With merge fields and conditions in it."""
    head = HEAD + "preheader: 'For {{ first_name }}{% if x %} and x{% endif %} & co'\n"
    assert preheader(tmp_path, "x\n", head) == "For Ada & co"


def test_a_subject_can_have_fields_and_conditions(tmp_path: Path) -> None:
    """It is the title of the page too, unless the text has one."""
    head = "subject: '{% if x %}X {% endif %}{{ first_name | upper }}: là {'\ndate: 2016-09-07\n"
    edition = print_edition(tmp_path, "y\n", head=head)
    letter = opened(edition.message_for(ADA))
    assert edition.subject_for(ADA) == letter.message["Subject"] == "ADA: là {"
    assert letter.page.findtext(".//title") == letter.page.findtext(".//h1") == "ADA: là {"
    with pytest.raises(MergeError, match=r"2016-09-07\.md:2: first_name is empty"):
        edition.subject_for(person())


# --- language -------------------------------------------------------------------------------------


def test_the_theme_speaks_the_language_of_the_issue(tmp_path: Path) -> None:
    """Dates as people write them; of the folder, or of one issue."""
    (tmp_path / "issues").mkdir()
    letter = opened(print_edition(tmp_path, "x\n", head=HEAD + "lang: gd\n").message_for(ADA))
    assert letter.page.get("lang") == "gd"
    assert "7mh dhen t-Sultain 2016" in letter.page.text_content()
    assert "7mh dhen t-Sultain 2016" in letter.text
    assert "Cuir crìoch air an fho-sgrìobhadh:" in letter.text
    subject = "?subject=Cuir%20cr%C3%ACoch%20air%20an%20fho-sgr%C3%ACobhadh%20ada@example.org>"
    assert letter.message["List-Unsubscribe"].endswith(subject)


@pytest.mark.parametrize(("lang", "words"), [("en-GB", "7 September"), ("fr", "7 September")])
def test_a_language_without_words_has_english_ones(tmp_path: Path, lang: str, words: str) -> None:
    """A region falls back on its language first."""
    letter = opened(print_edition(tmp_path, "x\n", head=f"{HEAD}lang: {lang}\n").message_for(ADA))
    assert letter.page.get("lang") == lang
    assert words in letter.text


def test_a_folders_own_words_are_in_both_parts(tmp_path: Path) -> None:
    """As docs/theme.md says: templates/email/words/<lang>.toml."""
    own = tmp_path / "templates" / "email" / "words"
    own.mkdir(parents=True)
    (own / "en.toml").write_text(
        'date = "{month} {day}, {year}"\nmonths = '
        + str([f"M{n}" for n in range(1, 13)])
        + '\n[texts]\nsent_to = "For"\nunsubscribe = "Leave"\nunsubscribe_subject = "Go"\n'
        'image = "Pic"\nwebsite = "Web"\n',
        "utf-8",
    )
    letter = opened(print_edition(tmp_path, "![a](https://example.org/a.png)\n").message_for(ADA))
    assert "M9 7, 2016" in letter.text
    assert "[Pic: a]" in letter.text
    assert "Leave:\nmailto:newsletter@example.org?subject=Go%20ada@example.org" in letter.text
    assert "M9 7, 2016" in letter.page.text_content()
    assert "Leave" in letter.page.text_content()


# --- attachments ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "mime_type"),
    [
        ("minutes.pdf", "application/pdf"),
        ("plan.txt", "text/plain"),
        ("Clàr-gnothaich Dùn Èideann, " + "fada " * 20 + ".pdf", "application/pdf"),
        ("no-suffix", "application/octet-stream"),
        ("archive.tar.gz", "application/octet-stream"),
        ("mail.eml", "application/octet-stream"),
    ],
)
def test_an_attachment_travels_with_the_mail(tmp_path: Path, name: str, mime_type: str) -> None:
    """In the outermost container (RFC 2046), under its own name (RFC 2231)."""
    data = bytes(range(256)) * 3
    (tmp_path / "issues").mkdir()
    (tmp_path / "issues" / name).write_bytes(data)
    (tmp_path / "issues" / "a.png").write_bytes(b"x")
    head = HEAD + f"attachments: ['{name}']\n"
    letter = opened(print_edition(tmp_path, "![x](a.png)\n", head=head).message_for(ADA))
    assert [part.get_content_type() for part in letter.message.walk()] == [
        "multipart/mixed", "multipart/alternative", "text/plain", "multipart/related",
        "text/html", "image/png", mime_type,
    ]  # fmt: skip
    (attachment,) = letter.message.iter_attachments()
    assert attachment.get_filename() == name
    assert attachment.get_content_disposition() == "attachment"
    assert attachment.get_payload(decode=True) == data


def test_attachments_that_are_not_there_are_named_at_once(tmp_path: Path) -> None:
    """With the line of the front matter."""
    (tmp_path / "newsletter").mkdir()
    (tmp_path / "secret").write_text("x", "utf-8")
    head = HEAD + "attachments: [a.pdf, ../../secret]\n"
    with pytest.raises(IssueError) as caught:
        print_edition(tmp_path / "newsletter", "x\n", head=head)
    path = tmp_path / "newsletter" / "issues" / "2016-09-07.md"
    assert caught.value.problems == (
        Problem(path, 4, "the attachment ../../secret is not in the folder"),
        Problem(path, 4, "the attachment a.pdf is not in the folder"),
    )


# --- what is wrong --------------------------------------------------------------------------------


def test_an_error_in_a_template_is_named_with_its_file_and_line(tmp_path: Path) -> None:
    """The folder's own template, not ours."""
    own = tmp_path / "templates" / "email"
    own.mkdir(parents=True)
    (own / "footer.html").write_text("<p>\n{{ newsletter.nmae }}\n</p>", "utf-8")
    with pytest.raises(InputError) as caught:
        print_edition(tmp_path, "x\n")
    (problem,) = caught.value.problems
    assert (problem.path, problem.line) == (own / "footer.html", 2)
    (own / "footer.html").write_text("<p>\n{% if %}\n</p>", "utf-8")
    with pytest.raises(InputError) as caught:
        print_edition(tmp_path, "x\n")
    (problem,) = caught.value.problems
    assert (problem.path, problem.line) == (own / "footer.html", 2)


def test_an_issue_of_any_form_makes_an_edition(tmp_path: Path) -> None:
    """No text, no date, no sections; the line of the first error is that of the body."""
    assert FIRST_LINE == 5
    letter = opened(print_edition(tmp_path, "", head="subject: x\n", name="plain").message_for(ADA))
    assert letter.text.startswith("Newsletter\n\nx\n=\n\n---")


def test_a_word_like_a_token_in_the_settings_is_named(tmp_path: Path) -> None:
    """It would be taken for a merge field that nobody knows."""
    toml = TOML.replace("Kirkbrae", "bm00000000s0001x")
    with pytest.raises(InputError) as caught:
        print_edition(tmp_path, "Hello\n", toml=toml)
    (problem,) = caught.value.problems
    assert problem == Problem(
        tmp_path / "briefmail.toml",
        None,
        "the word bm00000000s0001x in the settings or a template cannot be used",
    )


def test_the_size_of_a_copy_is_that_of_its_message(tmp_path: Path) -> None:
    edition = print_edition(tmp_path, "Dear {{ first_name }}, {{ email }}\n", toml=TOML)
    for name in ("Mòrag", "Seònaid " * 30, "a"):
        recipient = person(name.strip(), first_name=name)
        assert edition.size_for(recipient) == len(edition.message_for(recipient).data)


def test_defaults_are_the_fields_that_are_printed_with_one(tmp_path: Path) -> None:
    """A field in a condition is none, nor is one that is printed as it is."""
    body = (
        'x\n\n{{ a | default(b) }} {% if c | default("") %}{{ d }}{% endif %}\n\n{{ e|default }}\n'
    )
    edition = print_edition(tmp_path, body)
    lines = edition.defaults()
    assert sorted(lines) == ["a", "e"]
    assert lines["e"] == lines["a"] + 2
