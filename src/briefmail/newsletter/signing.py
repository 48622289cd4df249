"""DKIM for the verbs: who signs an edition's messages, new keys, and the records that they need."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath

from briefmail import delivery
from briefmail.config import SETTINGS, Config, DkimKey, KeyKind
from briefmail.delivery import DkimRecord
from briefmail.edition import Edition, Message
from briefmail.errors import IssueError, Problem, StoreError, UsageError

KEYS = "keys"
SELECTORS: dict[KeyKind, str] = {"rsa": "briefmail", "ed25519": "briefmail-ed25519"}


def signer_for(
    config: Config, edition: Edition, now: Callable[[], datetime]
) -> "delivery.Signer | None":
    """Return who signs the edition's messages, None if ``[dkim]`` is not set.

    Raises :class:`~briefmail.errors.ConfigError` for keys that cannot be used, and
    :class:`IssueError` if the issue has a sender whom the signature does not speak for.
    """
    if not config.dkim.keys:
        return None
    domain = config.dkim.domain or (config.newsletter.sender or edition.sender).domain
    if not edition.sender.aligns_with(domain):
        text = f"from is at {edition.sender.domain}, and the mail is signed for {domain}"
        issue = edition.issue
        raise IssueError([Problem(issue.path, issue.lines.get("from"), text)])
    return own_signer(config, domain, now)


def own_signer(
    config: Config, domain: str, now: Callable[[], datetime]
) -> "delivery.Signer | None":
    """Return who signs what the newsletter's own sender says; None and raises as above."""
    if not config.dkim.keys:
        return None
    keys = delivery.read_keys(config.dkim.keys, config.dkim.domain or domain, config.root)
    fields = delivery.fields_for(config.relay.host if config.relay else "")
    return delivery.Signer(keys, fields, now)


def signed(signer: "delivery.Signer | None", message: Message) -> Message:
    """Return the message as it leaves: signed, if mail is."""
    return signer.sign(message) if signer else message


def records(config: Config) -> tuple[DkimRecord, ...]:
    """What DNS must have for the keys that are set; :class:`ConfigError` if one cannot be used."""
    if not config.dkim.keys:
        raise UsageError(
            "no key is set under [dkim] in briefmail.toml",
            hint="'briefmail dkim keygen' makes one, and says what to set",
        )
    keys = delivery.read_keys(config.dkim.keys, _domain(config), config.root)
    return tuple(key.record for key in keys)


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that was made: its file, the DNS record to publish, and what to set in the toml.

    ``settings`` are the lines for ``[dkim]``, none if they are there already.
    """

    path: Path
    record: DkimRecord
    settings: tuple[str, ...]


def new_key(config: Config, kind: KeyKind, selector: str | None) -> NewKey:
    """Make a key and write it where ``[dkim]`` says, else to ``keys/SELECTOR.pem``.

    Raises :class:`UsageError` if the file is there already, which is left alone.
    """
    domain = _domain(config)
    wanted = _wanted(config, kind, selector)
    path = wanted.file(config.root)
    _write(path, delivery.make_key(kind))
    (key,) = delivery.read_keys([wanted], domain, config.root)
    settings = () if wanted in config.dkim.keys else _settings(config, wanted, domain)
    return NewKey(path, key.record, settings)


def _domain(config: Config) -> str:
    if config.dkim.domain:
        return config.dkim.domain
    if config.newsletter.sender:
        return config.newsletter.sender.domain
    raise UsageError("newsletter.from is not set in briefmail.toml, and a key is for its domain")


def _wanted(config: Config, kind: KeyKind, selector: str | None) -> DkimKey:
    """Which key to make: the one that is set, unless another selector is asked for."""
    for key in config.dkim.keys:
        if key.kind == kind and selector in {None, key.selector}:
            return key
    try:
        selector = str(SETTINGS["dkim"]["selector"][1](selector or SELECTORS[kind]))
    except ValueError as error:
        raise UsageError(f"the selector {error}") from None
    return DkimKey(kind, selector, str(PurePosixPath(KEYS, f"{selector}.pem")))


def _settings(config: Config, key: DkimKey, domain: str) -> tuple[str, ...]:
    values = {key.setting.replace("key", "selector"): key.selector, key.setting: key.path}
    if not config.dkim.domain:
        values = {"domain": domain, **values}
    return tuple(f"{name} = {json.dumps(value)}" for name, value in values.items())


def _write(path: Path, data: bytes) -> None:
    """Write a key that only its owner can read, and keep the folder, if it is new, out of git."""
    try:
        if not path.parent.exists():
            path.parent.mkdir(mode=0o700, parents=True)
            (path.parent / ".gitignore").write_text("*\n", encoding="utf-8")
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "wb") as file:  # noqa: PTH123 -- it is open already
            file.write(data)
    except FileExistsError:
        raise UsageError(
            f"{path} is there already; nothing was written",
            hint="'briefmail dkim record' shows the records of keys that are set in briefmail.toml;"
            " '--selector NAME' makes another key",
        ) from None
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror}") from error
