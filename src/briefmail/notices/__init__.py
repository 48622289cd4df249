"""Telling the editor: reports and warnings by mail, each (issue, event, cause) once."""

from briefmail.notices.mail import compose
from briefmail.notices.notice import Event, Notice, nobody, stopped
from briefmail.notices.report import Step, report
from briefmail.notices.told import MIGRATIONS, Told
from briefmail.notices.warning import warnings

__all__ = [
    "MIGRATIONS",
    "Event",
    "Notice",
    "Step",
    "Told",
    "compose",
    "nobody",
    "report",
    "stopped",
    "warnings",
]
