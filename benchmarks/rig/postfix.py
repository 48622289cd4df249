"""A Postfix of our own that takes mail, with STARTTLS if one likes, and throws it away.

Its configuration and queue lie in a folder that goes with it. The Postfix of the machine, if one
runs, is neither used nor touched. smtp-sink speaks no TLS, so this is the receiver for it; each
message costs it a file in its queue.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rig.receiver import free_port, tool, wait_for

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
retry     unix - - n - - error
discard   unix - - n - - discard
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
mynetworks = 127.0.0.0/8
myhostname = localhost
mydestination =
default_transport = discard:
in_flow_delay = 0
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_tls_security_level = may
smtpd_tls_chain_files = {root}/server.pem
"""


@dataclass(frozen=True)
class Postfix:
    """One that runs: ``port`` on loopback, and the file of the authority that it is trusted by."""

    root: Path
    port: int
    authority: Path

    def settle(self) -> None:
        """Wait, a minute at most, until its queue is empty, so that the next run starts alike."""
        until = time.monotonic() + 60
        queues = [self.root / "queue" / name for name in ("maildrop", "incoming", "active")]
        while any(path.is_file() for queue in queues for path in queue.rglob("*")):
            if time.monotonic() > until:
                sys.exit("Postfix does not get rid of its queue")
            time.sleep(0.2)


@contextmanager
def postfix() -> Iterator[Postfix]:
    """Run one until the end of the block."""
    if os.geteuid() != 0:
        sys.exit("Postfix can only be started by root")
    root = Path(tempfile.mkdtemp(prefix="briefmail-bench-"))
    try:
        port = free_port()
        _configure(root, port)
        _run(tool("postfix"), "-c", str(root), "start")
        try:
            wait_for(port)
            yield Postfix(root, port, root / "server.pem")
        finally:
            _run(tool("postfix"), "-c", str(root), "stop")
    finally:
        shutil.rmtree(root)


def _configure(root: Path, port: int) -> None:
    root.chmod(0o755)
    for name in ("queue", "data", "log"):
        (root / name).mkdir()
    shutil.chown(root / "data", "postfix")
    (root / "main.cf").write_text(MAIN.format(root=root))
    (root / "master.cf").write_text(MASTER.format(port=port))
    _certify(root)


def _certify(root: Path) -> None:
    """Make a certificate for localhost, which is its own authority."""
    key, certificate = root / "key.pem", root / "certificate.pem"
    name = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1")
    new = ("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2")
    _run(tool("openssl"), *new, *name, "-keyout", str(key), "-out", str(certificate))
    (root / "server.pem").write_text(key.read_text() + certificate.read_text())


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)}: {done.stderr}{done.stdout}")
