"""What the editor wrote: an issue file read into sections and stories."""

from briefmail.issue.markdown import plain
from briefmail.issue.model import Content, Issue, Node, Section, Story, Tag
from briefmail.issue.source import read_issue
from briefmail.issue.tags import STATEMENT_TOKEN, TOKEN, show_tags
from briefmail.issue.timing import Timing, read_timing

__all__ = [
    "STATEMENT_TOKEN",
    "TOKEN",
    "Content",
    "Issue",
    "Node",
    "Section",
    "Story",
    "Tag",
    "Timing",
    "plain",
    "read_issue",
    "read_timing",
    "show_tags",
]
