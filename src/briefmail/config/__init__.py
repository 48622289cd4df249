"""What the editor set: ``briefmail.toml``, ``.env`` and the environment, read once and frozen.

The environment wins over ``.env``, and ``.env`` over the toml. Secrets are read from the first
two only. Nothing here writes a file.
"""

from briefmail.config.loading import CONFIG_NAME, ENV_NAME, load
from briefmail.config.settings import SETTINGS
from briefmail.config.tomlfile import line_of
from briefmail.config.values import (
    ADDR_SPEC,
    CONTROL,
    LANG,
    MAIL_CLIENTS,
    WEEKDAYS,
    Checks,
    Config,
    Day,
    Dkim,
    DkimKey,
    Editor,
    Every,
    KeyKind,
    Mail,
    Mailbox,
    MailClient,
    Newsletter,
    Rate,
    Relay,
    Schedule,
    Secret,
    SecretVariable,
    Security,
    Test,
    Theme,
)
from briefmail.config.variables import is_database_url

__all__ = [
    "ADDR_SPEC",
    "CONFIG_NAME",
    "CONTROL",
    "ENV_NAME",
    "LANG",
    "MAIL_CLIENTS",
    "SETTINGS",
    "WEEKDAYS",
    "Checks",
    "Config",
    "Day",
    "Dkim",
    "DkimKey",
    "Editor",
    "Every",
    "KeyKind",
    "Mail",
    "MailClient",
    "Mailbox",
    "Newsletter",
    "Rate",
    "Relay",
    "Schedule",
    "Secret",
    "SecretVariable",
    "Security",
    "Test",
    "Theme",
    "is_database_url",
    "line_of",
    "load",
]
