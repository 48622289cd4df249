"""What an issue becomes: rendered and inlined once, then filled for each recipient."""

from briefmail.edition.build import Edition, build_edition
from briefmail.edition.dress import CONTENT_WIDTH, find_file
from briefmail.edition.merge import STANDARD_FIELDS
from briefmail.edition.message import Message
from briefmail.edition.only import OnlyExpression

__all__ = [
    "CONTENT_WIDTH",
    "STANDARD_FIELDS",
    "Edition",
    "Message",
    "OnlyExpression",
    "build_edition",
    "find_file",
]
