"""``check --links``: real requests to a real server on loopback."""

import socket
import ssl
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from web_site import Site, serving

from briefmail.checks import VISIT_RULES, Finding
from briefmail.checks.links.answer import Answer
from briefmail.checks.links.fetching import USER_AGENT, Manners, fetch_all
from briefmail.cli import cli
from briefmail.cli.door import status_of
from briefmail.newsletter import Newsletter

NOW = datetime(2016, 9, 6, 12, 0, tzinfo=UTC)
QUICK = Manners(connect=2, read=0.3, in_all=5, pause=0)


@pytest.fixture
def site() -> Iterator[Site]:
    with serving(Site()) as site:
        yield site


def fetch(site: Site, *paths: str, manners: Manners = QUICK) -> list[Answer]:
    """Ask for paths of the site; what came back, with the site's address taken off."""
    answers = fetch_all([site.url + path for path in paths], manners, sleep=lambda seconds: None)
    return [
        Answer(
            one.url.removeprefix(site.url),
            one.status,
            one.fault,
            one.final.removeprefix(site.url),
            one.permanent,
        )
        for one in answers.values()
    ]


def test_a_page_is_asked_for_once_by_head_under_our_name(site: Site) -> None:
    site.pages["/plan"] = (200, "")
    assert fetch(site, "/plan", "/plan") == [Answer("/plan", 200, final="/plan")]
    assert site.asked == [("HEAD", "/plan")]
    assert site.agents == {USER_AGENT}


def test_where_head_is_refused_get_is_tried(site: Site) -> None:
    site.pages = {"/a": (200, ""), "/b": (200, ""), "/c": (403, "")}
    site.heads = {"/a": 405, "/b": 404, "/c": 403}
    assert [answer.status for answer in fetch(site, "/a", "/b", "/c")] == [200, 200, 403]
    assert [method for method, path in site.asked if path == "/a"] == ["HEAD", "GET"]


def test_who_asks_for_patience_is_not_asked_again(site: Site) -> None:
    site.pages["/busy"] = (429, "")
    assert fetch(site, "/busy") == [Answer("/busy", 429, final="/busy")]
    assert site.asked == [("HEAD", "/busy")]


def test_redirects_are_followed_and_told_apart(site: Site) -> None:
    """All of them permanent, or one that is not."""
    site.pages = {
        "/old": (301, "/older"),
        "/older": (308, "/new"),
        "/now": (301, "/today"),
        "/today": (302, "/new"),
        "/new": (200, ""),
        "/round": (302, "/round"),
    }
    assert fetch(site, "/old", "/now", "/round") == [
        Answer("/old", 200, final="/new", permanent=True),
        Answer("/now", 200, final="/new"),
        Answer("/round", None, "redirects", "/round"),
    ]


def test_a_redirect_to_anything_but_the_web_is_not_followed(site: Site) -> None:
    site.pages["/app"] = (302, "file:///etc/passwd")
    assert fetch(site, "/app") == [Answer("/app", 302, final="/app")]


def test_what_does_not_answer_is_given_up(site: Site) -> None:
    """By request, and in all: what is then left was not asked."""
    site.stuck = {"/stuck", "/held"}
    assert fetch(site, "/stuck") == [Answer("/stuck", None, "timeout", "/stuck", True)]
    hasty = Manners(read=60, in_all=0.3, per_host=1, pause=0)
    assert [answer.fault for answer in fetch(site, "/held", "/x", manners=hasty)] == [
        "late",
        "late",
    ]


def test_no_host_is_asked_more_than_twice_at_a_time(site: Site) -> None:
    paths = [f"/{number}" for number in range(20)]
    site.pages = dict.fromkeys(paths, (200, ""))
    pauses: list[float] = []
    fetch_all([site.url + path for path in paths], Manners(pause=0.2), sleep=pauses.append)
    assert site.most_at_once <= 2
    assert pauses == [0.2] * 18  # two lanes of ten, and a pause between each two of them


def test_no_connection_no_address_and_a_foreign_certificate_are_told_apart() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        closed = free.getsockname()[1]
    with Tls(trustme.CA()) as port:
        urls = [
            f"http://127.0.0.1:{closed}/",
            f"https://localhost:{port}/",
            f"http://a{'b' * 70}.c/",
        ]
        faults = [answer.fault for answer in fetch_all(urls, QUICK).values()]
    assert faults == ["connection", "tls", "address"]


def test_a_good_certificate_is_accepted(tmp_path: Path) -> None:
    ca = trustme.CA()
    ca.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    manners = Manners(ca_certs=str(tmp_path / "ca.pem"))
    with Tls(ca) as port:
        (answer,) = fetch_all([f"https://localhost:{port}/"], manners).values()
    assert (answer.status, answer.fault) == (204, "")


# --- the rules ------------------------------------------------------------------------------------

BODY = """\
---
subject: The harbour is open again
date: 2016-09-07
preheader: What the council decided, and what comes next
---

[The plan](http://plan.example/a) and [the map](http://plan.example/b), again
[the plan, page 2](http://plan.example/a#page-2).

![The harbour](http://plan.example/harbour.png){width=300 height=200}

[Yours](http://plan.example/you?who={{ email }}), [theirs](http://members.example/x).
"""

ANSWERS = {
    ("link-gone", "error"): {"status": 404},
    ("link-fails", "warning"): {"status": 503},
    ("link-refused", "info"): {"status": 403},
    ("link-moved", "info"): {"status": 200, "final": "http://new.example/b", "permanent": True},
    ("link-moved", "warning"): {"status": 200, "final": "http://plan.example/"},
}


@pytest.mark.parametrize(("expected", "answer"), ANSWERS.items(), ids="-".join)
def test_an_answer_becomes_a_finding_on_the_line_of_each_use(
    expected: tuple[str, str], answer: Mapping[str, object], tmp_path: Path
) -> None:
    faulty = {"http://plan.example/a": answer}
    said = [(one.rule, one.severity, one.line) for one in check(tmp_path, faulty)]
    assert said == [(*expected, 7), (*expected, 8)]


def test_every_rule_about_answers_is_tried() -> None:
    assert {rule.id for rule in VISIT_RULES} == {rule for rule, _ in ANSWERS}


@pytest.mark.parametrize("fault", ["connection", "tls", "timeout", "redirects", "late"])
def test_a_server_that_fails_is_a_warning(fault: str, tmp_path: Path) -> None:
    (found,) = check(tmp_path, {"http://plan.example/b": {"status": None, "fault": fault}})
    assert (found.rule, found.severity, found.line) == ("link-fails", "warning", 7)


def test_a_host_that_is_not_there_is_an_error_only_if_others_are(tmp_path: Path) -> None:
    """Else this machine may be the one that has no network."""
    nobody = {"status": None, "fault": "name", "final": "http://plan.example/b"}
    (found,) = check(tmp_path, {"http://plan.example/b": nobody})
    assert (found.rule, found.severity) == ("link-gone", "error")
    (found,) = check(tmp_path, {"http://plan.example/b": nobody})  # the others are remembered
    assert (found.rule, found.severity) == ("link-gone", "warning")


def test_what_was_there_is_not_asked_for_again_for_a_day(tmp_path: Path) -> None:
    """What was not there is, and so is everything if the file has come to harm."""
    asked: list[str] = []
    gone = {"http://plan.example/b": {"status": 404}}
    check(tmp_path, gone, asked=asked)
    check(tmp_path, {}, asked=asked, now=NOW + timedelta(hours=23))
    first = [f"http://plan.example/{page}" for page in ("a", "b", "harbour.png")]
    assert asked == [*first, "http://plan.example/b"]
    asked.clear()
    check(tmp_path, {}, asked=asked, now=NOW + timedelta(hours=25))
    assert asked == ["http://plan.example/a", "http://plan.example/harbour.png"]
    asked.clear()
    (tmp_path / ".briefmail" / "links.json").write_text("[[1, 2", "utf-8")
    check(tmp_path, {}, asked=asked)
    assert asked == first


def test_the_command_asks_and_says(
    site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Over the network, from the command line; addresses with a merge field are left alone."""
    site.pages["/a"] = (200, "")
    (tmp_path / "briefmail.toml").write_text(
        "[checks]\nallow_links = ['http://members.example/']\n"
    )
    issue = tmp_path / "issues" / "2016-09-07.md"
    issue.parent.mkdir()
    issue.write_text(BODY.replace("http://plan.example", site.url), "utf-8")
    assert status_of(cli, ["check", "--links", str(issue)]) == 65
    said = f"2016-09-07.md:7: {site.url}/b is not there (404) [link-gone]"
    assert said in capsys.readouterr().out
    assert sorted({path for _, path in site.asked}) == ["/a", "/b", "/harbour.png"]


def check(
    root: Path,
    faulty: Mapping[str, Mapping[str, object]],
    *,
    asked: list[str] | None = None,
    now: datetime = NOW,
) -> list[Finding]:
    """Check BODY with these answers, all others good; what the rules about answers say of it."""
    from briefmail.checks import proof_of, run_rules, visit_links
    from briefmail.newsletter.lists import STAND_IN

    (root / "briefmail.toml").write_text("[checks]\nallow_links = ['http://members.example/']\n")
    issue = root / "issue.md"
    issue.write_text(BODY, "utf-8")
    newsletter = Newsletter(Newsletter.open(root, environ={}).config, now=lambda: now)
    proof = proof_of(newsletter.edition(issue), newsletter.config, STAND_IN, now)

    def answers(urls: Iterable[str]) -> Mapping[str, Answer]:
        if asked is not None:
            asked.extend(urls)
        return {
            url: Answer(url, **{"final": url, **faulty.get(url, {"status": 200})}) for url in urls
        }

    return run_rules(VISIT_RULES, visit_links(proof, answers), issue)


class Tls:
    """A server on loopback whose certificate ``ca`` has signed, and that answers 204 once."""

    def __init__(self, ca: trustme.CA) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        ca.issue_cert("localhost").configure_cert(self._context)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> int:
        self._thread.start()
        return int(self._listener.getsockname()[1])

    def __exit__(self, *error: object) -> None:
        with suppress(OSError):  # some systems have no more to shut down
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
                with self._context.wrap_socket(connection, server_side=True) as secure:
                    secure.recv(4096)
                    secure.sendall(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
            except ssl.SSLError:
                continue
            except OSError:
                return
