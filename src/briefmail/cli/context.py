"""What every command needs: the newsletter that it is about."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from briefmail.cli import output

if TYPE_CHECKING:
    from briefmail.newsletter import Newsletter


@dataclass(slots=True)
class Whereabouts:
    """The newsletter's folder, once it is known: where the details of an error are kept."""

    root: Path = Path()


@dataclass(frozen=True, slots=True)
class Settings:
    """The options that stand before the command."""

    folder: str | None
    verbose: bool
    whereabouts: Whereabouts

    def newsletter(self, near: str | Path | None = None) -> "Newsletter":
        """Open the newsletter of ``-C``, else the one that ``near`` or this folder lies in."""
        from briefmail.newsletter import Newsletter

        newsletter = Newsletter.open(Path(self.folder or near or "."))
        self.whereabouts.root = newsletter.root
        if self.verbose:
            output.note(f"newsletter: {newsletter.root}")
            output.note(f"settings: {newsletter.config.path or 'none, defaults apply'}")
            output.note(f"relay: {output.relay(newsletter.config.relay)}")
        return newsletter
