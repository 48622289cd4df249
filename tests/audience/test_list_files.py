"""The list as a file, in every shape that spreadsheets give it: each is read, or one line says why.

Every list that can be read in the torture set has the same three people in it.
"""

import codecs
import csv
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from briefmail.audience import ListFile, Roll
from briefmail.errors import ListError, Problem

PEOPLE = [
    {"email": "seonaid@example.org", "first_name": "Seònaid", "name": "Seònaid", "region": "Fife"},
    {"email": "jo@example.org"},
    {"email": "al@example.org", "first_name": "Al, jr", "name": "Al, jr", "region": "Moray"},
]
PLAIN = (
    "email,first_name,region\n"
    "seonaid@example.org,Seònaid,Fife\n"
    "jo@example.org,,\n"
    'al@example.org,"Al, jr",Moray\n'
)
SEMICOLONS = PLAIN.replace('"Al, jr"', "Al# jr").replace(",", ";").replace("#", ",")
CONTROLS = {"Cc", "Zl", "Zp"}


def file(tmp_path: Path, content: str | bytes) -> Path:
    path = tmp_path / "recipients.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def read(path: Path) -> tuple[list[dict[str, str]], list[str]]:
    """All who are sent to, and all problems, as ``line: text``."""
    with Roll.read(path, suppressed=frozenset()) as roll:
        assert len(roll.problems) == roll.counts.invalid
        people = [dict(person.fields) for person in roll.recipients()]
        return people, [f"{problem.line}: {problem.text}" for problem in roll.problems]


def refusal(path: Path) -> Problem:
    """The one problem for which a list is refused as a whole."""
    with pytest.raises(ListError) as caught:
        Roll.read(path, suppressed=frozenset())
    (problem,) = caught.value.problems
    assert caught.value.hint
    assert problem.path == path
    assert str(problem).isprintable()
    return problem


@pytest.mark.parametrize(
    "content",
    {
        "plain": PLAIN,
        "UTF-8 with a mark": codecs.BOM_UTF8 + PLAIN.encode(),
        "UTF-16 little-endian": codecs.BOM_UTF16_LE + PLAIN.encode("utf-16-le"),
        "UTF-16 big-endian": codecs.BOM_UTF16_BE + PLAIN.encode("utf-16-be"),
        "UTF-32": codecs.BOM_UTF32_LE + PLAIN.encode("utf-32-le"),
        "Windows-1252": PLAIN.encode("cp1252"),
        "CRLF": PLAIN.replace("\n", "\r\n"),
        "CR only": PLAIN.replace("\n", "\r"),
        "CR only in UTF-16": codecs.BOM_UTF16_LE + PLAIN.replace("\n", "\r").encode("utf-16-le"),
        "no line end at the end": PLAIN.rstrip("\n"),
        "semicolons": SEMICOLONS,
        "tabs": SEMICOLONS.replace(";", "\t"),
        "bars": SEMICOLONS.replace(";", "|"),
        "Excel says so itself": "sep=;\r\n" + SEMICOLONS.replace("\n", "\r\n"),
        "everything quoted": f'"{SEMICOLONS[:-1]}"\n'.replace(";", '","').replace("\n", '"\n"', 3),
        "a blank after the delimiter": PLAIN.replace(",", ", ").replace("Al,  jr", "Al, jr"),
        "header in capitals and with blanks": PLAIN.replace(
            "email,first_name,region", "  EMAIL , First Name,Region  "
        ),
        "blank lines": PLAIN.replace("\n", "\n\n , ,\n\n"),
        "blank lines first": "\n\n" + PLAIN,
        "header twice": PLAIN.replace("jo@", "email,first_name,region\njo@"),
        "a blank header": PLAIN.replace("region", "region,,").replace("Fife", "Fife,left out"),
        "a column twice": PLAIN.replace("region", "region,Region").replace("Fife", ",Fife"),
        "short rows": PLAIN.replace("jo@example.org,,", "jo@example.org"),
        "long rows without anything in them": PLAIN.replace("Fife", "Fife,, ,"),
        "blanks around values": PLAIN.replace("Fife", "\N{NO-BREAK SPACE}Fife  "),
        "invisible marks around values": PLAIN.replace("jo@", "\ufeff\u200bjo@"),
        "a line end in a quoted address": PLAIN.replace("jo@example.org", '"jo@example.org\n"'),
    }.items(),
    ids=lambda item: item[0],
)
def test_a_list_is_read_in_whatever_shape_it_comes(
    content: tuple[str, str | bytes], tmp_path: Path
) -> None:
    assert read(file(tmp_path, content[1])) == (PEOPLE, [])


@pytest.mark.parametrize(
    ("content", "line", "text"),
    [
        ("", None, "is empty"),
        ("\n \n,,\n", None, "is empty"),
        (codecs.BOM_UTF8, None, "is empty"),
        ("email,name\n", None, "has a header line but nobody under it"),
        ("email,name\n\n,\n", None, "has a header line but nobody under it"),
        ("email,name\nemail,name\n", None, "has a header line but nobody under it"),
        (
            "Name,Town\nJo,Oban\n",
            1,
            "has no column called 'email' or the like, only: 'Name', 'Town'",
        ),
        (
            "\n\x1b[31mName\nJo\n",
            2,
            "has no column called 'email' or the like, only: '\\u001b[31mName'",
        ),
        ("jo@example.org,Jo\n", 1, "is already a person: the list has no header line"),
        (PLAIN + 'eve@example.org,"Eve\nx@example.org,X\n', 5, "NOT CLOSED"),
        (PLAIN + 'eve@example.org,"Eve\nx@example.org,"X, Y"\n', 5, "NOT CLOSED"),
        (PLAIN + 'e@example.org,"a\nb","c\n' + "x@example.org,X\n" * 9, 6, "NOT CLOSED"),
        (PLAIN + 'e@example.org,"E\n' + "x@example.org,X\n" * 200 + '"x"\n', 5, "NOT CLOSED"),
        (
            PLAIN + 'e@example.org,"E\n' + f"x@example.org,{'x' * 9000}\n" * 90 + '"x"\n',
            5,
            "NOT CLOSED",
        ),
        ('email,"name\njo@example.org,Jo\n', 1, "NOT CLOSED"),
        ("email\n" + "x" * 1_100_000, 2, "is a line of more than 1,000,000 characters"),
        (b"PK\x03\x04....", None, "is a spreadsheet (or another zip file), not a CSV file"),
        (PLAIN.encode("utf-16-le"), None, "looks like UTF-16, but lacks the mark that says so"),
        (
            codecs.BOM_UTF16_LE + PLAIN.encode("utf-16-le") + b"x",
            5,
            "is not UTF-16, though it begins with its mark: its letters cannot be told",
        ),
        (
            PLAIN.encode() + "zoë@example.org,Zoë,\n".encode("cp1252"),
            5,
            "is not UTF-8, but other lines of the file are",
        ),
        (
            b"email,name\njo@example.org,Jo\nal@example.org,\x81l\n",
            3,
            "is neither UTF-8 nor Windows-1252: its letters cannot be told",
        ),
    ],
)
def test_a_list_that_cannot_be_trusted_is_refused_as_a_whole(
    content: str | bytes, line: int | None, text: str, tmp_path: Path
) -> None:
    text = text.replace(
        "NOT CLOSED",
        "opens a quote that is not closed: it cannot be told where this person ends",
    )
    path = file(tmp_path, content)
    assert refusal(path) == Problem(path, line, text)


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("jo@@example.org,Jo,", "'jo@@example.org' is not an address: PART"),
        (",Jo,Fife", "has no address"),
        (
            "eve@example.org,Smith, Eve,Fife",
            "has 4 values where the header has 3 columns",
        ),
        ('eve@example.org,"Eve" the "Good",Fife', "has a quote in the wrong place"),
        (f"eve@example.org,Eve,{'x' * 204_800}", "has a value of 204,800 characters"),
        (f"eve@example.org,{'x' * 201},", "has a name of 201 characters; 200 are allowed"),
        ("eve@example.org,E\0ve,", "has a control character (U+0000) in first_name"),
        ("eve\0@example.org,Eve,", "has a control character (U+0000) in the address"),
        ("eve@example.org,Eve,Fi\0fe", "has a control character (U+0000) in region"),
        ("eve@example.org,E\u2028ve,", "has a control character (U+2028) in first_name"),
        ("eve@example.org,E\x85ve,", "has a control character (U+0085) in first_name"),
        ("eve@example.org,Eve,Fi\u2029fe", "has a control character (U+2029) in region"),
        ("eve@example.org,E\tve,", "has a tab in first_name"),
        ('eve@example.org,"Eve\r\nBcc: x@example.org",', "has a line break in first_name"),
        ('"eve@example.org\nx@example.org",Eve,', "has a line break in the address"),
        ("eve@example.org,Eve\rx@example.org,X", "has a line break in first_name"),
        ("eve@example.org;x@example.org,,", "'eve@example.org;x@example.org' is not an address"),
        ("\x1b[2Jeve,,", "has a control character (U+001B) in the address"),
    ],
)
def test_a_bad_row_is_named_and_left_out_and_the_others_stay(
    row: str, problem: str, tmp_path: Path
) -> None:
    people, problems = read(file(tmp_path, PLAIN.replace("jo@", f"{row}\njo@")))
    assert people == PEOPLE
    (found,) = problems
    assert found.startswith("3: " + problem.replace("PART", ""))
    assert found.isprintable()


@settings(max_examples=200, deadline=None)
@given(
    names=st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, max_size=5),
    delimiter=st.sampled_from(",;\t|"),
    line_end=st.sampled_from(["\n", "\r\n"]),
)
def test_no_name_can_put_another_person_on_the_list(
    names: list[str], delimiter: str, line_end: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever the csv module writes is one row, and the name comes back as it is or not at all."""
    path = tmp_path_factory.mktemp("names") / "recipients.csv"
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle, delimiter=delimiter, lineterminator=line_end)
        writer.writerow(["email", "name", "note"])
        writer.writerows((f"p{n}@example.org", name, "x") for n, name in enumerate(names))
    good = {}
    for n, name in enumerate(names):
        value = name.strip(" \t\r\n\v\xa0\u200b\u2060\u3000\ufeff")
        if len(value) <= 200 and not any(unicodedata.category(c) in CONTROLS for c in value):
            good[f"p{n}@example.org"] = value
    with Roll.read(path, suppressed=frozenset()) as roll:
        assert roll.counts.rows == len(names)
        assert {person.address: person.name for person in roll.recipients()} == good


@pytest.mark.parametrize(
    "name",
    [
        "{{ 7*7 }}{% for x in y %}",
        "=HYPERLINK(A1)",
        'O\'Neil "the man" <script>alert(1)</script>',
        "Robert'); DROP TABLE people;--",
        "\u202eevil\u202c",
        "Ṱ̺̺̕o͞ ̷i̲̬͇̪͙n̝̗͕v̟̜̘̦͟o̶̙̰̠kè͚̮̺̪̹̱̤",
        "😍 שלום ﷽",
        "..\\..\\etc",
        "%s%n${HOME}",
        "To: x@example.org",
    ],
)
def test_a_name_is_data_and_stays_what_it_is(name: str, tmp_path: Path) -> None:
    quoted = name.replace('"', '""')
    people, problems = read(file(tmp_path, f'email,name\njo@example.org,"{quoted}"\n'))
    assert people == [{"email": "jo@example.org", "name": name}]
    assert problems == []


def test_a_line_break_in_a_note_costs_nobody_the_mail(tmp_path: Path) -> None:
    content = (
        "email,name,note\r\n"
        'jo@example.org,Jo,"first line\r\n  second\tline\vthird\rfourth"\r\n'
        "al@example.org,Al,plain\r\n"
        "eve@@example.org,Eve,\r\n"
    )
    assert read(file(tmp_path, content)) == (
        [
            {
                "email": "jo@example.org",
                "name": "Jo",
                "note": "first line second line third fourth",
            },
            {"email": "al@example.org", "name": "Al", "note": "plain"},
        ],
        [
            "5: 'eve@@example.org' is not an address: the part after the @-sign contains invalid"
            " characters: '@'"
        ],
    )


@pytest.mark.parametrize(
    ("cell", "name"),
    [
        ("jo@example.org", None),
        ("Jo Bloggs <jo@example.org>", "Jo Bloggs"),
        ("<jo@example.org>", None),
        ('"Bloggs, Jo" <jo@example.org>', "Bloggs, Jo"),
        (r'"Jo \"the man\" Bloggs" <jo@example.org>', 'Jo "the man" Bloggs'),
        ("Bloggs, Jo <jo@example.org>", "Bloggs, Jo"),
        ("jo@example.org <jo@example.org>", None),
    ],
)
def test_a_list_of_one_column_may_have_names_beside_the_addresses(
    cell: str, name: str | None, tmp_path: Path
) -> None:
    person = {"email": "jo@example.org"} | ({"name": name} if name else {})
    assert read(file(tmp_path, f"email\n{cell}\n")) == ([person], [])


def test_a_name_in_the_address_cell_gives_way_to_a_column_that_has_one(tmp_path: Path) -> None:
    content = 'email,name\n"Jo <jo@example.org>",Jo B.\n"Al <al@example.org>",\n'
    assert read(file(tmp_path, content))[0] == [
        {"email": "jo@example.org", "name": "Jo B."},
        {"email": "al@example.org", "name": "Al"},
    ]


def test_a_first_name_is_never_made_up_from_a_name(tmp_path: Path) -> None:
    people, _ = read(file(tmp_path, "email,name\njo@example.org,Jo Bloggs\n"))
    assert people == [{"email": "jo@example.org", "name": "Jo Bloggs"}]


def test_a_missing_list_says_how_to_make_one(tmp_path: Path) -> None:
    path = tmp_path / "recipients.csv"
    assert refusal(path) == Problem(path, None, "does not exist")


def test_a_folder_is_no_list(tmp_path: Path) -> None:
    assert refusal(tmp_path) == Problem(tmp_path, None, "is not an ordinary file")


def test_a_list_can_be_read_twice(tmp_path: Path) -> None:
    listing = ListFile.open(file(tmp_path, PLAIN))
    assert list(listing.records()) == list(listing.records())
    assert [record.line for record in listing.records()] == [2, 3, 4]


def test_another_program_in_the_process_may_have_lowered_the_limit_for_values(
    tmp_path: Path,
) -> None:
    before = csv.field_size_limit(10)
    try:
        assert read(file(tmp_path, PLAIN)) == (PEOPLE, [])
    finally:
        csv.field_size_limit(before)
