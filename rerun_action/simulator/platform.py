"""The simulated platform: its runs, and the calls that read and change them.

Nothing runs in the background. The clock is read once per call, and what should have happened since the last call
(a run completed, the platform started a rerun by itself) is worked out then.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from itertools import count
from threading import Lock
from typing import TYPE_CHECKING

from rerun_action.simulator.asked import read_stop, read_trigger, resolve
from rerun_action.simulator.execution import SUCCESS, Executor
from rerun_action.simulator.fields import FieldError
from rerun_action.simulator.listing import list_cases, page_of, shown_runs
from rerun_action.simulator.replies import Refusal, full_run, new_run
from rerun_action.simulator.run import Run, Timeline
from rerun_action.simulator.scenario import NO_RERUN

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rerun_action.simulator.asked import AskedRun
    from rerun_action.simulator.replies import Json
    from rerun_action.simulator.scenario import PastRun, Pick, Plan, Scenario

MAX_RERUNS = 10

_PLAN_IS_BUSY = (
    "The specified Test Plan is currently running. Please wait until the current run is completed, or stop it"
)


@dataclass(frozen=True, slots=True)
class Request:
    """A request that reached the server; the body is the parsed JSON, or the text if it is none."""

    method: str
    path: str
    body: object


class Platform:
    """The account of a scenario, from the moment that this object is made. Every method is thread-safe.

    Replies are plain JSON objects; a call that the platform refuses raises Refusal.
    """

    def __init__(self, scenario: Scenario, clock: Callable[[], float] = time.time) -> None:
        self.scenario = scenario
        self.requests: list[Request] = []
        self._clock = clock
        self._lock = Lock()
        self._started: list[int] = []
        self._stopped: list[int] = []
        self._plans = {plan.id: plan for plan in scenario.plans}
        self._runs: dict[int, Run] = {}
        self._run_ids = count(scenario.ids.run)
        self._executor = Executor(scenario.ids.result)
        now = clock()
        for past in scenario.runs:
            self._add_past(past, now)

    @property
    def triggers(self) -> list[object]:
        """The bodies of all POSTs so far."""
        return [request.body for request in self.requests if request.method == "POST"]

    @property
    def stops(self) -> list[tuple[str, object]]:
        """The paths and bodies of all PUTs so far."""
        return [(request.path, request.body) for request in self.requests if request.method == "PUT"]

    @property
    def started(self) -> list[int]:
        """The ids of the runs that triggers have started, oldest first; not those that plans start by themselves."""
        with self._lock:
            return self._started.copy()

    @property
    def stopped(self) -> list[int]:
        """The ids of the runs that somebody has stopped, in that order."""
        with self._lock:
            return self._stopped.copy()

    @property
    def runs(self) -> list[Run]:
        """Every run there is, oldest first: what really happened, whatever the replies said of it."""
        with self._lock:
            self._now()
            return list(self._runs.values())

    def record(self, request: Request) -> None:
        """Note a request in the journal."""
        with self._lock:
            self.requests.append(request)

    def live_runs(self) -> list[int]:
        """Give the ids of the runs that are not final, oldest first."""
        with self._lock:
            return [run.id for run in self._live(self._now())]

    def get_run(self, run_id: int) -> Json:
        """Answer a poll."""
        with self._lock:
            now = self._now()
            return self._full(self._find(run_id), now)

    def list_results(self, run_id: int, page: int = 0, size: int | None = None) -> Json:
        """List the results of a run; page and size count only where the scenario has pages."""
        with self._lock:
            now = self._now()
            run = self._find(run_id)
            cases = list_cases(shown_runs(run, self.scenario.habit), now)
            listing: Json = {
                "executionId": run.plan.id,
                "executionResultId": run.id,
                "result": run.result(now),
                "status": run.status(now),
                "testCases": cases,
            }
        if self.scenario.page_size is not None:
            listing |= page_of(cases, page, size or self.scenario.page_size)
        return listing

    def trigger(self, body: object) -> Json:
        """Start a fresh run of a plan, or a rerun of picked results."""
        with self._lock:
            now = self._now()
            try:
                asked = read_trigger(body)
                plan = self._plans.get(asked.plan)
                if plan is None:
                    raise Refusal(500, f"Test Plan {asked.plan} is not found")
                if self._is_busy(plan, now):
                    raise Refusal(500, _PLAN_IS_BUSY)
                if asked.parent is None:
                    run = self._start(plan, None, None, now, asked.build_no)
                else:
                    run = self._rerun(plan, asked.parent, asked, now)
            except FieldError as error:
                raise Refusal(400, str(error)) from None
            self._started.append(run.id)
            return new_run(run)

    def stop(self, body: object, run_id: int | None = None) -> Json:
        """Stop a run, or all of them; without an id, the newest live one. The reply is one run that was stopped."""
        route = "collection" if run_id is None else "run"
        if self.scenario.stop_route not in {route, "both"}:
            raise Refusal(405, "Request method 'PUT' is not supported here")
        with self._lock:
            now = self._now()
            try:
                everything = read_stop(body)
            except FieldError as error:
                raise Refusal(400, str(error)) from None
            live = self._live(now)
            if run_id is None:
                if not live:
                    raise Refusal(400, "No Test Plan is running")
                named = live[-1]
            else:
                named = self._find(run_id)
                if named not in live:
                    raise Refusal(400, f"Execution result {run_id} is completed already")
            for run in live if everything else [named]:
                run.stopped_at = now
                self._stopped.append(run.id)
            return self._full(named, now)

    def _now(self) -> float:
        """Read the clock, and catch up with it."""
        now = self._clock()
        waiting = [run for run in self._runs.values() if run.awaits_rerun]
        for run in sorted(waiting, key=_rerun_due):
            if (due := _rerun_due(run)) <= now:
                run.awaits_rerun = False
                self._rerun_failures(run, due)
        return now

    def _rerun_failures(self, run: Run, at: float) -> None:
        """Start the plan's own rerun, unless there is nothing to it or somebody was faster."""
        is_wanted = run.stopped_at is None and run.result(at) != SUCCESS and run.failed()
        if is_wanted and run.child is None and not self._is_busy(run.plan, at):
            self._start(run.plan, run, run.failed(), at)

    def _live(self, now: float) -> list[Run]:
        return [run for run in self._runs.values() if not run.is_final(now)]

    def _is_busy(self, plan: Plan, now: float) -> bool:
        return any(run.plan.id == plan.id for run in self._live(now))

    def _find(self, run_id: int) -> Run:
        if run_id not in self._runs:
            raise Refusal(404, "Execution result not found")
        return self._runs[run_id]

    def _full(self, run: Run, now: float) -> Json:
        last_run_id = next(other.id for other in reversed(self._runs.values()) if other.plan.id == run.plan.id)
        return full_run(run, now, last_run_id, self.scenario.child)

    def _rerun(self, plan: Plan, parent_id: int, asked: AskedRun, now: float) -> Run:
        parent = self._runs.get(parent_id)
        if parent is None or parent.plan.id != plan.id:
            raise FieldError("executionResultId", f"{parent_id} is not a run of Test Plan {plan.id}")
        chain = parent.chain()
        if len(chain) > MAX_RERUNS:
            raise FieldError("executionResultId", f"{parent_id} has been rerun {MAX_RERUNS} times already")
        run = self._start(plan, chain[-1], resolve(asked.cases, chain), now)
        if not asked.cases:
            run.timeline = replace(run.timeline, ends_at=math.inf)
        return run

    def _start(
        self, plan: Plan, parent: Run | None, picks: Sequence[Pick] | None, at: float, build_no: str | None = None
    ) -> Run:
        run = Run(
            id=next(self._run_ids),
            plan=plan,
            cases=self._executor.execute(plan, picks),
            timeline=Timeline.starting(at, plan.seconds),
            parent=parent,
            build_no=build_no,
            awaits_rerun=parent is None and plan.rerun_type != NO_RERUN,
        )
        self._add(run)
        return run

    def _add_past(self, past: PastRun, now: float) -> None:
        plan = self._plans[past.plan]
        parent = None if past.parent is None else self._runs[past.parent]
        self._add(
            Run(
                id=past.id,
                plan=plan,
                cases=self._executor.execute(plan, past.picked),
                timeline=Timeline.ending(now + past.finishes_in, plan.seconds, now),
                parent=parent,
                result_override=past.result,
                total_override=past.total_count,
                awaits_rerun=parent is None and plan.rerun_type != NO_RERUN,
            )
        )

    def _add(self, run: Run) -> None:
        self._runs[run.id] = run
        if run.parent is not None:
            run.parent.child = run


def _rerun_due(run: Run) -> float:
    return run.ends_at + run.plan.auto_rerun_after
