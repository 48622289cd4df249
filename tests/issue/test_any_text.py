"""What holds for every text, however nasty, that an editor could save in an issue file."""

import re
import tempfile
from collections.abc import Sequence
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from briefmail.errors import IssueError, Problem
from briefmail.issue import TOKEN, Issue, read_issue

FRONT_MATTER = [
    *"""\
subject: A
subject: {{ a }}
subject: [a]
date: 2016-08-24
date: 2016-13-45
date: 2021-(TODO: MM-DD)
status: draft
status: on
send_at: 2016-08-24
from: a@example.org
from: Smith, Jo <a@example.org>
a: &a [x]
b: *a
<<: {c: d}
? [a, b]
: c
x: !!bool maybe
x: !!timestamp now
x: !!python/name:os.system
x: 1:99
x: .inf
x: 0o9
x: =
x: ~
- item
  indented: 1
"open: 1
{
}
[
]
%YAML 1.1
# comment
slug: a/b
slug: 2016
attachments: [a, 5]
lang: gd
[table]
[[array]]
subject = "A"
x = 1979-05-27T07:32
x = 0x
x = {a = 1}
1: 2
!
@
`
x: 1:00:00:00:00.5
x: 0001-01-01T00:00:00+99:00""".splitlines(),
    *("\ttab: 1", "... ", 'x = """', "? ", ": "),
]

BODY = [
    *"""\
# T
## S
### H
---
===
<!-- more -->
<!--
-->
<!-- {% if a %} -->
{% if a %}
{% else %}
{% endif %}
{{ a }}
{{ a | default("}}") }}
{{
}}
{%
%}
`
``
```
~~~
    code
***
**
_
~~
[^1]
[^1]: note
[^1]:
^[inline]
^[
[a](b)
[a](https://example.org/{{ a }})
[a](javascript:alert(1))
[
]
(
)
![a](b.png){width=5}
![
{.c onclick=x}
{lang=gd}
{
}
[a]: javascript:x
[a]
| a | b |
|---|:-:|
|
::: pull-out
:::
<script>alert(1)</script>
<script>
</script>
<img src=x onerror=alert(1)>
<a href="javascript:alert(1)">
</a>
<b
<b title="<!--">
<svg/onload=alert(1)>
<style>
</style>
<iframe src=//x>
<table><tr><td>
<div>
</div>
</p>
<p>
<![CDATA[
]]>
<?php
?>
<!DOCTYPE x>
&lt;script&gt;
&#106;avascript:
&#x7b;{ a }}
\\{\\{ a }}
bm0123abcde0000x
bm0123abcds0001x
&nbsp;
\\
😀
é
'
"
…
/""".splitlines(),
    *("    ", "\t", "> ", "- ", "* ", "1. ", '" onmouseover=alert(1) '),
    *("\u2028", "\u200b", "\ufeff", "\x01", "\x0b", "\x0c", "\x85", "\ud7ff"),
]

FENCES = st.sampled_from(["---", "+++", "--- ", "----", ""])
GLUE = st.sampled_from(["", " ", "\n", "\n\n", "\n\n\n", "\r\n"])


@st.composite
def fragments(draw: st.DrawFn, pieces: list[str], most: int) -> str:
    """Nasty pieces and odd characters, stuck together in odd ways."""
    piece = st.one_of(st.sampled_from(pieces), st.text(max_size=4))
    chosen = draw(st.lists(st.tuples(piece, GLUE), max_size=most))
    return "".join(text + glue for text, glue in chosen)


@st.composite
def texts(draw: st.DrawFn) -> str:
    """A whole file: front matter of some kind, and a body."""
    body = draw(fragments(BODY, 14))
    fence = draw(FENCES)
    if not fence:
        return f"# A title\n\n{body}"
    lines = draw(
        st.lists(st.one_of(st.sampled_from(FRONT_MATTER), st.text(max_size=6)), max_size=5)
    )
    subject = draw(st.sampled_from(["subject: A", "subject = 'A'", ""]))
    return "\n".join([fence, subject, *lines, draw(FENCES), body])


MANY = settings(
    max_examples=400,
    deadline=timedelta(seconds=5),
    suppress_health_check=[HealthCheck.too_slow],
)


def read(text: str) -> Issue | None:
    """Read ``text`` as an issue file; None where it has problems."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "2016-08-24.md"
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        try:
            return read_issue(path)
        except IssueError as error:
            problems = error.problems
    check_problems(problems, len(re.split(r"\r\n|\r|\n", text)))
    return None


def check_problems(problems: Sequence[Problem], last: int) -> None:
    """Each has to stand on a line of the file, and its words on one line of a terminal."""
    assert problems
    for problem in problems:
        assert problem.line is None or 1 <= problem.line <= last, problem
        assert problem.text.isprintable(), problem


class Finder(HTMLParser):
    """Collects what must not be in a mail, as a browser would see it."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note tags that run, and attributes that do."""
        if tag in {"script", "style", "iframe", "svg", "object", "form", "h1", "link", "meta"}:
            self.found.append(tag)
        for name, value in attrs:
            bare = re.sub(r"[\x00-\x20]", "", value or "").lower()
            runs = re.match(r"(?:java|vb)script:|data:|file:", bare)
            if name.startswith("on") or name == "style" or (name in {"href", "src"} and runs):
                self.found.append(f"{tag} {name}={value}")

    handle_startendtag = handle_starttag


@MANY
@given(texts())
def test_any_text_is_an_issue_or_a_list_of_problems(text: str) -> None:
    """No traceback, and every problem has a line that the file has and words to print."""
    read(text)


@MANY
@given(fragments(BODY, 14))
def test_what_is_mailed_is_clean_and_knows_its_tokens(body: str) -> None:
    """Nothing in the HTML can run, and tokens and tags are the same set."""
    issue = read(f"---\nsubject: A\n---\n{body}")
    if issue is None:
        return
    finder = Finder()
    words = [issue.subject, issue.title, issue.preheader]
    for part in (*issue.sections, *issue.stories):
        words += [*part.before, *part.after]
    for content in issue.contents():
        finder.feed(content.html)
        words += [content.html]
        words += [w for node in content.walk() for w in (node.text, *node.attributes.values())]
    finder.close()
    assert finder.found == []
    tokens = {token for word in words for token in TOKEN.findall(word)}
    assert tokens == {tag.token for tag in issue.tags}
    assert set(TOKEN.findall(issue.markdown)) <= tokens


@pytest.mark.parametrize(
    "text",
    [
        "*a **b " * 3_000 + "c** d*" * 3_000,
        "![" * 5_000 + "](x)" * 5_000,
        "[" * 20_000,
        "> " * 3_000 + "x",
        "- " * 3_000 + "x",
        "^[" * 3_000 + "x" + "]" * 3_000,
        "<b>" * 20_000,
        "<div>\n\n" * 3_000,
        "[^1]" * 2_000 + "\n\n[^1]: a\n",
        "{{" * 10_000,
        "{% if a %}\n" * 3_000,
        "|a" * 2_000 + "|\n" + "|-" * 2_000 + "|\n",
        "`" * 20_000,
        "<!--" * 10_000,
        "&" * 50_000,
    ],
    ids=lambda text: text[:8].strip(),
)
def test_repetition_without_end_is_read_in_reasonable_time(text: str) -> None:
    """Nesting, delimiters and markup that invite a parser to run away."""
    read(f"# A title\n\n{text}\n")
