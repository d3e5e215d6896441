"""Connections to one server that take one request after the other, with nothing between them and the sockets."""

import asyncio
import socket
import ssl
import time
from typing import Any

import aiohappyeyeballs

from generate.llm.http1 import Garbled, Reply, ReplyReader

CONNECT_SECONDS = 10.0
KEPT_OPEN_SECONDS = 60.0
"""Servers close idle connections after 5 to 75 seconds; one that is closed under way costs a try."""
RESOLVED_SECONDS = 10.0
"""How long a name's addresses are believed."""
NEXT_ADDRESS_SECONDS = 0.25
"""Head start of a name's first address before the next is tried as well (Happy Eyeballs, RFC 8305)."""


class NoConnection(Exception):
    """The server cannot be reached; nothing was sent."""


class Broken(Exception):
    """The connection broke after the request was on its way."""


class Connections:
    """Opened as needed, within `patience` seconds, and kept for the next request."""

    def __init__(self, host: str, port: int, tls: ssl.SSLContext | None, patience: float = CONNECT_SECONDS) -> None:
        self.host, self.port, self._tls, self.patience = host, port, tls, patience
        self._idle: list[_Connection] = []
        self._closed = False
        self._addresses: list[Any] = []
        self._resolved = -RESOLVED_SECONDS
        self._resolving = asyncio.Lock()

    async def exchange(self, request: bytes) -> Reply:
        """Send a whole request and wait for the whole reply. Raises `NoConnection`, `Broken`."""
        connection = self._kept_open() or await self._open()
        reply: Reply | None = None
        try:
            reply = await connection.exchange(request)
        finally:
            if reply is None:  # failed, or no longer waited for
                connection.abort()
        if connection.usable and not self._closed:
            self._idle.append(connection)
        else:
            connection.close()
        return reply

    def close(self) -> None:
        """Close those that are idle now, and the others after their replies."""
        self._closed = True
        while self._idle:
            self._idle.pop().close()

    def _kept_open(self) -> "_Connection | None":
        while self._idle:
            connection = self._idle.pop()
            if connection.usable and time.monotonic() - connection.used < KEPT_OPEN_SECONDS:
                return connection
            connection.close()
        return None

    async def _open(self) -> "_Connection":
        loop = asyncio.get_running_loop()
        name = self.host if self._tls else None
        try:
            async with asyncio.timeout(self.patience):
                found = await aiohappyeyeballs.start_connection(
                    await self._resolve(), happy_eyeballs_delay=NEXT_ADDRESS_SECONDS
                )
                _, connection = await loop.create_connection(
                    _Connection, sock=found, ssl=self._tls, server_hostname=name
                )
        except TimeoutError:
            raise NoConnection(f"no connection within {self.patience:g} s") from None
        except (OSError, UnicodeError) as error:  # the latter for what is no name of a host
            raise NoConnection(str(error) or type(error).__name__) from None
        return connection

    async def _resolve(self) -> list[Any]:
        """The server's addresses, asked for once by all who need them."""
        if time.monotonic() - self._resolved < RESOLVED_SECONDS:
            return self._addresses
        async with self._resolving:
            if time.monotonic() - self._resolved >= RESOLVED_SECONDS:
                self._addresses = await _addresses(self.host, self.port)
                self._resolved = time.monotonic()
        return self._addresses


class _Connection(asyncio.Protocol):
    """One connection, that takes one request after the other."""

    def __init__(self) -> None:
        self.used = 0.0
        self._free = False
        self._reply: asyncio.Future[Reply] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    @property
    def usable(self) -> bool:
        """Whether it is open and nothing is under way; the server's end shows here before `connection_lost`."""
        return self._free and not self._transport.is_closing()

    def exchange(self, request: bytes) -> asyncio.Future[Reply]:
        """Send a request; the reply, or `Broken`. Raises `NoConnection`."""
        if self._transport.is_closing():
            raise NoConnection("the server disconnected")
        self._free, self._reader = False, ReplyReader()
        self._reply = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return self._reply

    def data_received(self, data: bytes) -> None:
        if self._reply is None or self._reply.done():  # nothing was asked
            self.abort()
            return
        try:
            reply = self._reader.feed(data)
        except Garbled as error:
            self._fail(str(error))
            self.abort()
            return
        if reply is not None:
            self._free = self._reader.keep and not self._transport.get_write_buffer_size()
            self.used = time.monotonic()
            self._reply.set_result(reply)

    def connection_lost(self, why: Exception | None) -> None:
        if self._reply is None:
            return
        if not self._reply.done():
            try:
                if why is not None:
                    raise Garbled(str(why) or type(why).__name__)
                self._reply.set_result(self._reader.end())
            except Garbled as error:
                self._fail(str(error))
        self._reader.release()

    def close(self) -> None:
        """Let go of it in good order; at once if the server answered without taking in the whole request."""
        if self._transport.get_write_buffer_size():  # it may never be taken in, and would be waited for
            self._transport.abort()
        else:
            self._transport.close()

    def abort(self) -> None:
        """Let go of it at once."""
        self._transport.abort()

    def _fail(self, why: str) -> None:
        if self._reply is not None and not self._reply.done():
            self._reply.set_exception(Broken(why))


async def _addresses(host: str, port: int) -> list[Any]:
    """A host's addresses; one that is an address itself needs no thread to ask in."""
    try:
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except socket.gaierror:
        return await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
