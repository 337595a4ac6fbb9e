"""Nothing of a tenant's survives in a record but what the documentation shows anyway."""

import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rerun_action.simulator.replay import record_from
from rerun_action.testsigma import documented
from rerun_action.testsigma.journal import Exchange
from rerun_action.testsigma.record import record, render

RUNS = "/api/v1/execution_results"
SAMPLES = Path(__file__).parents[1] / "support" / "samples"
SPRING = """content pageable totalPages totalElements last first number size numberOfElements sort empty offset
    pageNumber pageSize paged unpaged sorted unsorted timestamp status error message path"""
ERROR = "timeStamp error code fieldErrors objectErrors"
WORDS = {
    "reRunType": "NONE ALL_TESTS ONLY_FAILED_TESTS ALL_ITERATIONS ONLY_FAILED_ITERATIONS USER_PICKED",
    "triggeredType": "API MANUAL",
    "resultType": "ORIGINAL",
    "entityType": "EXECUTION",
    "executionType": "CROSS_BROWSER CUSTOM",
    "screenshot": "ALL_TYPES",
    "screenshot_option": "ALL_TYPES",
}
STATES = ("result", "status", "consolidatedResult", "consolidatedStatus")
RESULTS = """SUCCESS FAILURE ABORTED NOT_EXECUTED QUEUED STOPPED PASSED FAILED RUNNING STATUS_CREATED STATUS_QUEUED
    STATUS_PRE_FLIGHT STATUS_IN_PROGRESS STATUS_COMPLETED"""


def names_in(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from value
        value = list(value.values())
    for inner in value if isinstance(value, list) else ():
        yield from names_in(inner)


def documented_names() -> set[str]:
    samples = [json.loads(path.read_text(encoding="utf-8")) for path in SAMPLES.glob("*.json")]
    return {*names_in(samples), *SPRING.split(), *ERROR.split()}


DOCUMENTED = documented_names()


def exchange(body: Any, path: str = "/302", status: int = 200) -> Exchange:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Exchange(f"{RUNS}{path}", status, "application/json;charset=UTF-8", 2.4, raw)


def disguised(*bodies: Any, given_id: int | str = 302) -> list[Any]:
    kept = record([exchange(body) for body in bodies], given_id, None)
    return [reply.get("json", reply.get("text")) for reply in kept["replies"]]


def strings(value: Any, field: str = "") -> Iterator[tuple[str, str, bool]]:
    """Every string with the name of its field, and whether it is a name itself."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield name, name, True
            yield from strings(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner, field)
    elif isinstance(value, str):
        yield value, field, False


def numbers(value: Any) -> Iterator[float]:
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from numbers(inner)
    if isinstance(value, int | float) and not isinstance(value, bool):
        yield value


def may_survive(text: str, field: str, is_name: bool) -> bool:
    if is_name:
        return text in DOCUMENTED
    if field in STATES and (re.fullmatch("[A-Z_]{1,40}", text) or text.upper() in RESULTS.split()):
        return True
    return text == "" or text in WORDS.get(field, "").split()


# what a replacement looks like, and what it is tempting to let through
TRICKY = ["text-1", "text-2", "field-1", "1001", "1002", "SUCCESS", "NONE", "API", "Ask Bob", "bob@example.com", "302"]
NAMES = st.sampled_from(sorted(DOCUMENTED)) | st.sampled_from(TRICKY) | st.text(max_size=12)
SCALARS = (
    st.none()
    | st.booleans()
    | st.text(max_size=20)
    | st.sampled_from(TRICKY)
    | st.integers(min_value=-(10**20), max_value=10**20)
    | st.sampled_from([1001, 1002, 1_900_000_000_000, 1_900_086_400_000])
    | st.integers(min_value=10**11, max_value=10**13)
    | st.floats()
)
DOCUMENTS = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=6),
    max_leaves=25,
)
TEXTS = st.binary(max_size=30) | st.sampled_from(
    [b"", b"Unauthorized: Bob", b"<html>Sign in, Bob</html>", b'"Ask Bob"']
)


@given(st.lists(DOCUMENTS | TEXTS, min_size=1, max_size=3))
@example([{"field-1": [], "text-1": {}, "unknown": "text-1", "id": 1001, "other": "1001"}])
@example([{"name": "1001", "id": "5"}])
@example([{"startTime": 1_900_000_000_000, "endTime": 1_900_086_400_000}])
def test_no_string_survives_but_documented_ones_and_results_in_capitals(bodies: list[Any]) -> None:
    kept = record([exchange(body) for body in bodies], 302, None)
    originals: set[str] = set()
    large: set[float] = set()
    for body in bodies:
        value = json.loads(exchange(body).body, strict=False) if is_json(body) else body.decode(errors="replace")
        originals |= {text for text, *_ in strings(value)}
        large |= {number for number in numbers(value) if abs(number) >= 10**8}
    shown = [reply.get("json", reply.get("text")) for reply in kept["replies"]]
    for text, field, is_name in strings(shown):
        assert text not in originals or may_survive(text, field, is_name), (text, field)
    assert not large & {*numbers(shown)}
    whole = json.dumps(kept, ensure_ascii=False)
    for text in originals:
        if len(text) >= 8 and not text.isdigit() and not any(text in name for name in DOCUMENTED):
            assert text not in whole or re.fullmatch("[A-Z_]{1,40}", text)
    record_from(json.loads(render(kept)))  # the simulator reads it


def is_json(body: Any) -> bool:
    try:
        json.loads(exchange(body).body, strict=False)
    except (ValueError, RecursionError):
        return False
    return True


def pairs(one: Any, other: Any) -> Iterator[tuple[Any, Any]]:
    """The strings and ids of a document beside what stands for them."""
    assert type(one) is type(other)
    if isinstance(one, dict):
        assert len(one) == len(other)
        for (name, inner), (new_name, new_inner) in zip(one.items(), other.items(), strict=True):
            yield f"name {name}", f"name {new_name}"
            yield from pairs(inner, new_inner)
    elif isinstance(one, list):
        assert len(one) == len(other)
        for inner, new_inner in zip(one, other, strict=True):
            yield from pairs(inner, new_inner)
    elif isinstance(one, str):
        yield f"text {one}", f"text {other}"


@given(st.lists(DOCUMENTS, min_size=1, max_size=3))
def test_the_shape_stays_and_what_was_equal_stays_equal_and_what_was_not_does_not(bodies: list[Any]) -> None:
    bodies = [json.loads(json.dumps(body)) for body in bodies]
    stand_ins: dict[str, set[str]] = {}
    made_of: dict[str, set[str]] = {}
    for old, new in pairs(bodies, disguised(*bodies)):
        stand_ins.setdefault(new, set()).add(old)
        if new != old and not old.removeprefix("text ").isdigit():  # an id has one stand-in, a text of digits another
            made_of.setdefault(old, set()).add(new)
    assert all(len(new) == 1 for new in made_of.values())
    for new, old in stand_ins.items():
        # digits may be written as "302" or "0302": the same id
        plain = {re.sub("^text 0+(?=[1-9][0-9]*$)", "text ", text) for text in old}
        assert len(plain) == 1, (new, old)


@given(st.lists(st.integers(min_value=1, max_value=10**15), min_size=1, max_size=8))
def test_ids_keep_their_order_and_none_of_them_stays_itself(ids: list[int]) -> None:
    bodies = disguised(*[{"id": number, "childResult": str(number), "reRunParentId": {"id": number}} for number in ids])
    new = [body["id"] for body in bodies]
    assert [body["childResult"] for body in bodies] == [str(number) for number in new]
    assert [body["reRunParentId"]["id"] for body in bodies] == new
    assert {(a < b, a == b) for a in ids for b in ids} == {(a < b, a == b) for a in new for b in new}
    assert all((a < b) == (x < y) for a, x in zip(ids, new, strict=True) for b, y in zip(ids, new, strict=True))
    assert not {*ids} & {*new}


def test_a_listing_to_the_letter() -> None:
    row = {"iterationResultId": 7963, "setName": "Bob's card", "result": "SUCCESS"}
    case = {
        "testCaseId": "0413",
        "testCaseName": "Pay",
        "testCaseResultId": 7975,
        "result": "Odd one",
        "isDataDrivenCase": True,
        "iterationResults": [
            row,
            {**row, "iterationResultId": 7976, "result": "SECRET_WORD"},
            {**row, "result": "passed"},
        ],
        "testSuiteName": "Pay",
        "machineTitle": None,
        "cost": 491_511_234_567,
        "phone": "0049 1511 234567",
        "resultOf": 7963,
        "share": -0.25,
        "retries": 3,
    }
    body = {"executionId": 268, "executionResultId": 986, "status": "STATUS_COMPLETED", "testCases": [case]}
    kept = record([exchange(body, "/986/test_case_results?page=1&size=100")], 986, 268)
    new_row = {"iterationResultId": 1004, "setName": "text-3", "result": "SUCCESS"}
    assert kept == {
        "kind": "testsigma-record",
        "version": 1,
        "execution_id": 1003,
        "test_plan_id": 1001,
        "replies": [
            {
                "path": f"{RUNS}/1003/test_case_results?page=1&size=100",
                "status": 200,
                "content_type": "application/json",
                "skew_seconds": 2,
                "json": {
                    "executionId": 1001,
                    "executionResultId": 1003,
                    "status": "STATUS_COMPLETED",
                    "testCases": [
                        {
                            "testCaseId": "1002",
                            "testCaseName": "text-1",
                            "testCaseResultId": 1005,
                            "result": "text-2",
                            "isDataDrivenCase": True,
                            "iterationResults": [
                                new_row,
                                {**new_row, "iterationResultId": 1006, "result": "SECRET_WORD"},
                                {**new_row, "result": "passed"},
                            ],
                            "testSuiteName": "text-1",
                            "machineTitle": None,
                            "field-1": 1,
                            "field-2": "text-4",
                            "field-3": 1004,
                            "field-4": -0.5,
                            "field-5": 1,
                        }
                    ],
                },
            }
        ],
    }


def test_times_keep_their_distance() -> None:
    (body,) = disguised({"startTime": 1_679_304_114_000, "endTime": 1_679_304_125_763, "duration": 11_763})
    assert body == {"startTime": 1_900_000_000_000, "endTime": 1_900_000_011_763, "duration": 11_763}


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        (b"Unauthorized: Bob", {"text": "text-1"}),
        (b" <!DOCTYPE html><p>Bob</p>", {"text": "<html>text-1</html>"}),
        (b"", {"text": ""}),
        (b"<HTML>Sign in, Bob</HTML>", {"text": "<html>text-1</html>"}),
        (b'{"a": 1e3, "b": -0.0, "c": -7, "d": 0, "e": 1, "f": -1}',
         {"json": {"field-1": 0.5, "field-2": 0.0, "field-3": -1, "field-4": 0, "field-5": 1, "field-6": -1}}),
        (b'{"totalCount": 0, "size": 99999999, "failedCount": 100000000, "offset": -5, "duration": 1.5}',
         {"json": {"totalCount": 0, "size": 99999999, "failedCount": 1, "offset": -1, "duration": 0.5}}),
        (b'{"status": 599, "result": 600, "consolidatedStatus": 99, "code": 404}',
         {"json": {"status": 599, "result": 1, "consolidatedStatus": 1, "code": 1}}),
        (b'{"reRunType": "USER_PICKED", "resultType": "USER_PICKED", "triggeredType": "API"}',
         {"json": {"reRunType": "USER_PICKED", "resultType": "text-1", "triggeredType": "API"}}),
        (b'{"lastRun": 0, "id": 99, "a": 99, "childResult": 100, "b": 100, "c": ["100", 100, 101]}',
         {"json": {"lastRun": 0, "id": 1001, "field-1": 1, "childResult": 1002, "field-2": 1002,
                   "field-3": ["1002", 1002, 1]}}),
        (b'{"screenshot": ["ALL_TYPES", "Bob"], "startTime": [1679304114000]}',
         {"json": {"screenshot": ["ALL_TYPES", "text-1"], "startTime": [1900000000000]}}),
        (b'{"id": 302, "name": "B', {"text": "text-1"}),
        (b'"Ask Bob"', {"json": "text-1"}),
        (b'{"id": 302, "name": "a\x01b"}', {"json": {"id": 1001, "name": "text-1"}}),
        (b'{"totalCount": 1e400, "failedCount": 5e11, "passedCount": 491511234567, "queuedCount": 7}',
         {"json": {"totalCount": 0.5, "failedCount": 0.5, "passedCount": 1, "queuedCount": 7}}),
        (b'{"status": 404, "error": "Not Found", "path": "/api"}',
         {"json": {"status": 404, "error": "text-1", "path": "text-2"}}),
        (b'{"a":' * 60 + b"5" + b"}" * 60, {"json": json.loads('{"field-1":' * 41 + "null" + "}" * 41)}),
        (b"[" * 60 + b"5" + b"]" * 60, {"json": json.loads("[" * 41 + "null" + "]" * 41)}),
    ],
)  # fmt: skip
def test_a_body(body: bytes, kept: dict[str, Any]) -> None:
    reply = record([exchange(body)], 302, None)["replies"][0]
    assert {name: reply[name] for name in reply if name in ("json", "text")} == kept


def test_of_the_headers_only_the_kind_and_the_skew_stay() -> None:
    taken = Exchange(f"{RUNS}/0", 404, "text/vnd.bob; charset=bob", None, b"")
    assert record([taken], "new", None) == {
        "kind": "testsigma-record",
        "version": 1,
        "execution_id": "new",
        "test_plan_id": None,
        "replies": [
            {
                "path": f"{RUNS}/0",
                "status": 404,
                "content_type": "application/octet-stream",
                "skew_seconds": None,
                "text": "",
            }
        ],
    }


def test_the_documented_names_are_those_of_the_samples() -> None:
    assert documented.NAMES == DOCUMENTED
    assert {field: " ".join(words) for field, words in documented.WORDS.items() if len(words) == 1} == {
        field: words for field, words in WORDS.items() if " " not in words
    }


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("text/html", "text/html"),
        ("Text/Plain ; charset=bob; boundary=bob", "text/plain"),
        ("application/json", "application/json"),
        ("application/bob+json", "application/octet-stream"),
        ("", "application/octet-stream"),
    ],
)
def test_of_a_content_type_only_a_common_one_stays(given: str, kept: str) -> None:
    (reply,) = record([Exchange(f"{RUNS}/302", 200, given, None, b"")], 302, None)["replies"]
    assert reply["content_type"] == kept


def test_a_stand_in_for_the_oldest_time_that_was_somebody_s_own_moves_on_by_a_day() -> None:
    (body,) = disguised({"startTime": 1_900_000_000_000, "endTime": 1_900_000_000_001})
    assert body == {"startTime": 1_900_086_400_000, "endTime": 1_900_086_400_001}


def test_the_file_is_one_to_read_and_to_compare_line_by_line() -> None:
    text = render(record([exchange({"id": 302, "status": "QUEUED"})], 302, None))
    assert (
        text
        == """{
 "kind": "testsigma-record",
 "version": 1,
 "execution_id": 1001,
 "test_plan_id": null,
 "replies": [
  {
   "path": "/api/v1/execution_results/1001",
   "status": 200,
   "content_type": "application/json",
   "skew_seconds": 2,
   "json": {
    "id": 1001,
    "status": "QUEUED"
   }
  }
 ]
}
"""
    )


def test_what_is_no_json_is_never_written() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        render({"skew_seconds": math.nan})


def test_what_is_rendered_is_json_for_everybody() -> None:
    text = render(record([exchange({"duration": math.inf, "x": math.nan})], 302, None))
    assert json.loads(text, parse_constant=pytest.fail)["replies"][0]["json"] == {
        "duration": 0.5,
        "field-1": 0.5,
    }
