"""The platform over HTTP, on the loopback interface only."""

from __future__ import annotations

import gzip
import re
import socket
import struct
import sys
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any

from rerun_action.simulator.desk import NUMBER, Desk, payload_of
from rerun_action.simulator.platform import Platform
from rerun_action.simulator.replay import Record, Replay
from rerun_action.simulator.replies import Refusal
from rerun_action.simulator.scenario import Reply, Scenario

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

    from rerun_action.simulator.scenario import Mishap

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
        self._server = _Server(Desk(self._platform, clock, replay), port)
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

    def __init__(self, desk: Desk, port: int) -> None:
        self.desk = desk
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
        if not re.fullmatch(NUMBER, length):
            self.close_connection = True
            self._send(Reply(400, body=Refusal(400, "Content-Length must be a number").body))
            return
        raw = self.rfile.read(int(length))
        if len(raw) < int(length):
            self.close_connection = True
            return
        answer, right = self.server.desk.take(self.command, self.path, self.headers.get("Authorization"), raw)
        if isinstance(answer, Reply):
            self._send(answer)
        else:
            self._disturb(answer, right)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _answer  # noqa: N815 - http.server wants these names

    def _disturb(self, mishap: Mishap, right: Reply) -> None:
        """Do what a fault does instead of sending the right answer."""
        match mishap:
            case "truncate":
                payload = payload_of(right)
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
        payload = payload_of(reply)
        self._send_head(reply, len(payload))
        self.wfile.flush()
        for index in range(len(payload)):
            time.sleep(_DRIP_SECONDS)
            self.wfile.write(payload[index : index + 1])
            self.wfile.flush()

    def _send(self, reply: Reply) -> None:
        payload = payload_of(reply)
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
