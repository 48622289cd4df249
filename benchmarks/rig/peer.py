"""Other senders on the same work: the texts of our own message, filled by them for each person."""

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from rig.newsletter import message_to
from rig.receiver import HOST, sink, tool

DRIVERS = Path(__file__).with_name("drivers")
MAILMERGE = "mailmerge==2.3.0"
NODEMAILER = "nodemailer@10.6.0"
CONNECTIONS = 8
TIMEOUT = 900
PERSONAL = """\
TO: {{ first_name }} Benchmark <{{ email }}>
SUBJECT: A benchmark
FROM: Benchmark <news@example.org>
LIST-UNSUBSCRIBE: <https://example.org/leave?t={{ token }}>
"""
LETTER = """\
MIME-Version: 1.0
Content-Type: multipart/alternative; boundary="benchmark"

--benchmark
Content-Type: text/plain; charset="utf-8"

{text}
--benchmark
Content-Type: text/html; charset="utf-8"

{page}
--benchmark--
"""
MARKDOWN = "Content-Type: text/markdown\n\n"
LINK = "\n\n[Unsubscribe](https://example.org/leave?t={{ token }})\n"
SERVER = f"[smtp_server]\nhost = {HOST}\nport = {{port}}\n"


@dataclass(frozen=True, slots=True)
class Cost:
    """What a process took, from its start to its end, in seconds."""

    clock: float
    cpu: float


@dataclass(frozen=True)
class Peer:
    """A sender: ``command`` says how it is called with the folder of its work and a port."""

    name: str
    command: Callable[[Path, int], list[str | Path]]

    def send(self, folder: Path, people: int, port: int) -> Cost:
        """Send to the first ``people`` people from a process of its own."""
        write_list(folder, people)
        (folder / "mailmerge_server.conf").write_text(SERVER.format(port=port))
        return timed(self.command(folder, port), folder)

    def octets(self, folder: Path) -> int:
        """Send one message, see that it is the right one, and return its size."""
        with tempfile.TemporaryDirectory() as dump:
            with sink(Path(dump)) as port:
                self.send(folder, 1, port)
            (path,) = Path(dump).glob("message.*")
            raw = path.read_bytes()
        body = message_from_bytes(raw, policy=policy.default).get_body(("html",))
        page = body.get_content() if body else ""
        if "Dear Reader0," not in page or f"leave?t={token(0)}" not in page:
            sys.exit(f"{self.name} does not send what it should")
        return _octets(raw)


def peers(tools: Path) -> list[Peer]:
    """Install what is missing into ``tools``, and return them."""
    mailmerge = tools / "mailmerge" / "bin" / "mailmerge"
    if not mailmerge.exists():
        subprocess.run([sys.executable, "-m", "venv", tools / "mailmerge"], check=True)
        install = [mailmerge.with_name("python"), "-m", "pip", "install", "-q", MAILMERGE]
        subprocess.run(install, check=True)
    modules = tools / "node_modules"
    if not (modules / "nodemailer").exists():
        install = [tool("npm"), "install", "--silent", "--prefix", tools, NODEMAILER]
        subprocess.run(install, check=True)
    node = ["env", f"NODE_PATH={modules}", tool("node"), DRIVERS / "nodemailer_pool.cjs"]
    loop = [sys.executable, DRIVERS / "smtplib_loop.py"]
    whole = ["--no-dry-run", "--no-limit", "--output-format", "text"]
    return [
        Peer(
            "mailmerge (HTML)", lambda folder, port: [mailmerge, *whole, "--template", "html.txt"]
        ),
        Peer(
            "mailmerge (Markdown)",
            lambda folder, port: [mailmerge, *whole, "--template", "markdown.txt"],
        ),
        Peer("smtplib loop", lambda folder, port: [*loop, folder, str(port)]),
        Peer("nodemailer pool", lambda folder, port: [*node, folder, str(port), str(CONNECTIONS)]),
    ]


def write_work(folder: Path, newsletter: Path) -> None:
    """Take our message apart, and put everybody's fields where one person's were."""
    folder.mkdir()
    made = message_from_bytes(
        message_to(newsletter, "peer@example.org", "FIRSTNAME"), policy=policy.default
    )
    link = str(made["List-Unsubscribe"]).partition("?t=")[2].partition(">")[0]
    text, page = (_fields(part, link) for part in _bodies(made))
    (folder / "text.txt").write_text(text)
    (folder / "page.html").write_text(page)
    (folder / "html.txt").write_text(PERSONAL + LETTER.format(text=text, page=page))
    (folder / "markdown.txt").write_text(PERSONAL + MARKDOWN + _as_markdown(made, text))


def write_list(folder: Path, people: int) -> None:
    """Write the list; the second one is the same, under the name that mailmerge looks for."""
    lines = ["email,first_name,token\n"]
    lines += (f"reader{n}@example.org,Reader{n},{token(n)}\n" for n in range(people))
    for name in ("list.csv", "mailmerge_database.csv"):
        (folder / name).write_text("".join(lines))


def token(number: int) -> str:
    """Return what is secret in somebody's link, as long as ours."""
    return f"{number:x}".rjust(66, "k")


def timed(command: list[str | Path], folder: Path, more: dict[str, str] | None = None) -> Cost:
    """Run a command to its end, in ``folder``; leave with what it says if it fails."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    environment = {**os.environ, **(more or {})}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, check=False, timeout=TIMEOUT
    )
    clock = time.perf_counter() - start
    if done.returncode:
        sys.exit(f"{command[0]}: {done.stdout[-500:]!r} {done.stderr.decode()}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(clock, cpu)


def _octets(dumped: bytes) -> int:
    """Count what was sent: without the lines that smtp-sink adds, and with CRLF at line ends."""
    lines = dumped.splitlines()
    while lines[0].startswith((b"X-", b"Received:", b"\t")):
        del lines[0]
    return sum(len(line) + 2 for line in lines)


def _bodies(made: EmailMessage) -> Iterator[str]:
    for kind in ("plain", "html"):
        body = made.get_body((kind,))
        assert body
        yield body.get_content().replace("\r\n", "\n")


def _as_markdown(made: EmailMessage, text: str) -> str:
    """Return a source that is sent along as the text, and makes with its page the same size."""
    ascii_only = text.encode("ascii", "ignore").decode()
    paragraphs = [each for each in ascii_only.split("\n\n") if len(each) > 60]
    wanted, written = len(made.as_bytes()) * 9 // 20, ["Dear {{ first_name }},"]
    while sum(map(len, written)) < wanted:
        written += paragraphs[: max(1, (wanted - sum(map(len, written))) // 160)]
    return "\n\n".join(written) + LINK


def _fields(text: str, link: str) -> str:
    filled = {"FIRSTNAME": "first_name", link: "token", "peer@example.org": "email"}
    for value, name in filled.items():
        text = text.replace(value, f"{{{{ {name} }}}}")
    return text
