"""When it goes out: the calendar in local time, what is due now, and what calls us to look."""

from briefmail.schedule.cadence import days, next_day
from briefmail.schedule.diary import MIGRATIONS, Begun, Brake, Diary
from briefmail.schedule.due import GOES, Known, Memory, Standing, State, standings
from briefmail.schedule.slots import Slot, empty_slots, upcoming
from briefmail.schedule.timers import Unit, crontab_line, systemd_units
from briefmail.schedule.wallclock import local, moment_of

__all__ = [
    "GOES",
    "MIGRATIONS",
    "Begun",
    "Brake",
    "Diary",
    "Known",
    "Memory",
    "Slot",
    "Standing",
    "State",
    "Unit",
    "crontab_line",
    "days",
    "empty_slots",
    "local",
    "moment_of",
    "next_day",
    "standings",
    "systemd_units",
    "upcoming",
]
