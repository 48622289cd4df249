"""A relay in a process of its own that keeps every message it takes in a file, and survives.

Usage: ``python logging_relay.py LOG DELAY``; it prints its port. A line of the log is the recipient
of a message, written before the reply to its dot, so what is acknowledged is always there.
"""

import asyncio
import os
import random
import sys


class Dialogue(asyncio.Protocol):
    """One connection: answers lines in their order, however they are cut."""

    def __init__(self, log: int, delay: float) -> None:
        self._log, self._delay = log, delay
        self._buffer = b""
        self._recipient: bytes | None = None
        self._in_data = self._waiting = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._transport.write(b"220 relay.example.org ESMTP\r\n")

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._waiting:
            self._work()

    def _work(self) -> None:
        self._waiting = False
        while not self._waiting and b"\r\n" in self._buffer:
            line, _, self._buffer = self._buffer.partition(b"\r\n")
            if self._in_data:
                self._data_line(line)
            else:
                self._transport.write(self._command(line) + b"\r\n")

    def _data_line(self, line: bytes) -> None:
        if line != b".":
            return
        self._in_data = False
        os.write(self._log, (self._recipient or b"nobody") + b"\n")
        self._waiting = True
        later = random.random() * self._delay
        asyncio.get_running_loop().call_later(later, self._acknowledge)

    def _acknowledge(self) -> None:
        self._transport.write(b"250 2.0.0 taken\r\n")
        self._work()

    def _command(self, line: bytes) -> bytes:
        verb = line[:4].upper()
        if verb == b"EHLO":
            return b"250-relay.example.org\r\n250 PIPELINING"
        if verb == b"RCPT":
            self._recipient = line.partition(b"<")[2].partition(b">")[0]
        if verb == b"DATA":
            self._in_data = True
            return b"354 go ahead"
        if verb == b"QUIT":
            return b"221 2.0.0 bye"
        return b"250 2.0.0 ok"


async def main(path: str, delay: float) -> None:
    log = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Dialogue(log, delay), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], float(sys.argv[2])))
