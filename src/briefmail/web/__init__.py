"""The live preview: an issue in a browser on this machine, while its editor writes."""

from briefmail.web.screenshots import take_screenshots
from briefmail.web.server import PreviewServer

__all__ = ["PreviewServer", "take_screenshots"]
