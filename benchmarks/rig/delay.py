"""A relay of octets that holds each back for a while, in both directions, as a distance does.

It limits no bandwidth and loses nothing; what comes in together goes out together. A connection
through it takes as long to be made as one over that distance: there and back.

``delay.py PORT UPSTREAM_PORT SECONDS`` listens on loopback until it is ended.
"""

import asyncio
import sys
from collections import deque

HOST = "127.0.0.1"


class Wire(asyncio.Protocol):
    """One end of a connection: what arrives here leaves at ``other`` after the delay."""

    def __init__(self, delay: float, other: "Wire | None" = None) -> None:
        self._delay = delay
        self.other = other
        self._under_way: deque[bytes] = deque()
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport; asyncio has switched Nagle's algorithm off already."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        if self.other is None:
            transport.pause_reading()  # nothing may arrive before there is another end

    def join(self, other: "Wire") -> None:
        """Begin to listen: there is somebody to hand it to."""
        self.other = other
        if self.transport and not self.transport.is_closing():
            self.transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        """Let it go on later. The delay is always the same, so the order stays."""
        self._later(data)

    def eof_received(self) -> bool:
        """An end takes as long as everything else; b"" stands for it."""
        self._later(b"")
        return True

    def connection_lost(self, error: Exception | None) -> None:
        """Close the other end too, once everything has arrived there."""
        self._later(b"")

    def _later(self, data: bytes) -> None:
        self._under_way.append(data)
        asyncio.get_running_loop().call_later(self._delay, self._arrive)

    def _arrive(self) -> None:
        """Hand over what has been under way longest, whichever timer this is."""
        data = self._under_way.popleft()
        transport = self.other.transport if self.other else None
        if transport is None or transport.is_closing():
            return
        if data:
            transport.write(data)
        else:
            transport.close()


async def serve(port: int, upstream: int, delay: float) -> None:
    """Take connections and join each with one of its own to ``upstream``."""
    loop = asyncio.get_running_loop()
    joining: set[asyncio.Task[None]] = set()

    async def reach(near: Wire) -> None:
        await asyncio.sleep(2 * delay)  # SYN and SYN-ACK
        far = Wire(delay, near)
        await loop.create_connection(lambda: far, HOST, upstream)
        near.join(far)

    def accept() -> Wire:
        near = Wire(delay)
        task = loop.create_task(reach(near))
        joining.add(task)
        task.add_done_callback(joining.discard)
        return near

    server = await loop.create_server(accept, HOST, port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
