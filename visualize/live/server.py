"""The server of a live page: on this machine alone, for pages that it gave out itself, and for nothing else."""

from __future__ import annotations

import asyncio
import html
import json
import re
import secrets
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import uvicorn
from starlette.requests import HTTPConnection, Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from archspec.choices import Choices
from archspec.errors import ArchspecError
from archspec.spec import Spec
from visualize.live.connections import Pages, Requests
from visualize.live.following import Data, Live, State
from visualize.live.waiting import waiting_html

HOST = "127.0.0.1"
LARGEST_HEAD = 16 * 1024  # bytes, of a request
LARGEST_MESSAGE = 256  # bytes, from a page
PING, PONG = 20.0, 20.0  # seconds
POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">')
HEADERS = {
    "Cache-Control": "no-store",
    "Connection": "close",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Server:
    """Serves one spec at `url`; raises ArchspecError where the port is taken."""

    def __init__(
        self,
        path: Path,
        choices: Choices,
        port: int = 0,
        page_data: Callable[[Spec], Data] | None = None,
        page_html: Callable[[Data, str], str] | None = None,
    ) -> None:
        if page_data is None or page_html is None:
            from visualize import page

            page_data, page_html = page_data or page.page_data, page_html or page.page_html
        self._socket = _listening(port)
        self.port: int = self._socket.getsockname()[1]
        self.url = f"http://{HOST}:{self.port}/"
        self.live, self._page_html = Live(path, choices, page_data), page_html
        self._token = secrets.token_urlsafe(24)
        names = [f"{name}:{self.port}" for name in (HOST, "localhost")]
        self._hosts = {*names, *((HOST, "localhost") if self.port == 80 else ())}
        self._server = _Stopping(self._config(), self.live)

    def _config(self) -> uvicorn.Config:
        return uvicorn.Config(
            self,
            loop="asyncio",
            http=Requests,
            ws=Pages,
            ws_max_size=LARGEST_MESSAGE,
            ws_ping_interval=PING,
            ws_ping_timeout=PONG,
            ws_per_message_deflate=False,
            lifespan="off",
            log_config=None,
            log_level="error",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            h11_max_incomplete_event_size=LARGEST_HEAD,
            timeout_graceful_shutdown=1,
        )

    def run(self) -> None:
        """Serve until `stop` is called, or until Ctrl-C; then nothing is left open."""
        try:
            asyncio.run(self._run())
        except KeyboardInterrupt:
            pass
        finally:
            self._socket.close()

    async def _run(self) -> None:
        self.live.start()
        await self._server.serve([self._socket])

    def stop(self) -> None:
        """End `run`; any thread may call it."""
        self._server.should_exit = True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request (ASGI)."""
        if scope["type"] == "websocket":
            await self._follow(WebSocket(scope, receive, send))
        else:
            response = await self._answer(Request(scope))
            response.headers.update(HEADERS)
            await response(scope, receive, send)

    def _refused(self, request: HTTPConnection, path: str) -> int | None:
        """The status of a request that is not even looked at: for another host, with a long head, for another path."""
        head = [request.scope["query_string"], *(part for header in request.scope["headers"] for part in header)]
        if request.headers.get("host") not in self._hosts:
            return 421
        if sum(len(part) + 2 for part in head) > LARGEST_HEAD:  # and what stands between them
            return 431
        return None if request.scope["path"] == path else 404

    async def _answer(self, request: Request) -> Response:
        if status := self._refused(request, "/"):
            return _refusal(status)
        if request.method != "GET":
            return _refusal(405, {"Allow": "GET"})
        if request.headers.get("content-length", "0") != "0" or "transfer-encoding" in request.headers:
            return _refusal(413)
        state = await self.live.after(None)
        if state is None:
            return _refusal(503)
        page = await self._page(state)
        policy = POLICY.search(page)
        allowed = html.unescape(policy[1]) if policy else "default-src 'none'"
        headers = {"Content-Security-Policy": f"{allowed}; frame-ancestors 'none'"}
        return Response(page, media_type="text/html", headers=headers)

    async def _page(self, state: State) -> str:
        """The last good page, or the errors where there is none; its token tells which page it is."""
        token = f"{self._token}.{state.number}"
        if state.data is None:
            return waiting_html(self.live.path.name, state.told, token)
        return await asyncio.to_thread(self._page_html, state.data, token)

    async def _follow(self, page: WebSocket) -> None:
        """Tell a page everything new, until it goes or says what no page says."""
        token, _, number = page.query_params.get("token", "").rpartition(".")
        ours = page.headers.get("origin") in {f"http://{host}" for host in self._hosts}
        known = secrets.compare_digest(token.encode(), self._token.encode())
        if self._refused(page, "/live") or not (ours and known):
            await page.close()  # which is 403
            return
        await page.accept()
        telling = asyncio.create_task(self._tell(page, number))
        try:
            await _listen(page)
        finally:
            telling.cancel()

    async def _tell(self, page: WebSocket, known: str) -> None:
        """Send what is new to a page that shows the one of the number `known`; what it missed is not sent later."""
        state: State | None = None
        with suppress(WebSocketDisconnect, RuntimeError):  # the page went meanwhile
            while state := await self.live.after(state):
                if state.page and str(state.number) != known:
                    known = str(state.number)
                    await page.send_text(state.page)
                if state.error:
                    await page.send_text(state.error)


class _Stopping(uvicorn.Server):
    """Lets go of whoever waits for news, and of whoever does not read, before it waits for the last answers."""

    def __init__(self, config: uvicorn.Config, live: Live) -> None:
        super().__init__(config)
        self.live = live

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self.live.stop()
        for connection in self.server_state.connections:
            if connection.transport.get_write_buffer_size():
                connection.transport.abort()
        await asyncio.sleep(0)  # until they are gone: those that were closing cannot be closed again
        await super().shutdown(sockets)


async def _listen(page: WebSocket) -> None:
    """Returns when the page is gone, closing it where it says anything but that it is there."""
    try:
        while json.loads(await page.receive_text()) == {"kind": "pong"}:
            pass
    except WebSocketDisconnect:
        return
    except (KeyError, ValueError):  # bytes, or no JSON
        pass
    with suppress(WebSocketDisconnect, RuntimeError):  # the page went meanwhile
        await page.close(1008)


def _refusal(status: int, headers: dict[str, str] | None = None) -> Response:
    return PlainTextResponse("", status, headers)


def _listening(port: int) -> socket.socket:
    """A socket on this machine's own address; raises ArchspecError where the port cannot be had."""
    try:
        return socket.create_server((HOST, port))
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        hint = "give another with --port, or none: then a free one is found"
        raise ArchspecError("port", f"cannot listen on port {port}: {reason}", hint=hint) from None
