"""The two lines that an inbox shows: the subject and the preheader."""

import re
from collections.abc import Iterator

from briefmail.checks.proof import Proof
from briefmail.checks.rule import Found, rule

SUBJECT_LENGTH = 78
SUBJECT_SHORT = 10
PREHEADER_LENGTH = 140
SHOUT_LENGTH = 10


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
        yield Found(f"the subject has {length} characters", subject_line(proof))


@rule(
    "subject-short",
    "info",
    cure="name what this issue is about, so that it can be told from the last one",
    source="Buttondown's preflight (10 to 78 characters)",
)
def subject_short(proof: Proof) -> Iterator[Found]:
    """A subject that says next to nothing.

    A reader decides by it, and later searches for it.
    """
    subject = proof.specimen.subject
    if len(subject) < SUBJECT_SHORT:
        text = f"the subject {subject!r} has {len(subject)} characters"
        yield Found(text, subject_line(proof))


@rule(
    "subject-capitals",
    "warning",
    cure="write it as a sentence",
    source="SpamAssassin, SUBJ_ALL_CAPS; Buttondown's preflight",
)
def subject_capitals(proof: Proof) -> Iterator[Found]:
    """A subject that shouts: in capitals, or with several exclamation marks.

    Spam filters count it against a mail, and a screen reader may spell capitals out.
    """
    subject = proof.specimen.subject
    if len(subject) >= SHOUT_LENGTH and " " in subject and subject.isupper():
        yield Found("the subject is all in capitals", subject_line(proof))
    elif re.search(r"[!?]\s*!|!\s*[!?]", subject):
        yield Found("the subject has several exclamation marks", subject_line(proof))


@rule(
    "preheader-missing",
    "warning",
    cure="write 'preheader: ...' into the front matter, a second headline of up to 100 characters",
    source="rendered inboxes: without one they show whatever stands first",
)
def preheader_missing(proof: Proof) -> Iterator[Found]:
    """No preheader.

    It is what most inboxes show after the subject. Without one they get the first words of the
    text, and those are often the same in every issue.
    """
    if not proof.issue.preheader:
        yield Found("the issue has no preheader", proof.line_of_key("subject") or 1)


@rule(
    "preheader-length",
    "warning",
    cure="keep it to some 100 characters; what follows is cut",
    source="inboxes of Gmail, Apple Mail and Outlook show 35 to 140 characters",
)
def preheader_length(proof: Proof) -> Iterator[Found]:
    """A preheader that no inbox shows to its end."""
    length = len(proof.specimen.preheader)
    if proof.issue.preheader and length > PREHEADER_LENGTH:
        yield Found(f"the preheader has {length} characters", proof.line_of_key("preheader"))


@rule(
    "preheader-repeats",
    "warning",
    cure="say something that the subject does not say",
    source="Buttondown's preflight",
)
def preheader_repeats(proof: Proof) -> Iterator[Found]:
    """A preheader that says what the subject has said.

    The two stand beside each other, so that a reader sees the same words twice.
    """
    if proof.issue.preheader and _bare(proof.specimen.preheader) == _bare(proof.specimen.subject):
        yield Found("the preheader is the subject again", proof.line_of_key("preheader"))


def subject_line(proof: Proof) -> int | None:
    """The line of the subject; of the title heading where that is the subject."""
    return proof.line_of_key("subject") or next(
        (one.line() for one in proof.passages if one.kind == "title"), None
    )


def _bare(text: str) -> str:
    return re.sub(r"\W+", " ", text).strip().casefold()
