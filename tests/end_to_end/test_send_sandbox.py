"""``briefmail send`` without a relay: who gets it, what is counted, and what stops it."""

import json
import re
from pathlib import Path

import pytest
from command import FIRST, SECOND, Command, outbox, parse, part, recipients, tree

from briefmail import Newsletter

LIST = "email,first_name,region\n"


def people(folder: Path, *rows: str) -> None:
    """Write the list."""
    (folder / "recipients.csv").write_text(LIST + "\n".join(rows) + "\n", encoding="utf-8")


def write_issue(folder: Path, body: str, matter: str = "") -> Path:
    """Write an issue and return its path from the folder."""
    path = folder / "issues" / "mine.md"
    text = f"---\nsubject: Mine\ndate: 2016-08-24\n{matter}---\n\n{body}\n"
    path.write_text(text, encoding="utf-8")
    return path.relative_to(folder)


def test_it_says_where_the_messages_are_and_how_to_send_for_real(
    briefmail: Command, starter: Path, letter: Path
) -> None:
    result = briefmail("send", letter, "--yes")
    assert result.status == 0
    assert result.out == "4 rows in the list\n4 sent\n"
    assert result.err == (
        " Subject  Short\n"
        "    From  The editor <editor@example.org>\n"
        "   Relay  sandbox, into outbox/\n"
        "    List  recipients.csv: 4 rows\n"
        " To send  4 people\n"
        f"2 warnings: briefmail check {Path('issues/short.md')}\n"
        "No relay is set, so nothing left this machine: each message is a file in"
        f" {Path('outbox/new')}.\n"
        "Open one with your mail program. To send for real, set SMTP_HOST in .env.\n"
    )


def test_json_has_the_same_totals_and_nothing_else_is_on_standard_output(
    briefmail: Command, own: Path
) -> None:
    result = briefmail("send", SECOND, "--yes", "--json")
    assert result.status == 0
    found = json.loads(result.out)
    assert {"one-click-missing", "field-default"} <= {one["rule"] for one in found.pop("findings")}
    assert found == {
        "issue": "2016-09-07",
        "subject": "The island that bought its own harbour",
        "dry_run": False,
        "relay": None,
        "outbox": str(own / "outbox"),
        "copy": None,
        "totals": {
            "rows": 26,
            "sent": 24,
            "refused": 0,
            "deferred": 0,
            "uncertain": 0,
            "not_tried": 0,
            "already": 0,
            "by_hand": 0,
            "settled": 0,
            "expired": 0,
            "did_not_get": 0,
            "duplicate": 1,
            "invalid": 1,
            "opted_out": 0,
            "suppressed": 0,
            "filtered": 0,
        },
        "problems": [
            f"{own / 'recipients.csv'}:19: 'isla.example.org' is not an address: it has no @"
        ],
        "named": [],
        "error": None,
        "exit_status": 0,
    }


def test_every_row_is_counted_where_it_went(briefmail: Command, starter: Path) -> None:
    """Rows = sent + duplicate + invalid + opted out + suppressed + filtered + not tried."""
    (starter / "recipients.csv").write_text(
        "email,first_name,region,status\n"
        "a@example.org,A,Fife,subscribed\n"
        "A@EXAMPLE.ORG,A,Fife,subscribed\n"
        "b@example.org,B,Fife,unsubscribed\n"
        "c@example.org,C,Moray,subscribed\n"
        "d@example.org,D,Fife,subscribed\n"
        "not an address,E,Fife,subscribed\n"
        "f@example.org,F,Fife,subscribed\n"
        "g@example.org,G,Fife,subscribed\n"
    )
    briefmail("suppress", "d@example.org")
    issue = write_issue(starter, "Hello.")
    options = ("--only", 'region == "Fife"', "--limit", "2", "--yes", "--json")
    totals = json.loads(briefmail("send", issue, *options).out)["totals"]
    assert {name: number for name, number in totals.items() if number} == {
        "rows": 8,
        "sent": 2,
        "not_tried": 1,
        "duplicate": 1,
        "invalid": 1,
        "opted_out": 1,
        "suppressed": 1,
        "filtered": 1,
    }
    assert recipients(starter) == ["a@example.org", "f@example.org"]


def test_limit_tries_that_many_and_says_who_is_left(
    briefmail: Command, starter: Path, letter: Path
) -> None:
    result = briefmail("send", letter, "--yes", "--limit", "3")
    assert result.out == "4 rows in the list\n3 sent\n1 not tried\n"
    assert " To send  3 people, and 1 later\n" in result.err
    assert len(recipients(starter)) == 3


@pytest.mark.parametrize("number", ["0", "-1", "many"])
def test_limit_is_a_number_of_people(briefmail: Command, letter: Path, number: str) -> None:
    assert briefmail("send", letter, "--yes", "--limit", number).status == 2


def test_only_picks_by_the_columns_of_the_list(briefmail: Command, own: Path) -> None:
    result = briefmail("send", SECOND, "--yes", "--only", 'region == "Fife" and first_name')
    assert result.status == 0
    assert recipients(own) == ["zoe.adeyemi@example.org", "agnieszka.wojcik@example.org"]


def test_only_may_leave_nobody(briefmail: Command, starter: Path, letter: Path) -> None:
    result = briefmail("send", letter, "--yes", "--only", 'region == "Mars"')
    assert (result.status, result.out) == (
        0,
        "4 rows in the list\n0 sent\n4 left out by --only\n",
    )


@pytest.mark.parametrize(
    "expression",
    ["region ==", "", "region = 'Fife'", "regoin == 'Fife'", "''.__class__", "{{ region }}"],
)
def test_an_expression_that_makes_no_sense_stops_the_send(
    briefmail: Command, starter: Path, letter: Path, expression: str
) -> None:
    """An empty one too: it may be a variable of the shell that nobody has set."""
    result = briefmail("send", letter, "--yes", "--only", expression)
    assert (result.status, result.out) == (2, "")
    assert result.err.startswith("error: --only")
    assert not (starter / "outbox").exists()


def test_another_list_can_be_named_from_here_or_from_the_newsletters_folder(
    briefmail: Command, starter: Path, letter: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (starter / "board.csv").write_text("E-mail\nchair@example.org\n")
    assert briefmail("send", letter, "--yes", "--recipients", "board.csv").status == 0
    assert recipients(starter) == ["chair@example.org"]
    monkeypatch.chdir(starter.parent)
    again = briefmail("send", letter, "--yes", "--recipients", "board.csv")
    assert again.totals == {"row in the list": 1, "sent": 1}


def test_a_list_that_is_not_there_is_named(briefmail: Command, letter: Path) -> None:
    result = briefmail("send", letter, "--yes", "--recipients", "bord.csv")
    assert (result.status, result.out) == (65, "")
    assert result.err.startswith("bord.csv: does not exist\nhint: ")


def test_strict_list_stops_at_invalid_rows_and_names_them(briefmail: Command, own: Path) -> None:
    result = briefmail("send", FIRST, "--yes", "--strict-list")
    assert (result.status, result.out) == (65, "")
    assert result.err == (
        "recipients.csv:19: 'isla.example.org' is not an address: it has no @\n"
        "hint: correct the rows, or leave --strict-list out\n"
    )
    assert not (own / "outbox").exists()


def test_who_is_suppressed_gets_nothing_until_that_is_taken_back(
    briefmail: Command, starter: Path, letter: Path
) -> None:
    said = briefmail("suppress", "ADA@example.org", "--reason", "by phone")
    assert (said.status, said.out) == (0, "ADA@example.org will not be mailed\n")
    listed = briefmail("suppress", "--list").out
    assert re.fullmatch(r"\d{4}-\d\d-\d\d  ADA@example\.org  by phone\n", listed)
    result = briefmail("send", letter, "--yes")
    assert result.totals == {"rows in the list": 4, "sent": 3, "suppressed": 1}
    assert "ada@example.org" not in recipients(starter)
    assert briefmail("unsuppress", "ada@example.org").status == 0
    assert briefmail("send", letter, "--yes").totals == {"rows in the list": 4, "sent": 4}


def test_suppressing_in_the_wrong_folder_is_refused(
    briefmail: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Noted there, it would be forgotten, and the person mailed."""
    monkeypatch.chdir(tmp_path)
    result = briefmail("suppress", "ada@example.org")
    assert (result.status, result.out) == (2, "")
    assert "is not a newsletter's folder" in result.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "words", [("suppress", "--list"), ("unsuppress", "a@example.org"), ("status",)]
)
def test_asking_in_the_wrong_folder_is_refused(
    briefmail: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    result = briefmail(*words)
    assert (result.status, result.out) == (2, "")
    assert "is not a newsletter's folder" in result.err


def test_one_bad_address_among_others_and_nobody_is_suppressed(
    briefmail: Command, starter: Path
) -> None:
    bad = ("bad", "X Y <xy@example.org>")
    for verb in ("suppress", "unsuppress"):
        result = briefmail(verb, "a@example.org", *bad)
        assert (result.status, result.out) == (2, "")
        assert result.err.startswith("error: 'bad': it has no @\n'X Y <xy@example.org>': ")
        assert result.err.endswith("hint: nothing was done for the others either\n")
    assert briefmail("suppress", "--list").out == ""


def test_no_address_is_taken_back_beside_a_bad_one(briefmail: Command, starter: Path) -> None:
    briefmail("suppress", "a@example.org")
    assert briefmail("unsuppress", "a@example.org", "bad").status == 2
    assert "a@example.org" in briefmail("suppress", "--list").out


def test_the_first_reason_stays_and_is_told(briefmail: Command, starter: Path) -> None:
    briefmail("suppress", "a@example.org", "--reason", "by \x1b[31mphone")
    result = briefmail("suppress", "A@example.org", "b@example.org", "--reason", "by letter")
    first, second = result.out.splitlines()
    told = r"A@example\.org was suppressed already, since \d{4}-\d\d-\d\d: by \\x1b\[31mphone"
    assert re.fullmatch(told, first)
    assert second == "b@example.org will not be mailed"
    shown = briefmail("suppress", "--list").out + briefmail("who", "a@example.org").out
    assert shown.count(r"by \x1b[31mphone") == 2
    assert "\x1b" not in shown


@pytest.mark.parametrize("dry", ["--yes", "--dry-run"])
def test_a_list_without_a_usable_row_stops_the_send(
    briefmail: Command, starter: Path, letter: Path, dry: str
) -> None:
    (starter / "recipients.csv").write_text("email\nada\nzoe\n")
    result = briefmail("send", letter, dry)
    assert (result.status, result.out) == (65, "")
    assert result.err == (
        "recipients.csv: nobody on the list can be sent to\n"
        "recipients.csv:2: 'ada' is not an address: it has no @\n"
        "recipients.csv:3: 'zoe' is not an address: it has no @\n"
        "hint: correct the rows\n"
    )


@pytest.mark.parametrize("words", [("suppress",), ("suppress", "no address"), ("unsuppress", "@")])
def test_suppress_needs_addresses(briefmail: Command, starter: Path, words: tuple[str]) -> None:
    assert briefmail(*words).status == 2
    assert not (starter / ".briefmail").exists()


def test_each_run_starts_clean(briefmail: Command, starter: Path, letter: Path) -> None:
    briefmail("send", letter, "--yes")
    people(starter, "one@example.org,One,Fife")
    result = briefmail("send", letter, "--yes")
    assert result.totals == {"row in the list": 1, "sent": 1}
    assert recipients(starter) == ["one@example.org"]


def test_a_send_that_does_not_come_to_pass_leaves_the_last_outbox_alone(
    briefmail: Command, starter: Path, letter: Path
) -> None:
    briefmail("send", letter, "--yes")
    before = tree(starter)
    assert briefmail("send", letter, "--yes", "--only", "region ==").status == 2
    assert tree(starter) == before


def test_an_outbox_that_is_not_ours_is_refused_and_left_alone(
    briefmail: Command, starter: Path, letter: Path
) -> None:
    (starter / "outbox").mkdir()
    (starter / "outbox" / "thesis.txt").write_text("ten years")
    before = tree(starter)
    result = briefmail("send", letter, "--yes")
    assert (result.status, result.out) == (2, "")
    assert "outbox holds something that is not briefmail's" in result.err
    assert tree(starter) == before


def test_the_sandbox_touches_nothing_but_the_outbox(briefmail: Command, own: Path) -> None:
    before = tree(own)
    assert briefmail("send", SECOND, "--yes").status == 0
    assert briefmail("send", SECOND, "--test", "me@example.org").status == 0
    assert tree(own, but="outbox") == before


def test_the_sandbox_leaves_the_programs_memory_alone(briefmail: Command, own: Path) -> None:
    briefmail("suppress", "freya.isbister@example.com")
    before = tree(own)
    assert briefmail("send", SECOND, "--yes").status == 0
    assert tree(own, but="outbox") == before


def test_a_preview_in_the_terminal_draws_a_pull_out_as_a_quote(
    briefmail: Command, own: Path
) -> None:
    """Not with its colons, nor run into one paragraph."""
    (own / "issues" / "x.md").write_text(
        "---\nsubject: x\n---\n\nBefore.\n\n::: pull-out\nOne.\n\nTwo.\n:::\n\nAfter.\n"
    )
    shown = briefmail("preview", "issues/x.md").out
    text = [line.strip() for line in shown.rpartition("Before.")[2].splitlines() if line.strip()]
    assert text == ["▌ One.", "▌ Two.", "After."]


# --- a dry run ------------------------------------------------------------------------------------


def test_a_dry_run_shows_who_would_get_it_the_first_message_and_the_totals(
    briefmail: Command, own: Path
) -> None:
    result = briefmail("send", SECOND, "--dry-run", "--limit", "2")
    assert result.status == 0
    named, _, message = result.out.partition("\n\n")
    assert named.splitlines() == [
        "Mòrag MacAskill <morag.macaskill@example.org>",
        "Seònaid MacLeòid <seonaid.macleoid@example.org>",
    ]
    assert parse(message.encode())["To"].addresses[0].addr_spec == "morag.macaskill@example.org"
    assert result.out.endswith(
        "\n26 rows in the list\n24 to be sent to\n 1 duplicate\n 1 invalid\n"
    )
    assert " To send  2 people, and 22 later\n" in result.err
    assert "recipients.csv:19: 'isla.example.org' is not an address" in result.err
    assert result.err.endswith("nothing was sent, and nothing was written down.\n")


@pytest.mark.parametrize("json", [(), ("--json",)])
def test_a_dry_run_leaves_everything_as_it_was(
    briefmail: Command, own: Path, json: tuple[str]
) -> None:
    before = tree(own)
    assert briefmail("send", SECOND, "--dry-run", *json).status == 0
    assert tree(own) == before


def test_a_dry_run_leaves_the_programs_memory_as_it_was(briefmail: Command, own: Path) -> None:
    briefmail("suppress", "freya.isbister@example.com")
    before = tree(own)
    result = briefmail("send", SECOND, "--dry-run")
    assert result.totals["suppressed"] == 1
    assert tree(own) == before


def test_a_dry_run_for_a_program(briefmail: Command, own: Path) -> None:
    found = json.loads(briefmail("send", FIRST, "--dry-run", "--json").out)
    assert len(found["recipients"]) == found["to_try"] == found["totals"]["to_send"] == 24
    assert parse(found.pop("first_message").encode("ascii"))["Subject"] == found["subject"]
    assert (found["dry_run"], found["relay"]) == (True, None)
    assert found["totals"]["rows"] == sum(found["totals"].values()) - found["totals"]["rows"]


# --- a test copy ----------------------------------------------------------------------------------


def test_a_test_copy_is_marked_goes_to_any_address_and_has_the_first_persons_values(
    briefmail: Command, own: Path
) -> None:
    result = briefmail("send", SECOND, "--test", "Me@Example.net")
    assert result.status == 0, result
    assert result.out == (
        "test copy for Me@example.net, as morag.macaskill@example.org:"
        f" filed in {Path('outbox/new')}\n"
    )
    (data,) = outbox(own)
    message = parse(data)
    assert message["To"].addresses[0].addr_spec == "Me@example.net"
    assert message["Subject"] == "[Test] The island that bought its own harbour"
    assert "Dear Mòrag," in part(message, "plain")


def test_a_test_copy_as_somebody_else(briefmail: Command, own: Path) -> None:
    words = ("--test", "me@example.net", "--as", "PRIYA.raman@example.com")
    assert briefmail("send", SECOND, *words).status == 0
    (data,) = outbox(own)
    assert "Dear Priya," in part(parse(data), "html")


@pytest.mark.parametrize("words", [("send", "--test", "me@example.net"), ("preview", "--raw")])
def test_test_copies_and_previews_cannot_unsubscribe_anybody(
    briefmail: Command, own: Path, words: tuple[str]
) -> None:
    command, *options = words
    result = briefmail(command, SECOND, *options)
    data = outbox(own)[0] if command == "send" else result.out.encode()
    message = parse(data)
    text = message["List-Unsubscribe"] + part(message, "plain") + part(message, "html")
    links = set(re.findall(r"mailto:unsubscribe@[^\s\"<>]+", text))
    assert links == {"mailto:unsubscribe@example.org?subject=Unsubscribe%20%28test%29"}


def test_a_test_copy_leaves_no_trace_in_the_memory(briefmail: Command, own: Path) -> None:
    briefmail("send", SECOND, "--test", "me@example.net")
    assert not (own / ".briefmail").exists()


@pytest.mark.parametrize("address", ["", "me", "me@", "a@b, c@d", "x\r\nBcc: y@example.org@z.org"])
def test_a_test_address_must_be_one_address(briefmail: Command, own: Path, address: str) -> None:
    """An empty one, too, is an error, and never a send to everybody."""
    result = briefmail("send", SECOND, "--yes", "--test", address)
    assert (result.status, result.out) == (2, "")
    assert len(result.err.splitlines()) == 1
    assert not (own / "outbox").exists()


def test_as_must_be_on_the_list(briefmail: Command, own: Path) -> None:
    result = briefmail("send", SECOND, "--test", "me@example.net", "--as", "who@example.org")
    assert (result.status, result.err) == (2, "error: who@example.org is not in recipients.csv\n")


@pytest.mark.parametrize(
    "other", [("--dry-run",), ("--limit", "1"), ("--only", "region"), ("--strict-list",)]
)
def test_a_test_does_not_go_with_options_of_a_send(
    briefmail: Command, own: Path, other: tuple[str]
) -> None:
    """A test with ``--dry-run`` would send, which is not what it says."""
    assert briefmail("send", SECOND, "--test", "me@example.net", *other).status == 2
    assert briefmail("send", SECOND, "--yes", "--as", "me@example.net").status == 2
    assert not (own / "outbox").exists()


# --- what stops it --------------------------------------------------------------------------------


def test_without_a_terminal_it_does_not_send_unasked(briefmail: Command, own: Path) -> None:
    result = briefmail("send", FIRST)
    assert (result.status, result.out) == (2, "")
    assert result.err == (
        "error: there is no terminal to ask at\n"
        "hint: add --yes to send without being asked, or --dry-run to look first\n"
    )


def test_a_field_that_somebody_lacks_names_field_line_and_rows(
    briefmail: Command, starter: Path
) -> None:
    people(starter, "a@a.org,A,Fife", "b@b.org,,Fife", "c@c.org,,Fife", "d@d.org,D,")
    issue = write_issue(starter, "Hello.\n\nDear {{ first_name }},\n\nin {{ region }}.")
    result = briefmail("send", issue, "--yes")
    assert (result.status, result.out) == (65, "")
    assert result.err.splitlines() == [
        f"{issue}:8: first_name is empty and has no default, for 2 of 4 people:"
        " recipients.csv:3 (b@b.org), recipients.csv:4 (c@c.org)",
        f"{issue}:10: region is empty and has no default, for 1 of 4 people:"
        " recipients.csv:5 (d@d.org)",
        'hint: fill the cells, or give the field a default: {{ field | default("...") }}',
    ]
    assert not (starter / "outbox").exists()


def test_many_who_lack_a_field_are_counted(briefmail: Command, starter: Path) -> None:
    people(starter, *(f"p{n}@example.org,," for n in range(500)))
    result = briefmail("send", write_issue(starter, "Dear {{ first_name }}"), "--yes")
    assert result.status == 65
    assert "for 500 of 500 people: recipients.csv:2 (p0@example.org), " in result.err
    assert "recipients.csv:11 (p9@example.org) and 490 more\n" in result.err


def test_a_field_that_the_list_does_not_have_is_named_with_its_line(
    briefmail: Command, starter: Path
) -> None:
    issue = write_issue(starter, "Dear {{ frist_name }}")
    result = briefmail("send", issue, "--yes")
    assert (result.status, result.out) == (65, "")
    assert result.err.startswith(f"{issue}:6: ")
    assert "frist_name" in result.err.splitlines()[0]


def test_an_issue_that_is_not_there_is_named(briefmail: Command, starter: Path) -> None:
    result = briefmail("send", "issues/nope.md", "--yes")
    assert (result.status, result.out) == (65, "")
    assert result.err.splitlines()[0] == f"{Path('issues/nope.md')}: there is no such file"


def test_all_problems_of_the_settings_are_named_at_once(briefmail: Command, starter: Path) -> None:
    (starter / "briefmail.toml").write_text(
        '[newsletter]\nname = 5\nform = "x"\n[theme]\naccent = "green"\n', encoding="utf-8"
    )
    (starter / ".env").write_text("SMTP_HOST=mail.example.org\nSMTP_PORT=no\n")
    result = briefmail("send", "issues/x.md", "--yes")
    assert (result.status, result.out) == (78, "")
    assert [line.partition(": ")[0] for line in result.err.splitlines()] == [
        "briefmail.toml:2",
        "briefmail.toml:3",
        "briefmail.toml:5",
        ".env:2",
    ]


def test_settings_that_are_no_toml_are_named_with_their_line(
    briefmail: Command, starter: Path
) -> None:
    (starter / "briefmail.toml").write_text("[newsletter]\nname = The Briefing\n")
    result = briefmail("preview", "issues/x.md")
    assert (result.status, result.out) == (78, "")
    assert result.err.startswith("briefmail.toml:2: is not TOML: ")
    assert len(result.err.splitlines()) == 1


# --- the folder -----------------------------------------------------------------------------------


def test_the_folder_is_found_from_the_issue_upwards(
    briefmail: Command, own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir("/")
    assert briefmail("send", own / SECOND, "--yes").status == 0
    assert len(recipients(own)) == 24


def test_minus_c_names_the_folder_and_the_issue_is_looked_for_there_too(
    briefmail: Command, own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert briefmail("-C", "own", "send", SECOND, "--yes").status == 0
    stray = tmp_path / "stray.md"
    stray.write_text("# From elsewhere\n\nHello.\n")
    assert briefmail("-C", "own", "send", "stray.md", "--yes").status == 0
    assert {parse(data)["Subject"] for data in outbox(own)} == {"From elsewhere"}
    assert parse(outbox(own)[0])["From"].addresses[0].addr_spec == "briefing@example.org"


def test_minus_c_must_be_a_folder(briefmail: Command, own: Path) -> None:
    assert briefmail("-C", "nowhere", "send", SECOND, "--yes").status == 2


def test_without_settings_defaults_apply_and_one_hint_says_what_to_set(
    briefmail: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("hello.md").write_text("# Hello\n\nTo you.\n")
    Path("recipients.csv").write_text("email\nyou@example.org\n")
    result = briefmail("send", "hello.md", "--yes")
    assert (result.status, result.out) == (0, "1 row in the list\n1 sent\n")
    assert [line for line in result.err.splitlines() if "briefmail.toml" in line] == [
        "There is no briefmail.toml: 'briefmail init' shows what can be set in one."
    ]


def test_minus_v_says_where_it_is_and_what_becomes_of_each(
    briefmail: Command, starter: Path, letter: Path
) -> None:
    result = briefmail("-v", "send", letter, "--yes", "--limit", "1")
    assert f"newsletter: {starter}\nsettings: {starter / 'briefmail.toml'}\n" in result.err
    assert "relay: sandbox, into outbox/\n" in result.err
    assert "sent ada@example.org: the relay has it: 250 2.0.0 filed as new/0001" in result.err


# --- preview --------------------------------------------------------------------------------------


def test_preview_shows_headers_preheader_and_text_as_one_person_gets_it(
    briefmail: Command, own: Path
) -> None:
    shown = briefmail("preview", SECOND, "--as", "priya.raman@example.com").out
    for words in (
        "From       The Fortnightly Briefing <briefing@example.org>",
        "To         Priya Raman <priya.raman@example.com>",
        "Subject    The island that bought its own harbour",
        "Also a burn that runs a bus",
        "Dear Priya,",
    ):
        assert words in shown


def test_preview_gives_the_exact_parts_and_the_exact_message(briefmail: Command, own: Path) -> None:
    raw = parse(briefmail("preview", FIRST, "--raw").out.encode())
    assert briefmail("preview", FIRST, "--text").out == part(raw, "plain")
    assert briefmail("preview", FIRST, "--html").out == part(raw, "html")


def test_a_preview_needs_no_list(briefmail: Command, own: Path) -> None:
    (own / "recipients.csv").unlink()
    assert "Dear Alex," in briefmail("preview", SECOND, "--text").out


def test_a_preview_changes_nothing(briefmail: Command, own: Path) -> None:
    before = tree(own)
    for option in ("--raw", "--text", "--html"):
        briefmail("preview", SECOND, option)
    assert tree(own) == before


def test_the_python_interface_counts_the_same(own: Path) -> None:
    assert Newsletter.open(own, environ={}).plan(SECOND).to_send == 24
