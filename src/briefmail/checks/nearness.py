"""How near two words are to each other, to tell a slip of the keyboard from another word."""


def distance(one: str, other: str) -> int:
    """How many letters to change, drop, add or swap with the next to get from one to the other.

    The optimal string alignment distance: "breifing" is 1 from "briefing".
    """
    before: list[int] = []
    last = list(range(len(other) + 1))
    for row, letter in enumerate(one, 1):
        now = [row]
        for column, wanted in enumerate(other, 1):
            cost = min(last[column] + 1, now[-1] + 1, last[column - 1] + (letter != wanted))
            swapped = row > 1 and column > 1 and one[row - 2] == wanted
            if swapped and letter == other[column - 2]:
                cost = min(cost, before[column - 2] + 1)
            now.append(cost)
        before, last = last, now
    return last[-1]


def is_slip(one: str, other: str) -> bool:
    """Whether ``one`` is probably ``other`` mistyped: near it, and not a form of it.

    A plural or a genitive is none; nor is anything of few letters, where another word is near.
    """
    if one == other or abs(len(one) - len(other)) > 2:
        return False
    if {one, other} & {form for word in (one, other) for form in _forms(word)}:
        return False
    allowed = 2 if len(other) >= 10 else 1 if len(other) >= 5 else 0
    return distance(one, other) <= allowed


def _forms(word: str) -> set[str]:
    return {word + ending for ending in ("s", "es", "'s", "’s", "s'", "s’")}
