"""The server over real sockets: routes, errors, the journal, and good manners with connections."""

from __future__ import annotations

import gzip
import http.client
import json
import socket
import struct
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from rerun_action.simulator import (
    Case,
    Machine,
    PastRun,
    Plan,
    Request,
    Scenario,
    Seconds,
    Simulator,
    Suite,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

RUNS = "/api/v1/execution_results"
CASE = Case(11, "Pay", Suite(21, "Checkout"), Machine(31, "Chrome"), ("FAILURE", "SUCCESS"))
SCENARIO = Scenario(
    plans=(Plan(1, "Nightly", (CASE, CASE, CASE), seconds=Seconds(running=60)),),
    runs=(PastRun(101, 1),),
    page_size=2,
)
RERUN = {
    "executionId": 1,
    "executionResultId": 101,
    "isReRun": True,
    "reRunType": "USER_PICKED",
    "testCaseResultRequests": [{"id": 5001}],
}


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator(SCENARIO) as running:
        yield running


@pytest.fixture
def connection(simulator: Simulator) -> Iterator[http.client.HTTPConnection]:
    with closing(connect(simulator)) as opened:
        yield opened


def connect(simulator: Simulator) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(simulator.url.removeprefix("http://"), timeout=10)


def call(
    connection: http.client.HTTPConnection,
    method: str,
    path: str,
    body: object = None,
    key: str | None = "Bearer simulator-key",
) -> tuple[int, Any]:
    """Give the status of a call and its parsed body."""
    headers = {} if key is None else {"Authorization": key}
    payload = None if body is None else json.dumps(body)
    connection.request(method, path, payload, headers)
    response = connection.getresponse()
    assert response.headers["Content-Type"] == "application/json"
    text = response.read().decode()
    return response.status, text if response.status == 401 else json.loads(text)


def error(message: str) -> dict[str, str | None]:
    return {"timeStamp": None, "error": message, "code": None, "fieldErrors": None, "objectErrors": None}


def test_the_calls_of_a_rerun_over_one_connection(connection: http.client.HTTPConnection) -> None:
    status, listing = call(connection, "GET", f"{RUNS}/101/test_case_results")
    first_socket = connection.sock
    assert (status, listing["result"], len(listing["testCases"])) == (200, "FAILURE", 2)

    status, run = call(connection, "POST", RUNS, RERUN)
    assert (status, run["id"], run["reRunParentId"]) == (200, 1001, 101)

    status, run = call(connection, "GET", f"{RUNS}/1001")
    assert (status, run["status"], run["result"]) == (200, "STATUS_IN_PROGRESS", None)

    status, run = call(connection, "PUT", f"{RUNS}/1001", {"canStopAll": False, "result": "STOPPED"})
    assert (status, run["id"], run["result"]) == (200, 1001, "STOPPED")

    assert call(connection, "POST", RUNS, {"executionId": 1})[0] == 200
    status, run = call(connection, "PUT", RUNS, {"canStopAll": False, "result": "STOPPED"})
    assert (status, run["id"]) == (200, 1002)
    assert connection.sock is first_socket is not None


def test_pages_are_asked_for_in_the_query(connection: http.client.HTTPConnection) -> None:
    def page(query: str) -> tuple[int, Any]:
        status, reply = call(connection, "GET", f"{RUNS}/101/test_case_results{query}")
        return status, [case["testCaseResultId"] for case in reply["testCases"]] if status == 200 else reply

    assert page("?page=0&size=2") == (200, [5001, 5002])
    assert page("?page=1") == (200, [5003])
    assert page("?page=0&size=3") == (200, [5001, 5002, 5003])
    for wrong in ("?page=-1", "?page=", "?size=0", "?size=x"):
        assert page(wrong) == (400, error("page must be 0 or more, size 1 or more"))


@pytest.mark.parametrize("key", [None, "simulator-key", "Bearer wrong", "bearer simulator-key "])
def test_without_the_key_there_is_a_bare_text(connection: http.client.HTTPConnection, key: str | None) -> None:
    assert call(connection, "GET", f"{RUNS}/101", key=key) == (
        401,
        "Unauthorized: the API key is missing or not valid",
    )


@pytest.mark.parametrize(
    ("method", "path", "status", "message"),
    [
        ("GET", f"{RUNS}/999", 404, "Execution result not found"),
        ("GET", f"{RUNS}/999/test_case_results", 404, "Execution result not found"),
        ("GET", "/", 404, "No resource at /"),
        ("GET", f"{RUNS}/101/", 404, f"No resource at {RUNS}/101/"),
        ("GET", f"{RUNS}/abc", 404, f"No resource at {RUNS}/abc"),
        ("POST", f"{RUNS}/101/test_cases", 404, f"No resource at {RUNS}/101/test_cases"),
        ("GET", RUNS, 405, "Request method 'GET' is not supported here"),
        ("DELETE", f"{RUNS}/101", 405, "Request method 'DELETE' is not supported here"),
        ("PATCH", RUNS, 405, "Request method 'PATCH' is not supported here"),
        ("POST", f"{RUNS}/101", 405, "Request method 'POST' is not supported here"),
        ("PUT", f"{RUNS}/101/test_case_results", 405, "Request method 'PUT' is not supported here"),
        ("POST", RUNS, 400, "top level: must be an object, not None"),
    ],
)
def test_errors_have_the_documented_shape(
    connection: http.client.HTTPConnection, method: str, path: str, status: int, message: str
) -> None:
    assert call(connection, method, path) == (status, error(message))


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_body_that_is_not_json_is_a_400(
    simulator: Simulator, connection: http.client.HTTPConnection, method: str
) -> None:
    connection.request(method, RUNS, "{no", {"Authorization": "Bearer simulator-key"})
    response = connection.getresponse()

    assert (response.status, json.loads(response.read())) == (400, error("The body is not JSON"))
    assert simulator.platform.requests == [Request(method, RUNS, "{no")]


def test_the_journal_holds_every_request_even_the_refused(
    simulator: Simulator, connection: http.client.HTTPConnection
) -> None:
    call(connection, "GET", "/nowhere?x=1")
    call(connection, "POST", RUNS, RERUN, key=None)
    call(connection, "POST", RUNS, RERUN)

    platform = simulator.platform
    assert platform.requests == [
        Request("GET", "/nowhere?x=1", None),
        Request("POST", RUNS, RERUN),
        Request("POST", RUNS, RERUN),
    ]
    assert platform.triggers == [RERUN, RERUN]
    assert platform.live_runs() == [1001]


def test_the_clock_of_the_test_rules() -> None:
    now = [1000.0]
    with Simulator(SCENARIO, clock=lambda: now[0]) as simulator, closing(connect(simulator)) as connection:
        call(connection, "POST", RUNS, RERUN)
        assert call(connection, "GET", f"{RUNS}/1001")[1]["status"] == "STATUS_IN_PROGRESS"
        now[0] += 60
        assert call(connection, "GET", f"{RUNS}/1001")[1]["result"] == "SUCCESS"


def test_of_many_triggers_at_once_one_wins(simulator: Simulator) -> None:
    def trigger(_: int) -> int:
        with closing(connect(simulator)) as connection:
            return call(connection, "POST", RUNS, RERUN)[0]

    with ThreadPoolExecutor(16) as clients:
        statuses = sorted(clients.map(trigger, range(16)))

    assert statuses == [200] + [500] * 15
    assert simulator.platform.triggers == [RERUN] * 16


def test_a_nonsensical_length_is_a_400(connection: http.client.HTTPConnection) -> None:
    connection.putrequest("POST", RUNS)
    connection.putheader("Content-Length", "many")
    connection.endheaders()
    response = connection.getresponse()

    assert (response.status, response.headers["Connection"]) == (400, "close")
    assert json.loads(response.read()) == error("Content-Length must be a number")


def test_clients_that_go_away_are_borne_in_silence(simulator: Simulator, capfd: pytest.CaptureFixture[str]) -> None:
    address = ("127.0.0.1", int(simulator.url.rpartition(":")[2]))
    head = f"POST {RUNS} HTTP/1.1\r\nAuthorization: Bearer simulator-key\r\nContent-Length: "
    payload = json.dumps(RERUN)
    reset = struct.pack("ii", 1, 0)

    half = socket.create_connection(address)
    half.sendall(f"{head}{len(payload)}\r\n\r\n{payload[:-5]}".encode())
    half.close()
    for _ in range(20):
        # With this option, close() resets the connection, while the server reads or writes.
        with socket.create_connection(address) as rude:
            rude.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
            rude.sendall(f"{head}{len(payload)}\r\n\r\n{payload}".encode())
    with socket.create_connection(address) as rude:
        rude.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
        rude.sendall(b"GET /")

    with closing(connect(simulator)) as connection:
        assert call(connection, "GET", f"{RUNS}/101")[0] == 200
    assert capfd.readouterr().err == ""
    # The half body was never taken for a request.
    assert all(body == RERUN for body in simulator.platform.triggers)


def test_a_fault_of_the_simulator_is_seen(capfd: pytest.CaptureFixture[str]) -> None:
    moments = iter([1000.0])
    with (
        Simulator(SCENARIO, clock=lambda: next(moments)) as simulator,
        closing(connect(simulator)) as connection,
        pytest.raises(http.client.RemoteDisconnected),
    ):
        call(connection, "GET", f"{RUNS}/101")
    assert "StopIteration" in capfd.readouterr().err


def test_a_closed_simulator_hangs_up() -> None:
    with Simulator(SCENARIO) as simulator:
        connection = connect(simulator)
        call(connection, "GET", f"{RUNS}/101")

    with closing(connection), pytest.raises(ConnectionError):
        call(connection, "GET", f"{RUNS}/101")
    with closing(connect(simulator)) as another, pytest.raises(ConnectionRefusedError):
        call(another, "GET", f"{RUNS}/101")


@pytest.mark.parametrize(
    ("accepted", "size", "encoding"),
    [
        ("gzip, deflate", 3, "gzip"),
        ("deflate, GZIP;q=0.5", 3, "gzip"),
        ("gzip, deflate", 1, None),
        ("gzip;q=0, deflate", 3, None),
        ("x-gzip", 3, None),
        (None, 3, None),
    ],
)
def test_a_long_body_is_compressed_for_those_who_take_it(
    connection: http.client.HTTPConnection, accepted: str | None, size: int, encoding: str | None
) -> None:
    path = f"{RUNS}/101/test_case_results?size={size}"
    headers = {"Authorization": "Bearer simulator-key"} | ({"Accept-Encoding": accepted} if accepted else {})
    connection.request("GET", path, None, headers)
    response = connection.getresponse()
    body = response.read()
    assert response.headers["Content-Encoding"] == encoding
    assert int(response.headers["Content-Length"]) == len(body)
    assert json.loads(gzip.decompress(body) if encoding else body) == call(connection, "GET", path)[1]


def test_connections_are_counted(simulator: Simulator, connection: http.client.HTTPConnection) -> None:
    assert simulator.connections == 0
    for _ in range(3):
        call(connection, "GET", f"{RUNS}/101")
    assert simulator.connections == 1
    with closing(connect(simulator)) as another:
        call(another, "GET", f"{RUNS}/101")
    assert simulator.connections == 2
