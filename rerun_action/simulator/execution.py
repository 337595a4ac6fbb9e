"""What a run executes: scripts advance by one entry, and result ids are handed out.

Result ids follow the order of the plan: a case first, then its rows; a leaf that is GONE gets none. Suite and machine
results count separately, from FIRST_GROUP_ID: for each case its suite's, then its machine's, when they are new to
the run (a suite has one result per machine).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

from rerun_action.simulator.scenario import GONE, Pick

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rerun_action.simulator.scenario import Plan, Script

SUCCESS = "SUCCESS"
FAILURE = "FAILURE"
FIRST_GROUP_ID = 2001


@dataclass(frozen=True, slots=True)
class LeafResult:
    """A plain case (row None) or one data row in one run; `turn` is its place, from 1, in the order of finishing."""

    row: int | None
    result_id: int
    outcome: str | None
    turn: int


@dataclass(frozen=True, slots=True)
class CaseResult:
    """A case in one run. `derived` says that its outcome is that of its rows, not one of its own."""

    case: int
    result_id: int
    suite_result_id: int
    machine_result_id: int
    outcome: str | None
    derived: bool
    leaves: tuple[LeafResult, ...]
    listed: bool

    def failed(self) -> Pick | None:
        """What of it is to run again: its failed rows, or all of it when it failed without one."""
        rows = tuple(leaf.row for leaf in self.leaves if leaf.row is not None and leaf.outcome != SUCCESS)
        if rows:
            return Pick(self.case, rows)
        return Pick(self.case) if self.outcome != SUCCESS else None


def derive(rows: Iterable[str | None]) -> str:
    """Give the result that rows give their case."""
    return SUCCESS if all(row == SUCCESS for row in rows) else FAILURE


class Executor:
    """Plays the scripts; one for all runs of a platform."""

    def __init__(self, first_result_id: int) -> None:
        self._result_ids = count(first_result_id)
        self._group_ids = count(FIRST_GROUP_ID)
        self._executions: Counter[tuple[int, int, int | None]] = Counter()

    def execute(self, plan: Plan, picks: Sequence[Pick] | None) -> tuple[CaseResult, ...]:
        """Execute what was picked (None: everything) and what that requires."""
        picked = _whole(plan) if picks is None else {pick.case: pick for pick in picks}
        added = _prerequisites(plan, picked)
        turns = count(1)
        groups: dict[tuple[str, int, int], int] = {}
        results = []
        for case in sorted(picked.keys() | added):
            listed = case in picked or plan.list_prerequisites
            result = self._case(plan, picked.get(case, Pick(case)), listed, turns, groups)
            if result is not None:
                results.append(result)
        return tuple(results)

    def _case(
        self, plan: Plan, pick: Pick, listed: bool, turns: Iterator[int], groups: dict[tuple[str, int, int], int]
    ) -> CaseResult | None:
        case = plan.cases[pick.case]
        outcomes: dict[int | None, str | None] = {}
        if case.rows:
            for row in range(len(case.rows)) if pick.rows is None else sorted(pick.rows):
                outcomes[row] = self._play(plan.id, pick.case, row, case.rows[row].results)
        own = self._play(plan.id, pick.case, None, case.results) if case.results else None
        if not case.rows:
            outcomes[None] = own
        appearing = {row: outcome for row, outcome in outcomes.items() if outcome != GONE}
        if own == GONE or not appearing:
            return None

        result_id = next(self._result_ids)
        suite, machine = case.suite.id, case.machine.id
        for group in (("suite", suite, machine), ("machine", machine, machine)):
            if group not in groups:
                groups[group] = next(self._group_ids)
        return CaseResult(
            case=pick.case,
            result_id=result_id,
            suite_result_id=groups["suite", suite, machine],
            machine_result_id=groups["machine", machine, machine],
            outcome=own if case.results else derive(appearing.values()),
            derived=not case.results,
            leaves=tuple(
                LeafResult(row, result_id if row is None else next(self._result_ids), outcome, next(turns))
                for row, outcome in appearing.items()
            ),
            listed=listed,
        )

    def _play(self, plan: int, case: int, row: int | None, script: Script) -> str | None:
        leaf = (plan, case, row)
        entry = script[min(self._executions[leaf], len(script) - 1)]
        self._executions[leaf] += 1
        return entry


def _whole(plan: Plan) -> dict[int, Pick]:
    return {case: Pick(case) for case in range(len(plan.cases))}


def _prerequisites(plan: Plan, picked: Iterable[int]) -> set[int]:
    """Follow `requires` from every case that was picked."""
    found: set[int] = set()
    for case in picked:
        required = plan.cases[case].requires
        while required is not None and required not in found:
            found.add(required)
            required = plan.cases[required].requires
    return found
