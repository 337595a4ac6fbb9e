"""Faults over real sockets: what each does to an answer, and which requests it strikes."""

from __future__ import annotations

import http.client
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from rerun_action.simulator import DELETED, Simulator, from_dict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Connection: TypeAlias = http.client.HTTPConnection
Fault: TypeAlias = dict[str, object]

RUNS = "/api/v1/execution_results"
RUN = f"{RUNS}/101"
LISTING = f"{RUN}/test_case_results"
FRESH = {"executionId": 1}
STOP = {"canStopAll": False, "result": "STOPPED"}
OUTAGE = {"status": 503}
NOW = 1000.0


def simulate(*faults: Fault, clock: Callable[[], float] = lambda: NOW) -> Simulator:
    """Make an account with a plan, two finished runs of it, 101 and 102, and these faults."""
    case = {"id": 11, "name": "Pay", "suite": {"id": 21, "name": ""}, "machine": {"id": 31, "title": ""}}
    plan = {"id": 1, "name": "", "cases": [case | {"results": ["FAILURE"]}], "seconds": {"running": 60}}
    runs = [{"id": 101, "plan": 1}, {"id": 102, "plan": 1}]
    return Simulator(from_dict({"plans": [plan], "runs": runs, "faults": list(faults)}), clock=clock)


@contextmanager
def connected(simulator: Simulator) -> Iterator[Connection]:
    with closing(http.client.HTTPConnection(simulator.url.removeprefix("http://"), timeout=10)) as connection:
        yield connection


@contextmanager
def world(*faults: Fault) -> Iterator[tuple[Simulator, Connection]]:
    with simulate(*faults) as simulator, connected(simulator) as connection:
        yield simulator, connection


def send(
    connection: Connection, method: str = "GET", path: str = RUN, body: object = None, key: str = "simulator-key"
) -> http.client.HTTPResponse:
    """Make a call, and read no more than the head of the reply."""
    payload = None if body is None else json.dumps(body)
    connection.request(method, path, payload, {"Authorization": f"Bearer {key}"})
    return connection.getresponse()


def ask(connection: Connection, *call: Any, **more: Any) -> tuple[int, Any]:
    """Give the status of a call and its parsed body."""
    response = send(connection, *call, **more)
    return response.status, json.loads(response.read())


def status(connection: Connection, *call: Any, **more: Any) -> int:
    """Give the status of a call."""
    response = send(connection, *call, **more)
    response.read()
    return response.status


def handlers() -> list[threading.Thread]:
    """Give the threads in which servers handle a connection."""
    return [thread for thread in threading.enumerate() if "process_request_thread" in thread.name]


# What a fault does


@pytest.mark.parametrize(
    ("answer", "code", "headers", "payload"),
    [
        (
            {"status": 503, "headers": {"Retry-After": "7"}, "body": {"error": "maintenance"}},
            503,
            {"Content-Type": "application/json", "Content-Length": "24", "Retry-After": "7"},
            b'{"error": "maintenance"}',
        ),
        (
            {"status": 502, "headers": {"content-type": "text/plain"}, "body": "Bad Gateway \u00fc"},
            502,
            {"Content-Type": "text/plain", "Content-Length": "14"},
            b"Bad Gateway \xc3\xbc",
        ),
        ({"status": 500}, 500, {"Content-Type": "application/json", "Content-Length": "0"}, b""),
        ({"status": 500, "body": None}, 500, {"Content-Type": "application/json"}, b"null"),
        ({"status": 200, "body": "{\ud800"}, 200, {"Content-Type": "application/json"}, b"{\xed\xa0\x80"),
        ({"status": 429, "headers": {"Date": "now"}}, 429, {"Date": "now"}, b""),
        ({"json": [1, None]}, 200, {"Content-Type": "application/json"}, b"[1, null]"),
        ({"json": "text"}, 200, {"Content-Type": "application/json"}, b'"text"'),
        ({"redirect": "https://elsewhere.example/"}, 302, {"Location": "https://elsewhere.example/"}, b""),
    ],
)
def test_an_answer_may_be_another(answer: object, code: int, headers: dict[str, str], payload: bytes) -> None:
    with world({"on": "run", "answer": answer}) as (_, connection):
        response = send(connection)
        first_socket = connection.sock

        assert (response.status, response.read()) == (code, payload)
        for name, value in headers.items():
            assert response.headers.get_all(name) == [value]
        assert status(connection) == 200
        assert connection.sock is first_socket is not None


def test_html() -> None:
    with world({"on": "run", "answer": "html"}) as (_, connection):
        response = send(connection)

        assert (response.status, response.headers["Content-Type"]) == (200, "text/html")
        assert response.read().startswith(b"<!DOCTYPE html>")


def test_patch_changes_keys_of_the_right_answer() -> None:
    change = {"status": "STATUS_SURPRISE", "testCases": None, "executionId": DELETED, "new": {"a": [1]}}
    with world({"on": "listing", "answer": {"patch": change}}) as (_, connection):
        disturbed = ask(connection, "GET", LISTING)
        code, right = ask(connection, "GET", LISTING)

    del right["executionId"]
    assert disturbed == (code, right | {"status": "STATUS_SURPRISE", "testCases": None, "new": {"a": [1]}})


def test_patch_changes_a_refusal_too() -> None:
    with world({"on": "run", "answer": {"patch": {"code": 7}}}) as (_, connection):
        code, reply = ask(connection, "GET", f"{RUNS}/999")

    assert (code, reply["error"], reply["code"]) == (404, "Execution result not found", 7)


@pytest.mark.parametrize(
    ("answer", "error"), [("reset", ConnectionResetError), ("close", http.client.RemoteDisconnected)]
)
def test_a_connection_may_end_without_an_answer(
    answer: str, error: type[ConnectionError], capfd: pytest.CaptureFixture[str]
) -> None:
    with world({"on": "run", "times": 10, "answer": answer}) as (_, connection):
        for _ in range(10):
            with pytest.raises(ConnectionError) as caught:
                send(connection)
            # RemoteDisconnected is a ConnectionResetError, too.
            assert caught.type is error
            connection.close()
        assert status(connection) == 200
    assert capfd.readouterr().err == ""


def test_truncate_cuts_the_right_answer() -> None:
    with world({"on": "run", "answer": "truncate"}) as (_, connection):
        response = send(connection)
        with pytest.raises(http.client.IncompleteRead) as caught:
            response.read()
        connection.close()
        whole = send(connection).read()

    assert response.headers["Content-Length"] == str(len(whole))
    assert caught.value.partial == whole[: len(whole) // 2]


def test_drip_is_slow() -> None:
    with world({"on": "run", "answer": "drip"}) as (_, connection):
        response = send(connection)
        begin = time.monotonic()
        pieces = [response.read1(100) for _ in range(6)]
        assert 0.25 <= time.monotonic() - begin < 5

    assert (response.status, b"".join(pieces)) == (200, b'{"id":')


def test_drip_comes_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rerun_action.simulator.server._DRIP_SECONDS", 0.0)
    with world({"on": "run", "answer": "drip"}) as (_, connection):
        disturbed = ask(connection)
        first_socket = connection.sock
        assert disturbed == ask(connection)
        assert connection.sock is first_socket is not None


def test_hang_ends_when_the_client_goes_away(capfd: pytest.CaptureFixture[str]) -> None:
    with world({"on": "run", "answer": "hang"}) as (simulator, connection):
        connection.timeout = 0.2
        with pytest.raises(TimeoutError):
            send(connection)
        assert len(handlers()) == 1
        connection.close()
        deadline = time.monotonic() + 5
        while handlers() and time.monotonic() < deadline:
            time.sleep(0.01)
        assert handlers() == []
        assert [request.path for request in simulator.platform.requests] == [RUN]
        assert status(connection) == 200
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("answer", ["hang", "drip"])
def test_a_simulator_closes_promptly_while_clients_wait(answer: str, capfd: pytest.CaptureFixture[str]) -> None:
    def wait(simulator: Simulator) -> type[BaseException] | None:
        with connected(simulator) as connection:
            try:
                send(connection).read()
            except (ConnectionError, http.client.IncompleteRead) as error:
                return type(error)
        return None

    with ThreadPoolExecutor(3) as clients:
        with simulate({"on": "run", "times": None, "answer": answer}) as simulator:
            waiting = [clients.submit(wait, simulator) for _ in range(3)]
            deadline = time.monotonic() + 5
            while len(simulator.platform.requests) < 3 and time.monotonic() < deadline:
                time.sleep(0.01)
            time.sleep(0.1)
            begin = time.monotonic()
        assert time.monotonic() - begin < 0.5
        expected = {"hang": http.client.RemoteDisconnected, "drip": http.client.IncompleteRead}[answer]
        assert [client.result(timeout=5) for client in waiting] == [expected] * 3
    for thread in handlers():
        thread.join(5)
    assert handlers() == []
    assert capfd.readouterr().err == ""


# Which requests it strikes

CALLS = {
    "run": ("GET", RUN),
    "listing": ("GET", f"{LISTING}?page=0&size=10"),
    "trigger": ("POST", RUNS, FRESH),
    "stop": ("PUT", f"{RUNS}/1001", STOP),
    "stop everything": ("PUT", RUNS, STOP),
    "no resource": ("GET", "/nowhere"),
    "no method": ("DELETE", RUN),
}


@pytest.mark.parametrize(
    ("on", "struck"),
    [
        ("run", ["run"]),
        ("listing", ["listing"]),
        ("trigger", ["trigger"]),
        ("stop", ["stop", "stop everything"]),
        ("any", list(CALLS)),
    ],
)
def test_a_fault_is_about_one_call_or_any(on: str, struck: list[str]) -> None:
    with world({"on": on, "times": None, "answer": OUTAGE}) as (_, connection):
        assert [name for name, call in CALLS.items() if status(connection, *call) == 503] == struck


def test_a_fault_may_be_about_one_run() -> None:
    with world({"on": "any", "run": 101, "times": None, "answer": OUTAGE}) as (_, connection):
        assert status(connection, "GET", RUN) == 503
        assert status(connection, "GET", LISTING) == 503
        assert status(connection, "PUT", RUN, STOP) == 503
        assert status(connection, "DELETE", RUN) == 503
        assert status(connection, "GET", f"{RUNS}/102") == 200
        assert status(connection, "PUT", RUNS, STOP) == 400
        assert status(connection, "GET", "/nowhere") == 404


def statuses(connection: Connection, count: int) -> list[int]:
    return [status(connection) for _ in range(count)]


def test_requests_are_skipped_and_then_disturbed() -> None:
    with world({"on": "run", "skip": 2, "times": 3, "answer": OUTAGE}) as (_, connection):
        assert statuses(connection, 3) == [200, 200, 503]
        assert status(connection, "GET", LISTING) == 200
        assert statuses(connection, 4) == [503, 503, 200, 200]


def test_a_fault_strikes_once_unless_told_otherwise() -> None:
    with world({"on": "run", "answer": OUTAGE}) as (_, connection):
        assert statuses(connection, 3) == [503, 200, 200]


def test_a_fault_may_last_for_ever() -> None:
    with world({"on": "run", "skip": 1, "times": None, "answer": OUTAGE}) as (_, connection):
        assert statuses(connection, 30) == [200] + [503] * 29


def test_a_fault_may_last_for_some_time() -> None:
    now = [NOW]
    fault: Fault = {"on": "run", "skip": 1, "seconds": 10, "answer": OUTAGE}
    with simulate(fault, clock=lambda: now[0]) as simulator, connected(simulator) as connection:
        seen = []
        # It begins with the first request that it disturbs, at 50.
        for moment in (0, 50, 50, 59.9, 60, 61):
            now[0] = NOW + moment
            seen.append(status(connection))

    assert seen == [200, 503, 503, 503, 200, 200]


def test_the_first_fault_that_is_due_disturbs_and_the_others_do_not_count() -> None:
    faults: list[Fault] = [
        {"on": "run", "skip": 1, "answer": {"status": 501}},
        {"on": "any", "answer": {"status": 502}},
        {"on": "run", "skip": 1, "times": 2, "answer": {"status": 503}},
    ]
    with world(*faults) as (_, connection):
        # The second strikes first; the request after that passes for the two others.
        assert statuses(connection, 6) == [502, 200, 501, 503, 503, 200]


def test_requests_at_once_are_counted_right() -> None:
    with simulate({"on": "run", "skip": 5, "times": 20, "answer": OUTAGE}) as simulator:

        def poll(_: int) -> list[int]:
            with connected(simulator) as connection:
                return statuses(connection, 10)

        with ThreadPoolExecutor(8) as clients:
            seen = [code for codes in clients.map(poll, range(8)) for code in codes]

    assert (seen.count(503), seen.count(200)) == (20, 60)


@pytest.mark.parametrize(
    "answer", [{"status": 502}, "html", "reset", "close", {"json": 1}, {"redirect": "https://elsewhere.example/"}]
)
@pytest.mark.parametrize("processed", [False, True])
def test_the_platform_carries_out_what_is_processed(answer: object, processed: bool) -> None:
    with world({"on": "trigger", "processed": processed, "answer": answer}) as (simulator, connection):
        with suppress(ConnectionError):
            send(connection, "POST", RUNS, FRESH)
        platform = simulator.platform
        assert platform.triggers == [FRESH]
        assert platform.started == platform.live_runs() == ([1001] if processed else [])


def test_a_hanging_call_may_be_carried_out() -> None:
    fault: Fault = {"on": "stop", "processed": True, "answer": "hang"}
    with world(fault) as (simulator, connection):
        status(connection, "POST", RUNS, FRESH)
        connection.timeout = 0.2
        connection.close()
        with pytest.raises(TimeoutError):
            send(connection, "PUT", f"{RUNS}/1001", STOP)
        assert simulator.platform.stopped == [1001]


@pytest.mark.parametrize("answer", ["truncate", "drip", {"patch": {"id": None}}])
def test_what_needs_the_right_answer_is_processed(answer: object) -> None:
    with world({"on": "trigger", "answer": answer}) as (simulator, connection):
        send(connection, "POST", RUNS, FRESH)
        assert simulator.platform.started == [1001]


@pytest.mark.parametrize("answer", [OUTAGE, "html", "truncate", {"patch": {}}, {"json": 1}])
def test_without_the_key_there_is_no_other_answer(answer: object) -> None:
    with world({"on": "run", "answer": answer}) as (_, connection):
        refused = "Unauthorized: the API key is missing or not valid"
        response = send(connection, key="wrong")
        assert (response.status, response.read().decode()) == (401, refused)


def test_a_request_without_the_key_is_not_counted() -> None:
    with world({"on": "run", "skip": 1, "answer": OUTAGE}) as (_, connection):
        assert status(connection, key="wrong") == 401
        assert statuses(connection, 3) == [200, 503, 200]


def test_a_connection_may_end_before_the_key_is_looked_at() -> None:
    with (
        world({"on": "trigger", "answer": "close"}) as (_, connection),
        pytest.raises(http.client.RemoteDisconnected),
    ):
        send(connection, "POST", RUNS, FRESH, key="wrong")
    with world({"on": "trigger", "processed": True, "answer": "close"}) as (simulator, connection):
        assert status(connection, "POST", RUNS, FRESH, key="wrong") == 401
        assert simulator.platform.started == []


def test_disturbed_requests_are_in_the_journal() -> None:
    with world({"on": "any", "times": 2, "answer": "close"}) as (simulator, connection):
        for call in (("GET", RUN), ("POST", RUNS, FRESH)):
            with pytest.raises(http.client.RemoteDisconnected):
                send(connection, *call)
            connection.close()
        requests = simulator.platform.requests
        assert [(request.method, request.path, request.body) for request in requests] == [
            ("GET", RUN, None),
            ("POST", RUNS, FRESH),
        ]
