"""The survey: everybody's copy filled once, and what is remarkable about them all.

It is one pass over a list that may have millions of rows, so it keeps counts and a few people by
name, never the people themselves.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass

from briefmail.audience import Recipient
from briefmail.edition import Edition
from briefmail.errors import MergeError, Problem

NAMED = 10
"""How many people a finding names before it only counts them."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A problem that ``count`` people's copies have; ``first`` are the first few of them."""

    problem: Problem
    count: int
    first: tuple[Recipient, ...]


class Survey:
    """What is known of everybody's copy so far. ``people`` have been seen.

    ``largest`` has the copy with the most bytes among those that could be filled; None if none
    could.
    """

    def __init__(self, edition: Edition) -> None:
        self.people = 0
        self.largest: Recipient | None = None
        self.largest_size = 0
        self._edition = edition
        self._counts: Counter[Problem] = Counter()
        self._first: defaultdict[Problem, list[Recipient]] = defaultdict(list)

    def see(self, recipient: Recipient) -> None:
        """Fill one person's copy, and remember what is remarkable about it."""
        self.people += 1
        try:
            size = len(self._edition.message_for(recipient).data)
        except MergeError as error:
            for problem in error.problems:
                self._counts[problem] += 1
                if self._counts[problem] <= NAMED:
                    self._first[problem].append(recipient)
            return
        if size > self.largest_size:
            self.largest, self.largest_size = recipient, size

    @property
    def faults(self) -> tuple[Fault, ...]:
        """What keeps copies from being filled, in the order in which it came up."""
        return tuple(
            Fault(problem, count, tuple(self._first[problem]))
            for problem, count in self._counts.items()
        )
