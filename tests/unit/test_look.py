"""The client that only looks: what it lets through, what it counts, what it keeps."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
import responses
from urllib3 import exceptions as urllib3_errors

from rerun_action.core.model import FreshRun, Pick, RerunRequest
from rerun_action.errors import Unreachable
from rerun_action.testsigma.journal import BudgetSpent, Exchange, Journal
from rerun_action.testsigma.look import Look
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


def looking(budget: int = 20) -> Look:
    return Look(HOST, "made-up-key", FakeTime(), Journal(budget), debug=lambda _: None, clock=lambda: NOON)


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
