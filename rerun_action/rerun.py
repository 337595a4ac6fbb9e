"""The story: read the chain, decide, trigger, wait, read again, judge; and whatever happens, leave nothing behind."""

from collections import Counter
from collections.abc import Callable

from rerun_action.core import policy as policies
from rerun_action.core import verdict as verdicts
from rerun_action.core.model import (
    PASSES,
    Decision,
    FreshRun,
    LeafReport,
    Origin,
    Outcome,
    Policy,
    QuarantineEntry,
    Report,
    RerunRequest,
    Result,
    RunReport,
    StopReport,
    Verdict,
)
from rerun_action.ending import Ending
from rerun_action.errors import EXIT_CODES, ActionError, Cancelled, Contradiction, ExitCode, InternalError
from rerun_action.ports import Account, Platform, Time
from rerun_action.scene import Scene
from rerun_action.trigger import Trigger


class Story:
    """One invocation. Call `tell` once."""

    def __init__(
        self,
        platform: Platform,
        policy: Policy,
        *,
        execution_id: int | FreshRun,
        test_plan_id: int | None,
        server_url: str,
        time: Time,
        account: Account,
        publish: Callable[[Report], None],
    ) -> None:
        self._fresh = execution_id if isinstance(execution_id, FreshRun) else None
        self._policy = policy
        self._publish = publish
        self._scene = Scene(
            platform,
            policy,
            execution_id="new" if isinstance(execution_id, FreshRun) else execution_id,
            test_plan_id=test_plan_id,
            server_url=server_url,
            time=time,
            account=account,
        )
        self._trigger = Trigger(self._scene)
        self._decisions: tuple[Decision, ...] = ()

    def tell(self) -> Report:
        """Tell the story to its end, whatever that is; the report has been published when this returns."""
        try:
            outcome, message = self._live()
        except ActionError as ending:
            return self._end_early(self._cancelled_meanwhile(ending) or ending)
        except Exception as fault:  # noqa: BLE001 - whatever it is, a run that we started must not go on
            self._scene.account.crashed(fault)
            return self._end_early(InternalError(f"a fault of the action itself ({type(fault).__name__})"))
        flaky = outcome is Outcome.FLAKY and self._policy.fail_on_flaky
        report = self._report(outcome, ExitCode.FLAKY if flaky else EXIT_CODES[outcome], message)
        self._publish(report)
        return report

    def _cancelled_meanwhile(self, ending: ActionError) -> Cancelled | None:
        """The first signal decides, even if the call that it interrupted came back with an error of its own."""
        try:
            self._scene.time.sleep(0)
        except Cancelled as cancelled:
            cancelled.message = f"{cancelled.message} ({ending.message})"
            return cancelled
        return None

    # --- the story ------------------------------------------------------------------------------------------------

    def _live(self) -> tuple[Outcome, str]:
        if self._policy.dry_run and self._fresh is not None:
            plan = self._fresh.plan_id
            return Outcome.DRY_RUN, f"would start a fresh run of test plan {plan}, then rerun its failures"
        self._gather()
        given = self._scene.chain.root.run
        if self._fresh is not None and given.result is Result.STOPPED:
            return Outcome.FAILED, f"somebody else stopped run {given.id}; {self._verdict()[1]}"
        for text in policies.warnings(self._scene.ledger, self._policy):
            self._scene.account.warning(text)
        rounds = 0
        while True:
            request, refusal = self._decide(rounds)
            if self._policy.dry_run:
                return Outcome.DRY_RUN, self._preview(request, refusal)
            if refusal is not None:
                return self._declined(refusal)
            if self._somebody_was_faster(request):
                continue
            if not request.picks:
                return self._verdict()
            rerun = self._trigger.rerun(request)
            rounds += 1
            self._scene.follow(rerun)
            if rerun.run.result is Result.STOPPED:
                return Outcome.FAILED, f"somebody else stopped rerun {rerun.run.id}; {self._verdict()[1]}"

    def _somebody_was_faster(self, request: RerunRequest) -> bool:
        """Look for a rerun that came meanwhile: before one is triggered, and where it may explain what is unsettled."""
        if request.picks:
            self._scene.pause(self._policy.rerun_delay_seconds, "during rerun-delay-seconds")
        elif not self._scene.ledger.unsettled_runs():
            return False
        return self._scene.take_in_flight()

    def _gather(self) -> None:
        if self._fresh is not None:
            self._scene.chain.begin(self._trigger.start(self._fresh), Origin.FRESH)
        else:
            self._scene.chain.begin(self._scene.look_at_given(), Origin.EXECUTION)
        self._scene.gather()

    def _decide(self, rounds: int) -> tuple[RerunRequest, str | None]:
        """Return what to ask for, and why it may not be asked for."""
        if self._scene.chain.newest.run.finished:
            self._refuse_contradiction()
        self._decisions = policies.decide(
            self._scene.ledger,
            self._policy,
            self._quarantine(),
            self._scene.chain.rounds,
            rounds_left=self._policy.max_reruns - rounds,
        )
        request = policies.request(self._scene.ledger, self._decisions, self._policy)
        refusal = self._refusal(rounds) if request.picks else None
        if refusal is not None:
            self._decisions = policies.declined(self._decisions)
        if request.picks or not rounds:
            self._tell_decisions(rounds + 1, refusal)
        return request, refusal

    def _tell_decisions(self, round_no: int, refusal: str | None) -> None:
        leaves = self._judge_opened()
        counts = Counter(leaf.verdict for leaf in leaves.values())
        counts[Verdict.PASSED] += len(self._scene.ledger) - len(leaves)
        unpassed = [(leaf, self._decisions[number]) for number, leaf in leaves.items() if leaf.verdict not in PASSES]
        self._scene.account.decided(counts, unpassed, round_no, refusal)

    def _refusal(self, rounds: int) -> str | None:
        reruns = len(self._scene.chain) - 1
        if rounds:
            return policies.limit_reached(reruns)
        return policies.refusal(self._scene.ledger, self._policy, self._quarantine(), reruns)

    def _declined(self, refusal: str) -> tuple[Outcome, str]:
        """Nothing is rerun any more: that is `declined` only if this step had nothing to do with a rerun before."""
        if not self._scene.chain.rounds:
            return Outcome.DECLINED, refusal
        return Outcome.FAILED, f"{self._verdict()[1]}. No further rerun: {refusal}"

    def _preview(self, request: RerunRequest, refusal: str | None) -> str:
        payload: str | None = None
        if request.picks and refusal is None and self._scene.chain.plan_id is not None:
            payload = self._scene.platform.preview(self._scene.chain.plan_id, self._scene.chain.newest.run.id, request)
        self._scene.account.previewed(self._judge(), self._decisions, payload)
        if refusal is not None:
            return f"would decline: {refusal}"
        if not request.picks:
            return f"would rerun nothing: {self._verdict()[1]}"
        return f"would rerun {len(request.covered)} of {len(self._scene.ledger)} tests"

    def _verdict(self) -> tuple[Outcome, str]:
        leaves = self._judge_opened().values()
        outcome = verdicts.outcome(leaves)
        return outcome, verdicts.message(outcome, leaves, len(self._scene.ledger) - len(leaves))

    def _judge_opened(self) -> dict[int, LeafReport]:
        return verdicts.judge_opened(self._scene.ledger, self._decisions, self._quarantine())

    def _judge(self) -> tuple[LeafReport, ...]:
        return verdicts.judge(self._scene.ledger, self._decisions, self._quarantine(), dry_run=self._policy.dry_run)

    def _quarantine(self) -> tuple[QuarantineEntry | None, ...]:
        return policies.quarantine(self._scene.ledger, self._policy)

    def _refuse_contradiction(self) -> None:
        while contradiction := verdicts.contradiction(self._scene.chain.newest.run, self._scene.ledger):
            if not self._policy.dry_run and self._scene.take_in_flight():
                continue  # a rerun that came in the meantime may explain it
            raise Contradiction(f"{contradiction}. Look at {self._scene.url(self._scene.chain.newest.run)}")

    # --- the end --------------------------------------------------------------------------------------------------

    def _end_early(self, cause: ActionError) -> Report:
        ending = Ending(self._scene, self._trigger, cause, lambda message: self._publish(report(message)))

        def report(message: str) -> Report:
            return self._report(Outcome(cause.result), cause.exit_code, message, ending.stop)

        last = report(ending.bring_about())
        self._publish(last)
        return last

    def _report(self, outcome: Outcome, exit_code: int, message: str, stop: StopReport | None = None) -> Report:
        return Report(
            outcome=outcome,
            exit_code=exit_code,
            message=message,
            execution_id=self._scene.execution_id,
            server_url=self._scene.server_url,
            policy=self._policy,
            test_plan_id=self._scene.chain.plan_id,
            runs=tuple(RunReport(link.run, link.origin, link.requested, link.polls) for link in self._scene.chain),
            stop=stop,
            leaves=self._judge(),
        )
