"""Short ways to write down listings."""

from rerun_action.core.model import CaseResult, Listing, Result, RowResult


def case(result_id: int, result: Result, *rows: tuple[int, str, Result], name: int = 1, machine: int = 1) -> CaseResult:
    return CaseResult(
        result_id=result_id,
        result=result,
        case_id=name,
        case=f"case {name}",
        suite_id=1,
        suite="suite",
        machine_id=machine,
        machine=f"machine {machine}",
        rows=tuple(RowResult(row_id, set_name, row_result) for row_id, set_name, row_result in rows),
    )


def listing(run_id: int, *cases: CaseResult) -> Listing:
    return Listing(run_id, 7, cases)
