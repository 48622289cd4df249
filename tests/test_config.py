"""The settings: where they come from, which of them wins, and what is wrong with them."""

from datetime import date, time, timedelta
from pathlib import Path

import pytest

from briefmail.config import (
    MAIL_CLIENTS,
    Checks,
    Config,
    Day,
    Dkim,
    Every,
    Mail,
    Mailbox,
    Newsletter,
    Rate,
    Relay,
    Schedule,
    Secret,
    SecretVariable,
    Theme,
    load,
)
from briefmail.errors import ConfigError

SENDER = '[newsletter]\nfrom = "a@example.org"\n'


def settings_of(
    root: Path, toml: str | bytes = "", env: str | bytes = "", environ: dict[str, str] | None = None
) -> Config:
    """Load a folder with these files."""
    for name, data in (("briefmail.toml", toml), (".env", env)):
        if data:
            (root / name).write_bytes(data if isinstance(data, bytes) else data.encode())
    return load(root, environ or {})


def problems_of(
    root: Path, toml: str | bytes = "", env: str | bytes = "", environ: dict[str, str] | None = None
) -> list[str]:
    """Load a folder that is faulty, and return its problems with bare file names."""
    with pytest.raises(ConfigError) as caught:
        settings_of(root, toml, env, environ)
    assert caught.value.exit_status == 78
    return [str(problem).removeprefix(f"{root}/") for problem in caught.value.problems]


def test_a_bare_folder_has_defaults(tmp_path: Path) -> None:
    """Without any file the sandbox stands in for a relay, and nobody is the sender."""
    assert load(tmp_path, {}) == Config(root=tmp_path, path=None)


def test_every_setting_is_read(tmp_path: Path) -> None:
    """One folder that sets everything there is."""
    toml = """
[newsletter]
name = "The Briefing"
from = '"Smith, Jo" <jo@example.org>'
reply_to = "Mòrag <morag@example.org>"
lang = "en-GB"
postal_address = \"\"\"
1 Harbour Road
Orravay
\"\"\"
public_url = "https://example.org/briefing"
list_id = "briefing.example.org"

[mail]
bounce_address = "bounces@example.org"
unsubscribe_address = "leave@example.org"
unsubscribe_url = "https://example.org/u"

[theme]
accent = "#0b5d4e"
accent_dark = "#7FD1BF"
font = "Georgia, 'Times New Roman', serif"
logo = "images/logo.png"
logo_alt = "The Briefing"
logo_width = 200

[schedule]
every = "1 week"
on = "thursday"
at = 07:30:00
from = 2016-08-24
timezone = "Europe/London"
except = [2016-12-28, "2017-01-04"]
not_after = "90 minutes"
give_up = "36 hours"

[checks]
clients = ["yahoo", "apple-mail"]

[dkim]
domain = "example.org"
selector = "old"
key = "keys/old.pem"
ed25519_selector = "new.2026"
ed25519_key = "keys/new.pem"

[smtp]
host = "smtp.example.org"
port = 2525
username = "jo"
security = "STARTTLS"
"""
    env = "SMTP_PASSWORD=secret\nBRIEFMAIL_SECRET=s3\n"
    assert settings_of(tmp_path, toml, env) == Config(
        root=tmp_path,
        path=tmp_path / "briefmail.toml",
        newsletter=Newsletter(
            name="The Briefing",
            sender=Mailbox("Smith, Jo", "jo@example.org"),
            reply_to=Mailbox("Mòrag", "morag@example.org"),
            lang="en-GB",
            postal_address="1 Harbour Road\nOrravay",
            public_url="https://example.org/briefing",
            list_id="briefing.example.org",
        ),
        mail=Mail("bounces@example.org", "leave@example.org", "https://example.org/u"),
        theme=Theme(
            accent="#0b5d4e",
            accent_dark="#7FD1BF",
            font="Georgia, 'Times New Roman', serif",
            logo="images/logo.png",
            logo_alt="The Briefing",
            logo_width=200,
        ),
        checks=Checks(clients=("apple-mail", "yahoo")),
        dkim=Dkim("example.org", "old", "keys/old.pem", "new.2026", "keys/new.pem"),
        schedule=Schedule(
            every=Every(1, "weeks"),
            on=(Day(3),),
            at=time(7, 30),
            start=date(2016, 8, 24),
            timezone="Europe/London",
            skipped=(date(2016, 12, 28), date(2017, 1, 4)),
            not_after=timedelta(minutes=90),
            give_up=timedelta(hours=36),
        ),
        relay=Relay(
            "smtp.example.org", 2525, "starttls", "jo", Secret("SMTP_PASSWORD", "secret", tmp_path)
        ),
        secret="s3",
    )


# --- which one wins -------------------------------------------------------------------------------


def test_the_environment_wins_over_env_and_env_over_the_toml(tmp_path: Path) -> None:
    """One setting from each of the three."""
    toml = f'{SENDER}[smtp]\nhost = "toml.example.org"\nport = 1\nsecurity = "tls"\n'
    env = "SMTP_HOST=env.example.org\nSMTP_PORT=2\n"
    relay = settings_of(tmp_path, toml, env, {"SMTP_HOST": "environ.example.org"}).relay
    assert relay == Relay("environ.example.org", 2, "tls")


def test_the_process_environment_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is what counts when nobody hands another one over."""
    monkeypatch.setenv("SMTP_HOST", "environ.example.org")
    (tmp_path / "briefmail.toml").write_text(SENDER)
    relay = load(tmp_path).relay
    assert relay is not None
    assert relay.host == "environ.example.org"


def test_the_pace_of_a_relay_is_one_rate_or_several(tmp_path: Path) -> None:
    """In the toml either; a variable has one rate, and wins."""
    toml = f"""{SENDER}[smtp]
host = "a.example.org"
rate = ["14/s", "30/minute", "500/hour", "2000/day"]
messages_per_connection = 20
"""
    relay = settings_of(tmp_path, toml).relay
    rates = (Rate(14, 1), Rate(30, 60), Rate(500, 3600), Rate(2000, 86_400))
    assert relay == Relay("a.example.org", 587, "starttls", rates=rates, messages_per_connection=20)
    env = "SMTP_RATE=5/s\nSMTP_MESSAGES_PER_CONNECTION=7\n"
    relay = settings_of(tmp_path, toml, env).relay
    assert relay is not None
    assert (relay.rates, relay.messages_per_connection) == ((Rate(5, 1),), 7)


def test_an_empty_variable_takes_the_relay_of_env_away(tmp_path: Path) -> None:
    """``SMTP_HOST= briefmail send ...`` is a send into the sandbox."""
    assert (
        settings_of(tmp_path, SENDER, "SMTP_HOST=a.example.org\n", {"SMTP_HOST": ""}).relay is None
    )


@pytest.mark.parametrize(
    ("variables", "relay"),
    [
        ({}, Relay("a.example.org", 587, "starttls")),
        ({"SMTP_PORT": "465"}, Relay("a.example.org", 465, "tls")),
        (
            {"SMTP_PORT": "465", "SMTP_SECURITY": "starttls"},
            Relay("a.example.org", 465, "starttls"),
        ),
        ({"SMTP_SECURITY": "tls"}, Relay("a.example.org", 465, "tls")),
        ({"SMTP_PORT": "2525"}, Relay("a.example.org", 2525, "starttls")),
    ],
)
def test_port_and_security_follow_from_each_other(
    tmp_path: Path, variables: dict[str, str], relay: Relay
) -> None:
    """Encryption is never off unless somebody says so."""
    environ = {"SMTP_HOST": "a.example.org", **variables}
    assert settings_of(tmp_path, SENDER, environ=environ).relay == relay


# --- signatures -----------------------------------------------------------------------------------

RSA = 'selector = "old"\nkey = "old.pem"\n'
NEEDS = "'briefmail dkim keygen' prints both"


@pytest.mark.parametrize(
    ("table", "complaints"),
    [
        ('selector = "old"', [f"6: dkim.selector needs dkim.key; {NEEDS}"]),
        ('key = "old.pem"', [f"6: dkim.key needs dkim.selector; {NEEDS}"]),
        (
            f'{RSA}ed25519_key = "new.pem"',
            [f"8: dkim.ed25519_key needs dkim.ed25519_selector; {NEEDS}"],
        ),
        (
            'domain = "example.org"',
            ["6: dkim.domain signs nothing without a key: 'briefmail dkim keygen' makes one"],
        ),
        (
            f'{RSA}ed25519_selector = "old"\ned25519_key = "new.pem"',
            ["8: dkim.ed25519_selector is that of the other key; each has a record of its own"],
        ),
        (
            f'{RSA}domain = "example.net"',
            [
                "8: dkim.domain is example.net, and newsletter.from is at news.example.org:"
                " receivers that go by DMARC would not count the signature"
            ],
        ),
        (
            f'{RSA}domain = "org"',
            ["8: dkim.domain must be a domain in small letters such as 'example.org'"],
        ),
        (
            'selector = "a b"\nkey = "old.pem"',
            ["6: dkim.selector must be letters, digits and hyphens such as 'briefmail'"],
        ),
    ],
)
def test_signatures_that_would_not_help_are_refused(
    tmp_path: Path, table: str, complaints: list[str]
) -> None:
    """Half a key, none, two under one name, or one for somebody else's domain."""
    toml = f'[newsletter]\nfrom = "a@news.example.org"\n\n\n[dkim]\n{table}\n'
    assert problems_of(tmp_path, toml) == [f"briefmail.toml:{text}" for text in complaints]


@pytest.mark.parametrize("domain", ["news.example.org", "example.org", "b.news.example.org"])
def test_a_domain_above_or_below_the_sender_s_may_sign(tmp_path: Path, domain: str) -> None:
    """RFC 7489 section 3.1.1."""
    toml = f'[newsletter]\nfrom = "a@news.example.org"\n[dkim]\n{RSA}domain = "{domain}"\n'
    assert settings_of(tmp_path, toml).dkim == Dkim(domain, "old", "old.pem")


# --- .env -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "password"),
    [
        ("SMTP_PASSWORD=pa$HOME${HOME}$$", "pa$HOME${HOME}$$"),
        ("SMTP_PASSWORD='a b#c'", "a b#c"),
        ("SMTP_PASSWORD=a#b # a comment", "a#b"),
        ('export SMTP_PASSWORD="a\'b"', "a'b"),
        ("\n\n# a comment\n\nSMTP_PASSWORD = mòr=é==", "mòr=é=="),
    ],
)
@pytest.mark.parametrize("save", [lambda t: t, lambda t: "\ufeff" + t.replace("\n", "\r\n")])
def test_a_password_is_what_stands_in_env(
    tmp_path: Path, line: str, password: str, save: object
) -> None:
    """Nothing in it is replaced, however it was saved."""
    assert callable(save)
    env = save(f"{line}\nSMTP_USERNAME=jo\nSMTP_HOST=a.example.org\n")
    relay = settings_of(tmp_path, SENDER, env).relay
    assert relay == Relay(
        "a.example.org", 587, "starttls", "jo", Secret("SMTP_PASSWORD", password, tmp_path)
    )


def test_secrets_are_in_no_repr(tmp_path: Path) -> None:
    """What is printed for a developer can end up in a log."""
    env = "SMTP_HOST=a.example.org\nSMTP_USERNAME=jo\nSMTP_PASSWORD=hush1\nBRIEFMAIL_SECRET=hush2\n"
    config = settings_of(tmp_path, SENDER, env)
    assert config.relay
    assert config.relay.secret
    assert (config.relay.secret.text, config.secret) == ("hush1", "hush2")
    assert "hush" not in repr(config)


def test_a_line_of_env_that_is_none_is_a_problem_with_its_line(tmp_path: Path) -> None:
    """Left out in silence, a password with an open quote would be a riddle."""
    text = "is not a line such as SMTP_HOST=smtp.example.org; is a quote left open?"
    env = "SMTP_HOST=a.example.org\n\n\nSMTP_PASSWORD='open\nwhat is this\n"
    assert problems_of(tmp_path, SENDER, env) == [f".env:4: {text}", f".env:5: {text}"]


@pytest.mark.parametrize("name", [".env", "briefmail.toml"])
def test_a_file_that_is_not_utf_8_says_so(tmp_path: Path, name: str) -> None:
    """Windows editors save UTF-16 and call it Unicode."""
    (tmp_path / name).write_bytes("SMTP_HOST = 'ò'\n".encode("utf-16"))
    assert problems_of(tmp_path) == [f"{name}: is not UTF-8; save it as UTF-8"]


def test_a_toml_saved_by_a_windows_editor_is_read(tmp_path: Path) -> None:
    """A byte order mark and CRLF."""
    config = settings_of(tmp_path, b'\xef\xbb\xbf[newsletter]\r\nname = "A"\r\n')
    assert config.newsletter.name == "A"


# --- what is wrong --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("table", "line", "text"),
    [
        ("newsletter", "name = 5", "name must be text in quotes"),
        ("newsletter", 'name = "a\\u0000b"', "name must be one line without control characters"),
        (
            "newsletter",
            'from = "nobody"',
            "from is not an address such as 'The Briefing <briefing@example.org>'",
        ),
        ("newsletter", 'lang = "English"', "lang must be a language such as 'en' or 'gd'"),
        ("newsletter", 'lang = ""', "lang must be a language such as 'en' or 'gd'"),
        ("newsletter", "postal_address = ['a']", "postal_address must be text in quotes"),
        (
            "newsletter",
            'public_url = "http://example.org"',
            "public_url must be an address that starts with https://",
        ),
        ("newsletter", 'list_id = "News <a>"', "list_id must be like 'news.example.org'"),
        (
            "mail",
            'bounce_address = "a@b"',
            "bounce_address is not an address such as 'The Briefing <briefing@example.org>'",
        ),
        (
            "mail",
            'unsubscribe_url = "https://example.org/ u"',
            "unsubscribe_url must be an address that starts with https://",
        ),
        ("theme", 'accent = "red"', "accent must be a colour such as '#0b5d4e'"),
        ("theme", 'text_dark = "#fff"', "text_dark must be a colour such as '#0b5d4e'"),
        ("theme", 'font = "a;b"', "font must be a list of font names such as 'Georgia, serif'"),
        ("theme", "logo_width = 601", "logo_width must be a number of pixels from 1 to 600"),
        ("theme", "logo_width = true", "logo_width must be a number of pixels from 1 to 600"),
        ("checks", 'clients = ["pine"]', f"clients must be a list of: {', '.join(MAIL_CLIENTS)}"),
        ("checks", "clients = []", f"clients must be a list of: {', '.join(MAIL_CLIENTS)}"),
        *(
            ("schedule", f"every = {every}", "every must be like '1 week', '2 weeks' or 'month'")
            for every in ('"fortnight"', '"00 weeks"', '"100 weeks"', '"2 days"', '"² weeks"')
        ),
        *(
            (
                "schedule",
                f"on = {day}",
                "on must be a weekday: Monday, Tuesday, Wednesday, Thursday, Friday, Saturday,"
                " Sunday; or one of a month, such as 'first Tuesday' or 'last Friday'; or a list",
            )
            for day in ('"Wodnesday"', '["Monday", ""]', '"fifth Monday"', '"the last Monday"')
        ),
        ("schedule", "on = 3", "on must be text in quotes"),
        (
            "schedule",
            "on = []",
            "on must be a weekday, or a list of them; without a calendar, leave it out",
        ),
        ("schedule", 'every = "2 weeks"', "every needs schedule.on: the day, such as 'Wednesday'"),
        ("schedule", 'on = "Monday"', "on needs schedule.every: how often, such as '2 weeks'"),
        ("schedule", "except = [2016-12-28, 5]", "except must be a date such as 2016-08-24"),
        ("schedule", 'except = "Easter"', "except must be a date such as 2016-08-24"),
        *(
            (
                "schedule",
                f"not_after = {duration}",
                "not_after must be like '90 minutes', '24 hours' or '2 days'",
            )
            for duration in ('"0 hours"', '"24"', '"1 week"', '"12345 days"', '"1.5 hours"')
        ),
        (
            "schedule",
            'give_up = "0 days"',
            "give_up must be like '90 minutes', '24 hours' or '2 days'",
        ),
        ("schedule", "give_up = 2", "give_up must be text in quotes"),
        ("schedule", 'at = "nine"', "at must be a time such as '09:00'"),
        (
            "schedule",
            'at = "09:00+01:00"',
            "at must be a local time such as '09:00'; schedule.timezone says where",
        ),
        ("schedule", "from = 2016-08-24T09:00:00", "from must be a date such as 2016-08-24"),
        ("schedule", 'from = "24.8.2016"', "from must be a date such as 2016-08-24"),
        *(
            (
                "schedule",
                f"timezone = {zone}",
                "timezone is not a time zone such as 'Europe/London'",
            )
            for zone in ('"Mars/Phobos"', '""', '"Europe"', '"../../etc/passwd"')
        ),
        ("smtp", 'host = "a b"', "host must be a host name such as 'smtp.example.org'"),
        *(
            (
                "smtp",
                f"rate = {rate}",
                "rate must be like '14/s', '30/minute', '500/hour' or '2000/day', or a list",
            )
            for rate in ('"14"', '"0/s"', '"5/week"', "14", '["14/s", "x"]', '"²/s"')
        ),
        *(
            (
                "smtp",
                f"messages_per_connection = {count}",
                "messages_per_connection must be a number of messages such as 20",
            )
            for count in ("0", "-1", "true", "2.5", '"many"')
        ),
        ("smtp", "port = 0", "port must be a port number from 1 to 65535"),
        ("smtp", "port = 5.5", "port must be a port number such as 587"),
        ("smtp", 'port = "²"', "port must be a port number such as 587"),
        ("smtp", 'security = "ssl"', "security must be 'starttls', 'tls' or 'none'"),
        (
            "smtp",
            'password = "hush"',
            "password is not a setting; known: host, port, username, security, rate,"
            " messages_per_connection",
        ),
        ("theme", 'acent = "#000000"', "acent is not a setting; did you mean 'accent'?"),
    ],
)
def test_a_wrong_setting_is_a_problem_with_its_line(
    tmp_path: Path, table: str, line: str, text: str
) -> None:
    """Each by itself, on the fourth line of the file."""
    assert problems_of(tmp_path, f"# settings\n\n[{table}]\n{line}\n") == [
        f"briefmail.toml:4: {table}.{text}"
    ]


@pytest.mark.parametrize(
    ("every", "on", "days"),
    [
        (Every(1, "weeks"), '"Wednesday"', (Day(2),)),
        (Every(2, "weeks"), '["Tuesday", "friday"]', (Day(1), Day(4))),
        (Every(1, "months"), '"first Tuesday"', (Day(1, 1),)),
        (Every(3, "months"), '["Second MONDAY", "last  Friday"]', (Day(0, 2), Day(4, -1))),
    ],
)
def test_a_calendar_is_of_weeks_or_of_months(
    tmp_path: Path, every: Every, on: str, days: tuple[Day, ...]
) -> None:
    """A number of one may be left out."""
    words = [f"{every.count} {every.unit}"]
    words += [every.unit.removesuffix("s")] if every.count == 1 else []
    for word in words:
        toml = f'[schedule]\nevery = "{word}"\non = {on}\n'
        assert settings_of(tmp_path, toml).schedule == Schedule(every, days)


@pytest.mark.parametrize(
    ("every", "on", "text"),
    [
        ("month", "Tuesday", "must say which of a month: 'first Tuesday', 'last Friday'"),
        ("2 weeks", "last Friday", "can be one of a month only with schedule.every = 'month'"),
    ],
)
def test_days_and_how_often_fit_each_other(tmp_path: Path, every: str, on: str, text: str) -> None:
    """The first Tuesday of a fortnight is nothing that anybody can mean."""
    toml = f'[schedule]\nevery = "{every}"\n\non = "{on}"\n'
    assert problems_of(tmp_path, toml) == [f"briefmail.toml:4: schedule.on {text}"]


def test_all_problems_are_reported_at_once(tmp_path: Path) -> None:
    """Of the toml, of .env and of the environment, each with the place where it was set."""
    toml = '[newsletter]\nnaem = "A"\nlang = 5\n\n[schedul]\non = "Monday"\n\n[smtp]\nport = 0\n'
    env = "# login\nSMTP_SECURITY=ssl\n"
    assert problems_of(tmp_path, toml, env, {"SMTP_PORT": "99999"}) == [
        "briefmail.toml:2: newsletter.naem is not a setting; did you mean 'name'?",
        "briefmail.toml:3: newsletter.lang must be text in quotes",
        "briefmail.toml:5: [schedul] is not a table that briefmail knows; did you mean 'schedule'?",
        "briefmail.toml:9: smtp.port must be a port number from 1 to 65535",
        "the environment: SMTP_PORT must be a port number from 1 to 65535",
        ".env:2: SMTP_SECURITY must be 'starttls', 'tls' or 'none'",
    ]


@pytest.mark.parametrize(
    ("toml", "problem"),
    [
        ("name = 'A'", "1: [name] is not a table that briefmail knows; known: newsletter, mail,"),
        ("\nnewsletter = 'A'", "2: newsletter must be a table: [newsletter] on a line of its own"),
        ("[[mail]]\n", "1: mail must be a table: [mail] on a line of its own"),
        ("newsletter = {name = 5}", "1: newsletter.name must be text in quotes"),
        ("newsletter.name = 5", "1: newsletter.name must be text in quotes"),
        ("\n[newsletter.sub]\na = 1", "2: newsletter.sub is not a setting; known: name,"),
        ("[newsletter]\nname = A", "2: is not TOML: Invalid value"),
        ("[newsletter]\nname = 'A'\nname = 'B'\n#", "3: is not TOML: Cannot overwrite a value"),
    ],
)
def test_a_toml_of_another_shape_is_a_problem_with_its_line(
    tmp_path: Path, toml: str, problem: str
) -> None:
    """Where TOML lets the same thing be written in several ways."""
    (found,) = problems_of(tmp_path, toml)
    assert found.startswith(f"briefmail.toml:{problem}")


@pytest.mark.parametrize("toml", ["a = " + "[" * 50_000, "a = " + "9" * 5_000])
def test_a_toml_that_would_break_its_reader_is_one_problem(tmp_path: Path, toml: str) -> None:
    """Deep nesting and endless numbers are no syntax errors to the parser."""
    (found,) = problems_of(tmp_path, toml)
    assert found.startswith("briefmail.toml: is not TOML: ")


# --- what does not go together --------------------------------------------------------------------


def test_a_login_needs_its_password(tmp_path: Path) -> None:
    """And the problem is reported where the user name is."""
    toml = f'{SENDER}[smtp]\nhost = "a.example.org"\nusername = "jo"\n'
    assert problems_of(tmp_path, toml) == [
        "briefmail.toml:5: smtp.username is set but SMTP_PASSWORD is not, nor SMTP_PASSWORD_FILE,"
        " SMTP_PASSWORD_COMMAND or SMTP_TOKEN_COMMAND"
    ]
    assert problems_of(tmp_path, toml, "\nSMTP_USERNAME=ann\n") == [
        ".env:2: SMTP_USERNAME is set but SMTP_PASSWORD is not, nor SMTP_PASSWORD_FILE,"
        " SMTP_PASSWORD_COMMAND or SMTP_TOKEN_COMMAND"
    ]


@pytest.mark.parametrize(
    "variable", ["SMTP_PASSWORD_FILE", "SMTP_PASSWORD_COMMAND", "SMTP_TOKEN_COMMAND"]
)
def test_where_a_secret_is_to_be_had_is_read_and_not_looked_up(
    tmp_path: Path, variable: SecretVariable
) -> None:
    """Nothing is there, and only a send that logs in would notice."""
    env = f"SMTP_HOST=a.example.org\nSMTP_USERNAME=jo\n{variable}=no-such-thing here\n"
    relay = settings_of(tmp_path, SENDER, env).relay
    secret = Secret(variable, "no-such-thing here", tmp_path)
    assert relay == Relay("a.example.org", 587, "starttls", "jo", secret)
    assert "no-such" not in repr(relay)
    assert secret.is_token == (variable == "SMTP_TOKEN_COMMAND")
    if variable == "SMTP_PASSWORD_FILE":
        assert (secret.path, secret.command) == (tmp_path / "no-such-thing here", [])
    else:
        assert (secret.path, secret.command) == (None, ["no-such-thing", "here"])


def test_a_variable_of_env_that_is_nearly_ours_is_a_slip(tmp_path: Path) -> None:
    """And others' variables, in ``.env`` or around us, are none of our business."""
    env = "SMPT_HOST=a.example.org\nDATABASE_URL=x\nSMTP_RATES=14/s\nbriefmail_secret=x\n"
    assert problems_of(tmp_path, SENDER, env, {"SMTP_HOTS": "b.example.org"}) == [
        ".env:1: SMPT_HOST is not a variable that briefmail reads; did you mean SMTP_HOST?",
        ".env:3: SMTP_RATES is not a variable that briefmail reads; did you mean SMTP_RATE?",
        ".env:4: briefmail_secret is not a variable that briefmail reads;"
        " did you mean BRIEFMAIL_SECRET?",
    ]


def test_two_secrets_are_one_too_many(tmp_path: Path) -> None:
    """Which one was meant cannot be known, wherever they are set."""
    env = "SMTP_HOST=a.example.org\nSMTP_USERNAME=jo\nSMTP_PASSWORD=a\nSMTP_PASSWORD_FILE=b\n"
    assert problems_of(tmp_path, SENDER, env, {"SMTP_TOKEN_COMMAND": "c"}) == [
        ".env:4: SMTP_PASSWORD_FILE is set, and SMTP_PASSWORD is too; keep one of them",
        "the environment: SMTP_TOKEN_COMMAND is set, and SMTP_PASSWORD is too; keep one of them",
    ]


def test_a_command_is_parted_as_in_a_shell_and_nothing_else_is_done_to_it() -> None:
    """No variable, no comment, no pipe."""
    secret = Secret("SMTP_TOKEN_COMMAND", "op read 'op://a b/c' $HOME #1 | \"x y\"")
    assert secret.command == ["op", "read", "op://a b/c", "$HOME", "#1", "|", "x y"]


def test_on_windows_a_backslash_in_a_command_is_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """And a path with a space in it is put in quotes."""
    monkeypatch.setattr("briefmail.config.values.os.name", "nt")
    secret = Secret("SMTP_PASSWORD_COMMAND", r'"C:\Program Files\pass.exe" show C:\a')
    assert secret.command == [r"C:\Program Files\pass.exe", "show", r"C:\a"]


def test_a_command_with_an_open_quote_is_a_problem(tmp_path: Path) -> None:
    """It is found before anything is sent, and not shown."""
    env = "SMTP_HOST=a.example.org\nSMTP_USERNAME=jo\nSMTP_TOKEN_COMMAND=say it's hush\n"
    assert problems_of(tmp_path, SENDER, env) == [".env:3: SMTP_TOKEN_COMMAND leaves a quote open"]


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.9.1", "::1", "[::1]"])
def test_a_relay_on_this_machine_may_do_without_encryption(tmp_path: Path, host: str) -> None:
    """What does not leave the machine needs none."""
    relay = settings_of(tmp_path, SENDER, f"SMTP_HOST={host}\nSMTP_SECURITY=none\n").relay
    assert relay == Relay(host, 25, "none")


@pytest.mark.parametrize(
    ("host", "login"),
    [
        ("smtp.example.org", ""),
        ("127.evil.example.org", ""),
        ("127.0.0.1.example.org", ""),
        ("localhost.example.org", ""),
        ("10.0.0.1", ""),
        ("localhost", "SMTP_USERNAME=jo\nSMTP_PASSWORD=a\n"),
    ],
)
def test_mail_and_passwords_do_not_leave_unencrypted(tmp_path: Path, host: str, login: str) -> None:
    """A name that begins like this machine's address is not this machine."""
    (found,) = problems_of(tmp_path, SENDER, f"SMTP_HOST={host}\nSMTP_SECURITY=none\n{login}")
    assert found.startswith(".env:2: SMTP_SECURITY is 'none', which is only for a relay on this")


def test_no_encryption_is_reported_in_the_toml_if_it_is_set_there(tmp_path: Path) -> None:
    """The place of the setting that won."""
    toml = f'{SENDER}[smtp]\nhost = "a.example.org"\nsecurity = "none"\n'
    (found,) = problems_of(tmp_path, toml)
    assert found.startswith("briefmail.toml:5: smtp.security is 'none', which is only for")


def test_an_unsubscribe_url_needs_the_secret(tmp_path: Path) -> None:
    """Without it anybody could unsubscribe anybody."""
    toml = '[mail]\nunsubscribe_url = "https://example.org/u"\n'
    (found,) = problems_of(tmp_path, toml)
    assert found.startswith("briefmail.toml:2: mail.unsubscribe_url needs BRIEFMAIL_SECRET")
    assert settings_of(tmp_path, toml, "BRIEFMAIL_SECRET=s\n").secret == "s"


def test_a_relay_needs_a_sender(tmp_path: Path) -> None:
    """The sandbox can do without one; other people cannot."""
    assert problems_of(tmp_path, environ={"SMTP_HOST": "a.example.org"}) == [
        "briefmail.toml: newsletter.from is not set, and a relay is: say who the mail comes from"
    ]


# --- mailboxes ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "mailbox"),
    [
        ("jo@example.org", Mailbox("", "jo@example.org")),
        (" <jo@example.org> ", Mailbox("", "jo@example.org")),
        ("Jo <jo@example.org>", Mailbox("Jo", "jo@example.org")),
        ("Jo<jo@example.org>", Mailbox("Jo", "jo@example.org")),
        ("Mòrag O’Neill (Fife) <m.o+x@a-b.example.org>",
         Mailbox("Mòrag O’Neill (Fife)", "m.o+x@a-b.example.org")),
        ('"Smith, Jo: \\"the\\" a@b" <jo@example.org>',
         Mailbox('Smith, Jo: "the" a@b', "jo@example.org")),
        ("=?utf-8?q?Jo?= <jo@example.org>", Mailbox("=?utf-8?q?Jo?=", "jo@example.org")),
    ],
)  # fmt: skip
def test_a_mailbox_is_a_name_and_an_address(text: str, mailbox: Mailbox) -> None:
    """The name is kept as a person wrote it."""
    assert Mailbox.parse(text) == mailbox


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Jo",
        "Smith, Jo <jo@example.org>",
        "jo@example.org, Ann <ann@example.org>",
        "jo@example.org <ann@example.org>",
        "Jo <jo@example.org>, Ann <ann@example.org>",
        "Jo <jo@example.org> Ann",
        "Jo <jo@example.org",
        "Jo <<jo@example.org>>",
        "Jo: jo@example.org;",
        "jo@example.org;ann@example.org",
        "jo@example.org (Jo)",
        "jo @example.org",
        "jo@example.org Jo",
        "mailto:jo@example.org",
        "jo@example",
        "jo@-example.org",
        "jo@example.o-",
        "jo..s@example.org",
        "jò@example.org",
        "Jo\n <jo@example.org>",
        "Jo\u2028<jo@example.org>",
        '"Jo" Ann <jo@example.org>',
        f"{'j' * 65}@example.org",
        f"jo@{'e' * 64}.org",
        f"jo@{'e.' * 125}org",
    ],
)
def test_what_is_not_plainly_one_mailbox_is_refused(text: str) -> None:
    """Half of a list, a group or a comment must not silently become the sender."""
    with pytest.raises(ValueError, match="is not an address such as 'The Briefing <briefing@"):
        Mailbox.parse(text)
