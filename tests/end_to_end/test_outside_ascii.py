"""Somebody whose address is not ASCII, through all commands: shown as it is written everywhere."""

import csv
import json
from pathlib import Path

import pytest
from command import Command, parse
from fake_relay import FakeRelay

from briefmail.audience import unsubscribe_token, verify_token

ADDRESS = "Mòrag@example.org"
IN_TWO_CHARACTERS = "mo\u0300rag@example.org"
REASON = "the relay takes no address outside ASCII: it does not offer SMTPUTF8"
OFFERS_IT = "250-relay.example.org\r\n250-8BITMIME\r\n250 SMTPUTF8"
EVERYBODY = ["ada@example.org", "ruaridh@example.org", "zoe@example.org", "hello@example.org"]


@pytest.fixture
def morag(starter: Path) -> Path:
    """Write Mòrag into the list, which is returned."""
    path = starter / "recipients.csv"
    with path.open("a", encoding="utf-8", newline="") as file:
        file.write(f"{ADDRESS},Mòrag,NicLeòid,Fife\n")
    return path


def test_before_the_send(briefmail: Command, letter: Path, morag: Path) -> None:
    shown = briefmail("preview", letter, "--as", IN_TWO_CHARACTERS)
    assert f"Mòrag NicLeòid <{ADDRESS}>" in shown.out
    morag.write_text(f"email\n{ADDRESS}\n", encoding="utf-8")
    dry = briefmail("send", letter, "--dry-run").out
    assert dry.startswith(f"{ADDRESS}\n")
    assert f"\nTo: {ADDRESS}\r\n" in dry
    planned = json.loads(briefmail("send", letter, "--dry-run", "--json").out)
    assert planned["recipients"] == [ADDRESS]
    assert f"\nTo: {ADDRESS}\r\n" in planned["first_message"]


def test_a_relay_that_does_not_take_it_gets_the_others_and_the_reason_is_everywhere(
    briefmail: Command, letter: Path, morag: Path, relay: FakeRelay
) -> None:
    result = briefmail("send", letter, "--yes")
    assert (result.status, result.totals["sent"]) == (0, 4)
    assert f"refused {ADDRESS}: {REASON}\n" in result.err
    assert relay.recipients == EVERYBODY
    assert REASON in briefmail("status", letter).out
    (group,) = json.loads(briefmail("status", letter, "--json").out)["replies"]
    assert (group["text"], group["example"]) == (REASON, ADDRESS)
    who = briefmail("who", IN_TWO_CHARACTERS).out
    assert who.startswith("mòrag@example.org\n")
    assert who.endswith(f"  {REASON}\n")
    (issue,) = json.loads(briefmail("who", ADDRESS, "--json").out)["issues"]
    assert (issue["address"], issue["state"], issue["reason"]) == (ADDRESS, "refused", REASON)
    briefmail("status", letter, "--failed-to", "failures.csv")
    with Path("failures.csv").open(encoding="utf-8-sig", newline="") as file:
        assert list(csv.reader(file))[1:] == [
            [ADDRESS, "Mòrag", "NicLeòid", "Fife", "refused", REASON]
        ]
    log = Path(".briefmail/log").read_text("utf-8").splitlines()
    assert [line.split("\t")[2:] for line in log if "M" in line.split("\t")[2]] == [
        [ADDRESS, "refused", REASON]
    ]


def test_once_the_relay_takes_it_she_can_be_tried_again_and_gets_it_once(
    briefmail: Command, letter: Path, morag: Path, relay: FakeRelay
) -> None:
    briefmail("send", letter, "--yes")
    relay.on("EHLO", OFFERS_IT)
    again = ("send", letter, "--yes", "--retry-refused", IN_TWO_CHARACTERS)
    assert briefmail(*again).totals["sent"] == 1
    assert briefmail("send", letter, "--yes").totals["sent"] == 0
    assert relay.recipients == [*EVERYBODY, ADDRESS]
    assert relay.commands.count("MAIL FROM:<editor@example.org> SMTPUTF8") == 1
    assert b"<" + ADDRESS.encode() + b">\r\n" in relay.received[-1].data


def test_she_is_one_person_however_it_is_written_and_stays_suppressed(
    briefmail: Command, letter: Path, morag: Path, relay: FakeRelay
) -> None:
    with morag.open("a", encoding="utf-8") as file:
        file.write(f"{IN_TWO_CHARACTERS},,,\nMÒRAG@EXAMPLE.ORG,,,\n")
    relay.on("EHLO", OFFERS_IT)
    assert briefmail("suppress", IN_TWO_CHARACTERS).out == "mòrag@example.org will not be mailed\n"
    result = briefmail("send", letter, "--yes")
    assert (result.totals["suppressed"], result.totals["duplicate"]) == (1, 2)
    assert relay.recipients == EVERYBODY


def test_her_link_for_leaving_says_who_she_is(
    briefmail: Command, starter: Path, letter: Path, morag: Path, relay: FakeRelay
) -> None:
    with (starter / "briefmail.toml").open("a", encoding="utf-8") as file:
        file.write('\n[mail]\nunsubscribe_url = "https://example.org/leave"\n')
    relay.on("EHLO", OFFERS_IT)
    assert briefmail("send", letter, "--yes", BRIEFMAIL_SECRET="s3cret").totals["sent"] == 5
    message = parse(relay.received[-1].data)
    list_id = message["List-Id"].rpartition("<")[2].rstrip(">")
    token = unsubscribe_token("s3cret", list_id, "mòrag@example.org")
    assert f"<https://example.org/leave?t={token}>" in message["List-Unsubscribe"]
    assert verify_token("s3cret", list_id, token) == "mòrag@example.org"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_a_test_copy_goes_to_such_an_address_too_or_says_why_not(
    briefmail: Command, letter: Path, relay: FakeRelay
) -> None:
    refused = briefmail("send", letter, "--test", ADDRESS)
    assert refused.out == f"test copy for {ADDRESS}, as ada@example.org: {REASON}\n"
    relay.on("EHLO", OFFERS_IT)
    assert briefmail("send", letter, "--test", ADDRESS).out.endswith(": sent\n")
    assert relay.recipients == [ADDRESS]


def test_a_mark_that_turns_the_direction_of_writing_never_reaches_the_terminal(
    briefmail: Command, letter: Path, morag: Path, relay: FakeRelay
) -> None:
    with morag.open("a", encoding="utf-8") as file:
        file.write("\u202egaròm@example.org,,,\n")
    result = briefmail("send", letter, "--yes")
    assert result.totals["invalid"] == 1
    assert (
        "'\\u202egaròm@example.org' is not an address: the email address contains unsafe"
        " characters: RIGHT-TO-LEFT OVERRIDE" in result.err
    )
    wrong = briefmail("who", "\u202egaròm@example.org")
    assert (wrong.status, "\\u202e" in wrong.err) == (2, True)
    assert "\u202e" not in result.err + result.out + wrong.err
