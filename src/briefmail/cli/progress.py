"""A progress bar for long work: how many are done, how fast, and the time left."""

from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

from briefmail.cli import output

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

    from briefmail.newsletter import Delivery, Recipient, Wait


class Progress:
    """Draws on standard error, and only while something is being counted there.

    A context manager: leaving takes the bar off the screen, whatever happened.
    """

    def __init__(self, *, shown: bool) -> None:
        self.shown = shown
        """Whether it draws at all."""
        self._total = 0
        self._what = ""
        self._bar: RichProgress | None = None
        self._task: TaskID | None = None

    def expect(self, total: int) -> None:
        """Say how many there will be."""
        self._total = total

    def advance(self, recipient: "Recipient", delivery: "Delivery") -> None:
        """Count one more, unless they are only put off."""
        self._show("Sending", 0 if delivery.state == "deferred" else 1)

    def wait(self, wait: "Wait") -> None:
        """Say what is waited for, and until when."""
        self._show(output.wait_in_words(wait, datetime.now().astimezone()), 0)

    def _show(self, what: str, steps: int) -> None:
        if not self.shown:
            return
        if self._bar is None or self._task is None:
            self._bar = _bar()
            self._task = self._bar.add_task(what, total=self._total)
            self._bar.start()
        elif what != self._what:
            self._bar.update(self._task, description=what)
        self._what = what
        self._bar.advance(self._task, steps)

    def reach(self, done: int, total: int | None) -> None:
        """Say how many are checked, of how many; None while that is not known."""
        if not self.shown:
            return
        if self._bar is None or self._task is None:
            self._bar = _bar()
            self._task = self._bar.add_task("Checking", total=total)
            self._bar.start()
        self._bar.update(self._task, completed=done, total=total)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: Any) -> None:
        if self._bar is not None:
            self._bar.stop()


def _bar() -> "RichProgress":
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        SpinnerColumn,
        Task,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text(f"{task.finished_speed or task.speed or 0:,.0f}/s")

    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        Rate(),
        TimeRemainingColumn(),
        console=Console(stderr=True, color_system=output.colour_system()),
        transient=True,
    )
