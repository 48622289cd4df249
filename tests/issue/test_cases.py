"""Golden cases: ``cases/<name>.md`` and what becomes of it, in a file beside it.

That is ``<name>.json``, the whole issue as data, or ``<name>.problems.txt`` for a faulty one. After
a change that is meant to change them, write them anew and read the difference::

    BRIEFMAIL_REWRITE_CASES=1 pytest tests/issue/test_cases.py && git diff tests/issue/cases

In the data a key with an empty value is left out, HTML is a list of lines, a tree has a line for
each node (line in the file, kind, text, attributes), and the digits that all tokens of an issue
have in common read ``NONCE``.
"""

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import fields
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from briefmail.config import Mailbox
from briefmail.errors import IssueError
from briefmail.issue import Content, Issue, Node, Section, Story, Tag, read_issue

CASES = Path(__file__).parent / "cases"
SOURCES = sorted(CASES.glob("*.md"))
REWRITE = os.environ.get("BRIEFMAIL_REWRITE_CASES") == "1"


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.stem)
def test_the_issue_is_read_as_its_case_says(source: Path) -> None:
    """Each file gives exactly the issue, or exactly the problems, that stand beside it."""
    name, outcome = outcome_of(source)
    expected = CASES / name
    if REWRITE:
        for old in (source.with_suffix(".json"), source.with_suffix(".problems.txt")):
            old.unlink(missing_ok=True)
        expected.write_text(outcome, encoding="utf-8", newline="\n")
    assert expected.exists(), outcome
    assert outcome == expected.read_text(encoding="utf-8")


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.stem)
def test_a_byte_order_mark_and_crlf_change_nothing(source: Path, tmp_path: Path) -> None:
    """What Notepad saved is the same issue, with the same lines."""
    copy = tmp_path / source.name
    text = source.read_text(encoding="utf-8")
    copy.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    assert outcome_of(copy) == outcome_of(source)


def outcome_of(path: Path) -> tuple[str, str]:
    """Return the name of the file that should hold what becomes of ``path``, and its text."""
    try:
        issue = read_issue(path)
    except IssueError as error:
        problems = [f"{path.name}:{problem.line}: {problem.text}" for problem in error.problems]
        return f"{path.stem}.problems.txt", "\n".join(problems) + "\n"
    text = json.dumps(issue_data(issue), ensure_ascii=False, indent=1) + "\n"
    return f"{path.stem}.json", text.replace(issue.nonce, "NONCE")


def issue_data(issue: Issue) -> dict[str, Any]:
    """Lay out a whole issue as JSON can hold it, without what is the same by construction."""
    data = {item.name: _data(getattr(issue, item.name)) for item in fields(issue)}
    del data["path"], data["nonce"], data["markdown_line"]
    return {name: value for name, value in data.items() if value}


def _data(value: Any) -> Any:
    match value:
        case Content():
            return _full(html=value.html.splitlines(), nodes=list(_tree(value.nodes)))
        case Section() | Story():
            return _full(**{item.name: _data(getattr(value, item.name)) for item in fields(value)})
        case Tag():
            return f"{value.line} {value.token} {value.source}"
        case tuple() | list():
            return [_data(item) for item in value]
        case dict():
            return {key: _data(item) for key, item in value.items()}
        case None | bool() | int() | float() | str():
            return value
    assert isinstance(value, Mailbox | Path | date)
    return str(value)


def _full(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value}


def _tree(nodes: Sequence[Node], depth: int = 0) -> Iterator[str]:
    for node in nodes:
        words = [repr(node.text)] if node.text else []
        words += [f"{name}={value!r}" for name, value in node.attributes.items() if value]
        yield " ".join([f"{node.line}{'  ' * depth}", node.kind, *words])
        yield from _tree(node.children, depth + 1)
