"""A Postfix of our own: its configuration, queue and mailboxes in a folder that goes with it.

It listens on a free loopback port, insists on STARTTLS and a login, and delivers to Maildirs. The
Postfix of the machine, if one runs, is neither used nor touched.
"""

import os
import shutil
import smtplib
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message
from pathlib import Path

import trustme

from briefmail.config import Relay, Secret

USER, PASSWORD, REALM = "editor", "correct horse", "example.org"
PROGRAMS = ("postfix", "postconf", "postmap", "saslpasswd2")

MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
cleanup   unix n - n - 0 cleanup
qmgr      unix n - n 300 1 qmgr
rewrite   unix - - n - - trivial-rewrite
bounce    unix - - n - 0 bounce
defer     unix - - n - 0 bounce
trace     unix - - n - 0 bounce
proxymap  unix - - n - - proxymap
tlsmgr    unix - - n 1000? 1 tlsmgr
anvil     unix - - n - 1 anvil
error     unix - - n - - error
retry     unix - - n - - error
virtual   unix - n n - - virtual
postlog   unix-dgram n - n - 1 postlogd
"""
MAIN = """\
compatibility_level = 2
queue_directory = {root}/queue
data_directory = {root}/data
maillog_file = {root}/log/maillog
maillog_file_prefixes = {root}/log
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = localhost
mydestination =
default_transport = error:this Postfix sends nothing out
virtual_mailbox_domains = example.org
virtual_mailbox_maps = texthash:{root}/mailboxes
virtual_mailbox_base = {root}/mail
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
virtual_minimum_uid = 1
smtpd_tls_security_level = encrypt
smtpd_tls_auth_only = yes
smtpd_tls_chain_files = {root}/tls/server.pem
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = cyrus
smtpd_sasl_path = smtpd
cyrus_sasl_config_path = {root}/config/sasl
smtpd_sasl_local_domain = {realm}
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_recipient_restrictions = reject_unlisted_recipient, permit_sasl_authenticated, reject
smtpd_forbid_bare_newline = yes
"""
SASL = """\
pwcheck_method: auxprop
auxprop_plugin: sasldb
sasldb_path: {root}/config/sasl/sasldb2
mech_list: PLAIN LOGIN
"""


def missing_part() -> str:
    """Say what this machine lacks for it, or nothing."""
    if os.name != "posix" or os.geteuid() != 0:
        return "Postfix can only be started by root"
    if missing := [name for name in PROGRAMS if _program(name) is None]:
        return f"not installed: {', '.join(missing)}"
    return ""


def _program(name: str) -> str | None:
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


def _run(name: str, *arguments: str, text: str = "") -> None:
    program = _program(name)
    assert program is not None
    command = [program, *arguments]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{name} {' '.join(arguments)}: {done.stderr}{done.stdout}"


@dataclass
class PrivatePostfix:
    """One that runs. ``relay`` is how to submit to it."""

    root: Path
    relay: Relay

    def mail(self, mailbox: str, wanted: int = 1) -> list[Message]:
        """Return what lies in a mailbox, once ``wanted`` messages do."""
        deadline = time.monotonic() + 20
        new = self.root / "mail" / mailbox / "new"
        while len(found := list(new.glob("*"))) < wanted:
            assert time.monotonic() < deadline, self.log
            time.sleep(0.05)
        return [message_from_bytes(path.read_bytes()) for path in found]

    @property
    def log(self) -> str:
        """What Postfix says of its work."""
        return (self.root / "log" / "maillog").read_text("utf-8", "replace")


@contextmanager
def private_postfix(
    authority: trustme.CA, mailboxes: list[str], certificate: trustme.LeafCert | None = None
) -> Iterator[PrivatePostfix]:
    """Run a Postfix that knows the local parts in ``mailboxes`` at example.org.

    Without a ``certificate`` it has one that ``authority`` issues for localhost.
    """
    # Not under pytest's folder, into which Postfix, as its own user, may not look.
    root = Path(tempfile.mkdtemp(prefix="briefmail-postfix-"))
    try:
        port = _free_port()
        _configure(root, port, certificate or authority.issue_cert("localhost"), mailboxes)
        _run("postfix", "-c", str(root / "config"), "start")
        try:
            _wait_for(port)
            secret = Secret("SMTP_PASSWORD", PASSWORD)
            yield PrivatePostfix(root, Relay("localhost", port, "starttls", USER, secret))
        finally:
            _run("postfix", "-c", str(root / "config"), "stop")
    finally:
        shutil.rmtree(root)


def _configure(root: Path, port: int, certificate: trustme.LeafCert, mailboxes: list[str]) -> None:
    root.chmod(0o755)
    for name in ("config", "queue", "data", "log", "mail", "tls", "config/sasl"):
        (root / name).mkdir()
    sasl = root / "config" / "sasl"  # where Debian's Postfix looks, whatever it is told
    shutil.chown(root / "data", "postfix")
    owner = (root / "data").stat()
    shutil.chown(root / "mail", "postfix")
    values = {"root": root, "port": port, "uid": owner.st_uid, "gid": owner.st_uid, "realm": REALM}
    (root / "config" / "main.cf").write_text(MAIN.format(**values))
    (root / "config" / "master.cf").write_text(MASTER.format(**values))
    (sasl / "smtpd.conf").write_text(SASL.format(**values))
    lines = [f"{name}@{REALM} {name}/\n" for name in mailboxes]
    (root / "mailboxes").write_text("".join(lines))
    certificate.private_key_and_cert_chain_pem.write_to_path(str(root / "tls" / "server.pem"))
    users = str(sasl / "sasldb2")
    _run("saslpasswd2", "-p", "-f", users, "-c", "-u", REALM, USER, text=PASSWORD)
    shutil.chown(users, "postfix")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with suppress(OSError), smtplib.SMTP("127.0.0.1", port, timeout=5):
            return
        time.sleep(0.05)
    raise AssertionError("Postfix does not answer")
