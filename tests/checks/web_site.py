"""A web site on loopback that answers as it is told, and notes who asked for what and when."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Site:
    """``pages``: path -> (status, Location). ``heads`` is what HEAD is answered in its place.

    ``asked`` has ``(method, path)`` in order, ``agents`` who asked, and ``most_at_once`` how many
    requests were ever under way at the same time. A path in ``stuck`` is answered when the site
    closes.
    """

    pages: dict[str, tuple[int, str]] = field(default_factory=dict)
    heads: dict[str, int] = field(default_factory=dict)
    stuck: set[str] = field(default_factory=set)
    asked: list[tuple[str, str]] = field(default_factory=list)
    agents: set[str] = field(default_factory=set)
    most_at_once: int = 0
    url: str = ""
    closing: threading.Event = field(default_factory=threading.Event)
    _now: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def enter(self, method: str, path: str, agent: str) -> None:
        with self._lock:
            self.asked.append((method, path))
            self.agents.add(agent)
            self._now += 1
            self.most_at_once = max(self.most_at_once, self._now)

    def leave(self) -> None:
        with self._lock:
            self._now -= 1


@contextmanager
def serving(site: Site) -> Iterator[Site]:
    """Serve ``site`` on a free port until the block ends; ``site.url`` is without a slash."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self._answer()

        def do_GET(self) -> None:
            self._answer()

        def _answer(self) -> None:
            site.enter(self.command, self.path, self.headers["User-Agent"])
            if self.path in site.stuck:
                site.closing.wait(10)
            status, location = site.pages.get(self.path, (404, ""))
            if self.command == "HEAD":
                status = site.heads.get(self.path, status)
            self.send_response(status)
            if location:
                self.send_header("Location", location)
            self.send_header("Content-Length", "0")
            site.leave()  # before the answer is: whoever has it may ask again at once
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    site.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield site
    finally:
        site.closing.set()
        server.shutdown()
        thread.join()
        server.server_close()
