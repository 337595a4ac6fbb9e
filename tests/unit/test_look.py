"""The client that only looks: what it lets through, what it counts, what it keeps."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
import responses
from urllib3 import exceptions as urllib3_errors

from rerun_action.core.model import FreshRun, Pick, RerunRequest
from rerun_action.errors import Unreachable
from rerun_action.testsigma.client import Client
from rerun_action.testsigma.journal import BudgetSpent, Exchange, Journal
from rerun_action.testsigma.look import Look, Route, listing_path, run_path
from rerun_action.testsigma.trouble import NoConnection, Trouble
from tests.support.fake_time import FakeTime

HOST = "https://testsigma.example"
PATH = "/api/v1/execution_results"
NOON = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
RUN = {"id": 302, "executionId": 274, "status": "STATUS_COMPLETED", "result": "FAILURE"}


@pytest.fixture
def http() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def looking(budget: int = 20, *, url: str = HOST, ca_bundle: str | None = None) -> Look:
    journal = Journal(budget)
    return Look(url, "made-up-key", FakeTime(), journal, debug=lambda _: None, ca_bundle=ca_bundle, clock=lambda: NOON)


def sent(http: responses.RequestsMock) -> list[str | None]:
    return [call.request.method for call in http.calls]


def test_what_is_no_get_does_not_leave(http: responses.RequestsMock) -> None:
    for method in (responses.POST, responses.PUT):
        http.add(method, f"{HOST}{PATH}", json=RUN)
    http.add(responses.PUT, f"{HOST}{PATH}/302", json=RUN)
    look = looking()
    with pytest.raises(AssertionError, match="a POST request was about to be sent"):
        look.trigger(274, 302, RerunRequest((Pick(1),), (0,), (0,)), 60.0)
    with pytest.raises(AssertionError, match="a POST request was about to be sent"):
        look.start(FreshRun(274), 60.0)
    with pytest.raises(AssertionError, match="a PUT request was about to be sent"):
        look.stop(302, 60.0, lambda: None)
    assert sent(http) == []
    assert (look.journal.sent, look.journal.exchanges) == (0, [])


@pytest.mark.parametrize("url", [HOST, "http://127.0.0.1:8080"])
def test_the_requests_are_those_of_the_action(
    http: responses.RequestsMock, proxies: pytest.MonkeyPatch, url: str
) -> None:
    http.get(f"{url}{PATH}/302", json=RUN)
    proxies.setenv("https_proxy", "http://one.example:3128")
    looking(url=url, ca_bundle="company-ca.pem").run(302, 60.0)
    lines: list[str] = []
    Client(url, "made-up-key", FakeTime(), warn=lines.append, debug=lines.append, ca_bundle="company-ca.pem").run(
        302, 60.0
    )
    looked, acted = (call.request for call in http.calls)
    assert looked.headers == acted.headers
    assert looked.headers["Authorization"] == "Bearer made-up-key"
    kwargs: dict[str, Any] = looked.req_kwargs  # type: ignore[attr-defined]
    assert kwargs == acted.req_kwargs  # type: ignore[attr-defined]
    assert (kwargs["timeout"], kwargs["verify"], kwargs["cert"]) == ((10.0, 30.0), "company-ca.pem", None)
    assert kwargs["proxies"].get("https") == ("http://one.example:3128" if url == HOST else None)


def test_plain_http_is_watched_as_well(http: responses.RequestsMock) -> None:
    look = looking(url="http://127.0.0.1:8080")
    with pytest.raises(AssertionError, match="a PUT request was about to be sent"):
        look.stop(302, 60.0, lambda: None)
    assert sent(http) == []


@pytest.mark.parametrize(
    ("headers", "content_type", "skew"),
    [
        ({}, "", None),
        ({"Date": "today"}, "text/html; charset=utf-8", None),
        ({"Date": "Tue, 24 Nov 2026 11:59:58 GMT"}, "", -2.0),
        ({"Date": "Tue, 24 Nov 2026 14:00:00 +0200"}, "", 0.0),
        ({"Date": "Tue, 24 Nov 2026 12:00:00"}, "", None),  # of no time zone
    ],
)
def test_the_headers_of_a_reply(
    http: responses.RequestsMock, headers: dict[str, str], content_type: str, skew: float | None
) -> None:
    http.get(f"{HOST}{PATH}/302", body=json.dumps(RUN), headers=headers, content_type=content_type or None)
    look = looking()
    look.run(302, 60.0)
    (taken,) = look.journal.exchanges
    assert (taken.content_type, taken.skew) == (content_type, skew)


def test_a_second_page_is_asked_for_as_it_is(http: responses.RequestsMock) -> None:
    http.get(f"{HOST}{PATH}/302/test_case_results?page=1", json={"testCases": [], "odd": [1]})
    assert looking().second_page(302, 60.0) == {"testCases": [], "odd": [1]}


def test_the_paths_that_the_journal_knows() -> None:
    assert (run_path(302), listing_path(302)) == (f"{PATH}/302", f"{PATH}/302/test_case_results")


@pytest.mark.parametrize(
    ("url", "environ", "ca_bundle", "expected"),
    [
        (HOST, {}, None, Route(None, None)),
        (HOST, {"https_proxy": "http://one.example:3128"}, None, Route("http://one.example:3128", None)),
        (HOST, {"all_proxy": "http://a:b@one.example"}, "company-ca.pem",
         Route("http://a:b@one.example", "company-ca.pem")),
        (HOST, {"https_proxy": "http://one.example:3128", "no_proxy": "testsigma.example"}, None, Route(None, None)),
        (HOST, {"REQUESTS_CA_BUNDLE": "company-ca.pem"}, None, Route(None, "company-ca.pem")),
        ("http://127.0.0.1:8080", {"http_proxy": "http://one.example:3128"}, None, Route(None, None)),
    ],
)  # fmt: skip
def test_the_way_that_requests_take(
    proxies: pytest.MonkeyPatch, url: str, environ: dict[str, str], ca_bundle: str | None, expected: Route
) -> None:
    for name, value in environ.items():
        proxies.setenv(name, value)
    look = looking(url=url, ca_bundle=ca_bundle)
    assert look.route() == expected
    assert look.journal.sent == 0


def test_every_reply_is_kept_as_it_was(http: responses.RequestsMock) -> None:
    http.get(f"{HOST}{PATH}/302", status=503, body="busy")
    http.get(f"{HOST}{PATH}/302", json=RUN, headers={"Date": "Tue, 24 Nov 2026 12:01:30 GMT"})
    look = looking()
    look.run(302, 60.0)
    first, second = look.journal.exchanges
    assert first == Exchange(f"{PATH}/302", 503, "text/plain", None, b"busy")
    assert (second.status, second.skew, second.content_type) == (200, 90.0, "application/json")
    assert look.journal.last(f"{PATH}/302") == second
    assert look.journal.sent == 2


def test_one_request_too_many_is_not_sent_and_not_tried_again(http: responses.RequestsMock) -> None:
    http.get(f"{HOST}{PATH}/302", json=RUN)
    look = looking(budget=2)
    for _ in range(2):
        look.run(302, 60.0)
    with pytest.raises(BudgetSpent):
        look.run(302, 60.0)
    assert len(sent(http)) == 2
    assert look.journal.spent


def test_retries_count(http: responses.RequestsMock) -> None:
    http.get(f"{HOST}{PATH}/302", status=503)
    with pytest.raises(BudgetSpent):
        looking(budget=3).run(302, 1e9)
    assert len(sent(http)) == 3


def page(number: int) -> dict[str, Any]:
    case = {"testCaseId": number + 1, "testCaseResultId": 5000 + number, "result": "SUCCESS"}
    return {"executionId": 274, "testCases": [case], "totalPages": 5, "number": number}


def test_further_pages_of_a_listing_do_not_count(http: responses.RequestsMock) -> None:
    url = f"{HOST}{PATH}/302/test_case_results"
    for number in range(1, 5):
        http.get(f"{url}?page={number}&size=1", json=page(number))
    http.get(url, json=page(0))
    look = looking(budget=1)
    assert len(look.listing(302, 60.0).cases) == 5
    assert look.journal.sent == 5
    pages = look.journal.pages(f"{PATH}/302/test_case_results")
    queries = [taken.path.partition("?")[2] for taken in pages]
    assert queries == ["", "page=1&size=1", "page=2&size=1", "page=3&size=1", "page=4&size=1"]
    with pytest.raises(BudgetSpent):
        look.second_page(302, 60.0)


def test_no_connection_at_first_is_said_at_once(http: responses.RequestsMock) -> None:
    http.get(f"{HOST}{PATH}/302", body=requests.ConnectionError(urllib3_errors.ProtocolError("Connection aborted.")))
    with pytest.raises(NoConnection) as caught:
        looking().run(302, 60.0)
    assert caught.value.trouble is Trouble.CLOSED
    assert len(sent(http)) == 1


def test_a_connection_that_breaks_later_is_tried_again(http: responses.RequestsMock) -> None:
    http.get(f"{HOST}{PATH}/302", json=RUN)
    broken = requests.ConnectionError(urllib3_errors.ProtocolError("Connection aborted."))
    http.get(f"{HOST}{PATH}/303", body=broken)
    http.get(f"{HOST}{PATH}/303", json={**RUN, "id": 303})
    http.get(f"{HOST}{PATH}/304", body=broken)
    look = looking()
    look.run(302, 60.0)
    assert look.run(303, 60.0).id == 303
    with pytest.raises(Unreachable):
        look.run(304, look.journal.sent + 2.0)
