"""The listing: one pass over what is as documented, and care for what is not; both read the same."""

import copy
import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rerun_action.core.model import CaseResult, Result, RowResult
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
    with pytest.raises(wire.Garbled, match=said):
        wire.parse(body)
