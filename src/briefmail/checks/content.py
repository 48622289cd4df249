"""What is written: the subject, the preheader, dates, headings, words that were left behind."""

from collections.abc import Iterator

from briefmail.checks.proof import Proof
from briefmail.checks.rule import Found, rule

SUBJECT_LENGTH = 78


@rule(
    "subject-length",
    "warning",
    cure="say the most important thing in the first 50 characters, and leave the rest to the text",
    source="RFC 5322 section 2.1.1 (78 characters); phones show some 35 to 50",
)
def subject_length(proof: Proof) -> Iterator[Found]:
    """A subject that is too long for an inbox.

    Mail programs cut it where their column ends, a phone's after some forty characters. What is
    measured is the longest copy: a merge field counts as long as the value that it gets.
    """
    length = len(proof.specimen.subject)
    if length > SUBJECT_LENGTH:
        yield Found(f"the subject has {length} characters", proof.line_of_key("subject"))
