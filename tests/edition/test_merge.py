"""Merge fields: a small language, and values that are never more than text."""

import re
from pathlib import Path
from urllib.parse import unquote

import pytest
from lxml import etree
from press import FIRST_LINE, HEAD, opened, person, print_edition

from briefmail.edition.merge import MergeTags, compile_source, header_source
from briefmail.errors import IssueError, MergeError, Problem
from briefmail.issue.tags import Swapper

PATH = Path("issues/x.md")


def filled(source: str, **fields: str) -> str:
    """Fill a line of text, as a subject is filled."""
    swapper = Swapper(source)
    text = swapper.swap(source, 1)
    tags = MergeTags(swapper.tags, PATH)
    assert not tags.problems
    return compile_source(header_source(text, tags)).render(fields)


def faults(source: str) -> list[Problem]:
    """Return what is wrong with the tags of a line."""
    swapper = Swapper(source)
    swapper.swap(source, 7)
    return MergeTags(swapper.tags, PATH).problems


# --- the language ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ name }}", "Mòrag"),
        ("{{name}}", "Mòrag"),
        ("{{- name -}}", "Mòrag"),
        ('{{ "plain" }}', "plain"),
        ("{{ 'plain' }} {{ 7 }} {{ -7 }} {{ 1.5 }}", "plain 7 -7 1.5"),
        ("{{ name | upper }}", "MÒRAG"),
        ("{{ name | lower }}", "mòrag"),
        ("{{ words | title }}", "Ten More Hours"),
        ("{{ words | capitalize }}", "Ten more hours"),
        ("{{ padded | trim }}|", "x|"),
        ("{{ years | int }}", "20"),
        ("{{ name | int }}", "0"),
        ('{{ missing | default("friend") }}', "friend"),
        ('{{ name | default("friend") }}', "Mòrag"),
        ('{{ missing | default("friend", true) | upper }}', "FRIEND"),
        ("{{ missing | default(name) }}", "Mòrag"),
        ("{{ missing | default }}|", "|"),
        ('{{ missing or "friend" }}', "friend"),
        ('{{ name and "known" }}', "known"),
        ('{% if name == "Mòrag" %}yes{% endif %}', "yes"),
        ('{% if name != "Mòrag" %}yes{% else %}no{% endif %}', "no"),
        ('{% if name in ["Mòrag", "Iain"] %}yes{% endif %}', "yes"),
        ('{% if name in ("Iain", "Eilidh") %}yes{% else %}no{% endif %}', "no"),
        ('{% if name not in ["Iain"] %}yes{% endif %}', "yes"),
        ('{% if "òr" in name %}yes{% endif %}', "yes"),
        ("{% if years | int >= 18 %}yes{% endif %}", "yes"),
        ('{% if not missing and (name or years) == "Mòrag" %}yes{% endif %}', "yes"),
        ("{% if missing %}a{% elif name %}b{% else %}c{% endif %}", "b"),
        ("{% if(missing) %}a{% else %}b{% endif %}", "b"),
        ("{% if missing %}a{% elif missing == name %}b{% else %}c{% endif %}", "c"),
        ("{%- if name -%}{%if years%}both{%endif%}{%- endif -%}", "both"),
        ('{{ missing | default("}}") }} {{ missing | default("%}{%") }}', "}} %}{%"),
        ('{{ missing | default("it\'s") }}', "it's"),
    ],
)
def test_what_is_allowed(source: str, expected: str) -> None:
    """Names, literals, comparisons, and/or/not, filters, if/elif/else; nothing more is needed."""
    fields = {"name": "Mòrag", "years": "20", "words": "ten more hours", "padded": " x "}
    assert filled(source, **fields) == expected


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("{{ name.upper }}", "no '.'"),
        ("{{ name.__class__.__mro__ }}", "no '.'"),
        ("{{ ''.__class__ }}", "no '.'"),
        ("{{ name['x'] }}", "no [...]"),
        ("{{ name[0:2] }}", "no [...]"),
        ("{{ name() }}", "no calls"),
        ("{{ range(10) }}", "no calls"),
        ("{{ lipsum() }}", "no calls"),
        ("{{ name is defined }}", "no 'is'"),
        ("{{ 1 + 1 }}", "no sums"),
        ("{{ 7 * 7 }}", "no '*'"),
        ("{{ 7 ** 7 }}", "no '**'"),
        ("{{ 7 / 7 }}", "no '/'"),
        ("{{ name % 7 }}", "no mod"),
        ('{{ "x" * 1000000000 }}', "no '*'"),
        ('{{ name ~ "x" }}', "no '~'"),
        ('{{ "x" if name else "y" }}', "no if inside {{ }}"),
        ("{{ name | pprint }}", "there is no filter pprint; there are default, upper, lower"),
        ("{{ name | safe }}", "there is no filter safe"),
        ("{{ name | html }}", "there is no filter html"),
        ("{{ name | header }}", "there is no filter header"),
        ('{{ name | upper("x") }}', "the filter upper has too many values"),
        ("{{ name | int(7) }}", "the filter int has too many values"),
        ('{{ name | default("x", true, 1) }}', "the filter default has too many values"),
        ('{{ name | default(value="x") }}', "the filter default takes no named values"),
        ("{{ name | default(*name) }}", "the filter default takes no named values"),
        ("{{ name | default(name.x) }}", "no '.'"),
        ("{{ }}", "is empty"),
        ("{% if %}x{% endif %}", "is empty"),
        ("{{ name name }}", "is not understood"),
        ("{{ name | }}", "is not understood"),
        ("{{ Vor name }}", "is not understood"),
        ("{% for x in name %}{% endfor %}", "is not allowed; statements are if, elif, else"),
        ("{% set name = 1 %}", "is not allowed"),
        ('{% include "/etc/passwd" %}', "is not allowed"),
        ('{% import "x" as y %}', "is not allowed"),
        ('{% extends "x" %}', "is not allowed"),
        ("{% macro x() %}{% endmacro %}", "is not allowed"),
        ("{% raw %}{% endraw %}", "is not allowed"),
        ("{% block x %}{% endblock %}", "is not allowed"),
        ("{% %}", "is not allowed"),
        ("{% else name %}", "is not allowed"),
        ("{% endif name %}", "is not allowed"),
    ],
)
def test_whatever_else_jinja_can_do_is_an_error_at_its_line(source: str, says: str) -> None:
    """Every such tag is named as it was written."""
    problems = faults(source)
    assert {(problem.path, problem.line) for problem in problems} == {(PATH, 7)}
    assert says in problems[0].text
    assert problems[0].text.startswith(re.match(r"\{.*?[%}]\}(?!\})", source)[0])


@pytest.mark.parametrize(
    "source",
    [
        "{{ a) or (b }}",
        "{{ a) and (b }}",
        "{{ a) | upper | default((b }}",
        '{{ a | default("}}") ) or ( b }}',
        "{% if a) or (b %}x{% endif %}",
        "{% if a) %}{{ (b %}x{% endif %}",
    ],
)
def test_a_tag_cannot_leave_the_parentheses_it_is_put_in(source: str) -> None:
    """Or a value would go past the filter that escapes it."""
    problems = faults(source)
    assert "is not understood" in problems[0].text


@pytest.mark.parametrize(
    "source",
    ["{{ a) }}{{ (b }}", "{{ a {# b #} }}", "{{ {'a': 1} }}", "{{ {} }}", "{{ name }", "{% if x }"],
)
def test_braces_that_are_no_tag_are_named_with_their_line(tmp_path: Path, source: str) -> None:
    """They are not quietly printed for five hundred people."""
    with pytest.raises(IssueError) as caught:
        print_edition(tmp_path, f"First.\n\n{source}\n")
    path = tmp_path / "issues" / "2016-09-07.md"
    assert {(p.path, p.line) for p in caught.value.problems} == {(path, FIRST_LINE + 2)}


def test_all_wrong_tags_are_named_at_once(tmp_path: Path) -> None:
    """Subject, preheader and body; each with its line."""
    head = "subject: '{{ a.b }}'\npreheader: '{{ c() }}'\ndate: 2016-09-07\n"
    with pytest.raises(IssueError) as caught:
        print_edition(tmp_path, "Text {{ d | e }}\n\n{% for x in y %}\n", head=head)
    assert [problem.line for problem in caught.value.problems] == [2, 3, 6, 8]


def test_a_comment_of_jinja_is_plain_text(tmp_path: Path) -> None:
    """``{#`` means nothing here: it is shown, and nothing in it is lost."""
    letter = opened(print_edition(tmp_path, "One {# two #} three.\n").message_for(person()))
    assert "One {# two #} three." in letter.text
    assert "One {# two #} three." in letter.html


def test_tags_in_code_are_shown_as_they_are(tmp_path: Path) -> None:
    """Somebody who writes about merge fields has to be able to show one."""
    body = "`{{ name.x }}` and\n\n```\n{% for x in y %}\n```\n"
    letter = opened(print_edition(tmp_path, body).message_for(person()))
    for part in (letter.text, letter.page.text_content()):
        assert "{{ name.x }}" in part
        assert "{% for x in y %}" in part


# --- conditions and elements ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        "- one {% if a %}two\n- three{% endif %} four\n",
        "| a | b |\n|---|---|\n| {% if a %}x | y{% endif %} |\n",
        "*one {% if a %}two* three{% endif %}\n",
        "one {% if a %}two\n\nthree{% endif %} four\n",
        "[one {% if a %}two](https://example.org/) three{% endif %}\n",
        "[one](https://example.org/{% if a %}x) two{% endif %}\n",
        "> one {% if a %}two\n\nthree{% endif %}\n",
        "{% if a %}one\n\n{% endif %}\n",
        "## One {% if a %}two\n\nThree{% endif %}\n",
    ],
)
def test_a_condition_ends_in_the_element_where_it_began(tmp_path: Path, body: str) -> None:
    """Else the page would be torn for some readers; both lines are named."""
    with pytest.raises(IssueError) as caught:
        print_edition(tmp_path, body)
    (problem,) = caught.value.problems
    lines = body.split("\n")
    start = next(n for n, line in enumerate(lines, FIRST_LINE) if "{% if" in line)
    end = next(n for n, line in enumerate(lines, FIRST_LINE) if "endif" in line)
    assert problem == Problem(
        tmp_path / "issues" / "2016-09-07.md",
        end,
        "{% endif %} is not in the same paragraph, list item, cell or emphasis"
        f" as its {{% if %}} on line {start}",
    )


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("{% if a %}x\n", "{% if a %} has no {% endif %}"),
        ("x {% endif %}\n", "{% endif %} without an {% if %}"),
        ("x {% else %} y\n", "{% else %} without an {% if %}"),
        ("{% if a %}x{% else %}y{% else %}z{% endif %}\n", "{% else %} after {% else %}"),
        ("{% if a %}x{% else %}y{% elif b %}z{% endif %}\n", "{% elif b %} after {% else %}"),
    ],
)
def test_a_condition_has_all_its_parts(tmp_path: Path, body: str, text: str) -> None:
    """In their order, too."""
    with pytest.raises(IssueError) as caught:
        print_edition(tmp_path, body)
    path = tmp_path / "issues" / "2016-09-07.md"
    assert caught.value.problems == (Problem(path, FIRST_LINE, text),)


def test_a_condition_in_the_subject_ends_there(tmp_path: Path) -> None:
    """A tag in the text cannot close it."""
    head = "subject: 'Hi{% if a %} you'\ndate: 2016-09-07\n"
    with pytest.raises(IssueError, match=r"2016-09-07\.md:2: \{% if a %\} has no \{% endif %\}"):
        print_edition(tmp_path, "x {% endif %}\n", head=head)


def test_conditions_take_words_items_and_blocks_away(tmp_path: Path) -> None:
    """Both ways, in both parts, without an empty paragraph left behind."""
    body = (
        "Dear{% if a %} {{ a }}{% else %} all{% endif %},\n\n"
        "{% if a %}\n\nFor you.\n\n{% elif b %}\n\nFor them.\n\n{% else %}\n\nFor all.\n\n"
        "{% endif %}\n\n- one\n{% if a %}\n- two\n{% endif %}\n\nEnd.\n"
    )
    edition = print_edition(tmp_path, body, head=HEAD + "preheader: p\n")
    told = {
        who: opened(edition.message_for(person(**fields)))
        for who, fields in {"a": {"a": "Ann"}, "b": {"b": "Bob"}, "none": {}}.items()
    }
    words = {
        "a": ["Dear Ann,", "For you.", "- one", "- two", "End."],
        "b": ["Dear all,", "For them.", "- one", "End."],
        "none": ["Dear all,", "For all.", "- one", "End."],
    }
    for who, letter in told.items():
        body_lines = letter.text.split("=====\n\n")[1].split("\n\n---")[0].split("\n")
        assert [line for line in body_lines if line] == words[who]
        assert "\n\n\n" not in letter.text
        paragraphs = [
            p.text_content() for p in letter.page.xpath("//div[contains(@class,'text')]//p")
        ]
        assert paragraphs == [word for word in words[who] if not word.startswith("-")]


# --- values ---------------------------------------------------------------------------------------

PLACES = """\
Text {{ v }} and *{{ v }}* and `{{ v }}`.

![{{ v }}](https://example.org/a.png "{{ v }}") [{{ v }}](https://example.org/?q={{ v }} "{{ v }}")

[write](mailto:ed@example.org?subject=From%20{{ v }})

| {{ v }} |
|---|
| {{ v }} |

**[{{ v }}](https://example.org/go/{{ v }})**
"""

VALUES = [
    'Mòrag <b>&"',
    "{{ 7*7 }}",
    "{% if x %}",
    "</a><script>alert(1)</script>",
    "' onload='x",
    '" onload="x',
    "a & b &amp; c",
    "--><!--",
    "=3D=\\",
    "*bold* [x](javascript:y) _z_",
    "../.. ?a=b&c#d",
    "bm00000000e0000x",
    ".",
    "-- ",
    "ఁ\u202e\ufeff😀",
]


@pytest.mark.parametrize("value", VALUES)
def test_a_value_is_the_same_text_in_every_place(tmp_path: Path, value: str) -> None:
    """Text, emphasis, alt, title, a part of an address, a table, a button, subject, preheader."""
    head = "subject: 'To {{ v }}!'\npreheader: 'Pre {{ v }}'\ndate: 2016-09-07\n"
    edition = print_edition(tmp_path, PLACES, head=head)
    recipient = person(v=value)
    letter, plain = (
        opened(edition.message_for(recipient)),
        opened(edition.message_for(person(v="V"))),
    )
    page, same = letter.page, plain.page

    assert str(letter.message["Subject"]) == f"To {value}!"
    assert page.findtext(".//title") == f"To {value}!"
    assert edition.preheader_for(recipient) == f"Pre {value}"
    assert [e.tag for e in page.iter()] == [e.tag for e in same.iter()]
    for element, model in zip(page.iter(), same.iter(), strict=True):
        assert element.attrib.keys() == model.attrib.keys()
        for name, text in model.attrib.items():
            if name in {"href", "src"}:
                assert unquote(element.get(name)) == unquote(text).replace("V", value)
            else:
                assert element.get(name) == text.replace("V", value)
        if model.tag is not etree.Comment:
            assert (element.text or "") == (model.text or "").replace("V", value)
            assert (element.tail or "") == (model.tail or "").replace("V", value)
    assert f"Text {value} and _{value}_" in letter.text
    assert "{{ v }}." in letter.text


def test_a_value_is_quoted_in_an_address(tmp_path: Path) -> None:
    """In the page and in the text part alike; it cannot add a parameter or a header."""
    body = (
        "[a](https://example.org/{{ v }}/?q={{ v }}#{{ v }})"
        " [b](mailto:{{ email }}?subject={{ v }})\n"
    )
    edition = print_edition(tmp_path, body)
    letter = opened(edition.message_for(person(address="a+b@example.org", v="x&y=1/é ?#%")))
    quoted = "x%26y%3D1%2F%C3%A9%20%3F%23%25"
    web = f"https://example.org/{quoted}/?q={quoted}#{quoted}"
    mail = f"mailto:a%2Bb@example.org?subject={quoted}"
    assert letter.page.xpath("//a/@href")[:2] == [web, mail]
    assert f"[1] {web}\n[2] {mail}\n" in letter.text


@pytest.mark.parametrize(
    "address",
    ["https://example.org/a?b=1&c=2", "HTTP://EXAMPLE.ORG", "mailto:a@example.org", "tel:+441333"],
)
def test_a_whole_address_can_come_from_a_field(tmp_path: Path, address: str) -> None:
    """If it is one that a link in a mail can have."""
    edition = print_edition(tmp_path, "[x]({{ url }}) ![y]({{ url }})\n")
    letter = opened(edition.message_for(person(url=address)))
    assert letter.page.xpath("//a/@href")[0] == address
    assert letter.page.xpath("//img/@src") == [address]
    assert f"[1] {address}\n" in letter.text


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        " javascript:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "file:///etc/passwd",
        "//example.org",
        "example.org",
        "https://",
        "https://example.org/a b",
        'https://example.org/"onload',
        "https://example.org/\njavascript:x",
        "cid:x",
    ],
)
def test_any_other_address_from_a_field_is_refused(tmp_path: Path, address: str) -> None:
    """With the value and the line of the tag."""
    edition = print_edition(tmp_path, "Hello {{ a }}.\n\n[x]({{ url }})\n")
    with pytest.raises(MergeError) as caught:
        edition.message_for(person(a="A", url=address))
    text = f"{address!r} is not an address that a link can have (https://, mailto:, tel:)"
    path = tmp_path / "issues" / "2016-09-07.md"
    assert caught.value.problems == (Problem(path, FIRST_LINE + 2, text),)


@pytest.mark.parametrize("control", ["\0", "\x1b", "\x7f", "\x85", "\u2028", "\r", "\ud800"])
@pytest.mark.parametrize("head", [HEAD, HEAD.replace("Hello", "'Hello {{ v }}'")])
def test_a_control_character_in_a_value_is_refused(tmp_path: Path, control: str, head: str) -> None:
    """The list's reader keeps them out already; here none gets through either."""
    edition = print_edition(tmp_path, "Hello {{ v }}\n", head=head)
    with pytest.raises(MergeError, match="holds control characters") as caught:
        edition.message_for(person(v=f"a{control}b"))
    assert {problem.line for problem in caught.value.problems} == {2, FIRST_LINE} - (
        {2} if head == HEAD else set()
    )


# --- what is missing ------------------------------------------------------------------------------


def test_an_empty_field_is_missing_and_named_with_its_lines(tmp_path: Path) -> None:
    """Where it would be printed; a default or a condition makes it harmless."""
    body = (
        "Dear {{ first_name }},\n\n{{ org | default('you') }}{% if org %}, {{ org }}{% endif %}\n\n"
        "Bye {{ first_name }}\n"
    )
    edition = print_edition(tmp_path, body)
    with pytest.raises(MergeError) as caught:
        edition.message_for(person(first_name=""))
    path = tmp_path / "issues" / "2016-09-07.md"
    text = "first_name is empty and has no default"
    assert caught.value.problems == (
        Problem(path, FIRST_LINE, text),
        Problem(path, FIRST_LINE + 4, text),
    )
    assert (
        "Dear Ada,\n\nyou\n\nBye Ada" in opened(edition.message_for(person(first_name="Ada"))).text
    )


def test_an_unknown_field_is_named_with_those_that_are_known(tmp_path: Path) -> None:
    """A field with a default may be unknown: a list without it is a fine list."""
    body = "{{ nmae }} {{ org | default(other) }}\n\n{% if region %}x{% endif %} {{ name }}\n"
    edition = print_edition(tmp_path, body)
    path = tmp_path / "issues" / "2016-09-07.md"
    known = "it has email, first_name, last_name, name, town; if only some lists have it, write"
    assert edition.unknown_fields(["email", "town"]) == [
        Problem(path, FIRST_LINE, "the list has no field nmae; did you mean name?"),
        Problem(
            path,
            FIRST_LINE,
            f'the list has no field other, {known} {{{{ other | default("...") }}}}',
        ),
        Problem(
            path,
            FIRST_LINE + 2,
            f'the list has no field region, {known} {{% if region | default("") == "..." %}}',
        ),
    ]
    assert edition.unknown_fields(["nmae", "other", "region"]) == []


@pytest.mark.parametrize("tag", ["{% if age > 18 %}x{% endif %}", "{{ age > 18 }}", "{{ -age }}"])
def test_what_cannot_be_worked_out_is_named_with_its_line(tmp_path: Path, tag: str) -> None:
    """A field is text, also when it looks like a number."""
    edition = print_edition(tmp_path, f"First.\n\n{tag}\n")
    with pytest.raises(MergeError) as caught:
        edition.message_for(person(age="20"))
    (problem,) = caught.value.problems
    assert problem.line == FIRST_LINE + 2
    assert "cannot be worked out: " in problem.text
    if ">" in tag:
        assert "write 'field | int' to compare it with a number" in problem.text


def test_the_tag_of_a_link_that_html_cannot_hold_is_named(tmp_path: Path) -> None:
    """It would be in the text part and not on the page."""
    with pytest.raises(IssueError) as caught:
        print_edition(tmp_path, "[x]({{ host }}:8080/)\n")
    path = tmp_path / "issues" / "2016-09-07.md"
    text = "{{ host }} cannot be used in this place"
    assert caught.value.problems == (Problem(path, FIRST_LINE, text),)


def test_the_terminal_shows_the_filled_markdown(tmp_path: Path) -> None:
    """With the tags in code left alone."""
    edition = print_edition(tmp_path, "# Hi {{ a }}\n\n`{{ a }}` {x}\n")
    assert edition.markdown_for(person(a="{{ b }}")) == "# Hi {{ b }}\n\n`{{ a }}` {x}\n"


def test_a_single_brace_is_no_tag(tmp_path: Path) -> None:
    """It is a character like any other."""
    words = '{"a": [1]} {x} #} %} }}'
    letter = opened(print_edition(tmp_path, f"`{words}` #}} %}} }}}}\n").message_for(person()))
    for part in (letter.text, letter.page.text_content()):
        assert f"{words} #}} %}} }}}}" in part
