"""A progress bar for long work: how many are done, how fast, and the time left."""

from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

    from briefmail.newsletter import Delivery, Recipient


class Progress:
    """Draws on standard error, and only while something is being counted there.

    A context manager: leaving takes the bar off the screen, whatever happened.
    """

    def __init__(self, *, shown: bool) -> None:
        self._shown = shown
        self._total = 0
        self._bar: RichProgress | None = None
        self._task: TaskID | None = None

    def expect(self, total: int) -> None:
        """Say how many there will be."""
        self._total = total

    def advance(self, recipient: "Recipient", delivery: "Delivery") -> None:
        """Count one more."""
        if not self._shown:
            return
        if self._bar is None or self._task is None:
            self._bar = _bar()
            self._task = self._bar.add_task("Sending", total=self._total)
            self._bar.start()
        self._bar.advance(self._task)

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

    from briefmail.cli import output

    class Rate(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text(f"{task.finished_speed or task.speed or 0:,.0f}/s")

    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        Rate(),
        TimeRemainingColumn(),
        console=Console(stderr=True, color_system=output.colour_system()),
        transient=True,
    )
