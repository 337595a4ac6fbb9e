"""The story against a scripted platform, in time that passes only when somebody waits."""

import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rerun_action.core.model import (
    Decision,
    FreshRun,
    LeafReport,
    Listing,
    Origin,
    Policy,
    Report,
    RerunRequest,
    Result,
    Run,
    StopReply,
    StopRoute,
    Verdict,
)
from rerun_action.errors import Cancelled, NotFound
from rerun_action.rerun import Story
from tests.support.fake_time import FakeTime
from tests.support.listings import case, listing

F, P, A = Result.FAILURE, Result.SUCCESS, Result.ABORTED
SERVER = "https://testsigma.example"
RUNS = f"{SERVER}/ui/td/runs/"


def run(run_id: int, result: Result | None = F, parent: int | None = None, **fields: Any) -> Run:
    return Run(run_id, 7, "STATUS_COMPLETED", result, parent, **fields)


def going(run_id: int, parent: int | None = None, status: str = "STATUS_IN_PROGRESS", **fields: Any) -> Run:
    return Run(run_id, 7, status, None, parent, **fields)


@dataclass
class Slow:
    """An answer that takes its time; it shows what was so when it was asked for."""

    seconds: float
    answer: Any


def _shown(part: object) -> str:
    if isinstance(part, tuple):  # the picks of a trigger: case results, and in brackets their rows
        return " ".join(f"{pick.case_result_id}{[*pick.iteration_result_ids] or ''}" for pick in part)
    return f"plan {part.plan_id}" if isinstance(part, FreshRun) else str(part)


class Script:
    """All that happens, line by line: when, what is asked of the platform (`>`), said (`|`), published (`=`)."""

    def __init__(self, time: FakeTime) -> None:
        self._time = time
        self.lines: list[str] = []

    def add(self, mark: str, text: str) -> None:
        when = f"{self._time.at:.2f} {mark} "
        text = text.replace(RUNS, ".../")
        self.lines += textwrap.wrap(
            text, 100, initial_indent=when, subsequent_indent=" " * len(when), break_on_hyphens=False
        )

    def __str__(self) -> str:
        return "\n".join(self.lines)


@dataclass
class Scripted:
    """A platform whose answers are written down; the last answer of a kind repeats, an exception is raised."""

    time: FakeTime
    script: Script
    runs: dict[int, list[Any]]
    listings: dict[int, list[Any]]
    trigger_answer: Any = None
    stop_answer: Any = None
    start_answer: Any = None
    log: list[tuple[Any, ...]] = field(default_factory=list)

    def _ask(self, *request: Any) -> None:
        self.log.append(request)
        self.script.add(">", " ".join(map(_shown, request)))

    def run(self, run_id: int, until: float) -> Run:
        self._ask("run", run_id)
        if run_id not in self.runs:
            raise NotFound("the platform does not know it (404).")
        answer: Run = self._next(self.runs[run_id], until)
        return answer

    def listing(self, run_id: int, until: float) -> Listing:
        self._ask("listing", run_id)
        answer: Listing = self._next(self.listings[run_id], until)
        return answer

    def start(self, fresh: FreshRun, until: float) -> Run:
        self._ask("start", fresh)
        answer: Run = self._next([self.start_answer], until)
        return answer

    def preview(self, plan_id: int, parent_id: int, request: RerunRequest) -> str:
        return f"{plan_id} {parent_id} {request.picks}"

    def trigger(self, plan_id: int, parent_id: int, request: RerunRequest, until: float) -> Run:
        self._ask("trigger", plan_id, parent_id, request.picks)
        answer: Run = self._next(
            self.trigger_answer if isinstance(self.trigger_answer, list) else [self.trigger_answer], until
        )
        return answer

    def stop(self, run_id: int, until: float, sent: Callable[[], None]) -> StopReply:
        self._ask("stop", run_id)
        sent()
        sent()  # as the real one does at each try
        answer: StopReply = self._next([self.stop_answer], until)
        return answer

    def _next(self, answers: list[Any], until: float) -> Any:
        assert until >= self.time.at
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, Slow):
            self.time.at += answer.seconds
            return answer.answer
        return answer

    def count(self, kind: str) -> int:
        return sum(entry[0] == kind for entry in self.log)


class Notes:
    """The account, as lines."""

    def __init__(self, script: Script) -> None:
        self.lines: list[str] = []
        self._script = script

    def _add(self, line: str) -> None:
        self.lines.append(line)
        self._script.add("|", line)

    def note(self, text: str) -> None:
        self._add(text)

    def warning(self, text: str) -> None:
        self._add(f"warning: {text}")

    def crashed(self, fault: Exception) -> None:
        self._add(f"crashed: {fault!r}")

    def state(self, run: Run, origin: Origin, remaining: float | None = None) -> None:
        left = "" if remaining is None else f" {remaining:.0f} s left"
        self._add(f"{origin} {run.id} {run.status} {run.result} {run.progress.done}{left}")

    def decided(
        self,
        counts: Mapping[Verdict, int],
        failed: Sequence[tuple[LeafReport, Decision]],
        round_no: int,
        refusal: str | None,
    ) -> None:
        assert len(failed) == sum(counts.values()) - counts[Verdict.PASSED] - counts[Verdict.FLAKY]
        self._add(f"round {round_no}: {refusal or sum(d.rerun for _, d in failed)} of {sum(counts.values())}")

    def previewed(self, leaves: Sequence[LeafReport], decisions: Sequence[Decision], payload: str | None) -> None:
        assert len(leaves) == len(decisions)
        self._add(f"payload: {payload}")

    def triggered(self, run: Run, request: RerunRequest, url: str) -> None:
        self._add(f"triggered {run.id} {len(request.covered)} {url}")


@dataclass
class Told:
    report: Report
    platform: Scripted
    notes: list[str]
    published: list[Report]
    time: FakeTime
    script: str


def tell(
    runs: dict[int, list[Any]],
    listings: dict[int, list[Any]],
    *,
    trigger: Any = None,
    stop: Any = None,
    policy: Policy | None = None,
    execution: int | FreshRun = 1,
    start: Any = None,
    plan: int | None = None,
    time: FakeTime | None = None,
) -> Told:
    time = time or FakeTime()
    script = Script(time)
    platform = Scripted(time, script, runs, listings, trigger, stop, start)
    notes, published = Notes(script), list[Report]()

    def publish(report: Report) -> None:
        published.append(report)
        stop = "" if report.stop is None else f" [stop {'' if report.stop.confirmed else 'not '}confirmed]"
        script.add("=", f"{report.outcome} {int(report.exit_code)}: {report.message}{stop}")
        for link in report.runs:
            result = link.run.result or link.run.status
            script.add("=", f"run {link.run.id} {link.origin} asked {link.requested} polls {link.polls}: {result}")

    story = Story(
        platform,
        policy or Policy(),
        execution_id=execution,
        test_plan_id=plan,
        server_url=SERVER,
        time=time,
        account=notes,
        publish=publish,
    )
    report = story.tell()
    assert published[-1] is report
    return Told(report, platform, notes.lines, published, time, str(script))


FAILED = {1: [listing(1, case(11, F), case(12, P, name=2))]}
CREATED = going(2, parent=1, status="STATUS_CREATED")
STOPPED = StopReply(StopRoute.RUN, 200, 2)
EACH_SECOND = Policy(poll_interval_seconds=1.0)
"""With this a run is looked at once a second: it is known which look comes before a signal."""


def unanswered() -> Cancelled:
    """Make a signal that came while a trigger was out."""
    cancelled = Cancelled(15)
    cancelled.unanswered = True
    return cancelled
