"""What a scenario must not contradict itself in: the rules that need more than one value to be looked at."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rerun_action.simulator.fields import FieldError

if TYPE_CHECKING:
    from rerun_action.simulator.scenario import Fault, PastRun, Pick, Plan, Scenario

_STATUSES = range(200, 1000)
# What is beyond would be a second header, or an error while it is sent.
_HEADER = re.compile(r"[!-9;-~]+:[\t -~]*")


def check(scenario: Scenario) -> None:
    """Raise FieldError at the first contradiction."""
    plans: dict[int, Plan] = {}
    for index, plan in enumerate(scenario.plans):
        if plan.id in plans:
            raise FieldError(f"plans[{index}].id", f"{plan.id} is taken")
        plans[plan.id] = plan
        _check_cases(plan, f"plans[{index}].cases")

    older: dict[int, PastRun] = {}
    for index, run in enumerate(scenario.runs):
        place = f"runs[{index}]"
        if run.id in older:
            raise FieldError(f"{place}.id", f"{run.id} is taken")
        if run.id >= scenario.ids.run:
            raise FieldError(f"{place}.id", f"{run.id} must be below ids.run, {scenario.ids.run}")
        if run.plan not in plans:
            raise FieldError(f"{place}.plan", f"{run.plan} is not a plan")
        _check_order(run, older, place)
        for number, pick in enumerate(run.picked or ()):
            _check_pick(pick, plans[run.plan], f"{place}.picked[{number}]")
        older[run.id] = run

    for index, fault in enumerate(scenario.faults):
        _check_fault(fault, f"faults[{index}]")


def _check_cases(plan: Plan, place: str) -> None:
    for index, case in enumerate(plan.cases):
        if not case.results and not case.rows:
            raise FieldError(f"{place}[{index}]", "needs results or rows")
        for number, row in enumerate(case.rows):
            if not row.results:
                raise FieldError(f"{place}[{index}].rows[{number}].results", "must not be empty")
        if case.requires is not None and not 0 <= case.requires < len(plan.cases):
            raise FieldError(f"{place}[{index}].requires", f"the plan has no case {case.requires}")


def _check_order(run: PastRun, older: dict[int, PastRun], place: str) -> None:
    if any(other.plan == run.plan and other.finishes_in > 0 for other in older.values()):
        raise FieldError(f"{place}", "an older run of its plan is still live")
    if run.parent is None:
        return
    if run.parent not in older or older[run.parent].plan != run.plan:
        raise FieldError(f"{place}.parent", f"{run.parent} is not an older run of plan {run.plan}")
    if any(other.parent == run.parent for other in older.values()):
        raise FieldError(f"{place}.parent", f"{run.parent} has a rerun already")


def _check_pick(pick: Pick, plan: Plan, place: str) -> None:
    if not 0 <= pick.case < len(plan.cases):
        raise FieldError(f"{place}.case", f"the plan has no case {pick.case}")
    rows = plan.cases[pick.case].rows
    for row in pick.rows or ():
        if not 0 <= row < len(rows):
            raise FieldError(f"{place}.rows", f"the case has no row {row}")


def _check_fault(fault: Fault, place: str) -> None:
    if fault.on == "trigger" and fault.run is not None:
        raise FieldError(f"{place}.run", "a trigger has no run in its path")
    if fault.skip < 0:
        raise FieldError(f"{place}.skip", f"must not be negative: {fault.skip}")
    if fault.times is not None and fault.times < 1:
        raise FieldError(f"{place}.times", f"must be above zero, not {fault.times}")
    if fault.seconds is not None and fault.seconds <= 0:
        raise FieldError(f"{place}.seconds", f"must be above zero, not {fault.seconds}")
    if fault.seconds is not None and fault.times != 1:
        raise FieldError(place, "has times or seconds, not both")
    # By attribute, not by class: the scenario's module imports this one. Other answers have neither.
    status: int = getattr(fault.answer, "status", 200)
    headers: dict[str, str] = getattr(fault.answer, "headers", {})
    if status not in _STATUSES:
        raise FieldError(f"{place}.answer.status", f"must be 200 to 999, not {status}")
    for name, content in headers.items():
        if not _HEADER.fullmatch(f"{name}:{content}"):
            raise FieldError(f"{place}.answer", f"cannot be sent as a header: {name!r}: {content!r}")
