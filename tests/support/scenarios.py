"""Short ways to write down what the simulated platform holds."""

from typing import Any

from rerun_action.simulator import Case, FirstIds, Machine, PastRun, Plan, Row, Scenario, Seconds, Suite

PLAN = 336
FIRST = 100
"""The run that exists; new runs get 101, 102, …; result ids are given from 5001 on, in the plan's order."""
KEY = "simulator-key"
QUICK = Seconds(created=0.05, queued=0.05, running=0.1)
LONG = Seconds(created=0.1, queued=0.1, running=60.0)
FAILS = ("FAILURE",)
PASSES = ("SUCCESS",)
FLAKES = ("FAILURE", "SUCCESS")


def case(number: int, *results: str | None, machine: int = 1, **fields: Any) -> Case:
    return Case(number, f"case {number}", Suite(21, "suite"), Machine(machine, f"machine {machine}"), results, **fields)


def data_driven(number: int, *rows: tuple[str, ...], results: tuple[str, ...] = (), machine: int = 1) -> Case:
    """A data-driven case; each row is its name and then its results."""
    return case(number, *results, machine=machine, rows=tuple(Row(name, script) for name, *script in rows))  # type: ignore[arg-type]


def scenario(*cases: Case, runs: tuple[PastRun, ...] = (PastRun(FIRST, PLAN),), **fields: Any) -> Scenario:
    plan_fields = {name: fields.pop(name) for name in ("seconds", "rerun_type", "auto_rerun_after") if name in fields}
    plan = Plan(PLAN, "Nightly", cases, **{"seconds": QUICK, **plan_fields})
    return Scenario((plan,), runs, **{"ids": FirstIds(run=101, result=5001), **fields})
