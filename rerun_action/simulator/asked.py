"""What a client asks for: the bodies of the calls, checked strictly, and the results that a rerun names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rerun_action.simulator.fields import (
    FieldError,
    Fields,
    flag,
    integer,
    list_of,
    mapping,
    nullable,
    one_of,
    text,
)
from rerun_action.simulator.scenario import Pick

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rerun_action.simulator.run import Run


@dataclass(frozen=True, slots=True)
class AskedCase:
    """A case result to rerun, and the iteration results of it; None is the whole case."""

    id: int
    iterations: tuple[int, ...] | None


@dataclass(frozen=True, slots=True)
class AskedRun:
    """A run to start: of a whole plan, or, with a parent, of picked results."""

    plan: int
    parent: int | None = None
    cases: tuple[AskedCase, ...] = ()
    build_no: str | None = None


def read_trigger(body: object) -> AskedRun:
    """Read the body of a POST; FieldError says what is wrong with it."""
    with Fields(body, "") as fields:
        plan = fields.read("executionId", integer)
        if not fields.has("isReRun"):
            fields.get("runtimeData", nullable(mapping), None)
            return AskedRun(plan, build_no=fields.get("buildNo", nullable(text), None))
        if not fields.read("isReRun", flag):
            raise FieldError("isReRun", "must be true or left out")
        fields.read("reRunType", one_of(("USER_PICKED",)))
        return AskedRun(
            plan,
            parent=fields.read("executionResultId", integer),
            cases=fields.read("testCaseResultRequests", list_of(_asked_case)),
        )


def _asked_case(value: object, place: str) -> AskedCase:
    with Fields(value, place) as fields:
        result_id = fields.read("id", integer)
        if not (fields.has("iterationReRunType") or fields.has("iterationResultIds")):
            return AskedCase(result_id, None)
        fields.read("iterationReRunType", one_of(("USER_PICKED",)))
        return AskedCase(result_id, fields.read("iterationResultIds", list_of(integer, at_least=1)))


def read_stop(body: object) -> bool:
    """Read the body of a PUT: whether every live run is to be stopped. True is the documented default."""
    with Fields(body, "") as fields:
        fields.read("result", one_of(("STOPPED",)))
        return fields.get("canStopAll", flag, default=True)


def resolve(asked: Sequence[AskedCase], chain: Sequence[Run]) -> list[Pick]:
    """Find what the ids stand for, in any run of the chain; FieldError for an id that fits nothing, or fits twice."""
    results = [case for run in chain for case in run.cases]
    cases = {result.result_id: result.case for result in results}
    rows = {
        leaf.result_id: (result.case, leaf.row) for result in results for leaf in result.leaves if leaf.row is not None
    }
    picks: dict[int, Pick] = {}
    for index, request in enumerate(asked):
        place = f"testCaseResultRequests[{index}]"
        case = cases.get(request.id)
        if case is None:
            raise FieldError(f"{place}.id", f"{request.id} is not a testCaseResultId of this chain of runs")
        if case in picks:
            raise FieldError(f"{place}.id", f"{request.id} names a case that was named before")
        picks[case] = Pick(case, _resolve_rows(request, case, rows, f"{place}.iterationResultIds"))
    return list(picks.values())


def _resolve_rows(
    request: AskedCase, case: int, rows: dict[int, tuple[int, int]], place: str
) -> tuple[int, ...] | None:
    if request.iterations is None:
        return None
    picked: list[int] = []
    for result_id in request.iterations:
        owner, row = rows.get(result_id, (None, -1))
        if owner != case:
            raise FieldError(place, f"{result_id} is not an iterationResultId of case result {request.id}")
        if row in picked:
            raise FieldError(place, f"{result_id} names a row that was named before")
        picked.append(row)
    return tuple(picked)
