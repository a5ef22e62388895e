"""The live page's server: what it serves and to whom, what it refuses, and how a save reaches every open page."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from html import unescape
from itertools import count
from pathlib import Path
from threading import Event, Thread
from typing import Any

import httpx
import pytest
from click.testing import CliRunner
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from archspec import bundle
from archspec.choices import Choices
from archspec.cli.serve import serve as command
from archspec.errors import ArchspecError
from archspec.spec import Spec
from tests.command import environment
from visualize.live import connections, watching
from visualize.live import server as server_module
from visualize.live.server import Server

GOOD = "name: net\ninput: 8x8x3\nlayers: CONV3-4, RELU\n"
BETTER = "name: net\ninput: 8x8x3\nlayers: CONV3-8, RELU\n"
BROKEN = "name: net\ninput: 8x8x3\nlayers: CONV3-8, RELUU\n"
TOKEN = re.compile(r'<meta name="archspec-live" content="([^"]*)">')
PATIENCE = 30  # seconds, for what a busy machine is slow at
POLICY = '<meta http-equiv="Content-Security-Policy" content="default-src &#x27;none&#x27;">'


def page_data(spec: Spec) -> Mapping[str, object]:
    return {"title": spec.title, "parameters": spec.analyze().parameters}


def page_html(data: Mapping[str, object], live: str) -> str:
    return f'{POLICY}<meta name="archspec-live" content="{live}">{json.dumps(data)}'


@contextmanager
def serving(path: Path, *options: Any, **made: Any) -> Iterator[Server]:
    """A server of a file in a thread, with pages that hold next to nothing unless others are given."""
    made = {"page_data": page_data, "page_html": page_html} | made
    server = Server(path, Choices(*options), **made)
    thread = Thread(target=server.run)
    thread.start()
    try:
        yield server
    finally:
        server.stop()
        thread.join(PATIENCE)
        assert not thread.is_alive()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "net.yaml"
    path.write_text(GOOD, encoding="utf-8")
    return path


@pytest.fixture
def server(path: Path) -> Iterator[Server]:
    with serving(path) as server:
        yield server


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The server of a file that nobody saves."""
    path = tmp_path_factory.mktemp("quiet") / "net.yaml"
    path.write_text(GOOD, encoding="utf-8")
    with serving(path) as server:
        yield server


@pytest.fixture(autouse=True)
def no_complaints(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Whatever a client does, the server has nothing to complain about."""
    yield
    records = [*caplog.get_records("setup"), *caplog.get_records("call")]
    assert [record.getMessage() for record in records if record.levelname in ("ERROR", "CRITICAL")] == []


def get(server: Server, at: str = "", method: str = "GET", **options: Any) -> httpx.Response:
    return httpx.request(method, f"{server.url}{at}", trust_env=False, timeout=PATIENCE, **options)


def token(server: Server) -> str:
    found = TOKEN.search(get(server).text)
    assert found is not None
    return unescape(found[1])


def opened(server: Server, given: str | None = None, at: str = "live", **options: Any) -> ClientConnection:
    """The socket of a page, as a browser opens it."""
    address = f"ws://127.0.0.1:{server.port}/{at}?token={token(server) if given is None else given}"
    options = {"origin": server.url.rstrip("/"), "proxy": None, "open_timeout": PATIENCE} | options
    return connect(address, **options)


def told(page: ClientConnection) -> dict[str, Any]:
    """The next message; several saves in a row may make one."""
    found: dict[str, Any] = json.loads(page.recv(timeout=PATIENCE))
    return found


# -- the page ----------------------------------------------------------------------------------------------------------


def test_the_page_is_served_with_closed_headers(quiet: Server) -> None:
    for host in ("127.0.0.1", "localhost"):
        response = get(quiet, headers={"host": f"{host}:{quiet.port}"})
        assert (response.status_code, response.headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert json.loads(response.text.rsplit(">", 1)[-1]) == {"title": "net", "parameters": 112}
    headers = {name: response.headers.get(name) for name in (*server_module.HEADERS, "Content-Security-Policy")}
    assert headers == server_module.HEADERS | {"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'"}
    assert (headers["Cache-Control"], headers["X-Content-Type-Options"]) == ("no-store", "nosniff")
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "server" not in response.headers


def test_a_page_without_a_policy_may_do_nothing(path: Path) -> None:
    with serving(path, page_html=lambda *_: "bare") as server:
        assert get(server).headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"


def test_it_listens_on_this_machine_alone(quiet: Server) -> None:
    assert quiet._socket.getsockname() == ("127.0.0.1", quiet.port)
    assert quiet.url == f"http://127.0.0.1:{quiet.port}/"


@pytest.mark.parametrize("host", ["example.com", "127.0.0.1", "localhost:1", "127.0.0.1.example.com:{port}", ""])
def test_another_host_is_refused(quiet: Server, host: str) -> None:
    response = get(quiet, headers={"host": host.format(port=quiet.port)})
    assert (response.status_code, response.text) == (421, "")


@pytest.mark.parametrize("at", ["live", "index.html", "favicon.ico", "../net.yaml", "%2e%2e/net.yaml", "net.yaml", "/"])
def test_nothing_else_is_there(quiet: Server, at: str) -> None:
    response = get(quiet, at)
    assert (response.status_code, response.text) == (404, "")
    assert response.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"])
def test_nothing_but_get_is_answered(quiet: Server, method: str) -> None:
    response = get(quiet, method=method)
    assert (response.status_code, response.text, response.headers["allow"]) == (405, "", "GET")


def test_requests_have_no_body_and_small_heads(quiet: Server) -> None:
    assert get(quiet, content=b"x").status_code == 413
    assert get(quiet, content=iter([b"x"])).status_code == 413
    assert get(quiet, headers={"x": "a" * 17_000}).status_code == 431
    assert get(quiet, "?" + "a" * 17_000).status_code == 431
    assert get(quiet, headers=[("x", "")] * 6_000).status_code == 431
    with raw(quiet, b"GET / HTTP/1.1\r\nx: " + b"a" * 8_000) as opened:
        opened.sendall(b"a" * 9_000)
        assert opened.recv(65536).startswith(b"HTTP/1.1 400 ")
    assert get(quiet).status_code == 200


def raw(server: Server, text: bytes = b"") -> socket.socket:
    opened = socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE)
    opened.sendall(text)
    return opened


def closed(opened: socket.socket) -> bool:
    """Whether the other side ends the connection."""
    with opened, suppress(ConnectionError):
        return opened.recv(1) == b""
    return True


def eventually(condition: Callable[[], bool]) -> bool:
    """Whether something comes true in the end."""
    end = time.monotonic() + PATIENCE
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    return condition()


def held(server: Server) -> list[Any]:
    return list(server._server.server_state.connections)


def connected(server: Server) -> int:
    return len(held(server))


def test_one_request_is_answered_on_a_connection(quiet: Server) -> None:
    request = f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{quiet.port}\r\n\r\n".encode()
    with raw(quiet, request * 2) as opened:
        answer = b"".join(iter(lambda: opened.recv(65536), b""))
    assert answer.count(b"HTTP/1.1 200") == 1


def test_connections_are_bounded(path: Path) -> None:
    with serving(path) as server:
        idle = [raw(server) for _ in range(connections.MOST)]
        assert eventually(lambda: connected(server) == connections.MOST)
        assert closed(raw(server, b"GET"))
        for opened in idle:
            opened.close()
        assert eventually(lambda: connected(server) == 0)
        assert get(server).status_code == 200


def test_a_request_that_takes_too_long_is_cut_off(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    late, expire = Event(), connections.Requests._expire

    def expires(request: connections.Requests) -> None:
        if late.is_set():
            expire(request)
        else:
            request.loop.call_later(0.01, expires, request)

    monkeypatch.setattr(connections, "SECONDS", 0)
    monkeypatch.setattr(connections.Requests, "_expire", expires)
    with opened(server) as page:
        waiting = raw(server, b"GET / HTTP/1.1\r\nHost:")
        late.set()
        assert closed(waiting)
        page.send('{"kind":"pong"}')
        replaced(server.live.path, BETTER)
        assert told(page)["kind"] == "page"  # the page's own connection is none of these


# -- the socket --------------------------------------------------------------------------------------------------------


def refused(server: Server, **options: Any) -> int:
    with pytest.raises(InvalidStatus) as found, opened(server, **options):
        pass
    return found.value.response.status_code


def test_the_socket_opens_only_to_the_servers_own_pages(quiet: Server) -> None:
    port = quiet.port
    assert refused(quiet, origin="http://example.com") == 403
    assert refused(quiet, origin=None) == 403
    assert refused(quiet, origin=f"https://127.0.0.1:{port}") == 403
    assert refused(quiet, origin=f"127.0.0.1:{port}") == 403
    assert refused(quiet, given="") == 403
    assert refused(quiet, given="x" + token(quiet)[1:]) == 403
    assert refused(quiet, given="\u00fc.1") == 403
    assert refused(quiet, at="") == 403
    assert refused(quiet, at="other") == 403
    with opened(quiet, origin=f"http://localhost:{port}"):
        pass


def handshake(server: Server, known: str, host: str = "", more: str = "") -> bytes:
    """The head by which a page opens its socket, as it goes over the wire."""
    host = host or f"127.0.0.1:{server.port}"
    return (
        f"GET /live?token={known} HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\n{more}"
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    ).encode()


def test_another_host_is_refused_by_the_socket_too(quiet: Server) -> None:
    with raw(quiet, handshake(quiet, token(quiet), "example.com")) as opened:
        assert opened.recv(65536).startswith(b"HTTP/1.1 403 ")


@pytest.mark.parametrize("more", ["Content-Length: 9\r\n", "x: " + "a" * 9000 + "\r\n", "a: b\r\n" * 200])
def test_a_handshake_that_is_none_is_cut_off(quiet: Server, more: str) -> None:
    assert closed(raw(quiet, handshake(quiet, token(quiet), more=more)))


def test_every_server_has_a_token_of_its_own(path: Path) -> None:
    with serving(path) as one, serving(path) as other:
        assert refused(one, given=token(other)) == 403
        assert len(token(one)) >= 32


@pytest.mark.parametrize(
    ("message", "code"),
    [("hello", 1008), ('{"kind":"ping"}', 1008), ("[" * 200, 1008), (b'{"kind":"pong"}', 1008), ("x" * 257, 1009)],
)
def test_a_page_that_says_anything_else_is_cut_off(quiet: Server, message: str | bytes, code: int) -> None:
    with opened(quiet) as page:
        page.send('{"kind":"pong"}')
        page.send(message)
        with pytest.raises(ConnectionClosed) as found:
            page.recv(timeout=PATIENCE)
    assert found.value.rcvd is not None
    assert found.value.rcvd.code == code


def test_a_page_that_goes_without_a_word_leaves_nothing(path: Path) -> None:
    with serving(path) as server:
        for message in ("hello", ""):
            with opened(server) as page:
                page.send(message)
                page.socket.close()
        replaced(path, BETTER)
        assert eventually(lambda: '"parameters": 224' in get(server).text)
        assert eventually(lambda: connected(server) == 0)


@contextmanager
def unread(path: Path, said: bytes = b"") -> Iterator[Server]:
    """A server of pages far too large to be sent to one that reads nothing, and that says something."""
    serves = serving(path, page_data=lambda _: {"title": "x" * 20_000_000})
    with serves as server, raw(server, handshake(server, token(server)[:-1] + "0")) as silent:
        assert silent.recv(12) == b"HTTP/1.1 101"
        assert eventually(lambda: any(one.transport.get_write_buffer_size() for one in held(server)))
        silent.sendall(said)
        yield server


CLOSING, NONSENSE = b"\x88\x80\0\0\0\0", b"\x83\x80\0\0\0\0"  # frames: the last one, and one of no kind


@pytest.mark.parametrize("said", [b"", CLOSING, NONSENSE])
def test_a_page_that_reads_nothing_is_cut_off(path: Path, monkeypatch: pytest.MonkeyPatch, said: bytes) -> None:
    monkeypatch.setattr(server_module, "PING", 0.5)
    monkeypatch.setattr(server_module, "PONG", 0.1)
    with unread(path, said) as server:
        assert eventually(lambda: connected(server) == 0)


@pytest.mark.parametrize("said", [b"", CLOSING, NONSENSE])
def test_the_end_waits_for_no_page_that_reads_nothing(path: Path, said: bytes) -> None:
    with unread(path, said) as server:
        assert eventually(lambda: not said or any(one.transport.is_closing() for one in held(server)))
        server.stop()
        assert eventually(lambda: connected(server) == 0)


# -- following ---------------------------------------------------------------------------------------------------------


def rewritten(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def renamed(path: Path, text: str) -> None:
    """As vim and most editors save: the old file becomes a backup, a new one takes its name."""
    backup = path.with_suffix(".bak")
    path.rename(backup)
    path.write_text(text, encoding="utf-8")
    backup.unlink()


def replaced(path: Path, text: str) -> None:
    draft = path.with_suffix(".new")
    draft.write_text(text, encoding="utf-8")
    os.replace(draft, path)


def made_anew(path: Path, text: str) -> None:
    path.unlink()
    time.sleep(0.02)
    path.write_text(text, encoding="utf-8")


def written_slowly(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8") as file:
        for part in (text[:20], text[20:]):
            file.write(part)
            file.flush()
            time.sleep(0.01)


def until(page: ClientConnection, kind: str) -> dict[str, Any]:
    """The next message of a kind."""
    while True:
        found = told(page)
        if found["kind"] == kind:
            return found


@pytest.mark.parametrize("save", [rewritten, renamed, replaced, made_anew, written_slowly])
def test_saves_of_every_manner_are_followed(server: Server, path: Path, save: Callable[[Path, str], None]) -> None:
    with opened(server) as page:
        for text, parameters in ((BETTER, 224), (GOOD, 112), (BETTER, 224)):
            save(path, text)
            assert until(page, "page")["data"] == {"title": "net", "parameters": parameters}


def test_a_save_behind_a_link_is_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "LOOK", 60)  # it is told, and does not happen to look
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    real, link = folder / "real.yaml", tmp_path / "net.yaml"
    real.write_text(GOOD, encoding="utf-8")
    link.symlink_to(real)
    with serving(link) as server:

        def followed() -> bool:
            replaced(real, BETTER)  # again: watching begins behind the first page
            return '"parameters": 224' in get(server).text

        assert eventually(followed)


def test_a_folder_that_is_made_anew_is_followed(tmp_path: Path) -> None:
    folder = tmp_path / "specs"
    folder.mkdir()
    path = folder / "net.yaml"
    path.write_text(GOOD, encoding="utf-8")
    with serving(path) as server, opened(server) as page:
        path.unlink()
        folder.rmdir()
        assert told(page)["diagnostics"][0]["code"] == "unreadable"
        folder.mkdir()
        path.write_text(BETTER, encoding="utf-8")
        assert until(page, "page")["data"]["parameters"] == 224


def test_a_broken_text_is_told_with_its_lines_and_leaves_the_page(server: Server, path: Path) -> None:
    with opened(server) as page:
        replaced(path, BROKEN)
        message = told(page)
        (diagnostic,) = message["diagnostics"]
        place = {"code": "unknown-layer", "line": 3, "column": 18, "file": str(path), "hint": "did you mean RELU?"}
        assert diagnostic.items() >= place.items()
        assert (message["kind"], message["source"]) == ("error", BROKEN)
        assert f"{path}:3:18: error[unknown-layer]" in message["text"]
        assert '"parameters": 112' in get(server).text
        with opened(server) as late:
            assert told(late) == message
        replaced(path, GOOD)
        assert told(page)["data"]["parameters"] == 112  # the text as it was: the error is gone all the same


def test_a_file_that_is_gone_is_an_error_until_it_is_back(server: Server, path: Path) -> None:
    with opened(server) as page:
        path.unlink()
        message = told(page)
        assert message["diagnostics"][0]["code"] == "unreadable"
        assert message["source"] is None
        replaced(path, GOOD)
        assert told(page)["kind"] == "page"


def test_a_pipe_in_its_place_is_an_error_and_not_waited_for(server: Server, path: Path) -> None:
    with opened(server) as page:
        path.unlink()
        os.mkfifo(path)
        while "it is a pipe" not in until(page, "error")["text"]:
            pass
        replaced(path, BETTER)
        assert until(page, "page")["data"]["parameters"] == 224


def test_a_page_opened_before_anything_was_right_recovers(path: Path) -> None:
    replaced(path, BROKEN.replace("RELUU", "<b>&"))
    with serving(path) as server:
        first = get(server)
        assert "net.yaml:3:18: error[" in unescape(first.text)
        assert "<b>" not in first.text
        policy = first.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'sha256-")
        assert "connect-src 'self' ws://127.0.0.1:*" in policy
        with opened(server) as page:
            assert told(page)["kind"] == "error"
            replaced(path, GOOD)
            assert told(page)["kind"] == "page"
        assert '"parameters": 112' in get(server).text


def test_a_page_that_knows_the_newest_is_sent_nothing(server: Server, path: Path) -> None:
    with opened(server) as page, pytest.raises(TimeoutError):
        page.recv(timeout=0.3)
    old = token(server)
    with opened(server) as page:
        replaced(path, BETTER)
        assert told(page)["kind"] == "page"
    with opened(server, given=old) as page:  # a page that comes back after a while is behind
        assert told(page)["data"]["parameters"] == 224


def test_every_open_page_is_told(server: Server, path: Path) -> None:
    with opened(server) as one, opened(server) as other:
        replaced(path, BETTER)
        assert told(one) == told(other)


def test_what_is_saved_unchanged_is_not_told(server: Server, path: Path) -> None:
    with opened(server) as page:
        replaced(path, GOOD)
        with pytest.raises(TimeoutError):
            page.recv(timeout=0.3)


class Gate:
    """Page data that, after the first, waits to be let through."""

    def __init__(self) -> None:
        self.numbers, self.reached, self.opened = count(), Event(), Event()

    def __call__(self, spec: Spec) -> Mapping[str, object]:
        if next(self.numbers):
            self.reached.set()
            self.opened.wait(PATIENCE)
        return page_data(spec)


def test_only_the_newest_text_counts(path: Path) -> None:
    """A text that is replaced while it is analysed is told to nobody."""
    gate = Gate()
    with serving(path, page_data=gate) as server, opened(server) as page:
        for width in (5, 6, 7):
            replaced(path, GOOD.replace("CONV3-4", f"CONV3-{width}"))
            assert gate.reached.wait(PATIENCE)
        gate.opened.set()
        assert told(page)["data"]["parameters"] == 196
        with pytest.raises(TimeoutError):
            page.recv(timeout=0.3)


def test_the_loop_is_free_while_a_text_is_analysed(path: Path) -> None:
    gate = Gate()
    with serving(path, page_data=gate) as server:
        get(server)
        replaced(path, BETTER)
        assert gate.reached.wait(PATIENCE)
        assert '"parameters": 112' in get(server).text
        gate.opened.set()
        assert eventually(lambda: '"parameters": 224' in get(server).text)


def test_whoever_waits_for_the_first_page_is_let_go_at_the_end(path: Path) -> None:
    done = Event()

    def endless(spec: Spec) -> Mapping[str, object]:
        done.wait(PATIENCE)
        return page_data(spec)

    found: list[int] = []
    with serving(path, page_data=endless) as server:
        waiting = Thread(target=lambda: found.append(get(server).status_code))
        waiting.start()
        assert eventually(lambda: len(server._server.server_state.tasks) == 1)
        server.stop()
        waiting.join(PATIENCE)
        done.set()
    assert found == [503]


def test_a_failure_of_archspec_is_shown_and_survived(
    path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    running = count()

    def failing(spec: Spec) -> Mapping[str, object]:
        if next(running) == 1:
            raise ZeroDivisionError("oh no")
        return page_data(spec)

    with serving(path, page_data=failing) as server, opened(server) as page:
        replaced(path, BETTER)
        (diagnostic,) = told(page)["diagnostics"]
        assert diagnostic["code"] == "internal-error"
        assert diagnostic["message"] == "archspec itself failed: ZeroDivisionError: oh no"
        replaced(path, GOOD)
        assert told(page)["kind"] == "page"
    assert "ZeroDivisionError: oh no" in capfd.readouterr().err


def test_the_variant_and_the_settings_hold_for_every_text(tmp_path: Path) -> None:
    path = tmp_path / "resnet.yaml"
    text = bundle.files()["zoo/resnet"].read_text(encoding="utf-8")
    path.write_text(text, encoding="utf-8")
    with serving(path, "resnet18") as server, opened(server) as page:
        assert '{"title": "resnet (resnet18)", "parameters": 11689512}' in get(server).text
        replaced(path, text.replace("FC-1000", "FC-10"))
        assert told(page)["data"] == {"title": "resnet (resnet18)", "parameters": 11181642}


# -- the command -------------------------------------------------------------------------------------------------------


def test_a_port_that_is_taken_is_an_error(server: Server, path: Path) -> None:
    with pytest.raises(ArchspecError) as found:
        Server(path, Choices(), server.port, page_data, page_html)
    assert found.value.code == "port"
    assert f"cannot listen on port {server.port}: Address already in use" in str(found.value)
    assert found.value.hint == "give another with --port, or none: then a free one is found"


def test_standard_input_is_refused_and_so_is_what_cannot_be_read() -> None:
    result = CliRunner().invoke(command, ["-"])
    assert (result.exit_code, "standard input is read once and cannot be followed" in result.output) == (2, True)
    result = CliRunner().invoke(command, ["no/such.yaml"])
    assert isinstance(result.exception, ArchspecError)
    assert result.exception.code == "unreadable"


def test_a_missing_library_is_named_with_its_extra(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "visualize.live.server")
    monkeypatch.setitem(sys.modules, "starlette.requests", None)
    error = CliRunner().invoke(command, [str(path)]).exception
    assert isinstance(error, ArchspecError)
    assert (error.code, error.hint) == ("missing-package", "pip install 'archspec-nn[web]'")


@contextmanager
def started(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The command in a process of its own, and the address that it prints."""
    code = "from archspec.cli.serve import serve; serve(prog_name='archspec serve')"
    process = subprocess.Popen(
        [sys.executable, "-c", code, *arguments, "--no-open"],
        env=environment(PYTHONUNBUFFERED="1"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.search(r" at (http://127\.0\.0\.1:\d+/) \(Ctrl-C ends it\)$", line)
        assert found is not None, line
        yield process, found[1]
    finally:
        process.kill()
        process.communicate()


def test_ctrl_c_ends_it_at_once_with_pages_open(path: Path) -> None:
    with started(str(path)) as (process, url):
        page = httpx.get(url, trust_env=False, timeout=PATIENCE).text
        found = TOKEN.search(page)
        assert found is not None
        address = f"{url.replace('http', 'ws')}live?token={found[1]}"
        with connect(address, origin=Origin(url.rstrip("/")), proxy=None):
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=PATIENCE)
        assert (process.returncode, out, err) == (0, "", "")
        with pytest.raises(httpx.ConnectError):
            httpx.get(url, trust_env=False)


def test_the_page_of_resnet50_follows_within_half_a_second(tmp_path: Path) -> None:
    """With the real page; the bound, and the tries, leave room for a machine that does other things too."""
    path = tmp_path / "resnet.yaml"
    text = bundle.files()["zoo/resnet"].read_text(encoding="utf-8")
    path.write_text(text, encoding="utf-8")
    with serving(path, "resnet50", page_data=None, page_html=None) as server, opened(server, max_size=None) as page:
        assert "<!doctype html>" in get(server).text
        seconds: list[float] = []
        while min(seconds, default=9) > 2 and len(seconds) < 20:
            start = time.perf_counter()
            replaced(path, text.replace("FC-1000", f"FC-{len(seconds) + 1}"))
            assert told(page)["data"]["title"] == "resnet (resnet50)"
            seconds.append(time.perf_counter() - start)
        print(f"resnet50 from save to message: {min(seconds):.3f} to {max(seconds):.3f} s")
        assert min(seconds) <= 2
