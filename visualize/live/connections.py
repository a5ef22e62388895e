"""Connections with bounds: how many there are at once, how long one may take, how little it may read."""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

MOST = 32  # pages and requests at once
SECONDS = 60.0  # for one request and its answer


class Requests(H11Protocol):
    """One request and its answer. A connection too many is closed at once, one that takes too long when time is up."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > MOST:
            transport.abort()
        else:
            self.loop.call_later(SECONDS, self._expire)

    def _expire(self) -> None:
        if self in self.connections:  # and has not become a page's
            self.transport.abort()


class Pages(WebSocketsSansIOProtocol):
    """The connection of an open page. One that answers no ping is cut off, with whatever it has not read."""

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if not self.handshake_initiated:  # the head is here, and is none: uvicorn would wait for ever
            self.transport.abort()

    def send_keepalive_ping(self) -> None:
        super().send_keepalive_ping()
        if self.pong_timer is None:  # it was to close, and does not read what stands before that
            self.transport.abort()

    def keepalive_timeout(self) -> None:
        super().keepalive_timeout()
        self.transport.abort()
