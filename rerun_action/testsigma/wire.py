"""Testsigma's JSON ↔ `core.model` (API page, "Calls" and "Values").

Unknown values become UNKNOWN, never a pass. A reply that is not JSON is `Garbled` (a proxy's page, a cut connection:
worth another try); JSON of another shape than the documented one is a `Contradiction` (it won't get better).
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import itemgetter
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import from_json

from rerun_action.core.model import CaseResult, FreshRun, Listing, Pick, Progress, RerunRequest, Result, RowResult, Run
from rerun_action.errors import Contradiction

_MAX_ID = 2**63 - 1


class Garbled(Exception):
    """A reply that is not JSON."""


def parse(body: bytes) -> Any:
    """Read a reply; unescaped control characters inside strings are legal here (API page, "Errors").

    pydantic's parser is the quicker one, and keeps names that repeat once; but only that of the standard library reads
    such characters. What both of them read they read alike.
    """
    try:
        return from_json(body, cache_strings="all")
    except ValueError:
        shape = _shape(body)
    try:
        text = body.decode(json.detect_encoding(body), "surrogatepass")
        del body  # a large one need not be there twice
        return json.loads(text, strict=False)
    except (ValueError, RecursionError) as error:
        raise Garbled(shape) from error


_START = re.compile(rb"\s*(<!doctype html|<html)?", re.IGNORECASE)


def _shape(body: bytes) -> str:
    start = _START.match(body)
    if start and start[1]:
        return "an HTML page instead of JSON"
    return "an empty body" if start and start.end() == len(body) else "a body that is not valid JSON"


# --- values -----------------------------------------------------------------------------------------------------


def id_of(value: object) -> int:
    """Return an id, which comes as a number or as a string of digits; ValueError for anything else."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= len(str(_MAX_ID)):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= _MAX_ID:
        raise ValueError("not an id")
    return value


def _count(value: object) -> int | None:
    """Return a counter, None if it isn't one: counters are hints and never a reason to refuse a reply."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MAX_ID else None


def _time(value: object) -> str | None:
    """Return milliseconds since 1970 as ISO-8601 in UTC, None if they aren't a time."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        return None
    try:
        return datetime.fromtimestamp(value / 1000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    except (OverflowError, OSError, ValueError):
        return None


# --- run --------------------------------------------------------------------------------------------------------


def _hint(value: object) -> int | None:
    """Return the id in an object or a bare id, None for anything else: a hint is no reason to refuse a reply."""
    try:
        return id_of(value["id"] if isinstance(value, dict) else value)
    except (ValueError, KeyError):
        return None


def _object(value: object) -> object:
    return value if isinstance(value, dict) else None


_Id = Annotated[int, BeforeValidator(id_of)]
_Hint = Annotated[int | None, BeforeValidator(_hint)]
_Count = Annotated[int | None, BeforeValidator(_count)]
_Time = Annotated[str | None, BeforeValidator(_time)]


class _Lenient(BaseModel):
    # built when the first reply is read, while nobody waits for the first request
    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True, defer_build=True)


class _Plan(_Lenient):
    id: _Hint = None
    last_run_id: _Hint = Field(None, alias="lastRunId")
    rerun_type: Any = Field(None, alias="reRunType")


class _RunBody(_Lenient):
    id: _Id
    plan_id: _Id | None = Field(None, alias="executionId")
    plan: Annotated[_Plan | None, BeforeValidator(_object)] = Field(None, alias="execution")
    status: str | None = None
    result: Any = None
    parent_id: _Id | None = Field(None, alias="reRunParentId")
    child_id: _Hint = Field(None, alias="childResult")
    started_at: _Time = Field(None, alias="startTime")
    ended_at: _Time = Field(None, alias="endTime")
    duration: _Count = None
    total: _Count = Field(None, alias="totalCount")
    passed: _Count = Field(None, alias="passedCount")
    failed: _Count = Field(None, alias="failedCount")


def run_of(body: object) -> Run:
    """Read the run object of the status poll, the trigger and the stop (API page, "Poll a run")."""
    try:
        run = _RunBody.model_validate(body)
    except ValidationError as error:
        places = sorted({str(fault["loc"][0]) if fault["loc"] else "the whole body" for fault in error.errors()})
        raise Contradiction(
            f"the platform's reply is not a run as the API documents it; missing or wrong: {', '.join(places)}"
        ) from None
    return Run(
        id=run.id,
        plan_id=run.plan_id or (run.plan.id if run.plan else None),
        status=(run.status or "").strip().upper(),
        result=None if run.result is None else Result.of(run.result),
        parent_id=run.parent_id,
        child_id=run.child_id,
        last_run_id=run.plan.last_run_id if run.plan else None,
        reruns_by_itself=run.plan is not None and run.plan.rerun_type not in (None, "", "NONE"),
        started_at=run.started_at,
        ended_at=run.ended_at,
        seconds=None if run.duration is None else run.duration / 1000,
        progress=Progress(run.total, run.passed, run.failed),
    )


# --- listing ----------------------------------------------------------------------------------------------------


_PAGE_FIELDS = frozenset({"content", "totalPages", "totalElements", "number", "last"})


@dataclass(frozen=True, slots=True)
class Page:
    """One reply of the listing call; `number`, `pages` and `elements` are its page fields, if it carries any."""

    plan_id: int | None
    run_id: int | None
    cases: tuple[CaseResult, ...]
    unknown_words: frozenset[str]
    paged: bool
    number: int | None
    pages: int | None
    elements: int | None

    def listing(self, run_id: int) -> Listing:
        """Return it as the listing of the run that was asked for."""
        return Listing(run_id, self.plan_id, self.cases, self.unknown_words, self.run_id)


def page_of(body: object) -> Page:
    """Read one reply of the listing call (API page, "List results"), with or without Spring's page fields."""
    if not isinstance(body, dict):
        raise Contradiction("the platform's list of results is not a JSON object")
    holder = body
    records = body.get("testCases")
    if records is None:
        records = body.get("content")
    if isinstance(records, dict):
        holder, records = records, records.get("content")
    if not isinstance(records, list):
        raise Contradiction("the platform's list of results has no `testCases`")
    words: set[str] = set()
    cases = _cases(records, words)
    return Page(
        plan_id=_optional_id(body, "executionId", "the list of results"),
        run_id=_optional_id(body, "executionResultId", "the list of results"),
        cases=cases,
        unknown_words=frozenset(words),
        paged=not _PAGE_FIELDS.isdisjoint(holder),
        number=_count(holder.get("number")),
        pages=_count(holder.get("totalPages")),
        elements=_count(holder.get("totalElements")),
    )


_CASE = itemgetter(
    "testCaseResultId",
    "result",
    "testCaseId",
    "testCaseName",
    "testSuiteId",
    "testSuiteName",
    "machineId",
    "machineTitle",
    "iterationResults",
)
_ROW = itemgetter("iterationResultId", "setName", "result")
_KNOWN = {None: Result.RUNNING} | {result.value: result for result in Result if result is not Result.UNKNOWN}
_make = tuple.__new__  # what a NamedTuple does at last; its constructor takes twice the time


def _cases(records: list[Any], words: set[str]) -> tuple[CaseResult, ...]:
    """Read the records and let each of them go; `words` takes the results that nobody knows.

    Nearly all are just as documented: they are read at a glance, the others with care, by `_case_of`, which would read
    the same from the former.
    """
    cases: list[CaseResult] = []
    for number, record in enumerate(records):
        records[number] = None
        try:
            result_id, word, case_id, case, suite_id, suite, machine_id, machine, listed = _CASE(record)
            rows = tuple(map(_plain_row, listed)) if listed else ()
            if (
                type(result_id) is type(case_id) is type(suite_id) is type(machine_id) is int
                and 0 < result_id <= _MAX_ID
                and 0 < case_id <= _MAX_ID
                and 0 < suite_id <= _MAX_ID
                and 0 < machine_id <= _MAX_ID
                and type(case) is type(suite) is type(machine) is str
                and case
                and suite
                and machine
            ):
                fields = (result_id, _KNOWN[word], case_id, case, suite_id, suite, machine_id, machine, rows)
                cases.append(_make(CaseResult, fields))
                continue
        except (KeyError, TypeError):
            pass
        cases.append(_case_of(record, f"testCases[{number}]", words))
    return tuple(cases)


def _plain_row(record: Any) -> RowResult:
    """Read a row that is just as documented; raises KeyError or TypeError for any other."""
    result_id, name, word = _ROW(record)
    if type(result_id) is int and 0 < result_id <= _MAX_ID and type(name) is str:
        return _make(RowResult, (result_id, name, _KNOWN[word]))
    raise TypeError


def _case_of(record: object, place: str, words: set[str]) -> CaseResult:
    if not isinstance(record, dict):
        raise Contradiction(f"the platform's list of results is not as documented: {place} is not an object")
    rows = record.get("iterationResults") or []
    if not isinstance(rows, list):
        raise Contradiction(f"the platform's list of results is not as documented: {place}.iterationResults")
    return CaseResult(
        result_id=_id(record, "testCaseResultId", place),
        result=_result(record, words),
        case_id=_id(record, "testCaseId", place),
        case=_name(record.get("testCaseName"), "case", record.get("testCaseId")),
        suite_id=_optional_id(record, "testSuiteId", place),
        suite=_name(record.get("testSuiteName"), "suite", record.get("testSuiteId")),
        machine_id=_optional_id(record, "machineId", place),
        machine=_name(record.get("machineTitle"), "machine", record.get("machineId")),
        rows=tuple(_row_of(row, f"{place}.iterationResults[{n}]", words) for n, row in enumerate(rows)),
    )


def _row_of(record: object, place: str, words: set[str]) -> RowResult:
    if not isinstance(record, dict):
        raise Contradiction(f"the platform's list of results is not as documented: {place} is not an object")
    name = record.get("setName")
    return RowResult(
        _id(record, "iterationResultId", place), name if isinstance(name, str) else "", _result(record, words)
    )


def _result(record: Mapping[str, object], words: set[str]) -> Result:
    result = Result.of(record.get("result"))
    if result is Result.UNKNOWN:
        words.add(str(record["result"]))
    return result


def _id(record: Mapping[str, object], key: str, place: str) -> int:
    try:
        return id_of(record.get(key))
    except ValueError:
        raise Contradiction(f"the platform's list of results is not as documented: {place}.{key} is no id") from None


def _optional_id(record: Mapping[str, object], key: str, place: str) -> int | None:
    return None if record.get(key) is None else _id(record, key, place)


def _name(name: object, kind: str, number: object) -> str:
    if isinstance(name, str) and name:
        return name
    return "" if number is None else f"{kind} {number}"


# --- requests ---------------------------------------------------------------------------------------------------


def rerun_body(plan_id: int, parent_id: int, request: RerunRequest) -> dict[str, Any]:
    """Return the trigger's body (API page, "Trigger a rerun")."""
    return {
        "executionId": plan_id,
        "executionResultId": parent_id,
        "isReRun": True,
        "reRunType": "USER_PICKED",
        "testCaseResultRequests": [_pick_body(pick) for pick in request.picks],
    }


def _pick_body(pick: Pick) -> dict[str, Any]:
    if not pick.iteration_result_ids:
        return {"id": pick.case_result_id}
    return {
        "id": pick.case_result_id,
        "iterationReRunType": "USER_PICKED",
        "iterationResultIds": list(pick.iteration_result_ids),
    }


def fresh_body(fresh: FreshRun) -> dict[str, Any]:
    """Return the body that starts a fresh run of a plan (API page, "Trigger a rerun", last line)."""
    body: dict[str, Any] = {"executionId": fresh.plan_id}
    if fresh.build_no is not None:
        body["buildNo"] = fresh.build_no
    if fresh.runtime_data:
        body["runtimeData"] = dict(fresh.runtime_data)
    return body


STOP_BODY = {"canStopAll": False, "result": "STOPPED"}
"""`canStopAll` defaults to true on the server, which stops every run of the account: it is never left out."""


# --- refusals ---------------------------------------------------------------------------------------------------


def error_text(body: bytes) -> str:
    """Return what an error reply says, in one line: the documented shape, Spring's own, or bare text."""
    try:
        record = parse(body)
    except Garbled:
        text = body.decode(errors="replace").strip()
        return "" if text.startswith("<") else " ".join(text.split())
    if not isinstance(record, dict):
        return str(record) if isinstance(record, str) else ""
    words = [record[key] for key in ("error", "message") if isinstance(record.get(key), str) and record[key].strip()]
    return " ".join(": ".join(words).split())
