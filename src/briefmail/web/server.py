"""The preview's server: for this machine only, on a free port, behind a token in the URL."""

import secrets
import threading
from types import TracebackType
from typing import Self

from werkzeug.serving import WSGIRequestHandler, make_server

from briefmail.newsletter import Desk
from briefmail.web.app import make_app

LOOPBACK = "127.0.0.1"


class PreviewServer:
    """Serves what lies on a desk, from a thread of its own. A context manager.

    Whoever has :attr:`url` sees the list's names and addresses, so it holds a random token and the
    port is open to this machine only; without the token every answer is 403.
    """

    def __init__(self, desk: Desk) -> None:
        token = secrets.token_urlsafe(24)
        self._server = make_server(
            LOOPBACK, 0, make_app(desk, token), threaded=True, request_handler=_Silent
        )
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self.url = f"http://{LOOPBACK}:{self._server.server_port}/{token}/"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Silent(WSGIRequestHandler):
    """Writes no log: the URL is a secret, and a browser asks four times a second."""

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 -- werkzeug's name
        """Say nothing."""
