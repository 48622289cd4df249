"""``check --dns``: which domains on the list take mail. The name system is a table here."""

import json
import threading
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from briefmail.audience import Domain
from briefmail.checks import (
    DNS_RULES,
    MailDomains,
    Names,
    NamesUnavailableError,
    ask_domains,
    run_rules,
)
from briefmail.checks.audience import mail_domains
from briefmail.checks.names import Kind

NOW = datetime(2016, 9, 6, 12, 0, tzinfo=UTC)
RECORDS = {
    ("kirkbrae.scot", "MX"): ("10 mx.kirkbrae.scot.",),
    ("old.example", "A"): ("192.0.2.1",),
    ("six.example", "AAAA"): ("2001:db8::1",),
    ("null.example", "MX"): ("0 .",),
    ("null.example", "A"): ("192.0.2.1",),
}


class Table:
    """A domain name system with :data:`RECORDS`; ``silent`` names get no answer."""

    def __init__(self, *silent: str) -> None:
        self.asked: list[str] = []
        self._silent = silent
        self._lock = threading.Lock()

    def records(self, name: str, kind: Kind) -> tuple[str, ...]:
        with self._lock:
            self.asked.append(name)
        if name in self._silent:
            raise NamesUnavailableError("no answer in 5 seconds")
        return RECORDS.get((name, kind), ())


def asked(root: Path, names: Names, domains: Iterable[str], now: datetime = NOW) -> MailDomains:
    rows = [Domain(name, number, number + 1) for number, name in enumerate(domains, 1)]
    return ask_domains(iter(rows), root / "recipients.csv", root, names, now)


def said(found: MailDomains) -> list[str]:
    return [
        f"{one.line or '-'} {one.severity}: {one.text}"
        for one in run_rules(DNS_RULES, found, found.path)
    ]


def test_a_domain_without_mx_or_address_and_one_with_a_null_mx_are_named(tmp_path: Path) -> None:
    domains = ["gone.example", "kirkbrae.scot", "null.example", "old.example", "six.example"]
    assert said(asked(tmp_path, Table(), domains)) == [
        "2 warning: gone.example (1 person) has no mail server",
        "4 warning: null.example (3 people) says that it takes no mail at all (null MX)",
    ]


def test_what_was_said_is_not_asked_again_within_a_day(tmp_path: Path) -> None:
    domains = ["gone.example", "kirkbrae.scot"]
    first = said(asked(tmp_path, Table(), domains))
    again = Table()
    assert said(asked(tmp_path, again, domains, NOW + timedelta(hours=23))) == first
    assert again.asked == []
    assert said(asked(tmp_path, again, domains, NOW + timedelta(hours=25))) == first
    assert set(again.asked) == set(domains)


def test_a_domain_without_an_answer_is_counted_and_asked_again(tmp_path: Path) -> None:
    first = asked(tmp_path, Table("kirkbrae.scot"), ["gone.example", "kirkbrae.scot"])
    assert said(first)[1:] == ["- info: the DNS does not answer for 1 of 2 domains"]
    again = Table()
    assert asked(tmp_path, again, ["gone.example", "kirkbrae.scot"]).unknown == 0
    assert again.asked == ["kirkbrae.scot"]


@pytest.mark.parametrize("text", ["", "[]", "{", '{"a": 1}', '{"a": ["", "yesterday"]}'])
def test_a_file_that_is_not_ours_is_written_anew(tmp_path: Path, text: str) -> None:
    (tmp_path / ".briefmail").mkdir()
    cache = tmp_path / ".briefmail" / "dns.json"
    cache.write_text(text)
    asked(tmp_path, Table(), ["kirkbrae.scot"])
    assert json.loads(cache.read_text()) == {"kirkbrae.scot": ["", NOW.isoformat()]}


def test_when_time_is_up_the_rest_is_counted_and_not_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail_domains, "BATCH", 1)
    times = iter([0.0, 1.0, 61.0, 62.0])
    table = Table()
    rows = [Domain(name, 1, 2) for name in ("kirkbrae.scot", "one.example", "two.example")]
    found = ask_domains(rows, tmp_path / "list.csv", tmp_path, table, NOW, lambda: next(times))
    assert said(found) == ["- info: 2 domains were not asked for: time was up"]
    assert set(table.asked) == {"kirkbrae.scot"}
