"""The platform over HTTP, on the loopback interface only."""

from __future__ import annotations

import gzip
import json
import re
import socket
import struct
import sys
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from rerun_action.simulator.faults import HTML_PAGE, Faults, patched
from rerun_action.simulator.platform import Platform, Request
from rerun_action.simulator.replay import Record, Replay
from rerun_action.simulator.replies import Refusal
from rerun_action.simulator.scenario import Patch, Reply, Scenario

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

    from rerun_action.simulator.replies import Json
    from rerun_action.simulator.scenario import Answer, Call

# Nothing is longer than this, and int() refuses some thousands of digits with an error of its own.
_NUMBER = "[0-9]{1,18}"
_ROUTE = re.compile(rf"/api/v1/execution_results(?:/(?P<run>{_NUMBER})(?P<results>/test_case_results)?)?")
_NOT_JSON = object()
_NO_REPLY = Reply(200)
_PLAIN: Mapping[str, str] = {}
_DRIP_SECONDS = 0.05
_COMPRESS_FROM = 1024  # bytes; a body below fits into one packet as it is
_REFUSES_GZIP = re.compile(r"gzip *; *q=0(\.0*)?$")
# With this option, close() resets the connection.
_RESET = struct.pack("ii", 1, 0)


class Simulator:
    """A platform, or the record of a look at one, and its server: listens when it is made, serves inside `with`."""

    def __init__(self, world: Scenario | Record, port: int = 0, clock: Callable[[], float] = time.time) -> None:
        replay = Replay(world, clock) if isinstance(world, Record) else None
        scenario = Scenario(()) if isinstance(world, Record) else world
        self._platform = Platform(scenario, clock)
        self._server = _Server(self._platform, Faults(scenario.faults, clock), replay, port)
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

    @property
    def connections(self) -> int:
        """How many connections were accepted so far."""
        return self._server.accepted

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

    def __init__(self, platform: Platform, faults: Faults, replay: Replay | None, port: int) -> None:
        self.platform = platform
        self.faults = faults
        self.replay = replay
        self.accepted = 0
        self._connections: set[socket.socket] = set()
        self._lock = Lock()
        super().__init__(("127.0.0.1", port), _Handler)

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        with self._lock:
            self.accepted += 1
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
            self._send(Reply(400, body=Refusal(400, "Content-Length must be a number").body))
            return
        raw = self.rfile.read(int(length))
        if len(raw) < int(length):
            self.close_connection = True
            return
        body = _parse(raw)
        journal_body = raw.decode("utf-8", "replace") if body is _NOT_JSON else body
        platform = self.server.platform
        platform.record(Request(self.command, self.path, journal_body))
        if self.server.replay is not None:
            self._send(self.server.replay.answer(self.command, self.path))
            return

        route = _ROUTE.fullmatch(urlsplit(self.path).path)
        call = None if route is None else _call_at(self.command, route)
        run = None if route is None or route["run"] is None else int(route["run"])
        has_key = self.headers.get("Authorization") == f"Bearer {platform.scenario.api_key}"
        fault = self.server.faults.due(call, run, has_key=has_key)
        if fault is not None:
            right = self._carry_out(call, run, body) if fault.is_processed else _NO_REPLY
            self._disturb(fault.answer, right)
        elif has_key:
            self._send(self._carry_out(call, run, body))
        else:
            self._send(Reply(401, body="Unauthorized: the API key is missing or not valid"))

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _answer  # noqa: N815 - http.server wants these names

    def _carry_out(self, call: Call | None, run: int | None, body: object) -> Reply:
        """Let the platform do what is asked; its refusal is a right answer, too."""
        try:
            return Reply(200, body=self._call(call, run, body))
        except Refusal as refusal:
            return Reply(refusal.status, body=refusal.body)

    def _call(self, call: Call | None, run: int | None, body: object) -> Json:
        address = urlsplit(self.path)
        platform = self.server.platform
        match call:
            case "listing" if run is not None:
                return platform.list_results(run, *_page(address.query))
            case "run" if run is not None:
                return platform.get_run(run)
            case "trigger":
                return platform.trigger(_given(body))
            case "stop":
                return platform.stop(_given(body), run)
        if _ROUTE.fullmatch(address.path) is None:
            raise Refusal(404, f"No resource at {address.path}")
        raise Refusal(405, f"Request method '{self.command}' is not supported here")

    def _disturb(self, answer: Answer, right: Reply) -> None:
        """Do what a fault does instead of sending the right answer."""
        match answer:
            case Reply():
                self._send(answer)
            case Patch():
                self._send(patched(right, answer))
            case "html":
                self._send(HTML_PAGE)
            case "truncate":
                payload = _payload(right)
                self._send_head(right, len(payload))
                self.wfile.write(payload[: len(payload) // 2])
                self.close_connection = True
            case "drip":
                self._drip(right)
            case "hang":
                # Ends when the client goes away, or when the server hangs up.
                while self.connection.recv(4096):
                    pass
                self.close_connection = True
            case "reset":
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                # Closed here, and not by the server, which would say a regular goodbye first.
                self.connection.close()
                self.close_connection = True
            case "close":
                self.close_connection = True

    def _drip(self, reply: Reply) -> None:
        """Send the head, and then the body byte by byte; an end of the connection is an error that ends this, too."""
        payload = _payload(reply)
        self._send_head(reply, len(payload))
        self.wfile.flush()
        for index in range(len(payload)):
            time.sleep(_DRIP_SECONDS)
            self.wfile.write(payload[index : index + 1])
            self.wfile.flush()

    def _send(self, reply: Reply) -> None:
        payload = _payload(reply)
        encoding = {}
        if len(payload) >= _COMPRESS_FROM and self._accepts_gzip():
            payload = gzip.compress(payload, compresslevel=1)
            encoding = {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
        self._send_head(reply, len(payload), encoding)
        self.wfile.write(payload)

    def _accepts_gzip(self) -> bool:
        accepted = [entry.strip().lower() for entry in self.headers.get("Accept-Encoding", "").split(",")]
        return any(entry.split(";")[0].rstrip() == "gzip" and not _REFUSES_GZIP.match(entry) for entry in accepted)

    def _send_head(self, reply: Reply, length: int, encoding: Mapping[str, str] = _PLAIN) -> None:
        headers = {
            "Server": self.version_string(),
            "Date": self.date_time_string(),
            "Content-Type": "application/json",
            "Content-Length": str(length),
            **encoding,
        }
        if self.close_connection:
            headers["Connection"] = "close"
        given = {name.lower() for name in reply.headers}
        headers = {name: value for name, value in headers.items() if name.lower() not in given}
        self.send_response_only(reply.status)
        for name, value in (headers | reply.headers).items():
            self.send_header(name, value)
        self.end_headers()


def _payload(reply: Reply) -> bytes:
    # Half a surrogate pair is legal in a scenario: a way to say a body that is not UTF-8.
    return (reply.body if isinstance(reply.body, str) else json.dumps(reply.body)).encode("utf-8", "surrogatepass")


def _call_at(method: str, route: re.Match[str]) -> Call | None:
    """Find the call that belongs to method and path."""
    match method:
        case "GET" if route["results"]:
            return "listing"
        case "GET" if route["run"]:
            return "run"
        case "POST" if not route["run"]:
            return "trigger"
        case "PUT" if not route["results"]:
            return "stop"
    return None


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
