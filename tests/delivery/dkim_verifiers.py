"""Two verifiers of DKIM that know nothing of ours or of each other: dkimpy, and OpenDKIM in C.

Neither asks DNS: the records are handed to them, by name.
"""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

import dkim

from real_parts import require

Records = Mapping[str, str]
"""What DNS has: the text of each record by its name."""
Verdicts = dict[str, bool]
"""Whether the signature by each selector holds."""

_CONFIG = "Mode v\nSyslog no\nTestPublicKeys {keys}\n"
_RESULT = re.compile(r"dkim=(\w+)[^;]*?header\.s=([\w.-]+)")


def by_dkimpy(data: bytes, records: Records) -> Verdicts:
    """Verify every signature of a message with dkimpy."""

    def look_up(name: bytes, timeout: int = 5) -> bytes | None:
        text = records.get(name.decode().rstrip("."))
        return text.encode() if text else None

    verdicts = {}
    for index, selector in enumerate(_selectors(data)):
        try:
            verdicts[selector] = dkim.DKIM(data).verify(idx=index, dnsfunc=look_up)
        except dkim.DKIMException:
            verdicts[selector] = False
    return verdicts


def by_opendkim(data: bytes, records: Records) -> Verdicts:
    """Verify every signature of a message with OpenDKIM."""
    program = shutil.which("opendkim") or shutil.which("opendkim", path="/usr/sbin")
    require(program, "OpenDKIM is not installed")
    assert program
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        keys = "".join(f"{name} {text}\n" for name, text in records.items())
        (folder / "keys").write_text(keys)
        (folder / "opendkim.conf").write_text(_CONFIG.format(keys=folder / "keys"))
        (folder / "message.eml").write_bytes(data)
        command = [program, "-f", "-x", str(folder / "opendkim.conf"), "-vv"]
        done = subprocess.run(
            [*command, "-t", str(folder / "message.eml")],
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )
    assert "dkim=" in done.stdout, done.stdout + done.stderr
    # Of a message that is not one, such as one without From, no signature is looked at.
    found = {selector: word == "pass" for word, selector in _RESULT.findall(done.stdout)}
    return {selector: found.get(selector, False) for selector in _selectors(data)}


def _selectors(data: bytes) -> list[str]:
    head = re.split(rb"\r?\n\r?\n", data, maxsplit=1)[0]
    fields = re.findall(rb"^DKIM-Signature:.*\n(?:[ \t].*\n)*", head, re.MULTILINE)
    found = [re.search(rb"[;\s]s=([^;\s]+)", field) for field in fields]
    return [match[1].decode() for match in found if match]
