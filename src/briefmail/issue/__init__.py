"""What the editor wrote: an issue file read into sections and stories."""

from briefmail.issue.markdown import plain
from briefmail.issue.model import Content, Issue, Node, Section, Story, Tag
from briefmail.issue.source import date_of, read_issue
from briefmail.issue.tags import STATEMENT_TOKEN, TOKEN, show_tags

__all__ = [
    "STATEMENT_TOKEN",
    "TOKEN",
    "Content",
    "Issue",
    "Node",
    "Section",
    "Story",
    "Tag",
    "date_of",
    "plain",
    "read_issue",
    "show_tags",
]
