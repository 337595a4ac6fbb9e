"""What the program talks about: runs, leaves, observations, decisions, verdicts, the report.

A *leaf* is what can pass or fail by itself: a case, or one data row of a data-driven case. A data-driven case that
failed without a failed row is a leaf of its own.
"""

import enum
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal, NamedTuple


class Result(enum.StrEnum):
    """What the platform says of a run, a case or a row (API page, "Values")."""

    SUCCESS = "SUCCESS"
    FAILURE = "FAILURE"
    ABORTED = "ABORTED"
    NOT_EXECUTED = "NOT_EXECUTED"
    STOPPED = "STOPPED"
    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    UNKNOWN = "UNKNOWN"

    @classmethod
    def of(cls, word: object) -> "Result":
        """Return what a word of the platform stands for, in any letter case, synonyms included.

        null is RUNNING, as the platform has it while a run goes; anything that nobody knows is UNKNOWN.
        """
        if word is None:
            return cls.RUNNING
        return _WORDS.get(word.strip().upper(), cls.UNKNOWN) if isinstance(word, str) else cls.UNKNOWN

    @property
    def settled(self) -> bool:
        """Whether it is a known result that a finished run can end with."""
        return self not in _UNSETTLED


_UNSETTLED = frozenset({Result.QUEUED, Result.RUNNING, Result.UNKNOWN})
_WORDS = {result.value: result for result in Result} | {
    "PASSED": Result.SUCCESS,
    "FAILED": Result.FAILURE,
}
FAILING = frozenset({Result.FAILURE, Result.ABORTED, Result.NOT_EXECUTED, Result.STOPPED})


# --- what the platform shows ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Progress:
    """The counters of a run. Hints for a reader, never a reason for a decision (API page, "Values")."""

    total: int | None = None
    passed: int | None = None
    failed: int | None = None

    @property
    def done(self) -> int:
        """How many the counters call finished."""
        return (self.passed or 0) + (self.failed or 0)


@dataclass(frozen=True, slots=True)
class Run:
    """One execution of a test plan, as one look showed it."""

    id: int
    plan_id: int | None
    status: str
    result: Result | None
    parent_id: int | None = None
    child_id: int | None = None
    last_run_id: int | None = None
    """The *plan's* last run, which may be anything."""
    reruns_by_itself: bool = False
    """Whether the plan has a rerun-on-failure of its own (`execution.reRunType`)."""
    started_at: str | None = None
    """ISO-8601, UTC, from the platform."""
    ended_at: str | None = None
    seconds: float | None = None
    """How long it took, from the platform."""
    progress: Progress = Progress()

    @property
    def finished(self) -> bool:
        """Only STATUS_COMPLETED is final; a status that nobody knows is not (API page, "Values")."""
        return self.status == "STATUS_COMPLETED"


class RowResult(NamedTuple):
    """One data row of a data-driven case in a listing."""

    result_id: int
    set_name: str
    result: Result


class CaseResult(NamedTuple):
    """One case of a listing; `rows` is empty unless it is data-driven."""

    result_id: int
    result: Result
    case_id: int
    case: str
    suite_id: int | None
    suite: str
    machine_id: int | None
    machine: str
    rows: tuple[RowResult, ...] = ()


@dataclass(frozen=True, slots=True)
class Listing:
    """The test case results of one run; they may be those of its whole chain of reruns (API page, "Listings")."""

    run_id: int
    plan_id: int | None
    cases: tuple[CaseResult, ...]
    unknown_words: frozenset[str] = frozenset()
    """The result words that nobody knows, as the platform wrote them."""
    named_run_id: int | None = None
    """The run that the listing itself names."""


# --- what is known of a leaf ------------------------------------------------------------------------------------


class Leaf(NamedTuple):
    """What can pass or fail by itself. `iteration` is the name of the data row, None for a case."""

    suite: str
    case: str
    machine: str
    iteration: str | None = None


class Observation(NamedTuple):
    """One result of a leaf, identified by its result id. `run_id` is None where the listings leave it open."""

    run_id: int | None
    result_id: int
    result: Result


# --- what is decided --------------------------------------------------------------------------------------------


class Iterations(enum.StrEnum):
    """How much of a data-driven case is rerun: its failed rows, or the case as a whole."""

    FAILED = "failed"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Pattern:
    """One entry of `include` or `exclude`; `aspect` is the part of a leaf that it looks at."""

    text: str
    """As the user wrote it."""
    aspect: Literal["case", "suite", "machine"]
    glob: str
    """Only `*` and `?` are special; case-sensitive, NFC."""


@dataclass(frozen=True, slots=True)
class QuarantineEntry:
    """A known flake. It matches by exact names (NFC); a part that is None matches any."""

    case: str
    owner: str
    reason: str
    expires: date
    """The last day, UTC, on which it is valid."""
    suite: str | None = None
    machine: str | None = None
    iteration: str | None = None
    line: int = 0
    """Where it stands in the file."""


class OnEnd(enum.StrEnum):
    """What becomes of a run that this process started when it has to go before the run has ended."""

    STOP = "stop"
    LEAVE = "leave"


@dataclass(frozen=True, slots=True)
class Policy:
    """The inputs that decide what happens, by the names that the user knows."""

    rerun_results: frozenset[Result] = FAILING
    iterations: Iterations = Iterations.FAILED
    include: tuple[Pattern, ...] = ()
    exclude: tuple[Pattern, ...] = ()
    max_reruns: int = 1
    max_failures: int | None = None
    max_failure_percent: float | None = None
    rerun_delay_seconds: float = 0.0
    fail_on_flaky: bool = False
    quarantine_file: str | None = None
    timeout_minutes: float = 60.0
    on_timeout: OnEnd = OnEnd.STOP
    on_cancel: OnEnd = OnEnd.STOP
    poll_interval_seconds: float = 60.0
    dry_run: bool = False
    quarantine: tuple[QuarantineEntry, ...] = ()
    """The entries of `quarantine_file`."""
    today: date = date.min
    """The day, UTC, by which entries expire."""

    def by_input_name(self) -> dict[str, object]:
        """Return it as plain JSON values, for the report."""
        return {
            "rerun-results": [result.value for result in Result if result in self.rerun_results],
            "iterations": self.iterations.value,
            "include": [pattern.text for pattern in self.include],
            "exclude": [pattern.text for pattern in self.exclude],
            "max-reruns": self.max_reruns,
            "max-failures": self.max_failures,
            "max-failure-percent": self.max_failure_percent,
            "rerun-delay-seconds": self.rerun_delay_seconds,
            "fail-on-flaky": self.fail_on_flaky,
            "quarantine-file": self.quarantine_file,
            "timeout-minutes": self.timeout_minutes,
            "on-timeout": self.on_timeout.value,
            "on-cancel": self.on_cancel.value,
            "poll-interval-seconds": self.poll_interval_seconds,
            "dry-run": self.dry_run,
        }


class Decision(NamedTuple):
    """Whether a leaf is rerun now, and why or why not."""

    rerun: bool
    reason: str


class Pick(NamedTuple):
    """One entry of the trigger's `testCaseResultRequests`; without rows it asks for the whole case."""

    case_result_id: int
    iteration_result_ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class RerunRequest:
    """What one trigger asks for. The numbers are positions in `Ledger.histories`."""

    picks: tuple[Pick, ...]
    wanted: tuple[int, ...]
    """The leaves that have to be seen again."""
    covered: tuple[int, ...]
    """All leaves that will run: the wanted ones, and their sibling rows where the whole case is asked for."""


@dataclass(frozen=True, slots=True)
class FreshRun:
    """A new run of a whole test plan (API page, "Trigger a rerun", last line)."""

    plan_id: int
    build_no: str | None = None
    runtime_data: Mapping[str, str] = field(default_factory=dict)


# --- what came of it --------------------------------------------------------------------------------------------


class Verdict(enum.StrEnum):
    """The verdict of one leaf (interface page, "What it writes")."""

    PASSED = "passed"
    FLAKY = "flaky"
    FAILED = "failed"
    UNRESOLVED = "unresolved"
    QUARANTINED = "quarantined"


PASSES = (Verdict.PASSED, Verdict.FLAKY)
WORST_FIRST = (Verdict.FAILED, Verdict.UNRESOLVED, Verdict.FLAKY, Verdict.QUARANTINED, Verdict.PASSED)
"""The order in which a reader wants to hear of them."""


class Outcome(enum.StrEnum):
    """The result of the whole step (interface page, "Result and exit code")."""

    CLEAN = "clean"
    FLAKY = "flaky"
    FAILED = "failed"
    DECLINED = "declined"
    TIMED_OUT = "timed-out"
    CANCELLED = "cancelled"
    ERROR = "error"
    DRY_RUN = "dry-run"


class Origin(enum.StrEnum):
    """How a run of the chain came to be."""

    EXECUTION = "execution"
    FRESH = "fresh"
    TRIGGERED = "triggered"
    RECOVERED = "recovered"
    FOUND = "found"


OURS = (Origin.FRESH, Origin.TRIGGERED, Origin.RECOVERED)
"""Runs that this process started; only these may be stopped."""


class StopRoute(enum.StrEnum):
    """Which form of the stop call was sent last: with the run's id in the path, or the documented one without."""

    RUN = "run"
    COLLECTION = "collection"


class LeafReport(NamedTuple):
    """A leaf with its verdict and all that was seen of it."""

    leaf: Leaf
    verdict: Verdict
    reason: str
    rerun: bool
    observations: tuple[Observation, ...]
    counts: bool = True
    """Whether it has a say in the outcome: one in quarantine has not."""


@dataclass(frozen=True, slots=True)
class RunReport:
    """A run of the chain; `requested` is a number of leaves, `polls` how often its state was asked for."""

    run: Run
    origin: Origin
    requested: int | None
    polls: int


@dataclass(frozen=True, slots=True)
class StopReply:
    """How the platform took a stop request."""

    route: StopRoute
    status: int | None
    """HTTP status of the last stop request."""
    stopped_id: int | None = None
    """The run that the platform says it stopped."""
    refusal: str | None = None


@dataclass(frozen=True, slots=True)
class StopReport:
    """What became of a stop; `status` is the HTTP status of the last stop request, None without an answer."""

    run_id: int
    route: StopRoute
    status: int | None
    confirmed: bool


@dataclass(frozen=True, slots=True)
class Report:
    """All that one invocation has to say; every renderer is a function of it."""

    outcome: Outcome
    exit_code: int
    message: str
    execution_id: int | str | None = None
    """As it was given: a number, or `new`."""
    server_url: str | None = None
    policy: Policy | None = None
    test_plan_id: int | None = None
    """The plan that the platform names."""
    runs: tuple[RunReport, ...] = ()
    stop: StopReport | None = None
    leaves: tuple[LeafReport, ...] = ()
    faults: tuple[str, ...] = ()
    """What is wrong with the inputs, one by one, where that is why it ended; `message` has them all in one line."""

    @property
    def newest(self) -> Run | None:
        """The newest run of the chain."""
        return self.runs[-1].run if self.runs else None

    @property
    def run_url(self) -> str | None:
        """Where a person can look at the newest run."""
        return run_url(self.server_url, self.newest.id) if self.server_url and self.newest else None

    def counts(self) -> Mapping[str, int]:
        """Count leaves: the five verdicts add up to `total`; `rerun` are those asked for at least once."""
        verdicts = Counter(leaf.verdict for leaf in self.leaves)
        return {
            "total": len(self.leaves),
            **{verdict.value: verdicts[verdict] for verdict in Verdict},
            "rerun": sum(leaf.rerun for leaf in self.leaves),
        }


def run_url(server_url: str, run_id: int) -> str:
    """Return the page of a run in Testsigma's own user interface."""
    return f"{server_url}/ui/td/runs/{run_id}"
