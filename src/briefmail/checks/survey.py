"""The survey: everybody's copy filled once, and what is remarkable about them all.

It is one pass over a list that may have millions of rows, so it keeps counts and a few people by
name, never the people themselves.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

from briefmail.audience import Recipient
from briefmail.edition import Edition
from briefmail.errors import MergeError, Problem
from briefmail.issue import TOKEN

NAMED = 10
"""How many people a finding names before it only counts them."""


@dataclass(slots=True)
class Gap:
    """A field that ``count`` people lack and read a default for; ``first`` is the first of them.

    ``line`` is where the issue prints it.
    """

    field: str
    line: int
    count: int = 0
    first: Recipient | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """Somebody's subject, by the number of its characters."""

    length: int
    recipient: Recipient


class Survey:
    """What is known of everybody's copy so far. ``people`` have been seen.

    ``largest`` has the copy with the most bytes among those that could be filled; None if none
    could. ``shortest`` and ``longest`` are subjects, None if everybody has the same.
    """

    def __init__(self, edition: Edition) -> None:
        self.people = 0
        self.largest: Recipient | None = None
        self.largest_size = 0
        self.shortest: Subject | None = None
        self.longest: Subject | None = None
        self._edition = edition
        self._own_subjects = bool(TOKEN.search(edition.issue.subject))
        self._gaps = [Gap(name, line) for name, line in edition.defaults().items()]
        self._counts: Counter[Problem] = Counter()
        self._first: defaultdict[Problem, list[Recipient]] = defaultdict(list)

    def see(self, recipient: Recipient) -> None:
        """Fill one person's copy, and remember what is remarkable about it."""
        self.people += 1
        for gap in self._gaps:
            if gap.field not in recipient.fields:
                gap.count += 1
                gap.first = gap.first or recipient
        try:
            size = self._edition.size_for(recipient)
        except MergeError as error:
            self._note(error, recipient)
            return
        if size > self.largest_size:
            self.largest, self.largest_size = recipient, size
        if self._own_subjects:
            self._measure_subject(recipient)

    def _note(self, error: MergeError, recipient: Recipient) -> None:
        for problem in error.problems:
            self._counts[problem] += 1
            if self._counts[problem] <= NAMED:
                self._first[problem].append(recipient)

    def _measure_subject(self, recipient: Recipient) -> None:
        length = len(self._edition.subject_for(recipient))
        if self.shortest is None or length < self.shortest.length:
            self.shortest = Subject(length, recipient)
        if self.longest is None or length > self.longest.length:
            self.longest = Subject(length, recipient)

    def gaps(self) -> tuple[Gap, ...]:
        """The fields that somebody lacks and reads a default for."""
        return tuple(gap for gap in self._gaps if gap.count)

    def lacking(self) -> tuple[Recipient, ...]:
        """Whose copies cannot be filled: the first few people for each fault, each once."""
        found = {who.key: who for first in self._first.values() for who in first}
        return tuple(found.values())

    def faults(self, path: Path) -> tuple[Problem, ...]:
        """What keeps copies from being filled, each with how many and who: rows of ``path``."""
        return tuple(self._fault(problem, path) for problem in self._counts)

    def _fault(self, problem: Problem, path: Path) -> Problem:
        count, first = self._counts[problem], self._first[problem]
        named = ", ".join(f"{path.name}:{who.line} ({who.address})" for who in first)
        more = f" and {count - len(first)} more" if count > len(first) else ""
        text = f"{problem.text}, for {count} of {self.people} people: {named}{more}"
        return Problem(problem.path, problem.line, text)
