"""The newsletter's own name, which its editor has written so often that the eye slides over it."""

import re
from collections.abc import Iterator
from itertools import pairwise

from briefmail.checks.nearness import is_slip
from briefmail.checks.passage import Passage
from briefmail.checks.proof import Proof
from briefmail.checks.rule import Found, rule

_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_ARTICLES = {"the", "a", "an"}
SHORTEST = 8
"""Letters that a name must have, without an article: near a shorter one are too many words."""


@rule(
    "name-misspelt",
    "warning",
    cure="write it as [newsletter] name has it",
    source="the settings",
)
def name_misspelt(proof: Proof) -> Iterator[Found]:
    """The newsletter's own name with a letter wrong, or with the wrong words in capitals.

    All in small letters ("our fortnightly briefing") it is a description and no name.
    """
    name = _WORD.findall(proof.config.newsletter.name)
    bare = name[1:] if name and name[0].lower() in _ARTICLES else name
    if len("".join(bare)) < SHORTEST:
        return
    for passage in proof.passages:
        for start, words in _runs(passage, len(bare)):
            if _is_misspelt(words, bare):
                text = f"{' '.join(words)!r} is probably {' '.join(bare)!r}"
                yield Found(text, passage.line(start))


def _runs(passage: Passage, length: int) -> Iterator[tuple[int, list[str]]]:
    """Every run of so many words that only blanks part, with its offset."""
    found = list(_WORD.finditer(passage.text))
    for index in range(len(found) - length + 1):
        run = found[index : index + length]
        between = (passage.text[a.end() : b.start()] for a, b in pairwise(run))
        if all(gap.isspace() for gap in between):
            yield run[0].start(), [match[0] for match in run]


def _is_misspelt(words: list[str], name: list[str]) -> bool:
    written, wanted = " ".join(words), " ".join(name)
    if written.casefold() == wanted.casefold():
        return len(name) > 1 and _has_odd_capitals(words, name)
    if len(name) == 1 and not written[0].isupper():  # it may be any other word
        return False
    wrong = [(a, b) for a, b in zip(words, name, strict=True) if a.casefold() != b.casefold()]
    return len(wrong) == 1 and is_slip(wrong[0][0].casefold(), wrong[0][1].casefold())


def _has_odd_capitals(words: list[str], name: list[str]) -> bool:
    """Whether some words are as in the name and others are not: all small, or all large, is meant.

    Only the first in capitals is the beginning of a sentence.
    """
    if "".join(words).isupper() or words == name:
        return False
    return any(
        word == wanted != wanted.lower() for word, wanted in zip(words[1:], name[1:], strict=True)
    )
