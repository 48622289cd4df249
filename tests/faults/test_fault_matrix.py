"""Every fault of a relay at every step of the dialogue: who has it, who has not, what is reported.

Six people are sent to over one connection, and the fault strikes the third of them or, above MAIL,
a connection. The tables say what is true when the run ends: one letter for each person in the order
of the list, and the exit status; ``!`` where the run was stopped before everybody had been tried.

======= ==========================================================================================
``s``   sent: the relay answered 250 to the dot
``d``   deferred: certainly not taken over; the next run tries again
``r``   refused: 5yz for this person, who is not tried again
``u``   uncertain: the dot had left and was not answered; not tried again unasked
``p``   pending: not tried
``0``   everybody is settled
``75``  somebody is not; with ``!`` the relay is not fit to go on with
``78``  the login is refused
======= ==========================================================================================

The columns: the connection is *reset* (RST), or the relay *closes* it without a word; it answers
421 and closes, or any *4yz* or *5yz* that does not name a mailbox; it *drips*: its reply comes so
slowly (in the body: it reads so slowly) that the time for one reply is up before its end; it never
answers: *silence*. A letter of ``IMPOSSIBLE`` stands where a fault cannot be.

Nothing here waits between two tries. After each of these runs the relay is well again and the same
people are enrolled once more: whoever was ``d`` or ``p`` gets it then, and nobody gets it twice.
"""

import socket
import ssl
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path

import pytest
import trustme
from certificates import server_context
from fake_relay import DRIP, DROP, RESET, SILENCE, FakeRelay, Verb
from scene import PATIENCE, Scene, addresses, message_for, people

from briefmail.audience import Recipient
from briefmail.config import Relay
from briefmail.delivery import RunResult, Session, Timeouts
from briefmail.edition.message import Message

IMPOSSIBLE = {
    "a": "nothing is said before there is a connection; what closes it then is the row 'greeting'",
    "b": "MAIL names no recipient, so a relay cannot choose whom it strikes there",
    "c": "who is refused is not tried again, so there is no second time",
    "d": "QUIT is about nobody",
}

TABLES = {
    # A relay that is down is not worth a second look, and nobody is marked for it.
    "the very first connection": """
              reset     close     421       4yz       5yz       drip      silence
    connect   pppppp75! a         a         a         a         a         pppppp75!
    greeting  pppppp75! pppppp75! pppppp75! pppppp75! pppppp75! pppppp75! pppppp75!
    EHLO      pppppp75! pppppp75! pppppp75! pppppp75! pppppp75! pppppp75! pppppp75!
    STARTTLS  pppppp75! pppppp75! pppppp75! pppppp75! pppppp75! pppppp75! pppppp75!
    AUTH      pppppp75! pppppp75! pppppp75! pppppp75! pppppp78! pppppp75! pppppp75!
    """,
    # The relay worked a moment ago. Each connection carries two messages, so this is the second.
    "one later connection": """
              reset     close     421       4yz       5yz       drip      silence
    connect   ssssss0   a         a         a         a         a         ssssss0
    greeting  ssssss0   ssssss0   ssssss0   ssssss0   ssssss0   ssssss0   ssssss0
    EHLO      ssssss0   ssssss0   ssssss0   ssssss0   ssssss0   ssssss0   ssssss0
    STARTTLS  ssssss0   ssssss0   ssssss0   ssssss0   ssssss0   ssssss0   ssssss0
    AUTH      ssssss0   ssssss0   ssssss0   ssssss0   sspppp78! ssssss0   ssssss0
    """,
    "every later connection": """
              reset     close     421       4yz       5yz       drip      silence
    connect   sspppp75! a         a         a         a         a         sspppp75!
    greeting  sspppp75! sspppp75! sspppp75! sspppp75! sspppp75! sspppp75! sspppp75!
    EHLO      sspppp75! sspppp75! sspppp75! sspppp75! sspppp75! sspppp75! sspppp75!
    STARTTLS  sspppp75! sspppp75! sspppp75! sspppp75! sspppp75! sspppp75! sspppp75!
    AUTH      sspppp75! sspppp75! sspppp75! sspppp75! sspppp78! sspppp75! sspppp75!
    """,
    # Before the dot a lost connection costs nobody anything: the message is tried once more. A 5yz
    # to MAIL is about us, and one in the middle of a message about who knows what: that stops.
    "once, at the third of six": """
              reset     close     421       4yz       5yz       drip      silence
    MAIL      ssssss0   ssssss0   ssssss0   ssssss0   ssdppp75! ssssss0   ssssss0
    RCPT      ssssss0   ssssss0   ssssss0   ssdsss75  ssrsss0   ssssss0   ssssss0
    DATA      ssssss0   ssssss0   ssssss0   ssdsss75  ssrsss0   ssssss0   ssssss0
    body      ssssss0   ssssss0   ssssss0   ssssss0   ssdppp75! ssssss0   ssssss0
    dot       ssusss0   ssusss0   ssdsss75  ssdsss75  ssrsss0   ssusss0   ssusss0
    RSET      ssrsss0   ssrsss0   ssrsss0   ssrsss0   ssrsss0   ssrsss0   ssrsss0
    QUIT      ssssss0   ssssss0   ssssss0   ssssss0   ssssss0   ssssss0   ssssss0
    """,
    "whenever it is the third's turn": """
              reset     close     421       4yz       5yz       drip      silence
    MAIL      b         b         b         b         b         b         b
    RCPT      ssdsss75  ssdsss75  ssdsss75  ssdsss75  ssrsss0   ssdsss75  ssdsss75
    DATA      ssdsss75  ssdsss75  ssdsss75  ssdsss75  ssrsss0   ssdsss75  ssdsss75
    body      ssdsss75  ssdsss75  ssdsss75  ssdsss75  ssdppp75! ssdsss75  ssdsss75
    dot       ssusss0   ssusss0   ssdsss75  ssdsss75  ssrsss0   ssusss0   ssusss0
    RSET      c         c         c         c         c         c         c
    QUIT      d         d         d         d         d         d         d
    """,
    # Three failures in a row end the run. RSET is said to those whom RCPT has refused.
    "at everybody from the third on": """
              reset     close     421       4yz       5yz       drip      silence
    MAIL      ssdppp75! ssdppp75! ssdppp75! ssdppp75! ssdppp75! ssdppp75! ssdppp75!
    RCPT      ssdppp75! ssdppp75! ssdppp75! ssdddd75  ssrrrr0   ssdppp75! ssdppp75!
    DATA      ssdppp75! ssdppp75! ssdppp75! ssdddd75  ssrrrr0   ssdppp75! ssdppp75!
    body      ssdppp75! ssdppp75! ssdppp75! ssdppp75! ssdppp75! ssdppp75! ssdppp75!
    dot       ssuuup75! ssuuup75! ssdddp75! ssdddd75  ssrrrr0   ssuuup75! ssuuup75!
    RSET      ssrrrr0   ssrrrr0   ssrrrr0   ssrrrr0   ssrrrr0   ssrrrr0   ssrrrr0
    QUIT      ssssss0   ssssss0   ssssss0   ssssss0   ssssss0   ssssss0   ssssss0
    """,
}
BEFORE_MAIL = ["connect", "greeting", "EHLO", "STARTTLS", "AUTH"]
FIRST, ONE_LATER, EVERY_LATER, ONCE, THE_THIRD, FROM_THE_THIRD = TABLES

ANSWERS = {
    "reset": RESET,
    "close": DROP,
    "421": "421 4.7.0 closing",
    "4yz": "451 4.7.1 not now",
    "5yz": "554 5.7.1 no",
    "drip": DRIP,
    "silence": SILENCE,
}
VERBS: dict[str, Verb] = {"greeting": "CONNECT", "body": "BODY", "dot": "DOT"}
LIMITS = {"EHLO": "command", "STARTTLS": "command", "AUTH": "command", "RSET": "command"} | {
    "body": "block"
}
"""The time limit of a step, where it does not have the step's name."""
LIMIT = 0.4
THREADS = 40
BODY = (b"x" * 900 + b"\r\n") * 7000
"""More than the network takes before a relay has read it, so that the dot has not left."""


@dataclass(frozen=True)
class Cell:
    """One fault, and what it comes to."""

    when: str
    step: str
    fault: str
    outcome: str

    def __str__(self) -> str:
        return f"{self.step}-{self.fault}: {self.when}"


def cells() -> Iterator[Cell]:
    """Read the tables."""
    for when, table in TABLES.items():
        header, *rows = table.strip().splitlines()
        for row in rows:
            step, *outcomes = row.split()
            for fault, outcome in zip(header.split(), outcomes, strict=True):
                yield Cell(when, step, fault, outcome)


POSSIBLE = [cell for cell in cells() if cell.outcome not in IMPOSSIBLE]


# --- a run ----------------------------------------------------------------------------------------


def script(relay: FakeRelay, cell: Cell) -> None:
    """Let the relay have this fault."""
    verb, answer = VERBS.get(cell.step, cell.step), ANSWERS[cell.fault]  # type: ignore[arg-type]
    once = 1 if cell.when in {FIRST, ONE_LATER, ONCE} else 1_000_000
    struck = range(3, 7 if cell.when == FROM_THE_THIRD else 4)
    match cell.step:
        case "connect":
            pass
        case "greeting" | "EHLO" | "STARTTLS" | "AUTH":
            relay.on(verb, answer, times=once, after=0 if cell.when == FIRST else 1)
        case "MAIL":
            relay.on(verb, answer, times=once, after=2)
        case "QUIT":
            relay.on(verb, answer, times=once)
        case "RSET":
            for number in struck:
                relay.on("RCPT", "550 5.1.1 nobody here", part=f"reader{number}@")
            relay.on(verb, answer, times=once)
        case _:
            for number in struck:
                relay.on(verb, answer, part=f"reader{number}@", times=once)


class Door:
    """The way to a relay: each connection that is to fail at once is led to ``elsewhere``."""

    def __init__(self, relay: Relay, elsewhere: int, cell: Cell, timeouts: Timeouts) -> None:
        self._relay, self._elsewhere = relay, elsewhere
        self._when = cell.when if cell.step == "connect" else ""
        self._timeouts = timeouts
        self._count = 0

    def __call__(self) -> Session:
        self._count += 1
        struck = {FIRST: [1], ONE_LATER: [2], EVERY_LATER: range(2, 100)}.get(self._when, [])
        relay = replace(self._relay, port=self._elsewhere) if self._count in struck else self._relay
        return Session(relay, self._timeouts)


@contextmanager
def nobody_there(cell: Cell) -> Iterator[int]:
    """Yield a port that refuses connections, or one where nobody ever takes them."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        waiting = []
        if cell.fault == "silence":
            server.listen(0)
            for _ in range(3):  # they fill the queue; from now on SYNs are dropped
                waiting.append(socket.socket())
                waiting[-1].setblocking(False)
                waiting[-1].connect_ex(server.getsockname())
        yield server.getsockname()[1]
        for sock in waiting:
            sock.close()


def patience(cell: Cell) -> Timeouts:
    """Be impatient at the step that is struck, and there only."""
    if cell.fault not in {"drip", "silence"}:
        return PATIENCE
    limit = LIMITS.get(cell.step, cell.step.lower())
    assert limit in {field.name for field in fields(Timeouts)}
    return replace(PATIENCE, **{limit: LIMIT})


def message_of(cell: Cell) -> Callable[[Recipient], Message]:
    def message(recipient: Recipient) -> Message:
        struck = cell.step == "body" and recipient.line >= 3
        return message_for(recipient, BODY if struck else b"Hello.\r\n")

    return message


def send(scene: Scene, connect: Callable[[], Session], cell: Cell) -> RunResult:
    scene.enrol(people(1, 6))
    return scene.send(connect=connect, message=message_of(cell))


def fates(scene: Scene) -> str:
    """Write what became of everybody, in the order of the list."""
    states = scene.states()
    return "".join(
        state[0] for address in addresses(1, 6) for state in states if address in states[state]
    )


def told(scene: Scene, result: RunResult) -> str:
    """Write a finished run as the tables have it, if its own count agrees with the ledger."""
    written = fates(scene)
    counts = Counter(s=result.sent, r=result.refused, d=result.deferred, u=result.uncertain)
    assert Counter(written.replace("p", "")) == +counts
    return f"{written}{result.exit_status}{'!' if result.stopped else ''}"


@dataclass
class Trial:
    """One cell in a folder of its own. ``tls`` is what the relay shows where it speaks TLS."""

    cell: Cell
    pipelining: bool
    folder: Path
    tls: ssl.SSLContext

    def run(self) -> str:
        secured = self.cell.step in {"STARTTLS", "AUTH"}
        with FakeRelay(
            extensions=["8BITMIME", *(["PIPELINING"] if self.pipelining else [])],
            tls=self.tls if secured else None,
            security="starttls" if secured else "none",
            users={"editor": "right"} if secured else None,
        ) as relay:
            login = ("localhost", "editor", "right") if secured else ("127.0.0.1",)
            way = relay.relay(*login)
            if self.cell.when in {ONE_LATER, EVERY_LATER} or self.cell.step == "QUIT":
                way = replace(way, messages_per_connection=2)
            script(relay, self.cell)
            with Scene.set_up(self.folder / "store.sqlite3", way) as scene:
                return self._outcome(scene, relay)

    def _outcome(self, scene: Scene, relay: FakeRelay) -> str:
        with nobody_there(self.cell) as port:
            door = Door(scene.relay, port, self.cell, patience(self.cell))
            outcome = told(scene, send(scene, door, self.cell))
        assert relay.struck or self.cell.step == "connect"
        relay.heal()
        self._check_the_next_run(scene, relay, outcome)
        return outcome

    def _check_the_next_run(self, scene: Scene, relay: FakeRelay, outcome: str) -> None:
        """Whoever is left gets it, and nobody gets it again."""
        well = replace(self.cell, step="", fault="")
        result = send(scene, lambda: Session(scene.relay, PATIENCE), well)
        now = outcome[:6].replace("d", "s").replace("p", "s")
        assert (fates(scene), result.exit_status) == (now, 0)
        arrived = Counter(relay.recipients)
        for address, state in zip(addresses(1, 6), now, strict=True):
            assert arrived[address] in {"s": {1}, "r": {0}, "u": {0, 1}}[state], (address, state)
            assert (address in relay.acknowledged) == (state == "s")


@pytest.fixture(scope="module")
def trials(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[Cell, list[Future[str]]]]:
    """Try every cell, many at a time, because most of them only wait."""
    authority = trustme.CA(organization_name="briefmail tests")
    tls = server_context(authority, "127.0.0.1", "localhost")
    root = tmp_path_factory.mktemp("matrix")
    authority.cert_pem.write_to_path(str(root / "ca.pem"))
    futures: dict[Cell, list[Future[str]]] = {}
    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(THREADS) as pool:
        patch.setenv("SSL_CERT_FILE", str(root / "ca.pem"))
        for number, cell in enumerate(POSSIBLE):
            for pipelining in [True] if cell.step in BEFORE_MAIL else [True, False]:
                folder = root / f"{number}-{pipelining}"
                folder.mkdir()
                trial = Trial(cell, pipelining, folder, tls)
                futures.setdefault(cell, []).append(pool.submit(trial.run))
        yield futures


@pytest.mark.parametrize("cell", POSSIBLE, ids=str)
def test_what_a_fault_comes_to(cell: Cell, trials: dict[Cell, list[Future[str]]]) -> None:
    """The same with PIPELINING and without, where that makes a difference."""
    assert {future.result() for future in trials[cell]} == {cell.outcome}


def test_the_tables_have_every_fault_at_every_step() -> None:
    mail = ["MAIL", "RCPT", "DATA", "body", "dot", "RSET", "QUIT"]
    expected = {
        (when, step, fault)
        for steps, whens in (
            (BEFORE_MAIL, (FIRST, ONE_LATER, EVERY_LATER)),
            (mail, (ONCE, THE_THIRD, FROM_THE_THIRD)),
        )
        for when in whens
        for step in steps
        for fault in ANSWERS
    }
    found = [(cell.when, cell.step, cell.fault) for cell in cells()]
    assert sorted(found) == sorted(expected)
