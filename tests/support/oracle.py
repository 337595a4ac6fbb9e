"""What may be said at the end of a history: the three promises, held against the truth."""

from collections import Counter
from typing import Any

from rerun_action.core.model import FreshRun
from tests.support.direct import Told
from tests.support.knowable import has_twins, hides_runs, is_ahead, is_calm, is_mistakable, lies
from tests.support.once import triggers_once
from tests.support.orphans import Orphans
from tests.support.reasons import Reasons
from tests.support.scenarios import PLAN
from tests.support.truth import ROUNDING, Run, Spot, Truth, word
from tests.support.virtual import EPOCH

CODES = {"clean": {0}, "flaky": {0, 6}, "failed": {1}, "declined": {5}, "timed-out": {4}, "error": {3}, "dry-run": {0}}
EARLY = ("error", "timed-out", "cancelled")
WATCH = 30.0
SETTLE = 60.0


def judge(told: Told) -> None:
    """Hold one history against the truth; AssertionError says what is wrong with it."""
    try:
        Oracle(told).judge()
    except AssertionError as error:
        error.add_note(told.text)
        raise


class Oracle:
    """The rules, one method each."""

    def __init__(self, told: Told) -> None:
        self.told = told
        self.world = told.world
        self.policy = told.world.policy
        self.body = told.body
        self.result: str = told.body["result"]
        self.message: str = told.body["message"]
        self.truth = Truth(told)
        self.mistakable = is_mistakable(told)
        self.vague = has_twins(self.world) or hides_runs(told) or is_ahead(self.truth) or self.mistakable
        moving = self.policy.dry_run and told.ended_at > 0  # it doesn't wait for what changes meanwhile
        self.exact = not (self.vague or lies(self.world) or moving)

    def judge(self) -> None:
        self.adds_up()
        self.asks_decently()
        for run_id in self.truth.asked:
            self.asks_exactly(run_id)
        triggers_once(self.told)
        self.reports_what_was_seen()
        orphans = Orphans(self.told, self.truth, mistakable=self.mistakable)
        orphans.judge()
        Reasons(self.told, self.truth, orphans, contradicts=self.contradicts(self.truth.known)).judge()
        if self.result in ("clean", "flaky"):
            self.passes_only_what_passed()
        if self.exact and self.result not in EARLY:
            self.ends_as_the_truth_has_it()
        if is_calm(self.world):
            self.gives_up_only_with_reason()

    # --- the report -----------------------------------------------------------------------------------------------

    def adds_up(self) -> None:
        """The report agrees with itself."""
        body, counts = self.body, Counter(leaf["verdict"] for leaf in self.body["leaves"])
        assert int(self.told.report.exit_code) == body["exit_code"]
        if self.result == "cancelled":
            assert body["exit_code"] == 128 + self.world.signals[0].number
        else:
            assert body["exit_code"] in CODES[self.result]
        assert (body["exit_code"] == 6) == (self.result == "flaky" and self.policy.fail_on_flaky)
        verdicts = ("passed", "flaky", "failed", "unresolved", "quarantined")
        assert {name: body["counts"][name] for name in verdicts} == {name: counts[name] for name in verdicts}
        assert body["counts"]["total"] == len(body["leaves"])
        assert body["counts"]["rerun"] == sum(leaf["rerun"] for leaf in body["leaves"])
        assert "a fault of the action itself" not in self.message
        assert "Traceback" not in self.told.text

    def reports_what_was_seen(self) -> None:
        """Each run and each observation in the report is one that there is, and says what is true of it."""
        if lies(self.world):
            return
        results = {run.id: self.truth.results(run) for run in self.truth.chain}
        true = {
            (result_id, shown): (run_id, self.truth.name(spot))
            for run_id, spots in results.items()
            for spot, (result_id, shown) in spots.items()
        }
        for leaf in self.body["leaves"]:
            for seen in leaf["observations"]:
                key = (seen["result_id"], seen["result"])
                assert key in self.truth.shown, (leaf, "was never shown")
                if key not in true:
                    continue  # it was so for a while, or where another run's rows stand beside
                run_id, name = true[key]
                if not self.vague:
                    assert seen["run_id"] in (None, run_id), (leaf, f"was in run {run_id}")
                assert name[:3] == (leaf["suite"], leaf["case"], leaf["machine"])
                assert leaf["iteration"] in (None, name[3])
        ours = set(self.truth.ours)
        for told in self.body["runs"]:
            run = self.truth.runs[told["run_id"]]
            assert run in self.truth.chain
            mine = told["origin"] in ("triggered", "recovered", "fresh")
            assert mine == (run.id in ours) or self.mistakable, told
            if told["status"] == "STATUS_COMPLETED":
                assert told["result"] == word(run.result(self.truth.now)), told
            if run.id in self.truth.asked and self.exact:
                assert told["requested"] == len(self.truth.covered(run.id)), told
        assert [run["run_id"] for run in self.body["runs"]] == [run.id for run in self.truth.known]

    # --- honest ---------------------------------------------------------------------------------------------------

    def passes_only_what_passed(self) -> None:
        """Every leaf that counts and failed in a run of the chain was seen to pass in a later one."""
        truth = self.truth
        assert truth.known
        assert truth.known[-1].is_final(truth.now)
        assert self.body["leaves"], "exit 0, and nothing was listed"
        unseen = self.twins_unseen()
        for case in range(len(truth.plan.cases)):
            last: dict[Spot, str] = {}
            rows: dict[Spot, str] = {}
            for run in truth.chain:
                results = {spot: seen for spot, seen in truth.results(run).items() if spot.case == case}
                if run not in truth.known:  # another run's listing may have shown what it did
                    results = {spot: seen for spot, seen in results.items() if seen in truth.shown}
                if lies(self.world):  # a failure that was kept from it can't be held against it
                    results = {s: seen for s, seen in results.items() if seen[1] == "SUCCESS" or seen in truth.shown}
                if results:
                    rows = {spot: seen[1] for spot, seen in results.items() if not spot.whole}
                    last |= {spot: seen[1] for spot, seen in results.items()}
            for spot, result in last.items():
                explained = spot.whole and set(rows.values()) != {"SUCCESS"}
                if not truth.in_quarantine(spot) and not explained and truth.name(spot) not in unseen:
                    assert result == "SUCCESS", f"exit 0, but {truth.name(spot)} ended with {result}"

    def twins_unseen(self) -> set[Any]:
        """The names of twins that were not all listed in the first run: nobody can know how many there are."""
        truth = self.truth
        spots = {spot for run in truth.known for spot in truth.results(run)}
        names = Counter((truth.name(spot), spot.whole) for spot in spots)
        first = truth.results(truth.known[0])
        return {truth.name(spot) for spot in spots if names[truth.name(spot), spot.whole] > 1 and spot not in first}

    # --- exact ----------------------------------------------------------------------------------------------------

    def asks_decently(self) -> None:
        """What goes for every request, whatever became of it."""
        told, truth = self.told, self.truth
        changes = [sent for sent in told.sent if sent.method != "GET"]
        if self.policy.dry_run:
            assert not changes
            assert self.result in ("dry-run", *EARLY)
        assert len(truth.asked) <= self.policy.max_reruns
        assert len(truth.ours) - len(truth.asked) <= isinstance(self.world.execution, FreshRun)
        for sent in changes:
            if sent.method == "PUT":
                continue
            assert sent.method == "POST"
            if "isReRun" not in sent.body:
                assert isinstance(self.world.execution, FreshRun)
                continue
            picks = sent.body["testCaseResultRequests"]
            assert picks, "an empty request"
            cases = [truth.case_of[pick["id"]] for pick in picks]
            rows = [truth.row_of[row] for pick in picks for row in pick.get("iterationResultIds", ())]
            if not has_twins(self.world):
                assert len(cases) == len(set(cases))
                assert len(rows) == len(set(rows))

    def asks_exactly(self, run_id: int) -> None:
        """A rerun of ours is attached to the tip, and names each leaf that failed, and nothing else, once."""
        truth = self.truth
        body, at = truth.asked[run_id]
        earlier = truth.before(truth.runs[run_id])
        looks = [sent.at for sent in truth.looks(body["executionResultId"]) if sent.intact and sent.at <= at]
        raced = [run for run in earlier if run.timeline.created_at > EPOCH + max(looks, default=0.0)]
        if lies(self.world) or hides_runs(self.told) or (raced and raced[0].id not in truth.ours):
            return
        assert body["executionId"] == PLAN
        self.has_watched(earlier[-1], at)
        assert body["executionResultId"] == earlier[-1].id, "attached to a run that is not the newest"
        covered = truth.covered(run_id)
        must, may = truth.wanted(earlier, at)
        assert all(run.is_final(EPOCH + at) for run in earlier)
        if has_twins(self.world):
            failing = {spot for run in earlier for spot, (_, shown) in truth.results(run).items() if shown != "SUCCESS"}
            assert all(failing & {spot for spot in covered if spot.case == case} for case in {s.case for s in covered})
        if self.vague:
            return
        for case in {spot.case for spot in covered}:
            failed = [spot for spot in covered if spot.case == case and truth.newest(spot, earlier) != "SUCCESS"]
            assert failed, f"{truth.name(Spot(case))} had not failed"
        assert not self.refused(earlier, at), "a breaker or the limit of ten reruns had to keep it"
        wanted = must | (may & covered)
        assert must <= covered, f"not asked for: {[truth.name(spot) for spot in must - covered]}"
        whole_cases = {spot.case for spot in wanted if spot.row is None or self.policy.iterations.value == "all"}
        expected = {spot for spot in truth.spots(earlier, at) if spot.case in whole_cases} | wanted
        assert covered == expected, f"asked for too much: {[truth.name(spot) for spot in covered - expected]}"
        cases, rows = truth.newest_ids(earlier)
        for pick in body["testCaseResultRequests"]:
            case, ids = truth.case_of[pick["id"]], pick.get("iterationResultIds")
            assert (ids is None) == (case in whole_cases)
            assert pick["id"] == cases[case], f"{pick['id']} is not the newest result id of {truth.name(Spot(case))}"
            for row in ids or ():
                assert row == rows[truth.row_of[row]], f"{row} is not the newest result id of {truth.row_of[row]}"

    def has_watched(self, parent: Run, at: float) -> None:
        """A failed run of a plan that reruns by itself is watched for half a minute before anything is triggered."""
        truth = self.truth
        if truth.plan.rerun_type == "NONE" or parent.result(truth.now) == "SUCCESS":
            return
        looks = [sent.at for sent in truth.looks(parent.id) if parent.is_final(EPOCH + sent.at) and sent.at <= at]
        assert looks, "triggered without a look at the run"
        assert looks[-1] - looks[0] >= WATCH - ROUNDING, "nobody waited for the plan's own rerun"

    # --- the end --------------------------------------------------------------------------------------------------

    def ends_as_the_truth_has_it(self) -> None:
        """The very result, the very counts, the very leaves."""
        truth, at = self.truth, self.told.ended_at
        known = truth.known
        verdicts: list[tuple[Any, ...]] = []
        asked = set().union(*(truth.covered(run_id) for run_id in truth.asked)) if truth.asked else set()
        counted = Counter[str]()
        for spot in truth.spots(known, at):
            verdict = self.verdict(spot, known)
            verdicts.append((*truth.name(spot), verdict, spot in asked))
            counted[verdict] += not truth.in_quarantine(spot)
        leaves = [
            (leaf["suite"], leaf["case"], leaf["machine"], leaf["iteration"], leaf["verdict"], leaf["rerun"])
            for leaf in self.body["leaves"]
        ]
        assert sorted(leaves, key=str) == sorted(verdicts, key=str)
        if self.result == "dry-run":
            return
        for spot in truth.spots(known, at):
            if truth.newest(spot, known) in ("QUEUED", "RUNNING", "UNKNOWN") and not truth.is_lost(spot, known):
                self.has_looked_again(spot, known)
        bad = counted["failed"] + counted["unresolved"]
        stopped = known[-1].id in truth.ours and known[-1].result(truth.now) == "STOPPED"
        must, may = truth.wanted(known, at)
        refused = self.refused(known, at)
        if stopped:
            assert self.result == "failed"
        elif refused and may and (must or self.result == "declined"):
            rounds = any(truth.is_round(run) for run in known)
            assert self.result == ("failed" if rounds else "declined")
        else:
            assert not must, f"not rerun: {[truth.name(spot) for spot in must]}"
            assert self.result == ("failed" if bad else "flaky" if counted["flaky"] else "clean")
        if self.result in ("clean", "flaky"):
            assert not self.contradicts(known), "a failed run explained by nothing"

    def has_looked_again(self, spot: Spot, known: list[Run]) -> None:
        """What is unfinished in a finished run is looked at again for a minute."""
        result_id = next(self.truth.results(run)[spot][0] for run in reversed(known) if spot in self.truth.results(run))
        listed = [
            at
            for at, record in self.truth.records
            if result_id
            in (record["testCaseResultId"], *(row["iterationResultId"] for row in record["iterationResults"]))
        ]
        assert listed, f"{self.truth.name(spot)} was never listed"
        looked = listed[-1] - listed[0]
        assert looked >= SETTLE - ROUNDING, f"{self.truth.name(spot)} was not waited for"

    def verdict(self, spot: Spot, known: list[Run]) -> str:
        truth = self.truth
        last = truth.newest(spot, known)
        if last == "SUCCESS":
            seen = [truth.results(run)[spot] for run in known if spot in truth.results(run)]
            return "flaky" if any(entry[1] != "SUCCESS" and entry in truth.shown for entry in seen) else "passed"
        if truth.in_quarantine(spot):
            return "quarantined"
        unresolved = truth.is_lost(spot, known) or last in ("QUEUED", "RUNNING", "UNKNOWN")
        return "unresolved" if unresolved else "failed"

    def refused(self, known: list[Run], at: float) -> bool:
        """Whether a breaker or the platform's limit of ten reruns keeps us from a (further) rerun."""
        if len(known) > 10:
            return True
        if any(run.id in self.truth.asked for run in known):
            return False
        spots = self.truth.spots(known, at)
        failing = sum(
            self.truth.newest(spot, known) != "SUCCESS" and not self.truth.in_quarantine(spot) for spot in spots
        )
        most, percent = self.policy.max_failures, self.policy.max_failure_percent
        if most is not None and failing > most:
            return True
        return percent is not None and round(1000 * failing) > round(percent * 10) * len(spots)

    def contradicts(self, known: list[Run]) -> bool:
        """Whether the newest run says that it failed, and every leaf has passed."""
        truth = self.truth
        if not known:
            return False
        spots = truth.spots(known, self.told.ended_at)
        failed = word(known[-1].result(truth.now)) != "SUCCESS"
        return failed and all(truth.newest(spot, known) == "SUCCESS" for spot in spots)

    def gives_up_only_with_reason(self) -> None:
        """In a calm world every early end is one that the world has in it."""
        truth, known = self.truth, self.truth.known
        assert self.result != "cancelled"
        execution, plan_id = self.world.execution, self.world.test_plan_id
        unknown = 99 in (execution, getattr(execution, "plan_id", 0))
        other_plan = plan_id not in (None, PLAN)
        refused = [sent for sent in self.told.sent if sent.method == "POST" and sent.started is None]
        if unknown or other_plan:
            dry = self.policy.dry_run and isinstance(execution, FreshRun)
            assert self.result == ("dry-run" if dry else "error")
            assert not truth.ours
        elif self.result == "error":
            empty = not truth.spots(known, self.told.ended_at)
            assert empty or self.contradicts(known) or refused or hides_runs(self.told)
        if refused:
            assert self.result == "error"
            assert unknown or self.vague or "test plan is busy" in self.message
