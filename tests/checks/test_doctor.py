"""``briefmail doctor``: the domain's records, the clock, the ledger and the settings.

The domain name system is a table here; a real relay is met in ``tests/delivery``.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from briefmail import config
from briefmail.checks import SENDER_RULES, NamesUnavailableError, Sender
from briefmail.checks.domain import spf
from briefmail.checks.names import Kind
from briefmail.config import Relay
from briefmail.newsletter import Newsletter

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
DOMAIN = "kirkbrae.scot"
TOML = """\
[newsletter]
name = "The Briefing"
from = "The Briefing <briefing@kirkbrae.scot>"
[editor]
email = "catriona@kirkbrae.scot"
"""
GOOD = {
    (DOMAIN, "TXT"): ("google-site-verification=x", "v=spf1 mx include:_spf.host.example ~all"),
    ("_spf.host.example", "TXT"): ("v=spf1 ip4:192.0.2.0/24 -all",),
    (f"_dmarc.{DOMAIN}", "TXT"): ("v=DMARC1; p=none; rua=mailto:d@kirkbrae.scot",),
    (DOMAIN, "MX"): ("10 mail.kirkbrae.scot.",),
}


class Table:
    """A domain name system with these records and no others."""

    def __init__(self, records: Mapping[tuple[str, str], tuple[str, ...]]) -> None:
        self._records = records

    def records(self, name: str, kind: Kind) -> tuple[str, ...]:
        return self._records.get((name, kind), ())


class Silence:
    """A network without name servers."""

    def records(self, name: str, kind: Kind) -> tuple[str, ...]:
        raise NamesUnavailableError("no answer in 5 seconds")


def said(
    root: Path,
    records: Mapping[tuple[str, str], tuple[str, ...]] = GOOD,
    *,
    toml: str = TOML,
    environ: Mapping[str, str] | None = None,
    now: datetime = NOW,
) -> list[str]:
    """Return what doctor finds, a line each, without that no relay is set."""
    (root / "briefmail.toml").write_text(toml, "utf-8")
    settings = Newsletter.open(root, environ=environ or {}).config
    report = Newsletter(settings, now=lambda: now).doctor(Table(records))
    return [
        f"{found.rule} {found.severity}: {found.text} -> {found.cure}"
        for found in report.findings
        if found.rule != "no-relay"
    ]


def with_record(name: str, kind: str, *texts: str) -> dict[tuple[str, str], tuple[str, ...]]:
    return {**GOOD, (name, kind): texts}


def test_a_domain_in_order_is_passed_in_silence(tmp_path: Path) -> None:
    assert said(tmp_path) == []


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (
            (),
            "spf warning: kirkbrae.scot has no SPF record"
            ' -> publish at kirkbrae.scot: TXT "v=spf1 mx ~all"',
        ),
        (
            ("v=spf1 mx ~all", "v=spf1 a -all"),
            "spf error: kirkbrae.scot has 2 SPF records, so none of them counts"
            " -> put them together into one",
        ),
        (
            ("v=spf1 mx includ:x.example ~all",),
            "spf error: the SPF record of kirkbrae.scot has 'includ:x.example', which makes all of"
            " it void -> take the word out: v=spf1 mx includ:x.example ~all",
        ),
        (
            ("v=spf1 mx +all",),
            "spf error: the SPF record of kirkbrae.scot ends with +all: anybody may send in your"
            ' name -> publish at kirkbrae.scot: TXT "v=spf1 mx ~all"',
        ),
        (
            ("v=spf1 " + " ".join(f"a:h{n}.example" for n in range(11)) + " ~all",),
            "spf error: the SPF record of kirkbrae.scot needs 11 look-ups, and after 10 it is void"
            " -> take out what you do not use",
        ),
    ],
)
def test_an_spf_record_that_is_wrong(tmp_path: Path, texts: tuple[str, ...], expected: str) -> None:
    """RFC 7208; the record to publish is said as it is to be typed."""
    assert said(tmp_path, with_record(DOMAIN, "TXT", *texts)) == [expected]


def test_look_ups_are_counted_through_what_is_included_even_in_a_circle(tmp_path: Path) -> None:
    """RFC 7208 section 4.6.4; a circle has no end, and counting has."""
    records = with_record(DOMAIN, "TXT", "v=spf1 include:a.example ~all")
    records["a.example", "TXT"] = ("v=spf1 include:b.example ~all",)
    records["b.example", "TXT"] = ("v=spf1 include:a.example ~all",)
    (fault,) = said(tmp_path, records)
    assert fault.startswith(f"spf error: the SPF record of {DOMAIN} needs 1")


def test_a_known_relay_has_to_be_in_the_record() -> None:
    """The exact record is given."""
    relay = Relay("email-smtp.eu-west-1.amazonaws.com", 587, "starttls")
    letter = config.Newsletter(sender=config.Mailbox("", f"briefing@{DOMAIN}"))
    settings = config.Config(Path(), None, newsletter=letter, relay=relay)
    sender = Sender(settings, Table(GOOD), None, None, None, None, NOW)
    (found,) = spf.look(sender)
    assert found.text == f"the SPF record of {DOMAIN} does not name your relay's amazonses.com"
    assert found.cure == (
        'publish at kirkbrae.scot: TXT "v=spf1 include:amazonses.com mx'
        ' include:_spf.host.example ~all"'
    )


def test_a_relay_that_cannot_be_reached_is_an_error(tmp_path: Path) -> None:
    """It is met as a send would meet it."""
    environ = {"SMTP_HOST": "127.0.0.1", "SMTP_PORT": "9", "SMTP_SECURITY": "none"}
    fault, unsigned = said(tmp_path, environ=environ)
    assert fault.startswith("relay-refuses error: 127.0.0.1:9 cannot be reached:")
    assert unsigned.startswith("dkim info: we do not sign our mail; does the relay?")


@pytest.mark.parametrize(
    ("name", "texts", "expected"),
    [
        (
            f"_dmarc.{DOMAIN}",
            (),
            "dmarc warning: kirkbrae.scot has no DMARC record"
            ' -> publish at _dmarc.kirkbrae.scot: TXT "v=DMARC1; p=none"',
        ),
        (
            f"_dmarc.{DOMAIN}",
            ("v=DMARC1; rua=mailto:x@example.org",),
            "dmarc error: the DMARC record of kirkbrae.scot has no policy:"
            " v=DMARC1; rua=mailto:x@example.org"
            ' -> publish at _dmarc.kirkbrae.scot: TXT "v=DMARC1; p=none"',
        ),
    ],
)
def test_a_dmarc_record_that_is_wrong(
    tmp_path: Path, name: str, texts: tuple[str, ...], expected: str
) -> None:
    assert said(tmp_path, with_record(name, "TXT", *texts)) == [expected]


def test_a_domain_below_another_has_its_dmarc_record(tmp_path: Path) -> None:
    """RFC 7489 section 6.6.3."""
    records = {
        **GOOD,
        ("news.kirkbrae.scot", "TXT"): ("v=spf1 mx ~all",),
        ("news.kirkbrae.scot", "MX"): ("10 mail.kirkbrae.scot.",),
    }
    toml = TOML.replace("briefing@kirkbrae.scot", "briefing@news.kirkbrae.scot")
    assert said(tmp_path, records, toml=toml) == []


@pytest.mark.parametrize(
    ("texts", "what"),
    [(("0 .",), "says that it takes no mail at all (null MX)"), ((), "has no mail server")],
)
def test_a_domain_that_takes_no_mail(tmp_path: Path, texts: tuple[str, ...], what: str) -> None:
    """The settings that name it are named."""
    toml = f'{TOML}[mail]\nbounce_address = "bounces@kirkbrae.scot"\n'
    (fault,) = said(tmp_path, with_record(DOMAIN, "MX", *texts), toml=toml)
    assert fault.startswith(f"mx warning: kirkbrae.scot (from, bounce_address) {what} -> ")


def test_a_key_of_ours_has_to_be_in_dns(tmp_path: Path) -> None:
    """The very one, however the record is spaced; the text to publish is given."""
    said(tmp_path)
    key = Newsletter.open(tmp_path, environ={}).new_dkim_key("ed25519")
    toml = f"{TOML}[dkim]\n" + "\n".join(key.settings) + "\n"
    name, text = key.record.name, key.record.text
    assert said(tmp_path, {**GOOD, (name, "TXT"): (text.replace(";", " ; "),)}, toml=toml) == []
    publish = f'publish at {name}: TXT "{text}"'
    assert said(tmp_path, toml=toml) == [
        f"dkim error: DNS has no record for the key at {name} -> {publish}"
    ]
    other = {**GOOD, (name, "TXT"): ("v=DKIM1; k=ed25519; p=AAAA",)}
    assert said(tmp_path, other, toml=toml) == [
        f"dkim error: DNS has another key at {name} than the one we sign with -> {publish}"
    ]
    key.path.unlink()
    (fault,) = said(tmp_path, toml=toml)
    assert fault.startswith("dkim error: ")


def test_without_a_network_nothing_is_claimed(tmp_path: Path) -> None:
    """What could not be asked is an info."""
    (tmp_path / "briefmail.toml").write_text(TOML, "utf-8")
    newsletter = Newsletter(Newsletter.open(tmp_path, environ={}).config, now=lambda: NOW)
    found = newsletter.doctor(Silence()).findings
    assert {one.severity for one in found} == {"info"}
    assert f"nothing is known of {DOMAIN}: no answer in 5 seconds" in {one.text for one in found}


def test_a_domain_that_stands_in_examples_is_nobodys(tmp_path: Path) -> None:
    """RFC 2606: there is nothing to ask."""
    assert said(tmp_path, {}, toml=TOML.replace(DOMAIN, "example.org")) == []


def test_settings_that_leave_the_editor_in_the_dark_or_links_open(tmp_path: Path) -> None:
    toml = TOML.partition("[editor]")[0]
    assert [line.split(":")[0] for line in said(tmp_path, toml=toml)] == ["nobody-told warning"]
    (fault,) = said(tmp_path, environ={"BRIEFMAIL_SECRET": "short"})
    assert fault.startswith("secret warning: BRIEFMAIL_SECRET has 5 characters only")


def test_a_clock_that_cannot_be_right(tmp_path: Path) -> None:
    """A battery that is empty starts again in the past."""
    (fault,) = said(tmp_path, now=datetime(2016, 1, 1, tzinfo=UTC))
    assert fault.startswith("clock error: this computer's clock says 2016-01-01")


def test_a_ledger_that_is_damaged(tmp_path: Path) -> None:
    """And one that is whole is passed."""
    (tmp_path / "recipients.csv").write_text("email\nada@example.org\n", "utf-8")
    (tmp_path / "briefmail.toml").write_text(TOML, "utf-8")
    Newsletter.open(tmp_path, environ={}).suppress("jo@example.org")
    assert said(tmp_path) == []
    store = next((tmp_path / ".briefmail").glob("*.sqlite3"))
    store.write_bytes(store.read_bytes()[:5000])
    for log in (tmp_path / ".briefmail").glob("*-wal"):
        log.unlink()
    (fault,) = said(tmp_path)
    assert fault.startswith("memory error: ")


def test_every_rule_for_senders_has_a_page() -> None:
    """A title, a reason, a cure and a source."""
    for rule in SENDER_RULES:
        assert rule.title
        assert rule.page
        assert rule.cure
        assert rule.source
