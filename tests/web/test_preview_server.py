"""The preview's server by HTTP: who may ask, what the mail may do, what it is told."""

import json
import re
import threading
import time
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from table import ISSUE, lay_table

from briefmail.newsletter import Newsletter
from briefmail.web import PreviewServer

PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c4944415408d763f8cfc000"
    "0003010100c9fe92ef0000000049454e44ae426082"
)


class Visitor:
    """Asks the server as a browser would, with any path and any Host."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        assert parts.hostname == "127.0.0.1"
        self.port, self.base = parts.port, parts.path
        self.headers: dict[str, str] = {}

    def get(self, path: str, *, host: str = "", whole: bool = False) -> tuple[int, str]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        headers = {"Host": host or f"127.0.0.1:{self.port}"}
        connection.request("GET", path if whole else self.base + path, headers=headers)
        answer = connection.getresponse()
        self.headers = dict(answer.getheaders())
        return answer.status, answer.read().decode("utf-8", "replace")

    def data(self, path: str) -> Any:
        status, text = self.get(path)
        assert status == 200, text
        return json.loads(text)

    def post(self, path: str, body: Any) -> tuple[int, Any]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = {"Content-Type": "application/json"}
        connection.request("POST", self.base + path, json.dumps(body), headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())


@pytest.fixture
def issue(tmp_path: Path) -> Path:
    return lay_table(tmp_path)


@pytest.fixture
def visitor(issue: Path) -> Any:
    newsletter = Newsletter.open(issue, environ={})
    with newsletter.desk(issue) as desk, PreviewServer(desk) as server:
        desk.look()
        yield Visitor(server.url)


def test_without_the_token_every_answer_is_403(visitor: Visitor) -> None:
    """Whoever else is on this machine must not read the list."""
    for path in ("/", "/state", "/mail", "/people", "/wrong-token/", "/x/people"):
        assert visitor.get(path, whole=True)[0] == 403
    assert visitor.get("")[0] == 200


def test_a_page_elsewhere_cannot_ask_under_a_name_of_its_own(visitor: Visitor) -> None:
    """DNS rebinding: the name leads here, but it is not ours."""
    assert visitor.get("", host=f"evil.example:{visitor.port}")[0] == 403


def test_the_mail_may_load_nothing_and_run_nothing(visitor: Visitor) -> None:
    """And its links for leaving do nothing."""
    status, page = visitor.get("mail")
    assert status == 200
    policy = visitor.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert visitor.headers["Cache-Control"] == "no-store"
    assert "Dear Mòrag," in re.sub(r"\s+", " ", page)
    assert "mailto:leave@example.org?subject=Unsubscribe%20%28test%29" in page
    assert "Unsubscribe%20morag" not in page


def test_the_colour_scheme_is_the_buttons_and_not_the_browsers(visitor: Visitor) -> None:
    """Each media query for one is decided before the page is sent."""
    dark, light = visitor.get("mail?scheme=dark")[1], visitor.get("mail?scheme=light")[1]
    assert "prefers-color-scheme" not in dark + light
    assert "@media (min-width: 0)" in dark
    assert "@media (max-width: 0)" in light


def test_pictures_come_from_here_and_none_from_the_web(tmp_path: Path) -> None:
    """Embedded ones are served by their Content-ID; what stands on the web is left out."""
    path = lay_table(tmp_path, ISSUE + "\n![A dot](dot.png)\n\n![Far](https://example.org/x.png)\n")
    (path.parent / "dot.png").write_bytes(PIXEL)
    newsletter = Newsletter.open(path, environ={})
    with newsletter.desk(path) as desk, PreviewServer(desk) as server:
        desk.look()
        visitor = Visitor(server.url)
        page = visitor.get("mail")[1]
        assert "https://example.org/x.png" not in page
        (source,) = re.findall(r'src="(/[^"]+)"', page)
        status, _ = visitor.get(source.replace("&amp;", "&"), whole=True)
        assert (status, visitor.headers["Content-Type"]) == (200, "image/png")
        assert 'src="/' not in visitor.get("mail?pictures=off")[1]


def test_a_copy_is_that_of_whoever_is_asked_for(visitor: Visitor) -> None:
    """And of the first person on the list if it is nobody there."""
    copy = visitor.data("copy?as=ian@example.org")
    assert copy["person"] == {
        "key": "ian@example.org",
        "name": "Ian Reid",
        "address": "ian@example.org",
    }
    assert dict(copy["headers"])["To"] == "Ian Reid <ian@example.org>"
    assert "Dear Ian," in copy["text"]
    assert 0 < copy["html_size"] < copy["size"]
    assert visitor.data("copy?as=nobody@example.org")["person"]["name"] == "Mòrag MacAskill"


def test_the_list_is_searched_in_names_and_addresses_whatever_the_case(visitor: Visitor) -> None:
    """Accents and all."""
    assert [p["name"] for p in visitor.data("people?words=M%C3%92RAG")] == ["Mòrag MacAskill"]
    assert [p["name"] for p in visitor.data("people?words=ian@")] == ["Ian Reid"]
    assert len(visitor.data("people")) == 2


def test_a_test_copy_goes_where_it_is_told_as_the_reader_who_is_shown(
    visitor: Visitor, tmp_path: Path
) -> None:
    """The same as ``send --test``: without a relay it is filed."""
    status, said = visitor.post("test", {"to": "me@example.net", "as": "ian@example.org"})
    assert (status, said) == (200, {"text": "test copy for me@example.net: filed in outbox/new"})
    (filed,) = (tmp_path / "outbox" / "new").iterdir()
    assert b"Subject: [Test] The harbour is open again" in filed.read_bytes()
    assert b"Ian" in filed.read_bytes()
    status, said = visitor.post("test", {"to": "nowhere"})
    assert status == 422
    assert "nowhere" in said["error"]


def test_another_site_cannot_send_a_test_by_a_form(visitor: Visitor, tmp_path: Path) -> None:
    """A form cannot send JSON, and nothing else is taken."""
    connection = HTTPConnection("127.0.0.1", visitor.port, timeout=10)
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    connection.request("POST", f"{visitor.base}test", "to=me@example.net", headers)
    assert connection.getresponse().status == 415
    assert not (tmp_path / "outbox").exists()


def test_a_fault_is_told_with_its_line_and_the_last_good_version_stays(
    visitor: Visitor, issue: Path
) -> None:
    """And when it is mended, it is gone."""
    before = visitor.data("state")["version"]
    issue.write_text(ISSUE.replace("{{ first_name", "{{ first_name ^"), "utf-8")
    state = visitor.data(f"state?version={before}")
    assert (state["stale"], state["problems"][0]["line"]) == (True, 7)
    assert "Dear Mòrag," in re.sub(r"\s+", " ", visitor.get("mail")[1])
    issue.write_text(ISSUE.replace("open again", "shut again"), "utf-8")
    state = visitor.data(f"state?version={state['version']}")
    assert (state["stale"], state["problems"]) == (False, [])
    assert "shut again" in visitor.get("mail")[1]


def test_nothing_is_told_twice(visitor: Visitor) -> None:
    """The page asks four times a second; what it knows is not said again."""
    until = time.monotonic() + 20
    while visitor.data("state")["checked"] is None:
        assert time.monotonic() < until
        time.sleep(0.05)
    version = visitor.data("state")["version"]
    assert visitor.data(f"state?version={version}") == {"version": version}


def test_a_list_that_breaks_while_it_is_checked_is_a_problem_too(issue: Path) -> None:
    """The checks read it once more, in a thread of their own; nobody waits for them for ever."""
    people = issue.parents[1] / "recipients.csv"

    def now() -> datetime:
        if threading.current_thread() is not threading.main_thread():  # the checks begin
            people.write_bytes(b"\x00\x01\x02")
        return datetime(2016, 9, 6, tzinfo=UTC)

    newsletter = Newsletter(Newsletter.open(issue, environ={}).config, now=now)
    with newsletter.desk(issue) as desk:
        desk.look()
        until = time.monotonic() + 20
        while not desk.look().problems:
            assert time.monotonic() < until
            time.sleep(0.02)
        assert desk.look().problems[0].path == people
        assert desk.look().edition is not None
