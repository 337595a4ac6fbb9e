"""A run and its state at any moment. Nothing happens here: everything follows from the time that is asked about."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rerun_action.simulator.execution import FAILURE, SUCCESS, CaseResult, LeafResult

if TYPE_CHECKING:
    from rerun_action.simulator.scenario import Pick, Plan, Seconds

CREATED = "STATUS_CREATED"
QUEUED = "STATUS_QUEUED"
IN_PROGRESS = "STATUS_IN_PROGRESS"
COMPLETED = "STATUS_COMPLETED"


@dataclass(frozen=True, slots=True)
class Timeline:
    """The moments at which a run changes its status, as long as nobody stops it."""

    created_at: float
    queued_at: float
    running_at: float
    ends_at: float

    @classmethod
    def starting(cls, at: float, seconds: Seconds) -> Timeline:
        """Lay out a run that starts at a moment."""
        queued_at = at + seconds.created
        running_at = queued_at + seconds.queued
        return cls(at, queued_at, running_at, running_at + seconds.running)

    @classmethod
    def ending(cls, at: float, seconds: Seconds, now: float) -> Timeline:
        """Lay out a run that ends at a moment and, now, exists already."""
        running_at = at - seconds.running
        queued_at = running_at - seconds.queued
        return cls(min(queued_at - seconds.created, now), queued_at, running_at, at)


@dataclass(frozen=True, slots=True)
class Counts:
    """The counters of a run; they count cases, not rows."""

    total: int = 0
    passed: int = 0
    failed: int = 0
    stopped: int = 0
    not_executed: int = 0
    queued: int = 0
    running: int = 0


@dataclass(slots=True, kw_only=True, eq=False)
class Run:
    """One execution of a plan: what it executes, when, and its place in the chain of reruns."""

    id: int
    plan: Plan
    cases: tuple[CaseResult, ...]
    timeline: Timeline
    parent: Run | None = None
    child: Run | None = field(default=None, repr=False)
    build_no: str | None = None
    result_override: str | None = None
    total_override: int | None = None
    awaits_rerun: bool = False
    stopped_at: float | None = None

    @property
    def ends_at(self) -> float:
        """When it is, or was, final."""
        return self.timeline.ends_at if self.stopped_at is None else self.stopped_at

    def is_final(self, now: float) -> bool:
        """Whether nothing changes any more."""
        return now >= self.ends_at

    def chain(self) -> list[Run]:
        """Give the first run, its rerun, the rerun of that, and so on to the tip."""
        runs = [self]
        while runs[0].parent is not None:
            runs.insert(0, runs[0].parent)
        while runs[-1].child is not None:
            runs.append(runs[-1].child)
        return runs

    def status(self, now: float) -> str:
        """Give the status of the run."""
        if self.is_final(now):
            return COMPLETED
        if now < self.timeline.queued_at:
            return CREATED
        return QUEUED if now < self.timeline.running_at else IN_PROGRESS

    def result(self, now: float) -> str | None:
        """Give the result of the run: null while it is in progress, QUEUED before that, as the samples have it."""
        if self.stopped_at is not None:
            return "STOPPED"
        if not self.is_final(now):
            return None if self.status(now) == IN_PROGRESS else "QUEUED"
        if self.result_override is not None:
            return self.result_override
        return FAILURE if self.failed() else SUCCESS

    def failed(self) -> list[Pick]:
        """Give what fails in it, once it is complete."""
        return [pick for case in self.cases if (pick := case.failed()) is not None]

    def leaf_result(self, leaf: LeafResult, now: float) -> str | None:
        """Give the result that a leaf shows."""
        if self._is_done(leaf.turn, now):
            return leaf.outcome
        if self.stopped_at is not None:
            return "STOPPED"
        return "RUNNING" if self._is_done(leaf.turn - 1, now) else "QUEUED"

    def case_is_done(self, case: CaseResult, now: float) -> bool:
        """Whether every leaf of a case has come to its outcome."""
        return self._is_done(case.leaves[-1].turn, now)

    def case_result(self, case: CaseResult, now: float) -> str | None:
        """Give the result that a case shows."""
        if self.case_is_done(case, now):
            return case.outcome
        if self.stopped_at is not None:
            return "STOPPED"
        is_queued = all(self.leaf_result(leaf, now) == "QUEUED" for leaf in case.leaves)
        return "QUEUED" if is_queued else "RUNNING"

    def counts(self, now: float) -> Counts:
        """Count the cases. Those of a stopped run that did not finish are still counted as running, as documented."""
        if self.status(now) == CREATED:
            return Counts()
        done = [case.outcome for case in self.cases if self.case_is_done(case, now)]
        pending = [self.case_result(case, now) for case in self.cases if not self.case_is_done(case, now)]
        passed, stopped, not_executed = (done.count(word) for word in (SUCCESS, "STOPPED", "NOT_EXECUTED"))
        queued = pending.count("QUEUED")
        return Counts(
            total=len(self.cases) if self.total_override is None else self.total_override,
            passed=passed,
            failed=len(done) - passed - stopped - not_executed,
            stopped=stopped,
            not_executed=not_executed,
            queued=queued,
            running=len(pending) - queued,
        )

    def _is_done(self, turn: int, now: float) -> bool:
        """Whether the leaf of that turn is finished; they share the time of running evenly."""
        line = self.timeline
        moment = now if self.stopped_at is None else self.stopped_at
        # The end rules by itself: a fraction of the time may miss it by a rounding error.
        if moment >= line.ends_at:
            return True
        leaves = self.cases[-1].leaves[-1].turn
        return moment >= line.running_at + (line.ends_at - line.running_at) * turn / leaves
