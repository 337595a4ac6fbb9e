"""What a listing shows: the results of one run, or of several runs of a chain merged, newest last."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rerun_action.simulator.execution import derive

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rerun_action.simulator.execution import CaseResult
    from rerun_action.simulator.replies import Json
    from rerun_action.simulator.run import Run
    from rerun_action.simulator.scenario import Habit


def shown_runs(run: Run, habit: Habit) -> list[Run]:
    """Choose the runs whose results the listing of a run merges, oldest first."""
    chain = run.chain()
    if run.parent is None:
        return chain if habit in {"first", "both"} else [run]
    return chain[: chain.index(run) + 1] if habit in {"rerun", "both"} else [run]


def list_cases(runs: Sequence[Run], now: float) -> list[Json]:
    """List the newest result of each case, in the order of the plan, with the newest result of each of its rows."""
    newest: dict[int, tuple[Run, CaseResult]] = {}
    rows: dict[int, dict[int, tuple[int, str | None]]] = {}
    for run in runs:
        for case in run.cases:
            if case.listed:
                newest[case.case] = run, case
                rows.setdefault(case.case, {}).update(
                    (leaf.row, (leaf.result_id, run.leaf_result(leaf, now)))
                    for leaf in case.leaves
                    if leaf.row is not None
                )
    return [_case(*newest[case], rows[case], now) for case in sorted(newest)]


def _case(run: Run, result: CaseResult, rows: dict[int, tuple[int, str | None]], now: float) -> Json:
    case = run.plan.cases[result.case]
    shown = run.case_result(result, now)
    if result.derived and run.case_is_done(result, now):
        shown = derive(outcome for _, outcome in rows.values())
    return {
        "testCaseId": case.id,
        "testCaseName": case.name,
        "testCaseResultId": result.result_id,
        "result": shown,
        "isDataDrivenCase": bool(case.rows),
        "iterationResults": [
            {"iterationResultId": result_id, "setName": case.rows[row].set, "result": outcome}
            for row, (result_id, outcome) in sorted(rows.items())
        ],
        "testSuiteId": case.suite.id,
        "testSuiteName": case.suite.name,
        "testSuiteResultId": result.suite_result_id,
        "machineId": case.machine.id,
        "machineTitle": case.machine.title,
        "machineResultId": result.machine_result_id,
    }


def page_of(cases: list[Json], number: int, size: int) -> Json:
    """Cut a page out of a listing, with the fields that Spring adds to one."""
    pages = -(-len(cases) // size)
    return {
        "testCases": cases[number * size : (number + 1) * size],
        "totalPages": pages,
        "totalElements": len(cases),
        "number": number,
        "size": size,
        "first": number == 0,
        "last": number >= pages - 1,
    }
