"""On a terminal it shows what it will do and asks; colours and bars are for terminals only.

The terminal is a real one: the other end of a pseudo-terminal, which only Unix has.
"""

import codecs
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from command import FIRST, SECOND, arguments, environment, recipients, start
from fake_relay import FakeRelay

if sys.platform == "win32":
    pytest.skip("there are no pseudo-terminals", allow_module_level=True)
import fcntl
import termios

ESCAPE = "\x1b"
PATIENCE = 30.0


class Terminal:
    """A terminal with briefmail running in it."""

    def __init__(self, process: "subprocess.Popen[bytes]", descriptor: int) -> None:
        self.process = process
        self._shown = b""
        self._descriptor = descriptor
        self._decoder = codecs.getincrementaldecoder("utf-8")()  # a read can end in a letter

    @property
    def screen(self) -> str:
        """Everything that has been shown so far."""
        return self._shown.decode(errors="ignore")  # the last letter may not be whole yet

    def read_until(self, text: str) -> str:
        """Return everything on the screen once ``text`` is there; empty means to the end."""
        end = time.monotonic() + PATIENCE
        while not text or text not in self.screen:
            assert select.select([self._descriptor], [], [], end - time.monotonic())[0], self.screen
            try:
                data = os.read(self._descriptor, 65536)
            except OSError:  # Linux says so when the last process has left the terminal
                data = b""
            if not data:
                assert not text, self.screen
                break
            self._shown += data
        return self.screen

    def type(self, text: str) -> None:
        """Press these keys."""
        os.write(self._descriptor, text.encode())

    def interrupt(self) -> None:
        """Press Ctrl-C, and again if nothing happens.

        A signal in the instant before Python begins to wait for a key is only heeded after it.
        """
        while self.process.poll() is None:
            self.type("\x03")
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(2)

    def end(self) -> int:
        """Read the screen to its end and return the exit status."""
        self.read_until("")
        return self.process.wait(PATIENCE)


def _as_in_a_shell() -> None:
    """Have keys such as Ctrl-C send their signals, also if pytest was started without them."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@contextmanager
def terminal(
    folder: Path, *words: str, out: int | None = None, **variables: str
) -> Iterator[Terminal]:
    """Run briefmail in a terminal of its own; ``out`` may lead its standard output elsewhere."""
    ours, its = os.openpty()
    process = subprocess.Popen(
        arguments(*words),
        cwd=folder,
        env=environment(TERM="xterm-256color", COLUMNS="100", LINES="40", **variables),
        stdin=its,
        stdout=its if out is None else out,
        stderr=its,
        start_new_session=True,
        preexec_fn=_as_in_a_shell,  # noqa: PLW1509 -- no thread is at work in a test like these
    )
    os.close(its)
    try:
        yield Terminal(process, ours)
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def test_it_shows_subject_sender_relay_and_number_and_a_no_sends_nothing(own: Path) -> None:
    with terminal(own, "send", FIRST, NO_COLOR="1") as screen:
        shown = screen.read_until("Send it to 24 people? [y/N]:")
        assert [line.strip() for line in shown.replace("\r", "").splitlines()[1:-1]] == [
            "Subject  Singing from the same hymn sheet",
            "From  The Fortnightly Briefing <briefing@example.org>",
            "Relay  sandbox, into outbox/",
            "List  recipients.csv: 26 rows",
            "To send  24 people",
        ]
        screen.type("n\n")
        assert screen.end() == 0
        assert screen.screen.endswith("nothing was sent\r\n")
    assert not (own / "outbox").exists()


def test_a_yes_sends_with_a_progress_bar(own: Path) -> None:
    with terminal(own, "send", FIRST) as screen:
        screen.read_until("[y/N]:")
        screen.type("y\n")
        assert screen.end() == 0
        assert "Sending" in screen.screen
        assert "24/24" in screen.screen
    assert len(recipients(own)) == 24


def test_just_return_means_no(own: Path) -> None:
    with terminal(own, "send", FIRST) as screen:
        screen.read_until("[y/N]:")
        screen.type("\n")
        assert screen.end() == 0
    assert not (own / "outbox").exists()


def test_yes_does_not_ask(own: Path) -> None:
    with terminal(own, "send", FIRST, "--yes", "--limit", "2") as screen:
        assert screen.end() == 0
        assert "[y/N]" not in screen.screen
    assert len(recipients(own)) == 2


@pytest.mark.parametrize("key", ["Ctrl-C", "Ctrl-D"])
def test_leaving_the_question_is_an_interruption(own: Path, key: str) -> None:
    with terminal(own, "send", FIRST) as screen:
        screen.read_until("[y/N]: ")
        screen.interrupt() if key == "Ctrl-C" else screen.type("\x04")
        assert screen.end() == 130
        assert "Traceback" not in screen.screen
    assert not (own / "outbox").exists()


def test_the_question_is_asked_on_the_terminal_when_the_output_goes_to_a_file(
    own: Path, tmp_path: Path
) -> None:
    with (
        (tmp_path / "out").open("wb") as file,
        terminal(own, "send", FIRST, out=file.fileno()) as screen,
    ):
        screen.read_until("[y/N]:")
        screen.type("y\n")
        assert screen.end() == 0
    text = (tmp_path / "out").read_text()
    assert text.strip() == "26 rows in the list\n24 sent\n 1 duplicate\n 1 invalid"


def test_the_bar_says_for_what_the_send_waits_and_ctrl_c_ends_that(
    starter: Path, letter: Path, relay: FakeRelay
) -> None:
    relay.on("RCPT", "450 4.2.1 later", part="zoe@")
    words = ("send", str(letter), "--yes", "--retry-for", "15m")
    with terminal(starter, *words) as screen:
        screen.read_until("waiting until ")
        screen.read_until(": 1 deferred")
        screen.interrupt()
        assert screen.end() == 130
        assert "interrupted; the same command goes on" in screen.screen
    assert len(relay.received) == 3


@pytest.mark.parametrize(
    "words", [("preview", SECOND), ("send", "nope.md"), ("send", FIRST, "--dry-run")]
)
def test_a_terminal_has_colours_unless_no_color_says_no(own: Path, words: tuple[str, ...]) -> None:
    with terminal(own, *words) as screen:
        screen.end()
        assert ESCAPE in screen.screen
    with terminal(own, *words, NO_COLOR="1") as screen:
        screen.end()
        assert ESCAPE not in screen.screen


@pytest.mark.parametrize(
    "words", [("preview", SECOND), ("send", "nope.md"), ("send", FIRST, "--yes")]
)
def test_a_pipe_has_neither_colours_nor_a_bar(own: Path, words: tuple[str, ...]) -> None:
    result = start(own, *words, TERM="xterm-256color")
    assert ESCAPE not in result.out + result.err
    assert "Sending" not in result.err
