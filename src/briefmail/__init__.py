"""briefmail: a newsletter as a folder of text files.

The public interface is :class:`Newsletter`, an opened folder::

    from briefmail import Newsletter

    newsletter = Newsletter.open(".")
    summary = newsletter.send("issues/2016-08-24.md")

It is resolved lazily, so that ``import briefmail`` costs nothing.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from briefmail.newsletter import Newsletter as Newsletter

__all__ = ["Newsletter", "__version__"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Import :class:`Newsletter` when it is first asked for (PEP 562)."""
    if name == "Newsletter":
        from briefmail.newsletter import Newsletter  # noqa: PLC0415

        return Newsletter
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
