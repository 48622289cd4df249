"""Files that are not what they seem: one clear problem each, whatever the bytes are."""

from pathlib import Path

import pytest

from briefmail.errors import IssueError, Problem
from briefmail.issue import read_issue

TEXT = "---\nsubject: Mòrag’s ferry\n---\nHello.\n"


def problems_of(path: Path, data: bytes) -> list[tuple[int | None, str]]:
    """Write ``data`` to ``path``, read it as an issue, and return what is wrong."""
    path.write_bytes(data)
    with pytest.raises(IssueError) as caught:
        read_issue(path)
    assert caught.value.exit_status == 65
    assert all(problem.path == path for problem in caught.value.problems)
    return [(problem.line, problem.text) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("data", "line", "looks_like"),
    [
        (TEXT.encode("utf-16"), 1, "UTF-16, which Windows calls 'Unicode'"),
        (b"# Ferry\n\nM\xf2rag\x92s.\n", 3, "Windows-1252"),
        (b"# Ferry\n\nM\xf2rag.\n", 3, "Latin-1 or Windows-1252"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\xff" + b"x" * 300, 1, "a binary file"),
    ],
    ids=["utf-16", "windows-1252", "latin-1", "picture"],
)
def test_a_file_that_is_not_utf_8_is_named_for_what_it_looks_like(
    tmp_path: Path, data: bytes, line: int, looks_like: str
) -> None:
    """An editor cannot see an encoding, so the message says which one to look for."""
    text = f"is not UTF-8 (it looks like {looks_like}); save it as UTF-8"
    assert problems_of(tmp_path / "a.md", data) == [(line, text)]


@pytest.mark.parametrize(
    ("data", "line", "looks_like"),
    [
        (TEXT.encode("utf-16-le").replace(b"\xf2\x00", b"o\x00").replace(b"\x19 ", b"'\x00"), 1,
         "UTF-16, which Windows calls 'Unicode'"),
        (b"# Ferry\n\nOne" + b" word" * 60 + b"\n\x00\n", 4, "a binary file"),
    ],
    ids=["utf-16 without a mark", "a stray NUL"],
)  # fmt: skip
def test_a_nul_is_a_problem_with_its_line(
    tmp_path: Path, data: bytes, line: int, looks_like: str
) -> None:
    """A NUL is good UTF-8, and would end up in the mail."""
    text = f"holds a NUL character (it looks like {looks_like}); save it as UTF-8 text"
    assert problems_of(tmp_path / "a.md", data) == [(line, text)]


def test_a_file_of_ten_megabytes_is_refused_before_it_is_read(tmp_path: Path) -> None:
    """The longest real issues have some 100 kB."""
    text = "is 10.0 MB; an issue over 2 MB cannot be mailed"
    assert problems_of(tmp_path / "a.md", b"a" * 10_000_000) == [(None, text)]


def test_long_front_matter_is_refused(tmp_path: Path) -> None:
    """YAML is slow to read, and nobody writes so much of it."""
    data = f"---\nsubject: A\na: {'b' * 65_536}\n---\n".encode()
    text = "the front matter is longer than 64 kB; the text belongs below it"
    assert problems_of(tmp_path / "a.md", data) == [(1, text)]


@pytest.mark.parametrize("fence", ["---", "+++"])
@pytest.mark.parametrize("value", ["[" * 20_000, "9" * 5_000, "{a: " * 5_000])
def test_front_matter_that_would_break_its_reader_is_one_problem(
    tmp_path: Path, fence: str, value: str
) -> None:
    """Deep nesting and endless numbers are errors of the readers' own, and no syntax errors."""
    sign = ":" if fence == "---" else " ="
    data = f"{fence}\nsubject{sign} 'A'\nx{sign} {value}\n{fence}\n".encode()
    assert len(problems_of(tmp_path / "a.md", data)) == 1


def test_too_many_merge_tags_are_refused(tmp_path: Path) -> None:
    """Their numbers would run into those of the theme's own slots."""
    data = b"# A\n\n" + b"{{ a }}\n" * 9_001
    text = "more than 9,000 merge tags; is the file what it seems?"
    assert problems_of(tmp_path / "a.md", data) == [(9_003, text)]


def test_a_missing_file_says_how_to_begin_one(tmp_path: Path) -> None:
    """The hint names the command that makes an issue."""
    with pytest.raises(IssueError) as caught:
        read_issue(tmp_path / "none.md")
    assert caught.value.problems == (Problem(tmp_path / "none.md", None, "there is no such file"),)
    assert caught.value.hint == "'briefmail new \"A title\"' begins an issue"


def test_a_folder_is_not_an_issue(tmp_path: Path) -> None:
    """The words of the operating system are good enough to say why."""
    with pytest.raises(IssueError, match="cannot be read: "):
        read_issue(tmp_path)


@pytest.mark.parametrize(
    ("name", "date"),
    [
        ("2016-08-24.md", "2016-08-24"),
        ("2016-08-24-ferry.md", "2016-08-24"),
        ("2016-08-245.md", "None"),
        ("2016-13-45.md", "None"),
        ("ferry-2016-08-24.md", "None"),
    ],
)
def test_the_date_comes_from_the_file_name(tmp_path: Path, name: str, date: str) -> None:
    """A name that only looks like a date has none."""
    path = tmp_path / name
    path.write_text("# A title\n")
    assert str(read_issue(path).date) == date


def test_the_name_is_the_stem_unless_there_is_a_slug(tmp_path: Path) -> None:
    """The ledger knows an edition by it, so it must not change with the text."""
    path = tmp_path / "Résumé 2.md"
    path.write_text("# A title\n")
    assert read_issue(path).name == "Résumé 2"
    path.write_text("---\nslug: two\n---\n# A title\n")
    assert read_issue(path).name == "two"


def test_old_line_ends_are_read_too(tmp_path: Path) -> None:
    """A lone CR ended the lines of old Macs, and of some exports."""
    path = tmp_path / "a.md"
    path.write_bytes(b"---\rsubject: A\r---\rOne.\r\rTwo.\r")
    issue = read_issue(path)
    assert (issue.subject, issue.introduction.html) == ("A", "<p>One.</p>\n<p>Two.</p>")


def test_the_same_file_always_gives_the_same_tokens(tmp_path: Path) -> None:
    """A resumed send compares fingerprints of what was rendered."""
    path = tmp_path / "a.md"
    path.write_text("# A title\n\n{{ first_name }}\n")
    assert read_issue(path) == read_issue(path)


def test_a_token_is_never_a_word_of_the_issue(tmp_path: Path) -> None:
    """The digits that tokens have in common are chosen so that the text does not hold them."""
    path = tmp_path / "a.md"
    path.write_text("# A title\n\n{{ first_name }}\n")
    nonce = read_issue(path).nonce
    path.write_text(f"# A title\n\n{{{{ first_name }}}} {nonce}\n")
    assert read_issue(path).nonce != nonce
