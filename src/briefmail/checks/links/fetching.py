"""Asking servers whether a linked page is there: HEAD, then GET where that is refused (RFC 9110).

Politely: each address once, few connections to one host with a pause between, under our own name,
and never the content. Bounded: whoever has not answered in time is left where they are.
"""

import queue
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from urllib.parse import urljoin, urlsplit

import urllib3
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    LocationParseError,
    NameResolutionError,
    NewConnectionError,
    ReadTimeoutError,
    SSLError,
)

from briefmail import __version__
from briefmail.checks.links.answer import Answer, Fault, page_of

USER_AGENT = (
    f"briefmail/{__version__} (a newsletter's links, each asked for once before it is sent)"
)
MAX_REDIRECTS = 10
_PERMANENT = {301, 308}
_REDIRECTS = {*_PERMANENT, 302, 303, 307}


@dataclass(frozen=True, slots=True)
class Manners:
    """How to ask. Times are in seconds; ``in_all`` bounds the whole, whatever servers do.

    ``ca_certs`` is a file of certificates to trust in the place of the system's.
    """

    connect: float = 5.0
    read: float = 10.0
    in_all: float = 60.0
    workers: int = 16
    per_host: int = 2
    pause: float = 0.25
    ca_certs: str | None = None


def fetch_all(
    urls: Iterable[str],
    manners: Manners = Manners(),
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> dict[str, Answer]:
    """Ask for every address, several at once, and return what each came to.

    It returns in time even if servers do not: what is missing then has the fault *late*.
    """
    asked = list(dict.fromkeys(urls))
    run = _Run(manners, sleep, clock, asked)
    threads = [
        threading.Thread(target=run.work, daemon=True)  # one that hangs must not keep us
        for _ in range(min(manners.workers, run.lanes.qsize()))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, run.deadline - clock()))
    return {url: run.answers.get(url) or Answer(url, fault="late") for url in asked}


class _Run:
    """The addresses of one call, in lanes: each lane is one host's, and goes one by one."""

    def __init__(
        self,
        manners: Manners,
        sleep: Callable[[float], None],
        clock: Callable[[], float],
        urls: Iterable[str],
    ) -> None:
        self.deadline = clock() + manners.in_all
        self.lanes: queue.SimpleQueue[list[str]] = queue.SimpleQueue()
        self.answers: dict[str, Answer] = {}
        self._manners, self._sleep, self._clock = manners, sleep, clock
        self._http = urllib3.PoolManager(
            maxsize=manners.per_host,
            timeout=urllib3.Timeout(connect=manners.connect, read=manners.read),
            headers={"User-Agent": USER_AGENT, "Accept": "*/*"},
            retries=False,
            ca_certs=manners.ca_certs,
        )
        for lane in _lanes(urls, manners.per_host):
            self.lanes.put(lane)

    def work(self) -> None:
        """Take lane after lane until none is left, or time is up."""
        while True:
            try:
                lane = self.lanes.get_nowait()
            except queue.Empty:
                return
            for number, url in enumerate(lane):
                if number:
                    self._sleep(self._manners.pause)
                if self._clock() >= self.deadline:
                    return
                self.answers[url] = self._ask(url)

    def _ask(self, url: str) -> Answer:
        """HEAD, and GET where HEAD came to nothing: many servers do not know it, or forbid it."""
        answer = self._follow("HEAD", url)
        if answer.is_good or answer.status == 429 or answer.fault not in {"", "connection"}:
            return answer
        return self._follow("GET", url)

    def _follow(self, method: str, url: str) -> Answer:
        """Ask for an address and for wherever it sends us."""
        answer = Answer(url, final=url, permanent=True)
        for _ in range(MAX_REDIRECTS):
            try:
                status, target = self._request(method, answer.final)
            except (HTTPError, ValueError) as error:  # a host that IDNA refuses is a UnicodeError
                return replace(answer, fault=_fault(error))
            if status not in _REDIRECTS or not target:
                moved = answer.final != url
                return replace(answer, status=status, permanent=moved and answer.permanent)
            answer = replace(
                answer, final=target, permanent=answer.permanent and status in _PERMANENT
            )
        return replace(answer, fault="redirects")

    def _request(self, method: str, url: str) -> tuple[int, str]:
        """The status of one request, and where its Location leads."""
        response = self._http.request(method, page_of(url), redirect=False, preload_content=False)
        try:
            location = response.headers.get("Location", "")
            target = urljoin(url, location) if location else ""
            return response.status, target if urlsplit(target).scheme in {"http", "https"} else ""
        finally:
            response.close()  # without its content, however large that is


def _lanes(urls: Iterable[str], per_host: int) -> Iterator[list[str]]:
    hosts: defaultdict[str, list[str]] = defaultdict(list)
    for url in urls:
        hosts[urlsplit(url).netloc.lower()].append(url)
    for ones in hosts.values():
        yield from (lane for start in range(per_host) if (lane := ones[start::per_host]))


_FAULTS: Mapping[type[Exception], Fault] = {
    NameResolutionError: "name",  # which is a NewConnectionError,
    NewConnectionError: "connection",  # which is a ConnectTimeoutError
    ConnectTimeoutError: "timeout",
    ReadTimeoutError: "timeout",
    SSLError: "tls",
    LocationParseError: "address",
    ValueError: "address",
}


def _fault(error: Exception) -> Fault:
    return next((name for kind, name in _FAULTS.items() if isinstance(error, kind)), "connection")
