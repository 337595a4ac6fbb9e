"""Replies, field by field.

The listing: one pass over what is as documented, and care for what is not; both read the same.
"""

import copy
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rerun_action.core.model import CaseResult, Progress, Result, RowResult, Run
from rerun_action.errors import Contradiction
from rerun_action.testsigma import wire

NOT = "the platform's list of results is not as documented: "
RECORD: dict[str, Any] = {
    "testCaseId": 413,
    "testCaseName": "03 data driven small",
    "testCaseResultId": 7975,
    "result": "FAILURE",
    "isDataDrivenCase": True,
    "iterationResults": [
        {"iterationResultId": 7963, "setName": "examples", "result": "SUCCESS"},
        {"iterationResultId": 7976, "setName": "travels", "result": "FAILURE"},
    ],
    "testSuiteId": 197,
    "testSuiteName": "02 DD Small",
    "testSuiteResultId": 2295,
    "machineId": 414,
    "machineTitle": "machine 2",
    "machineResultId": 2370,
}
READ = CaseResult(
    result_id=7975,
    result=Result.FAILURE,
    case_id=413,
    case="03 data driven small",
    suite_id=197,
    suite="02 DD Small",
    machine_id=414,
    machine="machine 2",
    rows=(RowResult(7963, "examples", Result.SUCCESS), RowResult(7976, "travels", Result.FAILURE)),
)


def with_row(**fields: Any) -> dict[str, Any]:
    return {**RECORD, "iterationResults": [RECORD["iterationResults"][0], {**RECORD["iterationResults"][1], **fields}]}


def without(key: str) -> dict[str, Any]:
    return {name: value for name, value in RECORD.items() if name != key}


def page(*records: Any, **fields: Any) -> wire.Page:
    return wire.page_of({"testCases": copy.deepcopy(list(records)), **fields})


def test_a_record_as_documented() -> None:
    assert page(RECORD, executionId=268, executionResultId="986") == wire.Page(
        268, 986, (READ,), frozenset(), paged=False, number=None, pages=None, elements=None
    )
    assert type(page(RECORD).cases[0]) is CaseResult
    assert type(page(RECORD).cases[0].rows[0]) is RowResult


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({**RECORD, "unknown": {"iterationResultId": 1, "testCaseResultId": 2}}, READ),
        ({**RECORD, "testCaseResultId": "7975", "testCaseId": "413", "machineId": "414"}, READ),
        (with_row(iterationResultId="7976"), READ),
        ({**RECORD, "result": " failed "}, READ),
        ({**RECORD, "result": None}, READ._replace(result=Result.RUNNING)),
        (without("result"), READ._replace(result=Result.RUNNING)),
        ({**RECORD, "iterationResults": None}, READ._replace(rows=())),
        (without("iterationResults"), READ._replace(rows=())),
        ({**RECORD, "testSuiteId": None, "testSuiteName": None}, READ._replace(suite_id=None, suite="")),
        ({**RECORD, "testSuiteName": ""}, READ._replace(suite="suite 197")),
        ({**RECORD, "testCaseName": ""}, READ._replace(case="case 413")),
        ({**RECORD, "machineTitle": ""}, READ._replace(machine="machine 414")),
        ({**RECORD, "testCaseName": 7}, READ._replace(case="case 413")),
        (without("machineTitle"), READ._replace(machine="machine 414")),
        (with_row(setName=None), READ._replace(rows=(READ.rows[0], RowResult(7976, "", Result.FAILURE)))),
    ],
)
def test_what_is_not_quite_as_documented(record: dict[str, Any], expected: CaseResult) -> None:
    assert page(RECORD, record).cases == (READ, expected)
    assert page(record).unknown_words == frozenset()


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (None, "testCases[1] is not an object"),
        ("SUCCESS", "testCases[1] is not an object"),
        ({**RECORD, "testCaseResultId": None}, "testCases[1].testCaseResultId is no id"),
        ({**RECORD, "testCaseResultId": True}, "testCases[1].testCaseResultId is no id"),
        ({**RECORD, "testCaseResultId": 0}, "testCases[1].testCaseResultId is no id"),
        ({**RECORD, "testCaseResultId": 2**63}, "testCases[1].testCaseResultId is no id"),
        ({**RECORD, "testCaseId": 413.0}, "testCases[1].testCaseId is no id"),
        ({**RECORD, "testCaseId": -413}, "testCases[1].testCaseId is no id"),
        ({**RECORD, "testSuiteId": 2**63}, "testCases[1].testSuiteId is no id"),
        ({**RECORD, "machineId": -1}, "testCases[1].machineId is no id"),
        ({**RECORD, "machineId": [414]}, "testCases[1].machineId is no id"),
        ({**RECORD, "iterationResults": {"iterationResultId": 1}}, "testCases[1].iterationResults"),
        ({**RECORD, "iterationResults": "none"}, "testCases[1].iterationResults"),
        ({**RECORD, "iterationResults": [None]}, "testCases[1].iterationResults[0] is not an object"),
        (with_row(iterationResultId=None), "testCases[1].iterationResults[1].iterationResultId is no id"),
        (with_row(iterationResultId=2**63), "testCases[1].iterationResults[1].iterationResultId is no id"),
        (with_row(iterationResultId=0), "testCases[1].iterationResults[1].iterationResultId is no id"),
    ],
)
def test_a_fault_is_named_by_its_place(record: Any, said: str) -> None:
    with pytest.raises(Contradiction) as caught:
        page(RECORD, record)
    assert caught.value.message == NOT + said


def test_words_that_nobody_knows_are_kept_as_they_were_written() -> None:
    read = page({**RECORD, "result": "Blocked"}, with_row(result=["x"]), {**RECORD, "result": "UNKNOWN"}, RECORD)
    assert read.unknown_words == {"Blocked", "['x']", "UNKNOWN"}
    assert [case.result for case in read.cases] == [Result.UNKNOWN, Result.FAILURE, Result.UNKNOWN, Result.FAILURE]
    assert read.cases[1].rows[1].result is Result.UNKNOWN


@pytest.mark.parametrize("number", [1, 2**63 - 1])
def test_what_is_just_as_documented_is_read_at_a_glance(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    monkeypatch.setattr(wire, "_case_of", pytest.fail)  # which takes several times as long (benchmarks/)
    ids = {"testCaseId": number, "testCaseResultId": number, "testSuiteId": number, "machineId": number}
    record = {**with_row(iterationResultId=number), **ids}
    (case,) = page(record).cases
    assert case == READ._replace(
        result_id=number,
        case_id=number,
        suite_id=number,
        machine_id=number,
        rows=(READ.rows[0], RowResult(number, "travels", Result.FAILURE)),
    )
    assert page({**RECORD, "iterationResults": []}).cases == (READ._replace(rows=()),)


@pytest.mark.parametrize("key", ["testCaseResultId", "testCaseId", "testSuiteId", "machineId"])
@pytest.mark.parametrize("value", [0, -1, 2**63, True, 1.0, "one"])
def test_what_is_no_id_is_one_nowhere(key: str, value: object) -> None:
    with pytest.raises(Contradiction) as caught:
        page({**RECORD, key: value})
    assert caught.value.message == f"{NOT}testCases[0].{key} is no id"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ([RECORD], "the platform's list of results is not a JSON object"),
        (None, "the platform's list of results is not a JSON object"),
        ({}, "the platform's list of results has no `testCases`"),
        ({"content": {"content": None}}, "the platform's list of results has no `testCases`"),
        ({"testCases": [], "executionId": "x"}, f"{NOT}the list of results.executionId is no id"),
        ({"testCases": [], "executionResultId": 0}, f"{NOT}the list of results.executionResultId is no id"),
    ],
)
def test_a_listing_that_is_none(body: object, said: str) -> None:
    with pytest.raises(Contradiction) as caught:
        wire.page_of(body)
    assert caught.value.message == said


@pytest.mark.parametrize(
    ("body", "paged", "number", "pages", "elements"),
    [
        ({"testCases": [RECORD]}, False, None, None, None),
        ({"content": [RECORD], "number": 0, "totalPages": 3, "totalElements": 5}, True, 0, 3, 5),
        ({"testCases": [RECORD], "last": True}, True, None, None, None),
        ({"testCases": {"content": [RECORD], "number": 1, "totalPages": 2**63 - 1}}, True, 1, 2**63 - 1, None),
        # counters are hints: what is none is not there
        ({"content": [RECORD], "number": "1", "totalPages": True, "totalElements": -1}, True, None, None, None),
        ({"content": [RECORD], "number": 1.0, "totalPages": 2**63, "totalElements": None}, True, None, None, None),
    ],
)
def test_where_the_pages_of_a_listing_are_told(
    body: Any, paged: bool, number: int | None, pages: int | None, elements: int | None
) -> None:
    read = wire.page_of(copy.deepcopy(body))
    assert read == wire.Page(None, None, (READ,), frozenset(), paged, number, pages, elements)


JUNK = st.sampled_from(
    [None, True, 0, 1, -1, 2**63 - 1, 2**63, 1.0, "", "7", "0", "SUCCESS", "passed", "?", [], [1], {}, {"id": 5}]
)


@st.composite
def records(draw: st.DrawFn) -> Any:
    """A record as documented, with a few of its fields, or of its rows' fields, gone or something else."""
    record = copy.deepcopy(RECORD)
    for _ in range(draw(st.integers(0, 2))):
        target = draw(st.sampled_from([record, *[row for row in record.get("iterationResults") or [] if row]]))
        key = draw(st.sampled_from(sorted(target)))
        target[key] = draw(JUNK)
        if draw(st.booleans()):
            del target[key]
        if not isinstance(record.get("iterationResults"), list):
            break
    return draw(st.sampled_from([record] * 9 + [None, 1, "x", []]))


@given(st.lists(records(), max_size=3))
def test_the_glance_and_the_care_read_the_same(listed: list[Any]) -> None:
    def with_care() -> tuple[list[CaseResult], list[str]] | str:
        words = set[str]()
        try:
            cases = [wire._case_of(r, f"testCases[{n}]", words) for n, r in enumerate(listed)]  # noqa: SLF001
            return cases, sorted(words)
        except Contradiction as error:
            return error.message

    def at_a_glance() -> tuple[list[CaseResult], list[str]] | str:
        try:
            read = page(*listed)
            return list(read.cases), sorted(read.unknown_words)
        except Contradiction as error:
            return error.message

    assert repr(at_a_glance()) == repr(with_care())


# --- run ----------------------------------------------------------------------------------------------------------


RUN: dict[str, Any] = {
    "id": 302,
    "executionId": 274,
    "execution": {"id": 275, "lastRunId": 343, "reRunType": "NONE"},
    "status": "STATUS_COMPLETED",
    "result": "FAILURE",
    "reRunParentId": 301,
    "childResult": {"id": 303},
    "startTime": 1_679_304_114_999,
    "endTime": 1_679_304_125_763.0,
    "duration": 11_500,
    "totalCount": 9,
    "passedCount": 5,
    "failedCount": 4,
}
READ_RUN = Run(
    id=302,
    plan_id=274,
    status="STATUS_COMPLETED",
    result=Result.FAILURE,
    parent_id=301,
    child_id=303,
    last_run_id=343,
    reruns_by_itself=False,
    started_at="2023-03-20T09:21:54Z",
    ended_at="2023-03-20T09:22:05Z",
    seconds=11.5,
    progress=Progress(9, 5, 4),
)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, {}),
        ({"unknown": {"id": 1}}, {}),
        ({"id": "302", "executionId": "274", "reRunParentId": "301", "childResult": "303"}, {}),
        ({"executionId": None}, {"plan_id": 275}),
        ({"executionId": None, "execution": None}, {"plan_id": None, "last_run_id": None}),
        ({"execution": {"reRunType": "ONLY_FAILED_TESTS"}}, {"last_run_id": None, "reruns_by_itself": True}),
        ({"execution": {"reRunType": ""}}, {"last_run_id": None}),
        ({"status": " status_in_progress ", "result": None}, {"status": "STATUS_IN_PROGRESS", "result": None}),
        ({"status": None, "result": "?"}, {"status": "", "result": Result.UNKNOWN}),
        ({"startTime": None, "endTime": 0}, {"started_at": None, "ended_at": None}),
        ({"startTime": 1, "endTime": 10**20}, {"started_at": "1970-01-01T00:00:00Z", "ended_at": None}),
        ({"startTime": True, "endTime": "1679304125763"}, {"started_at": None, "ended_at": None}),
        ({"startTime": -1, "endTime": float("inf")}, {"started_at": None, "ended_at": None}),
        ({"duration": 0}, {"seconds": 0.0}),
        ({"duration": None}, {"seconds": None}),
        ({"totalCount": -1, "passedCount": True, "failedCount": "4"}, {"progress": Progress(None, None, None)}),
    ],
)
def test_a_run(fields: dict[str, Any], expected: dict[str, Any]) -> None:
    assert wire.run_of({**RUN, **fields}) == replace(READ_RUN, **expected)


@pytest.mark.parametrize(
    ("body", "places"),
    [
        ([], "the whole body"),
        (None, "the whole body"),
        ({}, "id"),
        ({**RUN, "reRunParentId": 0, "id": True, "status": 7}, "id, reRunParentId, status"),
        ({**RUN, "executionId": "x"}, "executionId"),
    ],
)
def test_what_is_no_run_is_told_by_its_places(body: object, places: str) -> None:
    with pytest.raises(Contradiction) as caught:
        wire.run_of(body)
    assert caught.value.message == (
        f"the platform's reply is not a run as the API documents it; missing or wrong: {places}"
    )


# --- refusals -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"timeStamp": null, "error": "No such\n  result", "code": null}', "No such result"),
        (b'{"status": 404, "error": "Not Found", "message": "No  run 7", "path": "/api"}', "Not Found: No run 7"),
        (b'{"error": " ", "message": "Boom"}', "Boom"),
        (b'{"error": 500, "message": null}', ""),
        (b'{"error": "a\tb"}'.replace(b"\\t", b"\t"), "a b"),
        (b'"Ask Bob"', "Ask Bob"),
        (b"[]", ""),
        (b"null", ""),
        (b"Full authentication is required\n to access this", "Full authentication is required to access this"),
        (b"\xff\xfeno text", "\ufffd\ufffdno text"),
        (b" <html><body>Sign in</body></html>", ""),
        (b"", ""),
    ],
)
def test_what_an_error_reply_says_in_one_line(body: bytes, said: str) -> None:
    assert wire.error_text(body) == said


# --- bytes --------------------------------------------------------------------------------------------------------


def by_the_standard_library(body: bytes) -> Any:
    try:
        return json.loads(body, strict=False)
    except (ValueError, RecursionError):
        return wire.Garbled


def parsed(body: bytes) -> Any:
    try:
        return wire.parse(body)
    except wire.Garbled:
        return wire.Garbled


SEED = json.dumps({"testCases": [RECORD], "n": [0, -0.0, 1.5, 1e300, None, True], "é\ud83d\ude00\x01": "\n"}).encode()


@given(
    st.lists(st.tuples(st.integers(0, len(SEED)), st.sampled_from('{}[]",:019.eE-+ntNI\\u/ \n\x01\t\x7fé')), max_size=4)
)
def test_both_parsers_read_the_same(edits: list[tuple[int, str]]) -> None:
    body = SEED.decode()
    for place, character in edits:
        body = body[:place] + character + body[place + len(edits) % 2 :]
    assert repr(parsed(body.encode())) == repr(by_the_standard_library(body.encode()))


@pytest.mark.usefixtures("uncollected")
@given(st.binary(max_size=20) | st.text('{}[]",:0123456789.eE-+ntNaI\\u \x01', max_size=20).map(str.encode))
@example(b'{"a": 1, "a": 2}')
@example(b"[1e400, -1e400, NaN, Infinity, -Infinity]")
@example(b'"\\ud800"')
@example(b'"\xed\xa0\x80"')
@example(b'["a\tb\nc\x00"]')
@example(b"\xef\xbb\xbf[]")
@example('{"a": "é"}'.encode("utf-16"))
@example(b"[" * 500 + b"]" * 500)
@example(b"[" * 200_000)
@example(b"9" * 5_000)
@example(b"123456789012345678901234567890")
def test_both_parsers_read_the_same_of_anything(body: bytes) -> None:
    assert repr(parsed(body)) == repr(by_the_standard_library(body))


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "an empty body"),
        (b" \r\n", "an empty body"),
        (b"\n <!DOCTYPE html><p>", "an HTML page instead of JSON"),
        (b"<HTML>", "an HTML page instead of JSON"),
        (b"{", "a body that is not valid JSON"),
        (b"\xff", "a body that is not valid JSON"),
    ],
)
def test_what_is_no_json_is_called_by_its_name(body: bytes, said: str) -> None:
    with pytest.raises(wire.Garbled) as caught:
        wire.parse(body)
    assert str(caught.value) == said
