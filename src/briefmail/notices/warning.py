"""Warnings: what the calendar and the issues say that will not, or did not, go by itself."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from briefmail.notices.notice import Event, Notice
from briefmail.schedule import Standing


def warnings(
    found: Iterable[Standing],
    empty: Sequence[datetime],
    *,
    now: datetime,
    clock: Callable[[datetime], datetime],
) -> Iterator[Notice]:
    """Yield a notice for each issue that needs the editor, and each near day without an issue."""

    def is_near(at: datetime) -> bool:
        tomorrow = clock(now).date() + timedelta(days=1)
        return at > now and clock(at).date() <= tomorrow

    for standing in found:
        day = f"{clock(standing.at):%A %Y-%m-%d, %H:%M %Z}" if standing.at else ""
        if notice := _warning(standing, day, is_near):
            yield notice
    for at in empty:
        day = f"{clock(at):%A %Y-%m-%d}"
        yield Notice(
            "",
            "empty_slot",
            at.isoformat(),
            f"There is no issue for {day}",
            f"{day} is a day of the calendar, and no issue has that date.\n\n"
            "briefmail new TITLE\n    begins one\n"
            "except = [DATE] under [schedule] in briefmail.toml\n"
            "    says that there is none this time",
        )


def _warning(standing: Standing, day: str, is_near: Callable[[datetime], bool]) -> Notice | None:
    name, path = standing.issue.name, standing.issue.path
    by_hand = f"briefmail send {path}\n    sends it by hand"

    def notice(event: Event, cause: str, subject: str, text: str) -> Notice:
        return Notice(name, event, cause, subject, f"{path}\n\n{text}")

    match standing.state:
        case "draft_due":
            text = (
                f"It is for {day}. It goes out by itself once its front matter says"
                " 'status: ready'."
            )
            return notice("draft", day, f"{name} is still a draft", text)
        case "missed":
            text = (
                f"It was ready for {day}. That is longer ago than not_after under [schedule]"
                f" allows, so it does not go by itself.\n\n{by_hand}"
            )
            return notice("missed", day, f"{name} did not go out", text)
        case "unreadable" if standing.at is None or is_near(standing.at):
            text = "\n".join(str(problem) for problem in standing.issue.problems)
            return notice("unreadable", text, f"{name} cannot be read", text)
        case "undated":
            text = "It is ready, and has neither a date nor send_at: it goes by hand only."
            return notice("undated", "", f"{name} has no date", f"{text}\n\n{by_hand}")
        case "twin":
            text = (
                f"It is ready, and seems to be the same as {standing.other}: it goes by hand only."
                f"\n\n{by_hand}"
            )
            return notice(
                "twin", standing.other, f"{name} seems to be the same as {standing.other}", text
            )
        case "elsewhere":
            text = (
                f"It is ready, and the receipt sent/{name}.toml says that another copy of this"
                " folder has begun to send it: it does not go from here."
            )
            return notice("elsewhere", "", f"{name} is being sent from elsewhere", text)
    return None
