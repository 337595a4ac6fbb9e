"""One request and its reply: what is sent, to the letter, and what each kind of reply means."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
import responses
from requests.utils import select_proxy
from urllib3 import exceptions as urllib3_errors

from rerun_action import __version__
from rerun_action.errors import Refused
from rerun_action.testsigma import line, wire
from rerun_action.testsigma.line import Reply, Transient
from rerun_action.testsigma.refusals import Answer

SERVER = "https://testsigma.example"
URL = f"{SERVER}/api/v1/execution_results"
KEY = "made-up-key"


@pytest.fixture
def http() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


# --- what is sent -----------------------------------------------------------------------------------------------------


def sent(http: responses.RequestsMock, **given: Any) -> Any:
    http.add(given.get("method", "GET"), given.get("url", URL), json={})
    session = line.new_session(given.get("url", URL), KEY, given.get("ca_bundle"))
    line.send(session, given.get("method", "GET"), given.get("url", URL), given.get("body"), given.get("limit", 120.0))
    return http.calls[0].request


@pytest.mark.usefixtures("proxies")
def test_a_whole_request(http: responses.RequestsMock) -> None:
    request = sent(http, method="POST", body={"executionId": 274})
    assert (request.method, request.url, json.loads(request.body)) == ("POST", URL, {"executionId": 274})
    assert {name: request.headers[name] for name in ("Authorization", "Accept", "User-Agent", "Content-Type")} == {
        "Authorization": "Bearer made-up-key",
        "Accept": "application/json",
        "User-Agent": f"testsigma-rerun-action/{__version__}",
        "Content-Type": "application/json",
    }
    assert request.req_kwargs == {
        "timeout": (10.0, 30.0),  # until the connection stands; between two pieces of the reply
        "stream": True,
        "verify": True,
        "cert": None,
        "proxies": {},
    }


@pytest.mark.parametrize(
    ("limit", "timeouts"), [(120.0, (10.0, 30.0)), (20.0, (10.0, 20.0)), (5.0, (5.0, 5.0)), (0.2, (0.2, 0.2))]
)
def test_nothing_pauses_for_longer_than_the_limit(
    http: responses.RequestsMock, limit: float, timeouts: tuple[float, float]
) -> None:
    assert sent(http, limit=limit).req_kwargs["timeout"] == timeouts


@pytest.mark.parametrize(
    ("url", "ca_bundle", "verify", "proxy"),
    [
        (URL, None, True, "http://one.example:3128"),
        (URL, "company-ca.pem", "company-ca.pem", "http://one.example:3128"),
        ("http://127.0.0.1:8080", None, True, None),  # loopback: no proxy has any business with the key
    ],
)
def test_certificates_are_checked_and_the_proxy_is_the_environments(
    http: responses.RequestsMock,
    proxies: pytest.MonkeyPatch,
    url: str,
    ca_bundle: str | None,
    verify: bool | str,
    proxy: str | None,
) -> None:
    for name in ("https_proxy", "http_proxy"):
        proxies.setenv(name, "http://one.example:3128")
    settings = sent(http, url=url, ca_bundle=ca_bundle).req_kwargs
    assert (settings["verify"], select_proxy(url, settings["proxies"])) == (verify, proxy)


def test_a_redirect_is_not_followed_and_a_body_comes_whole(http: responses.RequestsMock) -> None:
    body = bytes(range(256)) * 10_000  # several pieces
    http.get(URL, status=302, headers={"Location": "https://elsewhere.example/"}, body=body)
    reply = line.send(line.new_session(SERVER, KEY, None), "GET", URL, None, 120.0)
    assert (reply.status, reply.headers["Location"], reply.body) == (302, "https://elsewhere.example/", body)
    assert len(http.calls) == 1


# --- what comes of a fault --------------------------------------------------------------------------------------------


def connection(reason: Exception) -> requests.ConnectionError:
    return requests.ConnectionError(urllib3_errors.MaxRetryError(None, "/", reason))  # type: ignore[arg-type]


def at_proxy(said: str) -> requests.exceptions.ProxyError:
    inner = urllib3_errors.ProxyError("Unable to connect to proxy", OSError(said))
    return requests.exceptions.ProxyError(urllib3_errors.MaxRetryError(None, "/", inner))  # type: ignore[arg-type]


def new_connection(cause: OSError) -> requests.ConnectionError:
    error = urllib3_errors.NewConnectionError(None, "Failed to establish a new connection")  # type: ignore[arg-type]
    error.__cause__ = cause
    return connection(error)


def failing(http: responses.RequestsMock, error: Exception, kind: type[Exception]) -> Any:
    http.get(URL, body=error)
    with pytest.raises(kind) as caught:
        line.send(line.new_session(SERVER, KEY, None), "GET", URL, None, 120.0)
    return caught.value


@pytest.mark.parametrize(
    ("error", "cause", "untouched"),
    [
        (new_connection(ConnectionRefusedError(111, "refused")), "the connection was refused", True),
        (connection(urllib3_errors.ConnectTimeoutError()), "no connection came about", True),
        (requests.ReadTimeout(urllib3_errors.ReadTimeoutError(None, "/", "")), "no answer for 30 s", False),  # type: ignore[arg-type]
        (requests.ConnectionError(urllib3_errors.ProtocolError("aborted")), "the connection broke", False),
        (requests.exceptions.SSLError("EOF occurred"), "the TLS connection broke", False),
        (
            requests.exceptions.SSLError("WRONG_VERSION_NUMBER"),
            "the server does not speak TLS at the port of server-url",
            False,
        ),
        (requests.exceptions.ContentDecodingError("?"), "the request failed (ContentDecodingError)", False),
    ],
)
def test_a_fault_that_may_pass(http: responses.RequestsMock, error: Exception, cause: str, untouched: bool) -> None:
    fault = failing(http, error, Transient)
    assert (str(fault), fault.cause, fault.untouched) == (cause, cause, untouched)
    assert (fault.retry_after, fault.gateway) == (0.0, False)


@pytest.mark.parametrize(
    ("environ", "named"), [({"all_proxy": "http://one.example:3128"}, "all_proxy"), ({}, "HTTPS_PROXY")]
)
def test_a_fault_at_the_proxy_names_its_variable(
    http: responses.RequestsMock, proxies: pytest.MonkeyPatch, environ: dict[str, str], named: str
) -> None:
    for name, value in environ.items():
        proxies.setenv(name, value)
    fault = failing(http, at_proxy("Tunnel connection failed: 502 Bad Gateway"), Transient)
    assert (fault.cause, fault.untouched) == (f"the proxy named in {named} gave no connection", True)


def test_a_fault_that_no_further_try_could_mend_is_refused(
    http: responses.RequestsMock, proxies: pytest.MonkeyPatch
) -> None:
    proxies.setenv("all_proxy", "http://one.example:3128")
    assert failing(http, at_proxy("Tunnel connection failed: 407 Proxy Authentication"), Refused).message == (
        "all_proxy: the proxy wants a user name and password (407); give http://user:password@host:port"
    )


# --- what a reply means -----------------------------------------------------------------------------------------------

GOOD, ANSWER, AGAIN, LATER, GATEWAY = "good", "answer", "again", "not taken on", "a gateway's"


def meaning(reply: Reply, method: str, take: Callable[[Reply], str] = lambda _: GOOD) -> str:
    try:
        return line.read(reply, method, take)
    except Answer:
        return ANSWER
    except Transient as fault:
        if fault.untouched:
            return LATER
        return GATEWAY if fault.gateway else AGAIN


@pytest.mark.parametrize(
    ("status", "get", "post", "put"),
    [
        (200, GOOD, GOOD, GOOD),
        (204, GOOD, GOOD, GOOD),
        (299, GOOD, GOOD, GOOD),
        (300, ANSWER, ANSWER, ANSWER),
        (302, ANSWER, ANSWER, ANSWER),
        (400, ANSWER, ANSWER, ANSWER),
        (404, ANSWER, ANSWER, ANSWER),
        (408, AGAIN, AGAIN, AGAIN),
        (429, LATER, LATER, LATER),
        (499, ANSWER, ANSWER, ANSWER),
        (500, AGAIN, ANSWER, AGAIN),
        (501, AGAIN, ANSWER, AGAIN),
        (502, GATEWAY, GATEWAY, GATEWAY),
        (503, GATEWAY, GATEWAY, GATEWAY),
        (504, GATEWAY, GATEWAY, GATEWAY),
        (505, AGAIN, AGAIN, AGAIN),
        (524, AGAIN, AGAIN, AGAIN),
    ],
)
def test_what_a_status_means(status: int, get: str, post: str, put: str) -> None:
    assert [meaning(Reply(status, {}, b"{}"), method) for method in ("GET", "POST", "PUT")] == [get, post, put]


def test_a_503_that_says_when_to_come_back_was_not_taken_on() -> None:
    with pytest.raises(Transient) as caught:
        line.read(Reply(503, {"Retry-After": "7"}, b""), "POST", lambda _: GOOD)
    fault = caught.value
    assert (fault.cause, fault.retry_after, fault.untouched, fault.gateway) == ("HTTP 503", 7.0, True, True)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 0.0),
        ({"Retry-After": ""}, 0.0),
        ({"Retry-After": "0"}, 0.0),
        ({"Retry-After": " 7 "}, 7.0),
        ({"Retry-After": "\u0667"}, 0.0),  # an Arabic 7: a digit, but none of HTTP's
        ({"Retry-After": "1.5"}, 0.0),
        ({"Retry-After": "soon"}, 0.0),
        ({"Retry-After": "Mon, 02 Jan 2040 10:00:09 GMT", "Date": "Mon, 02 Jan 2040 10:00:00 GMT"}, 9.0),
        ({"Retry-After": "Mon, 02 Jan 2040 10:00:00 GMT", "Date": "Mon, 02 Jan 2040 10:00:09 GMT"}, 0.0),
        ({"Retry-After": "Mon, 02 Jan 2040 10:00:09 GMT", "Date": "today"}, 0.0),
        ({"Retry-After": "Mon, 02 Jan 2040 10:00:09 GMT"}, 0.0),
    ],
)
def test_the_pause_that_the_server_asks_for(headers: dict[str, str], seconds: float) -> None:
    with pytest.raises(Transient) as caught:
        line.read(Reply(429, headers, b""), "GET", lambda _: GOOD)
    assert caught.value.retry_after == seconds


def test_an_answer_carries_what_was_said() -> None:
    with pytest.raises(Answer) as caught:
        line.read(Reply(400, {}, b'{"error": "No such result"}'), "GET", lambda _: GOOD)
    assert (caught.value.status, caught.value.text) == (400, "No such result")


def test_a_good_reply_that_is_no_json_may_be_better_next_time() -> None:
    with pytest.raises(Transient) as caught:
        line.read(Reply(200, {}, b"<html>"), "GET", lambda reply: str(wire.parse(reply.take())))
    fault = caught.value
    assert (fault.cause, fault.untouched) == ("HTTP 200 with an HTML page instead of JSON", False)
