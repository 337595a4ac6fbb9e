"""What really happened in one history, read from the platform's own books and never from what the client made of it."""

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from rerun_action.core.model import FreshRun, Policy, QuarantineEntry
from rerun_action.simulator import Platform
from tests.support.direct import Sent, Told
from tests.support.scenarios import PLAN
from tests.support.virtual import EPOCH

Run = Any
"""The simulator's own record of a run."""
ROUNDING = 1e-6
"""Times are sums of pauses: half a minute of them may be 29.999999999999986."""
FAILED = frozenset({"FAILURE", "ABORTED", "NOT_EXECUTED", "STOPPED"})


class Spot(NamedTuple):
    """A leaf by its place in the plan: a plain case, a data row, or a data-driven case as a whole."""

    case: int
    row: int | None = None
    whole: bool = False


def word(shown: object) -> str:
    """The platform's word for a result, as the API page has it."""
    known = {"None": "RUNNING", "FAILED": "FAILURE"} | {
        name: name for name in ("SUCCESS", "QUEUED", "RUNNING", *FAILED)
    }
    return known.get(str(shown), "UNKNOWN")


class Truth:
    """The books of one history."""

    def __init__(self, told: Told) -> None:
        self.told = told
        self.platform: Platform = told.platform
        self.policy: Policy = told.world.policy
        self.sent: list[Sent] = told.sent
        self.now = EPOCH + told.ended_at
        self.runs: dict[int, Run] = {run.id: run for run in told.platform.runs}
        self.plan = next(plan for plan in told.world.scenario.plans if plan.id == PLAN)
        others = {*told.others.started, *self._strays()}
        self.ours = [run_id for run_id in told.platform.started if run_id not in others]
        """What this client's POSTs started."""
        self._results: dict[int, dict[Spot, tuple[int, str]]] = {}
        self._wants: dict[int, set[Spot]] = {}

    def _strays(self) -> Iterator[int | None]:
        """Runs of triggers that a gateway gave up, and that arrived when the second one had long started a run.

        Nobody can have known; from there on such a run is like somebody else's.
        """
        for late in self.sent:
            if late.is_late and any(
                sent.started and sent.body == late.body and sent.at < late.at for sent in self.sent if not sent.is_late
            ):
                yield late.started

    # --- runs ----------------------------------------------------------------------------------------------------

    @cached_property
    def chain(self) -> list[Run]:
        """All runs of the given execution's chain, or of the fresh run's; empty where there is none."""
        given = self.told.world.execution
        if not isinstance(given, FreshRun):
            return self.runs[given].chain() if given in self.runs else []
        return self.runs[self.ours[0]].chain() if self.ours else []

    @cached_property
    def known(self) -> list[Run]:
        """The runs of the chain that the report has."""
        told = {run["run_id"] for run in self.told.body["runs"]}
        return [run for run in self.chain if run.id in told]

    def live(self, at: float) -> list[Run]:
        """The runs of the plan that were going on at a moment."""
        runs = [run for run in self.runs.values() if run.plan.id == PLAN]
        return [run for run in runs if run.timeline.created_at <= EPOCH + at and not run.is_final(EPOCH + at)]

    def before(self, run: Run) -> list[Run]:
        """The runs of the chain before this one."""
        return self.chain[: self.chain.index(run)]

    def is_round(self, run: Run) -> bool:
        """Whether this step triggered or waited for the rerun."""
        if run.parent is None:
            return False
        first = next((sent for sent in self.looks(run.id) if sent.intact), None)
        going = first is not None and run.ends_at > EPOCH + first.at
        return run.id in self.ours or run.timeline.created_at > EPOCH + self.arrival or going

    @cached_property
    def arrival(self) -> float:
        """When the client had looked at what was there before it came."""
        if isinstance(self.told.world.execution, FreshRun):
            return 0.0
        listed = next((place for place, sent in enumerate(self.sent) if sent.is_listing), 0)
        looks = [sent for sent in self.sent[:listed] if sent.is_look and sent.intact]
        done = all(isinstance(look.right.body, dict) and look.right.body["endTime"] for look in looks)
        return self.sent[listed].at if done and looks else next((sent.at for sent in self.sent if sent.intact), 0.0)

    def looks(self, run_id: int) -> Iterator[Sent]:
        """The requests that asked for the state of a run."""
        return (sent for sent in self.sent if sent.is_look and sent.run == run_id)

    # --- leaves --------------------------------------------------------------------------------------------------

    def results(self, run: Run) -> dict[Spot, tuple[int, str]]:
        """Result id and result of each leaf that a run shows, whole data-driven cases included."""
        if run.id in self._results:
            return self._results[run.id]
        found: dict[Spot, tuple[int, str]] = {}
        for case in run.cases:
            if case.listed:
                for leaf in case.leaves:
                    found[Spot(case.case, leaf.row)] = leaf.result_id, word(run.leaf_result(leaf, self.now))
                if self.plan.cases[case.case].rows:
                    found[Spot(case.case, whole=True)] = case.result_id, word(run.case_result(case, self.now))
        self._results[run.id] = found
        return found

    @cached_property
    def case_of(self) -> dict[int, int]:
        """The place in the plan of each case result."""
        return {case.result_id: case.case for run in self.chain for case in run.cases}

    @cached_property
    def row_of(self) -> dict[int, Spot]:
        """The leaf of each iteration result."""
        return {
            leaf.result_id: Spot(case.case, leaf.row)
            for run in self.chain
            for case in run.cases
            for leaf in case.leaves
            if leaf.row is not None
        }

    @cached_property
    def records(self) -> list[tuple[float, dict[str, Any]]]:
        """Every case record that came back intact in a listing, and when."""
        return [
            (sent.at, record)
            for sent in self.sent
            if sent.is_listing and sent.intact and isinstance(sent.right.body, dict)
            for record in sent.right.body.get("testCases", ())
            if record["testCaseResultId"] in self.case_of
        ]

    @cached_property
    def shown(self) -> set[tuple[int, str]]:
        """All results that a listing has shown, by result id."""
        shown = set()
        for _, record in self.records:
            shown.add((record["testCaseResultId"], word(record["result"])))
            for row in record["iterationResults"]:
                shown.add((row["iterationResultId"], word(row["result"])))
        return shown

    def spots(self, runs: Sequence[Run], at: float) -> list[Spot]:
        """The leaves of these runs, as far as they were to be known at a moment.

        A data-driven case is a leaf of its own once it was shown failed without a failed row.
        """
        wholes = {self.case_of[result_id] for shown_at, result_id in self.unexplained if shown_at <= at}
        found = {spot for run in runs for spot in self.results(run)}
        return sorted((spot for spot in found if not spot.whole or spot.case in wholes), key=str)

    @cached_property
    def unexplained(self) -> list[tuple[float, int]]:
        """When which case result was shown failed without a failed row."""
        found, explained = [], set()
        for at, record in self.records:
            result_id = int(record["testCaseResultId"])
            rows = {word(row["result"]) for row in record["iterationResults"]}
            if rows & FAILED:
                explained.add(result_id)
            if rows == {"SUCCESS"} and word(record["result"]) != "SUCCESS" and result_id not in explained:
                found.append((at, result_id))
        return found

    def newest(self, spot: Spot, runs: Sequence[Run]) -> str:
        """The last true result of a leaf in these runs."""
        return next(word for run in reversed(runs) if (word := self.results(run).get(spot, (0, ""))[1]))

    def newest_ids(self, runs: Sequence[Run]) -> tuple[dict[int, int], dict[Spot, int]]:
        """The last result id of each case, by its place in the plan, and of each leaf."""
        cases = {case.case: case.result_id for run in runs for case in run.cases if case.listed}
        return cases, {spot: result_id for run in runs for spot, (result_id, _) in self.results(run).items()}

    def name(self, spot: Spot) -> tuple[str, str, str, str | None]:
        """Suite, case, machine and row, as a report names them."""
        case = self.plan.cases[spot.case]
        return case.suite.name, case.name, case.machine.title, None if spot.row is None else case.rows[spot.row].set

    # --- what the inputs say of a leaf --------------------------------------------------------------------------

    def in_quarantine(self, spot: Spot) -> bool:
        valid = [entry for entry in self.policy.quarantine if entry.expires >= self.policy.today]
        return any(_is_about(entry, *self.name(spot)) for entry in valid)

    def left_out(self, spot: Spot) -> bool:
        suite, case, machine, _ = self.name(spot)
        names = {"suite": suite, "case": case, "machine": machine}

        def fits(patterns: Iterable[Any]) -> bool:
            return any(
                names[pattern.aspect].startswith(pattern.glob[:-1])
                if pattern.glob.endswith("*")
                else names[pattern.aspect] == pattern.glob
                for pattern in patterns
            )

        return fits(self.policy.exclude) or bool(self.policy.include and not fits(self.policy.include))

    # --- what was asked for -------------------------------------------------------------------------------------

    @cached_property
    def asked(self) -> dict[int, tuple[dict[str, Any], float]]:
        """For each rerun that we started, the body of the request and when it arrived."""
        triggers = [sent for sent in self.sent if sent.started in self.ours and sent.is_rerun]
        return {sent.started: (sent.body, sent.at) for sent in triggers if sent.started is not None}

    def covered(self, run_id: int) -> set[Spot]:
        """The leaves that a rerun of ours was to run again."""
        body, at = self.asked[run_id]
        spots: set[Spot] = set()
        for pick in body["testCaseResultRequests"]:
            if "iterationResultIds" in pick:
                spots |= {self.row_of[row] for row in pick["iterationResultIds"]}
            else:
                known = self.spots(self.before(self.runs[run_id]), at)
                spots |= {spot for spot in known if spot.case == self.case_of[pick["id"]]}
        return spots

    def wanted(self, runs: Sequence[Run], at: float) -> tuple[set[Spot], set[Spot]]:
        """The leaves that have to be asked for after these runs, and those that may be.

        What may be: where listings merge runs that were there before, nobody can tell in which of them a result was.
        """
        earlier = [run.id for run in runs if run.id in self.asked]
        must: set[Spot] = set()
        may: set[Spot] = set()
        if len(earlier) >= self.policy.max_reruns:
            return must, may
        rounds = [run for run in runs if self.is_round(run)]
        vague = self.told.world.scenario.habit != "own" and any(run.id not in self.asked for run in rounds)
        for spot in self.spots(runs, at):
            if self.newest(spot, runs) not in self.policy.rerun_results or self.in_quarantine(spot):
                continue
            if self.left_out(spot) or self.is_lost(spot, runs):
                continue
            times = sum(spot in self.results(run) for run in rounds if not spot.whole or self.is_leaf_in(spot, run))
            if times < self.policy.max_reruns:
                (may if vague and times == self.policy.max_reruns - 1 else must).add(spot)
        return must, may | must

    def is_leaf_in(self, whole: Spot, run: Run) -> bool:
        """Whether a case was a leaf of its own in a run, or had become one before."""
        results = {result_id for _, result_id in self.unexplained}
        until = self.chain[: self.chain.index(run) + 1]
        return any(self.results(each).get(whole, (0, ""))[0] in results for each in until)

    def is_lost(self, spot: Spot, runs: Sequence[Run]) -> bool:
        """Whether it was asked for and has not been seen since."""
        asked = [place for place, run in enumerate(runs) if run.id in self.asked and spot in self._wanted_of(run)]
        return bool(asked) and not any(spot in self.results(run) for run in runs[asked[-1] :])

    def _wanted_of(self, run: Run) -> set[Spot]:
        if run.id not in self._wants:
            self._wants[run.id] = self.wanted(self.before(run), self.asked[run.id][1])[1] & self.covered(run.id)
        return self._wants[run.id]


def _is_about(entry: QuarantineEntry, suite: str, case: str, machine: str, row: str | None) -> bool:
    return (
        entry.case == case
        and entry.suite in (None, suite)
        and entry.machine in (None, machine)
        and (entry.iteration is None or entry.iteration == row)
    )
