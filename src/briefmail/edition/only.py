"""``--only EXPR``: a merge-field expression that picks recipients, compiled once."""

from collections.abc import Mapping

from briefmail.edition.merge import compile_condition
from briefmail.errors import UsageError


class OnlyExpression:
    """``region == "Fife" and organisation``, as a question to a recipient's fields.

    Raises :class:`UsageError` when it is not of the language of merge fields.
    """

    def __init__(self, source: str) -> None:
        compiled = compile_condition(source)
        if isinstance(compiled, str):
            raise UsageError(f"--only {source!r}: {compiled}")
        self._holds, self.fields = compiled

    def __call__(self, fields: Mapping[str, str]) -> bool:
        """Does it hold for somebody? What cannot be worked out for them does not hold."""
        return self._holds(fields)
