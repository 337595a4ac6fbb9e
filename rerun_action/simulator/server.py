"""The platform over HTTP, on the loopback interface only."""

from __future__ import annotations

import json
import re
import socket
import sys
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from rerun_action.simulator.platform import Platform, Request
from rerun_action.simulator.replies import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from rerun_action.simulator.replies import Json
    from rerun_action.simulator.scenario import Scenario

# Nothing is longer than this, and int() refuses some thousands of digits with an error of its own.
_NUMBER = "[0-9]{1,18}"
_ROUTE = re.compile(rf"/api/v1/execution_results(?:/(?P<run>{_NUMBER})(?P<results>/test_case_results)?)?")
_NOT_JSON = object()


class Simulator:
    """A platform and its server: listens when it is made, serves inside `with`."""

    def __init__(self, scenario: Scenario, port: int = 0, clock: Callable[[], float] = time.time) -> None:
        self._platform = Platform(scenario, clock)
        self._server = _Server(self._platform, port)
        # The poll interval is how long shutdown may take.
        self._thread = Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def platform(self) -> Platform:
        """The state behind the server."""
        return self._platform

    @property
    def url(self) -> str:
        """The base URL, without a slash at its end."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Simulator:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._server.hang_up()


class _Server(ThreadingHTTPServer):
    """One daemon thread per connection; remembers the open ones, so that none outlives the simulator."""

    daemon_threads = True
    request_queue_size = 128  # of the default 5, a burst of clients would wait a second for their next attempt

    def __init__(self, platform: Platform, port: int) -> None:
        self.platform = platform
        self._connections: set[socket.socket] = set()
        self._lock = Lock()
        super().__init__(("127.0.0.1", port), _Handler)

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        with self._lock:
            self._connections.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        # A client that went away is its own business; anything else is a fault of the simulator.
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    def hang_up(self) -> None:
        with self._lock:
            for connection in self._connections:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body leave together
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is that of the base class
        """Keep quiet: the journal of the platform has it all."""

    def _answer(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if not re.fullmatch(_NUMBER, length):
            self.close_connection = True
            self._send(400, Refusal(400, "Content-Length must be a number").body)
            return
        raw = self.rfile.read(int(length))
        if len(raw) < int(length):
            self.close_connection = True
            return
        body = _parse(raw)
        journal_body = raw.decode("utf-8", "replace") if body is _NOT_JSON else body
        self.server.platform.record(Request(self.command, self.path, journal_body))
        if self.headers.get("Authorization") != f"Bearer {self.server.platform.scenario.api_key}":
            self._send(401, "Unauthorized: the API key is missing or not valid")
            return
        try:
            self._send(200, self._call(body))
        except Refusal as refusal:
            self._send(refusal.status, refusal.body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _answer  # noqa: N815 - http.server wants these names

    def _call(self, body: object) -> Json:
        """Find the call that belongs to method and path, and make it."""
        address = urlsplit(self.path)
        route = _ROUTE.fullmatch(address.path)
        if route is None:
            raise Refusal(404, f"No resource at {address.path}")
        platform = self.server.platform
        run = None if route["run"] is None else int(route["run"])
        match self.command:
            case "GET" if run is not None and route["results"]:
                return platform.list_results(run, *_page(address.query))
            case "GET" if run is not None:
                return platform.get_run(run)
            case "POST" if run is None:
                return platform.trigger(_given(body))
            case "PUT" if not route["results"]:
                return platform.stop(_given(body), run)
        raise Refusal(405, f"Request method '{self.command}' is not supported here")

    def _send(self, status: int, body: Json | str) -> None:
        """Send JSON, or a bare text that is called JSON all the same, as the platform does with 401."""
        payload = (body if isinstance(body, str) else json.dumps(body)).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(payload)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(payload)


def _parse(raw: bytes) -> object:
    try:
        return json.loads(raw) if raw else None
    except (ValueError, RecursionError):
        return _NOT_JSON


def _given(body: object) -> object:
    if body is _NOT_JSON:
        raise Refusal(400, "The body is not JSON")
    return body


def _page(query: str) -> tuple[int, int | None]:
    """Read `page` and `size`; both may be left out."""
    given = {name: values[-1] for name, values in parse_qs(query, keep_blank_values=True).items()}
    page, size = given.get("page", "0"), given.get("size", "1")
    if not (re.fullmatch(_NUMBER, page) and re.fullmatch(_NUMBER, size) and int(size)):
        raise Refusal(400, "page must be 0 or more, size 1 or more")
    return int(page), int(size) if "size" in given else None
