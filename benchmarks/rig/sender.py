"""A send in a process of its own, which says when each of its phases ended.

Started by :mod:`rig.ours`, as ``sender.py FOLDER CONNECTIONS STARTED [REPORT_AT]``: ``STARTED`` is
the monotonic clock of whoever started it, and all seconds count from there. It prints a line of
JSON when ``REPORT_AT`` people have their outcome, and one at its end.

The marks come from what the public interface calls back, and from Python's audit event for a
connection; only the end of the reading of the list has to be taken from inside.
"""

import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

from briefmail.audience import Roll
from briefmail.newsletter import How, Newsletter, Plan, SendOptions


class Marks:
    """When each thing happened first: seconds since the start, and CPU seconds of the process."""

    def __init__(self, started: float) -> None:
        self._started = started
        self.clock: dict[str, float] = {}
        self.cpu: dict[str, float] = {}

    def set(self, name: str) -> None:
        """Set a mark, unless it is set."""
        if name not in self.clock:
            self.clock[name] = time.monotonic() - self._started
            self.cpu[name] = time.process_time()

    def report(self, **more: object) -> None:
        """Print what there is so far."""
        print(json.dumps({"clock": self.clock, "cpu": self.cpu, **more}), flush=True)


class Sender:
    """One send, and what it is called back with."""

    def __init__(self, marks: Marks, report_at: int) -> None:
        self._marks = marks
        self._report_at = report_at
        self._to_try = self._done = self.size = 0

    def confirm(self, plan: Plan) -> bool:
        """Take note that every copy has been filled, and go on."""
        self._marks.set("filled")
        self._to_try = plan.to_try
        self.size = len(plan.first.data) if plan.first else 0
        return True

    def progress(self, *_: object) -> None:
        """Take note of one more outcome, which is on disk."""
        self._done += 1
        if self._done == 1:
            self._marks.set("first")
        if self._done == self._to_try:
            self._marks.set("last")
        if self._done == self._report_at:
            self._marks.report()


def watch(marks: Marks, port: int) -> None:
    """Set the marks that no callback gives."""
    read = Roll.read

    def reading(*arguments: Any, **options: Any) -> Roll:
        roll = read(*arguments, **options)
        marks.set("read")
        return roll

    def hear(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "socket.connect" and arguments[1][1:2] == (port,):
            marks.set("connected")

    Roll.read = reading  # type: ignore[method-assign, assignment]
    sys.addaudithook(hear)


def peak() -> float:
    """The most memory that this program has had, in MB.

    On Linux ``ru_maxrss`` also knows what the program that started this one had.
    """
    status = Path("/proc/self/status")
    if status.exists():
        (line,) = [each for each in status.read_text().splitlines() if each.startswith("VmHWM")]
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(folder: str, connections: str, started: str, report_at: str = "0") -> None:
    marks = Marks(float(started))
    newsletter = Newsletter.open(folder)
    assert newsletter.config.relay
    marks.set("opened")
    watch(marks, newsletter.config.relay.port)
    sender = Sender(marks, int(report_at))
    summary = newsletter.send(
        newsletter.root / "issues" / "issue.md",
        SendOptions(how=How(connections=int(connections))),
        confirm=sender.confirm,
        on_progress=sender.progress,
    )
    if summary.exit_status or summary.not_tried or not summary.sent:
        sys.exit(f"not everything went out: {summary.numbers()} {summary.stopped}")
    marks.set("closed")
    marks.report(size=sender.size, peak=peak())


if __name__ == "__main__":
    main(*sys.argv[1:])
