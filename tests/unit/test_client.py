"""The wire, request by request: literal bodies, what is repeated, what never is."""

import json
import ssl
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import pytest
import requests
import responses
from responses import matchers
from urllib3.exceptions import MaxRetryError, NewConnectionError, ProtocolError

from rerun_action.core.model import FreshRun, Pick, RerunRequest, Result, StopReply, StopRoute
from rerun_action.errors import (
    ActionError,
    Cancelled,
    Contradiction,
    DeadlinePassed,
    ExitCode,
    NotFound,
    Refused,
    Unclear,
    Unreachable,
)
from rerun_action.testsigma import line
from rerun_action.testsigma.client import Client
from rerun_action.testsigma.line import Reply
from tests.support.fake_time import FakeTime

T = TypeVar("T")

HOST = "https://testsigma.example"
RUNS = f"{HOST}/api/v1/execution_results"
KEY = "made-up-key"
DEADLINE = 600.0
REQUEST = RerunRequest(
    (Pick(2880), Pick(2915, (2916, 2917))),
    wanted=(0,),
    covered=(0,),
)


@pytest.fixture
def http() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=True) as mock:
        yield mock


class Bench:
    def __init__(self, *, signal_at: float | None = None) -> None:
        self.time = FakeTime(signal_at=signal_at)
        self.warnings: list[str] = []
        self.debug: list[str] = []
        self.client = Client(
            HOST, KEY, self.time, warn=self.warnings.append, debug=self.debug.append, jitter=lambda: 0.0
        )


@pytest.fixture
def bench() -> Bench:
    return Bench()


def run_body(run_id: int = 302, **fields: Any) -> dict[str, Any]:
    return {"id": run_id, "executionId": 274, "status": "STATUS_COMPLETED", "result": "FAILURE", **fields}


def refused() -> requests.ConnectionError:
    reason = NewConnectionError(None, "refused")  # type: ignore[arg-type]
    reason.__cause__ = ConnectionRefusedError(111, "Connection refused")
    return requests.ConnectionError(MaxRetryError(None, "/", reason))  # type: ignore[arg-type]


def broken() -> requests.ConnectionError:
    return requests.ConnectionError(ProtocolError("Connection aborted."))


def test_a_body_goes_when_it_is_read() -> None:
    reply = Reply(200, {}, b"{}")
    assert (reply.take(), reply.body) == (b"{}", b"")


# --- every call -------------------------------------------------------------------------------------------------------


class Watched(FakeTime):
    """Keeps what the client grants each request: its limit and how long its answer is still waited for."""

    def __init__(self) -> None:
        super().__init__()
        self.granted: list[tuple[float, float]] = []

    def call(
        self, work: Callable[[], T], limit: float, linger: float = 0.0, left: Callable[[], None] | None = None
    ) -> T:
        self.granted.append((limit, linger))
        return super().call(work, limit, linger, left)


CALLS: dict[str, tuple[Callable[[Client, float], object], str, str, Any, float, float]] = {
    # the call, its method, path and body, the longest time for all of it, and after a signal (seconds)
    "look": (lambda client, until: client.run(302, until), "GET", "/302", None, 120.0, 0.0),
    "list": (lambda client, until: client.listing(302, until), "GET", "/302/test_case_results", None, 120.0, 0.0),
    "trigger": (
        lambda client, until: client.trigger(336, 467, RerunRequest((Pick(2880),), (0,), (0,)), until),
        "POST",
        "",
        {
            "executionId": 336,
            "executionResultId": 467,
            "isReRun": True,
            "reRunType": "USER_PICKED",
            "testCaseResultRequests": [{"id": 2880}],
        },
        120.0,
        0.7,
    ),
    "start": (lambda client, until: client.start(FreshRun(336), until), "POST", "", {"executionId": 336}, 120.0, 0.7),
    "stop": (
        lambda client, until: client.stop(302, until, lambda: None),
        "PUT",
        "/302",
        {"canStopAll": False, "result": "STOPPED"},
        10.0,
        0.0,
    ),
}


@pytest.mark.parametrize("left", [DEADLINE, 4.0, 0.5])
@pytest.mark.parametrize("what", CALLS)
def test_a_whole_call(http: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch, what: str, left: float) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    call, method, path, body, limit, linger = CALLS[what]
    http.add(method, f"{RUNS}{path}", body=json.dumps({**run_body(), "testCases": []}).ljust(200))
    time = Watched()
    time.at = 1000.0
    debug: list[str] = []
    client = Client(HOST, KEY, time, warn=pytest.fail, debug=debug.append, ca_bundle="company-ca.pem")
    call(client, 1000.0 + left)
    request: Any = http.calls[0].request
    assert (request.method, request.url) == (method, f"{RUNS}{path}")
    assert request.headers["Authorization"] == f"Bearer {KEY}"
    assert body == (None if request.body is None else json.loads(request.body))
    assert request.req_kwargs["verify"] == "company-ca.pem"
    assert request.req_kwargs["timeout"] == (min(left, 10.0, limit), min(left, 30.0, limit))
    assert time.granted == [(min(left, limit), linger)]
    assert debug == [f"{method} /api/v1/execution_results{path} -> 200, 200 bytes"]


@pytest.mark.parametrize("what", CALLS)
def test_after_the_deadline_nothing_is_sent(bench: Bench, what: str) -> None:
    call = CALLS[what][0]
    bench.time.at = 60.0
    if what == "stop":
        assert call(bench.client, 60.0) == StopReply(StopRoute.RUN, None, refusal=NO_ANSWER)
        return
    with pytest.raises(Unreachable if what in ("look", "list") else DeadlinePassed) as caught:
        call(bench.client, 60.0)
    assert (
        caught.value.message
        == {
            "look": NO_ANSWER,
            "list": NO_ANSWER,
            "trigger": "the deadline passed before the rerun was triggered",
            "start": "the deadline passed before the run was triggered",
        }[what]
    )


NO_ANSWER = f"{HOST} could not be reached until the deadline: no complete answer within 0 s"


def test_an_outage_is_timed_from_its_first_request(http: responses.RequestsMock, bench: Bench) -> None:
    bench.time.at = 100.0
    http.get(f"{RUNS}/302", status=502)
    http.get(f"{RUNS}/302", json=run_body())
    bench.client.run(302, 700.0)
    assert bench.warnings[-1] == "the platform answers again after 1 s"


def test_no_pause_goes_beyond_the_deadline(http: responses.RequestsMock, bench: Bench) -> None:
    http.get(f"{RUNS}/302", status=502)
    with pytest.raises(Unreachable):
        bench.client.run(302, until=0.5)
    assert bench.time.sleeps == [0.5]


def test_every_request_has_its_line_in_the_log(http: responses.RequestsMock, bench: Bench) -> None:
    http.get(f"{RUNS}/302", status=502, body="busy")
    http.get(f"{RUNS}/302", body=broken())
    http.get(f"{RUNS}/302", body="{}" + " " * 10, status=404)
    bench.time.at = 100.0
    with pytest.raises(NotFound):
        bench.client.run(302, 100.0 + DEADLINE)
    assert bench.debug == [
        "GET /api/v1/execution_results/302 -> 502, 4 bytes",
        "GET /api/v1/execution_results/302 failed after 0.0 s: HTTP 502",
        "GET /api/v1/execution_results/302 failed after 0.0 s: the connection broke",
        "GET /api/v1/execution_results/302 -> 404, 12 bytes",
    ]


def test_the_key_and_the_wanted_type_go_with_every_call(http: responses.RequestsMock, bench: Bench) -> None:
    http.get(
        f"{RUNS}/302",
        json=run_body(),
        match=[matchers.header_matcher({"Authorization": f"Bearer {KEY}", "Accept": "application/json"})],
    )
    assert bench.client.run(302, DEADLINE).result is Result.FAILURE


def test_a_netrc_entry_does_not_replace_the_key(
    http: responses.RequestsMock, bench: Bench, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine testsigma.example login somebody password something\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    http.get(f"{RUNS}/302", json=run_body(), match=[matchers.header_matcher({"Authorization": f"Bearer {KEY}"})])
    bench.client.run(302, DEADLINE)


@pytest.mark.parametrize(
    ("status", "kind", "said"),
    [
        (401, Refused, "api-key: the platform does not accept the key (401)"),
        (403, Refused, "api-key: the key may not do this (403)"),
        (404, NotFound, "run 302 is not known to the platform (404)"),
        (400, Refused, "the platform refused the request (400)"),
        (302, Refused, "server-url: the server redirects elsewhere (302)"),
        (307, Refused, "server-url: the server redirects elsewhere (307)"),
    ],
)
def test_a_refusal_is_explained_and_not_repeated(
    http: responses.RequestsMock, bench: Bench, status: int, kind: type[ActionError], said: str
) -> None:
    http.get(f"{RUNS}/302", status=status, body="Because", headers={"Location": "https://elsewhere.example/"})
    with pytest.raises(kind, match="Because" if status in (400, 401, 403, 404) else None) as caught:
        bench.client.run(302, DEADLINE)
    assert type(caught.value) is kind
    assert caught.value.message.startswith(said)
    assert caught.value.exit_code is ExitCode.ERROR
    assert len(http.calls) == 1
    assert bench.time.sleeps == []


TRANSIENT: dict[str, dict[str, Any]] = {
    "429": {"status": 429},
    "500": {"status": 500, "json": {"error": "oops"}},
    "503": {"status": 503},
    "refused": {"body": refused()},
    "broken": {"body": broken()},
    "timeout": {"body": requests.ReadTimeout("slow")},
    "html": {"status": 200, "body": "<html><body>Maintenance</body></html>"},
    "empty": {"status": 200, "body": ""},
    "cut": {"status": 200, "body": '{"id": 302, "exec'},
    "deep": {"status": 200, "body": "[" * 100_000},
}


@pytest.mark.usefixtures("uncollected")
@pytest.mark.parametrize("fault", TRANSIENT)
def test_a_get_is_repeated_with_growing_pauses_and_told_in_two_lines(
    http: responses.RequestsMock, bench: Bench, fault: str
) -> None:
    for _ in range(4):
        http.get(f"{RUNS}/302", **TRANSIENT[fault])
    http.get(f"{RUNS}/302", json=run_body())
    assert bench.client.run(302, DEADLINE).id == 302
    assert bench.time.sleeps == [1.0, 1.5, 2.25, 3.375]
    first, last = bench.warnings
    assert first.startswith("the platform does not answer: ")
    assert first.endswith("; trying again until the deadline (timeout-minutes); if this goes on, check server-url")
    assert last == "the platform answers again after 8 s"


@pytest.mark.parametrize(
    ("headers", "pause"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "Mon, 02 Jan 2040 10:00:09 GMT", "Date": "Mon, 02 Jan 2040 10:00:00 GMT"}, 9.0),
        ({"Retry-After": "Mon, 02 Jan 2040 10:00:00 GMT", "Date": "Mon, 02 Jan 2040 10:00:09 GMT"}, 1.0),
        ({"Retry-After": "Mon, 02 Jan 2040 10:00:09 GMT"}, 1.0),
        ({"Retry-After": "soon"}, 1.0),
        ({"Retry-After": "-5"}, 1.0),
        ({"Retry-After": "1e9"}, 1.0),
        ({"Retry-After": "999999999"}, DEADLINE),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_honoured_up_to_the_deadline(
    http: responses.RequestsMock, bench: Bench, status: int, headers: dict[str, str], pause: float
) -> None:
    http.get(f"{RUNS}/302", status=status, headers=headers)
    if pause < DEADLINE:
        http.get(f"{RUNS}/302", json=run_body())
        bench.client.run(302, DEADLINE)
    else:
        with pytest.raises(Unreachable):
            bench.client.run(302, DEADLINE)
    assert bench.time.sleeps == [pause]


def test_what_does_not_answer_until_the_deadline_was_unreachable(http: responses.RequestsMock, bench: Bench) -> None:
    http.get(f"{RUNS}/302", status=502)
    with pytest.raises(Unreachable, match=r"could not be reached until the deadline: HTTP 502") as caught:
        bench.client.run(302, until=20.0)
    assert caught.value.exit_code is ExitCode.ERROR
    assert bench.time.at == pytest.approx(20.0)
    assert max(bench.time.sleeps) <= 30.0


def hang(time: FakeTime) -> Callable[..., Any]:
    def call(_work: Callable[[], Any], limit: float, *_: object) -> Any:
        time.at += limit
        raise TimeoutError

    return call


def test_a_first_request_that_hangs_until_the_deadline_was_unreachable(bench: Bench) -> None:
    bench.time.call = hang(bench.time)  # type: ignore[method-assign]
    with pytest.raises(Unreachable, match="no complete answer within 3 s"):
        bench.client.run(302, until=3.0)


@pytest.mark.parametrize(
    ("left", "kind", "said"),
    [
        (4.0, DeadlinePassed, "the deadline passed"),
        (5.0, Unreachable, f"{HOST} could not be reached until the deadline: no complete answer within 5 s"),
    ],
)
def test_the_deadline_cuts_a_request_that_has_only_just_been_sent(
    http: responses.RequestsMock, bench: Bench, left: float, kind: type[ActionError], said: str
) -> None:
    http.get(f"{RUNS}/302", json=run_body())
    bench.time.at = 100.0
    bench.client.run(302, until=200.0)
    bench.time.call = hang(bench.time)  # type: ignore[method-assign]
    with pytest.raises(kind) as caught:
        bench.client.run(302, until=100.0 + left)
    assert caught.value.message == said


def test_an_outage_that_goes_on_until_the_deadline_is_told_as_one(http: responses.RequestsMock, bench: Bench) -> None:
    http.get(f"{RUNS}/302", json=run_body())
    bench.client.run(302, until=3.0)
    http.get(f"{RUNS}/303", status=502)
    bench.time.call = first_then(bench.time.call, hang(bench.time))  # type: ignore[method-assign]
    with pytest.raises(Unreachable, match="no complete answer within 2 s"):
        bench.client.run(303, until=3.0)


def first_then(first: Callable[..., Any], then: Callable[..., Any]) -> Callable[..., Any]:
    calls = iter([first])

    def call(*given: Any) -> Any:
        return next(calls, then)(*given)

    return call


def test_a_request_that_hangs_is_left_behind_with_its_connection(http: responses.RequestsMock, bench: Bench) -> None:
    http.get(f"{RUNS}/302", json=run_body())
    bench.time.call = first_then(hang(bench.time), bench.time.call)  # type: ignore[method-assign]
    assert bench.client.run(302, DEADLINE).id == 302
    assert bench.time.sleeps == [1.0]
    assert bench.warnings == [
        (
            "the platform does not answer: no complete answer within 120 s; trying again until the deadline "
            "(timeout-minutes); if this goes on, check server-url"
        ),
        "the platform answers again after 121 s",
    ]


def test_an_untrusted_certificate_ends_it_with_the_way_out(http: responses.RequestsMock, bench: Bench) -> None:
    fault = ssl.SSLCertVerificationError("self-signed")
    fault.verify_code = 18
    http.get(f"{RUNS}/302", body=requests.exceptions.SSLError(fault))
    with pytest.raises(Refused, match="REQUESTS_CA_BUNDLE"):
        bench.client.run(302, DEADLINE)


# --- runs -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("child", "expected"),
    [(None, None), (303, 303), ("303", 303), ({"id": 303, "execution": None}, 303), ({"id": None}, None), ([], None)],
)
def test_a_child_is_an_object_or_a_bare_id(
    http: responses.RequestsMock, bench: Bench, child: object, expected: int | None
) -> None:
    http.get(f"{RUNS}/302", json=run_body(childResult=child, execution={"lastRunId": "343"}))
    run = bench.client.run(302, DEADLINE)
    assert (run.child_id, run.last_run_id) == (expected, 343)


@pytest.mark.parametrize("plan", [7, "x", [], {"lastRunId": {}, "id": []}])
def test_an_odd_plan_object_is_no_reason_to_refuse_a_run(
    http: responses.RequestsMock, bench: Bench, plan: object
) -> None:
    http.get(f"{RUNS}/302", json=run_body(execution=plan))
    assert bench.client.run(302, DEADLINE).last_run_id is None


@pytest.mark.parametrize(("rerun_type", "expected"), [("NONE", False), (None, False), ("ONLY_FAILED_TESTS", True)])
def test_whether_a_plan_reruns_by_itself(
    http: responses.RequestsMock, bench: Bench, rerun_type: str | None, expected: bool
) -> None:
    http.get(f"{RUNS}/302", json=run_body(execution={"reRunType": rerun_type}))
    assert bench.client.run(302, DEADLINE).reruns_by_itself is expected


def test_another_run_than_the_one_asked_for_is_a_contradiction(http: responses.RequestsMock, bench: Bench) -> None:
    http.get(f"{RUNS}/302", json=run_body(303))
    with pytest.raises(Contradiction, match="asked for run 302, the platform answered with run 303"):
        bench.client.run(302, DEADLINE)


@pytest.mark.parametrize("body", ["[]", "null", "{}", '{"id": true}', '{"id": 1e400}', '{"id": "x"}', '{"id": -1}'])
def test_json_of_another_shape_ends_it(http: responses.RequestsMock, bench: Bench, body: str) -> None:
    http.get(f"{RUNS}/302", body=body)
    with pytest.raises(Contradiction, match="not a run as the API documents it"):
        bench.client.run(302, DEADLINE)
    assert len(http.calls) == 1


# --- listings ---------------------------------------------------------------------------------------------------------


def record(number: int, **fields: Any) -> dict[str, Any]:
    return {
        "testCaseId": number,
        "testCaseName": f"case {number}",
        "testCaseResultId": 100 + number,
        "result": "SUCCESS",
        **fields,
    }


def test_control_characters_inside_strings_are_read(http: responses.RequestsMock, bench: Bench) -> None:
    body = json.dumps({"testCases": [record(1, testCaseName="a@b")]}).replace("@", "\n\x01")
    http.get(f"{RUNS}/302/test_case_results", body=body)
    assert bench.client.listing(302, DEADLINE).cases[0].case == "a\n\x01b"


@pytest.mark.parametrize(
    ("word", "result"),
    [
        ("success", Result.SUCCESS),
        ("PASSED", Result.SUCCESS),
        ("Failed", Result.FAILURE),
        ("NOT_EXECUTED", Result.NOT_EXECUTED),
        ("QUEUED", Result.QUEUED),
        (None, Result.RUNNING),
        ("SUCCES", Result.UNKNOWN),
        ("", Result.UNKNOWN),
        (True, Result.UNKNOWN),
        (["SUCCESS"], Result.UNKNOWN),
    ],
)
def test_words_for_results(http: responses.RequestsMock, bench: Bench, word: object, result: Result) -> None:
    http.get(f"{RUNS}/302/test_case_results", json={"testCases": [record(1, result=word)]})
    listing = bench.client.listing(302, DEADLINE)
    assert listing.cases[0].result is result
    assert listing.unknown_words == ({str(word)} if result is Result.UNKNOWN else set())


def page(number: int, cases: list[int], **fields: Any) -> dict[str, Any]:
    return {"executionId": 274, "testCases": [record(case) for case in cases], "number": number, **fields}


def serve_pages(http: responses.RequestsMock, pages: list[dict[str, Any]]) -> None:
    url = f"{RUNS}/302/test_case_results"
    http.get(url, json=pages[0], match=[matchers.query_param_matcher({})])
    for number, body in enumerate(pages[1:], start=1):
        http.get(url, json=body, match=[matchers.query_param_matcher({"page": str(number), "size": "2"})])


def test_pages_are_followed_though_last_is_wrong(http: responses.RequestsMock, bench: Bench) -> None:
    serve_pages(
        http,
        [
            page(0, [1, 2], totalPages=3, last=True),
            page(1, [3, 4], totalPages=3, last=True),
            page(2, [5], totalPages=3, last=True),
        ],
    )
    listing = bench.client.listing(302, DEADLINE)
    assert [case.case_id for case in listing.cases] == [1, 2, 3, 4, 5]
    assert listing.plan_id == 274


def test_without_a_total_pages_go_on_until_an_empty_one(http: responses.RequestsMock, bench: Bench) -> None:
    serve_pages(http, [page(0, [1, 2], last=True), page(1, [3], last=True), page(2, [], last=True)])
    assert [case.case_id for case in bench.client.listing(302, DEADLINE).cases] == [1, 2, 3]


def test_pages_go_on_until_as_many_cases_have_come_as_were_announced(
    http: responses.RequestsMock, bench: Bench
) -> None:
    serve_pages(http, [page(0, [1, 2], last=True, totalElements=3), page(1, [3], last=True, totalElements=3)])
    assert [case.case_id for case in bench.client.listing(302, DEADLINE).cases] == [1, 2, 3]


def test_fewer_cases_than_announced_is_a_contradiction(http: responses.RequestsMock, bench: Bench) -> None:
    serve_pages(http, [page(0, [1, 2], totalElements=3), page(1, [], totalElements=3)])
    with pytest.raises(Contradiction, match="with 2 cases, but more pages with 3 cases were announced"):
        bench.client.listing(302, DEADLINE)


def test_all_pages_make_one_listing(http: responses.RequestsMock, bench: Bench) -> None:
    pages = [page(number, cases, executionResultId=301) for number, cases in enumerate([[1, 2], [3, 4], [5], []])]
    pages[0]["testCases"][0]["result"] = "ODD"
    pages[1]["testCases"][0]["result"] = "STRANGE"
    serve_pages(http, pages)
    listing = bench.client.listing(302, DEADLINE)
    assert [case.result_id for case in listing.cases] == [101, 102, 103, 104, 105]
    assert (listing.run_id, listing.plan_id, listing.named_run_id) == (302, 274, 301)
    assert listing.unknown_words == {"ODD", "STRANGE"}


def test_a_listing_without_pages_is_one_request(http: responses.RequestsMock, bench: Bench) -> None:
    body = {"executionId": 274, "executionResultId": 301, "testCases": [record(1, result="ODD")]}
    http.get(f"{RUNS}/302/test_case_results", json=body)
    listing = bench.client.listing(302, DEADLINE)
    assert [case.result_id for case in listing.cases] == [101]
    assert (listing.run_id, listing.plan_id, listing.named_run_id) == (302, 274, 301)
    assert listing.unknown_words == {"ODD"}


def test_an_empty_first_page_is_a_listing_of_nothing(http: responses.RequestsMock, bench: Bench) -> None:
    serve_pages(http, [page(0, [], last=True)])
    assert bench.client.listing(302, DEADLINE).cases == ()


def test_a_page_that_repeats_one_long_gone_is_a_contradiction(http: responses.RequestsMock, bench: Bench) -> None:
    serve_pages(http, [page(0, [1, 2]), page(1, [3, 4]), page(2, [1, 2])])
    with pytest.raises(Contradiction) as caught:
        bench.client.listing(302, DEADLINE)
    assert caught.value.message == "page 2 of the results of run 302 repeats what another page held"


def test_a_page_that_repeats_the_one_before_is_a_contradiction(http: responses.RequestsMock, bench: Bench) -> None:
    serve_pages(http, [page(0, [1, 2]), page(1, [3, 4]), page(2, [3, 4])])
    with pytest.raises(Contradiction, match="page 2 of the results of run 302 repeats"):
        bench.client.listing(302, DEADLINE)


def test_a_bare_page_of_springs_is_read(http: responses.RequestsMock, bench: Bench) -> None:
    first, second = page(0, [1, 2], totalPages=2), page(1, [3], totalPages=2)
    serve_pages(http, [{"content": p.pop("testCases"), **p} for p in (first, second)])
    assert [case.case_id for case in bench.client.listing(302, DEADLINE).cases] == [1, 2, 3]


@pytest.mark.parametrize(
    "second",
    [
        page(0, [1, 2], totalPages=2),
        page(1, [2, 3], totalPages=2),
        page(0, [3, 4], totalPages=2),
    ],
)
def test_a_repeated_page_is_a_contradiction(http: responses.RequestsMock, bench: Bench, second: dict[str, Any]) -> None:
    serve_pages(http, [page(0, [1, 2], totalPages=2), second])
    with pytest.raises(Contradiction, match="page 1 of the results of run 302 repeats"):
        bench.client.listing(302, DEADLINE)


def test_fewer_pages_than_announced_is_a_contradiction(http: responses.RequestsMock, bench: Bench) -> None:
    serve_pages(http, [page(0, [1, 2], totalPages=3), page(1, [], totalPages=3)])
    with pytest.raises(
        Contradiction, match="ended after page 2 with 2 cases, but 3 pages with more cases were announced"
    ):
        bench.client.listing(302, DEADLINE)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ([], "is not a JSON object"),
        ({}, "has no `testCases`"),
        ({"testCases": None}, "has no `testCases`"),
        ({"testCases": {"content": 5}}, "has no `testCases`"),
        ({"testCases": [5]}, r"testCases\[0\] is not an object"),
        ({"testCases": [record(1, testCaseResultId=None)]}, r"testCases\[0\].testCaseResultId is no id"),
        ({"testCases": [record(1, testCaseId=1.5)]}, r"testCases\[0\].testCaseId is no id"),
        ({"testCases": [record(1, machineId="m")]}, r"testCases\[0\].machineId is no id"),
        ({"testCases": [record(1, iterationResults=5)]}, r"testCases\[0\].iterationResults"),
        ({"testCases": [record(1, iterationResults=[{}])]}, r"iterationResults\[0\].iterationResultId is no id"),
        ({"testCases": [record(1, iterationResults=[7])]}, r"iterationResults\[0\] is not an object"),
    ],
)
def test_a_listing_of_another_shape_ends_it(
    http: responses.RequestsMock, bench: Bench, body: object, said: str
) -> None:
    http.get(f"{RUNS}/302/test_case_results", json=body)
    with pytest.raises(Contradiction, match=said):
        bench.client.listing(302, DEADLINE)


# --- trigger ----------------------------------------------------------------------------------------------------------


def test_the_trigger_is_the_documented_one(http: responses.RequestsMock, bench: Bench) -> None:
    http.post(RUNS, json=run_body(487, reRunParentId=469, status="STATUS_CREATED", result="QUEUED"))
    run = bench.client.trigger(336, 467, REQUEST, DEADLINE)
    assert (run.id, run.parent_id, run.finished) == (487, 469, False)
    assert json.loads(http.calls[0].request.body or "") == {
        "executionId": 336,
        "executionResultId": 467,
        "isReRun": True,
        "reRunType": "USER_PICKED",
        "testCaseResultRequests": [
            {"id": 2880},
            {"id": 2915, "iterationReRunType": "USER_PICKED", "iterationResultIds": [2916, 2917]},
        ],
    }


@pytest.mark.parametrize(
    ("reply", "kind", "said"),
    [
        ({"status": 400, "json": {"error": "No such result"}}, Refused, 'refused the request (400). It said: "No such'),
        ({"status": 500, "json": {"error": "Boom"}}, Refused, 'It said: "Boom"'),
        (
            {"status": 500, "json": {"error": "The specified Test Plan is currently running. Wait"}},
            Refused,
            "the test plan is busy",
        ),
        ({"status": 502}, Unclear, "not clear: HTTP 502"),
        ({"status": 524}, Unclear, "not clear: HTTP 524"),
        ({"status": 408}, Unclear, "not clear: HTTP 408"),
        ({"status": 504}, Unclear, "not clear: HTTP 504"),
        ({"status": 200, "body": '{"id": 4'}, Unclear, "not clear: HTTP 200 with a body that is not valid JSON"),
        ({"status": 200, "json": {"ok": True}}, Unclear, "not a run as the API documents it"),
        ({"body": broken()}, Unclear, "not clear: the connection broke"),
        ({"body": requests.ReadTimeout("slow")}, Unclear, "not clear: "),
        ({"status": 503}, Unclear, "not clear: HTTP 503"),
    ],
)
def test_a_post_is_sent_once_whatever_comes_back(
    http: responses.RequestsMock, bench: Bench, reply: dict[str, Any], kind: type[ActionError], said: str
) -> None:
    http.post(RUNS, **reply)
    with pytest.raises(kind) as caught:
        bench.client.trigger(336, 467, REQUEST, DEADLINE)
    assert said in caught.value.message
    assert caught.value.exit_code is ExitCode.ERROR
    assert len(http.calls) == 1


@pytest.mark.parametrize(
    "reply", [{"body": refused()}, {"status": 429}, {"status": 503, "headers": {"Retry-After": "1"}}]
)
def test_a_post_that_can_not_have_reached_the_platform_is_sent_again(
    http: responses.RequestsMock, bench: Bench, reply: dict[str, Any]
) -> None:
    http.post(RUNS, **reply)
    http.post(RUNS, **reply)
    http.post(RUNS, json=run_body(487))
    assert bench.client.trigger(336, 467, REQUEST, DEADLINE).id == 487
    assert [pause for pause in bench.time.sleeps if pause] == [1.0, 1.5]


def test_a_signal_while_a_post_is_out_says_so(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def cancel(*_: Any) -> None:
        raise Cancelled(15)

    monkeypatch.setattr(bench.time, "call", cancel)
    with pytest.raises(Cancelled) as caught:
        bench.client.start(FreshRun(7), DEADLINE)
    assert caught.value.unanswered


@pytest.mark.parametrize(("signal_at", "sent"), [(0.0, 0), (0.5, 1)])
def test_a_signal_before_a_post_is_sent_or_sent_again_finds_none_out(
    http: responses.RequestsMock, signal_at: float, sent: int
) -> None:
    bench = Bench(signal_at=signal_at)
    for _ in range(sent):
        http.post(RUNS, status=429)
    with pytest.raises(Cancelled) as caught:
        bench.client.trigger(336, 467, REQUEST, DEADLINE)
    assert not caught.value.unanswered
    assert len(http.calls) == sent


def test_the_preview_is_what_would_be_sent(http: responses.RequestsMock, bench: Bench) -> None:
    http.post(RUNS, json=run_body(487))
    bench.client.trigger(336, 467, REQUEST, DEADLINE)
    assert json.loads(bench.client.preview(336, 467, REQUEST)) == json.loads(http.calls[0].request.body or "")


@pytest.mark.parametrize(
    ("fresh", "body"),
    [
        (FreshRun(336), {"executionId": 336}),
        (
            FreshRun(336, build_no="1.2", runtime_data={"browser": "a", "stage": "b"}),
            {"executionId": 336, "buildNo": "1.2", "runtimeData": {"browser": "a", "stage": "b"}},
        ),
    ],
)
def test_the_start_of_a_fresh_run_is_the_documented_one(
    http: responses.RequestsMock, bench: Bench, fresh: FreshRun, body: dict[str, Any]
) -> None:
    http.post(RUNS, json=run_body(487))
    assert bench.client.start(fresh, DEADLINE).id == 487
    assert json.loads(http.calls[0].request.body or "") == body


@pytest.mark.parametrize(
    ("reply", "kind", "said"),
    [
        (
            {"status": 400, "json": {"error": "No such plan"}},
            Refused,
            (
                'was not triggered: the platform refused the request (400). It said: "No such plan". Nothing was '
                "started: {advice}."
            ),
        ),
        ({"status": 502}, Unclear, "was triggered, but whether the platform took it is not clear: HTTP 502"),
        (
            {"json": {"ok": True}},
            Unclear,
            (
                "was triggered, but whether the platform took it is not clear: the platform's reply is not a run as "
                "the API documents it; missing or wrong: id"
            ),
        ),
        ({}, Unclear, "was triggered, but whether the platform took it is not clear: no answer within 120 s"),
    ],
)
@pytest.mark.parametrize(
    ("call", "what"),
    [
        (lambda client: client.trigger(336, 467, REQUEST, DEADLINE), "rerun"),
        (lambda client: client.start(FreshRun(336), DEADLINE), "run"),
    ],
)
def test_what_became_of_a_trigger_is_said_of_what_was_triggered(
    http: responses.RequestsMock,
    bench: Bench,
    call: Callable[[Client], object],
    what: str,
    reply: dict[str, Any],
    kind: type[ActionError],
    said: str,
) -> None:
    if reply:
        http.post(RUNS, **reply)
    else:
        bench.time.call = hang(bench.time)  # type: ignore[method-assign]
    with pytest.raises(kind) as caught:
        call(bench.client)
    advice = {"rerun": "look at the test plan in Testsigma", "run": "check test-plan-id"}[what]
    assert caught.value.message == f"the {what} {said.format(advice=advice)}"


def test_no_trigger_goes_over_a_connection_that_was_used_before(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    used: list[tuple[str, object]] = []

    def send(session: object, method: str, *_: object) -> Reply:
        used.append((method, session))
        return Reply(200, {}, json.dumps(run_body()).encode())

    monkeypatch.setattr(line, "send", send)
    for _ in range(2):
        bench.client.run(302, DEADLINE)
        bench.client.trigger(336, 467, REQUEST, DEADLINE)
    (_, first), (_, posted), (_, after), (_, again) = used
    assert posted is not first
    assert again is not after


def test_a_connection_that_hangs_is_not_used_again(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    used: list[object] = []

    def send(session: object, *_: object) -> Reply:
        used.append(session)
        if len(used) == 1:
            raise TimeoutError  # as a call is given up, while its thread still has the session
        return Reply(200, {}, json.dumps(run_body()).encode())

    monkeypatch.setattr(line, "send", send)
    assert bench.client.run(302, DEADLINE).id == 302
    assert len({id(session) for session in used}) == 2


def test_a_post_that_never_gets_through_was_not_triggered(http: responses.RequestsMock, bench: Bench) -> None:
    http.post(RUNS, body=refused())
    with pytest.raises(Unreachable, match=r"the rerun was not triggered: .* until the deadline: the connection was"):
        bench.client.trigger(336, 467, REQUEST, until=30.0)


@pytest.mark.parametrize(("status", "gateway"), [(502, True), (503, True), (504, True)])
def test_a_gateways_answer_is_told_apart(
    http: responses.RequestsMock, bench: Bench, status: int, gateway: bool
) -> None:
    http.post(RUNS, status=status)
    with pytest.raises(Unclear) as caught:
        bench.client.trigger(336, 467, REQUEST, DEADLINE)
    assert caught.value.gateway is gateway


def test_jitter_shortens_a_pause_by_half_at_most(http: responses.RequestsMock) -> None:
    time = FakeTime()
    lines: list[str] = []
    client = Client(HOST, KEY, time, warn=lines.append, debug=lines.append, jitter=iter([0.0, 0.5, 0.999999]).__next__)
    for _ in range(3):
        http.get(f"{RUNS}/302", status=502)
    http.get(f"{RUNS}/302", json=run_body())
    client.run(302, DEADLINE)
    assert time.sleeps == pytest.approx([1.0, 1.5 * 0.75, 2.25 * 0.5], abs=0.001)


# --- stop -------------------------------------------------------------------------------------------------------------

STOP = matchers.json_params_matcher({"canStopAll": False, "result": "STOPPED"}, strict_match=True)


def stop(bench: Bench, sent: list[int]) -> StopReply:
    return bench.client.stop(487, DEADLINE, lambda: sent.append(1))


def test_the_stop_names_its_run_and_never_all(http: responses.RequestsMock, bench: Bench) -> None:
    http.put(f"{RUNS}/487", json=run_body(487), match=[STOP])
    sent: list[int] = []
    assert stop(bench, sent) == StopReply(StopRoute.RUN, 200, 487)
    assert sent == [1]


@pytest.mark.parametrize("status", [404, 405])
def test_without_that_route_and_with_the_run_going_the_documented_one_is_used(
    http: responses.RequestsMock, bench: Bench, status: int
) -> None:
    http.put(f"{RUNS}/487", status=status, match=[STOP])
    http.get(f"{RUNS}/487", json=run_body(487, status="STATUS_IN_PROGRESS"))
    http.put(RUNS, json=run_body(490), match=[STOP])
    assert stop(bench, []) == StopReply(StopRoute.COLLECTION, 200, 490)


def test_without_that_route_and_with_the_run_over_nothing_more_is_stopped(
    http: responses.RequestsMock, bench: Bench
) -> None:
    http.put(f"{RUNS}/487", status=405, match=[STOP])
    http.get(f"{RUNS}/487", json=run_body(487))
    assert stop(bench, []) == StopReply(StopRoute.RUN, 405)


def test_a_refused_stop_is_not_widened(http: responses.RequestsMock, bench: Bench) -> None:
    http.put(f"{RUNS}/487", status=400, json={"error": "completed already"}, match=[STOP])
    reply = stop(bench, [])
    assert (reply.route, reply.status) == (StopRoute.RUN, 400)
    assert "completed already" in (reply.refusal or "")


@pytest.mark.parametrize(("status", "route"), [(503, StopRoute.RUN), (405, StopRoute.COLLECTION)])
def test_a_stop_that_is_never_answered_tells_the_route_that_was_tried_last(
    http: responses.RequestsMock, bench: Bench, status: int, route: StopRoute
) -> None:
    http.put(f"{RUNS}/487", status=status)
    if route is StopRoute.COLLECTION:
        http.get(f"{RUNS}/487", json=run_body(487, status="STATUS_IN_PROGRESS"))
        http.put(RUNS, status=503)
    reply = bench.client.stop(487, 30.0, lambda: None)
    assert (reply.route, reply.status) == (route, None)
    assert "could not be reached" in (reply.refusal or "")


def test_a_run_that_was_started_a_moment_ago_is_stopped_when_it_is_known(
    http: responses.RequestsMock, bench: Bench
) -> None:
    http.put(f"{RUNS}/487", status=404, match=[STOP])
    http.get(f"{RUNS}/487", status=404)
    http.put(f"{RUNS}/487", json=run_body(487), match=[STOP])
    assert stop(bench, []) == StopReply(StopRoute.RUN, 200, 487)
    assert bench.time.sleeps == [1.0]


@pytest.mark.parametrize(("left", "sleeps"), [(1.0, []), (1.1, [1.0]), (2.5, [1.0]), (2.6, [1.0, 1.5])])
def test_a_run_that_stays_unknown_is_not_stopped_by_the_other_route(
    http: responses.RequestsMock, bench: Bench, left: float, sleeps: list[float]
) -> None:
    http.put(f"{RUNS}/487", status=404, json={"error": "No such run"}, match=[STOP])
    http.get(f"{RUNS}/487", status=404)
    bench.time.at = 50.0
    assert bench.client.stop(487, 50.0 + left, lambda: None) == StopReply(
        StopRoute.RUN, 404, refusal='the platform refused the request (404). It said: "No such run".'
    )
    assert bench.time.sleeps == sleeps


def test_a_refusal_of_both_routes_is_that_of_the_last(http: responses.RequestsMock, bench: Bench) -> None:
    http.put(f"{RUNS}/487", status=405, match=[STOP])
    http.get(f"{RUNS}/487", json=run_body(487, status="STATUS_IN_PROGRESS"))
    http.put(RUNS, status=400, json={"error": "Not that way"}, match=[STOP])
    sent: list[int] = []
    assert stop(bench, sent) == StopReply(
        StopRoute.COLLECTION, 400, refusal='the platform refused the request (400). It said: "Not that way".'
    )
    assert sent == [1, 1]


def test_a_stop_is_sent_again_when_the_line_is_bad(http: responses.RequestsMock, bench: Bench) -> None:
    http.put(f"{RUNS}/487", status=503, match=[STOP])
    http.put(f"{RUNS}/487", body=broken(), match=[STOP])
    http.put(f"{RUNS}/487", status=204, match=[STOP])
    assert stop(bench, []) == StopReply(StopRoute.RUN, 204)
    assert bench.time.sleeps == [1.0, 1.5]


# --- secrets ----------------------------------------------------------------------------------------------------------


def test_the_key_is_in_no_message(http: responses.RequestsMock, bench: Bench) -> None:
    error = requests.exceptions.InvalidHeader(f"Invalid header value: Bearer {KEY}")
    http.get(f"{RUNS}/302", body=error)
    with pytest.raises(Unreachable) as caught:
        bench.client.run(302, until=5.0)
    assert KEY not in " ".join([caught.value.message, *bench.warnings, *bench.debug])


def test_a_refusal_is_quoted_without_the_key_and_cut(http: responses.RequestsMock, bench: Bench) -> None:
    http.get(f"{RUNS}/302", status=400, body=f"{'x' * 290} {KEY} {'y' * 100}")
    with pytest.raises(Refused) as caught:
        bench.client.run(302, DEADLINE)
    said = f"{'x' * 290} *** yyyyy"
    assert len(said) == 300
    assert caught.value.message == f'the platform refused the request (400). It said: "{said}".'
