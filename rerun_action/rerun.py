"""The story: read the chain, decide, trigger once, wait, read again, judge; and whatever happens, leave nothing behind.

It knows the platform, the time and the account only as the protocols below.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

from rerun_action.chain import Chain, Link
from rerun_action.core import policy as policies
from rerun_action.core import verdict as verdicts
from rerun_action.core.ledger import Ledger
from rerun_action.core.model import (
    Decision,
    FreshRun,
    LeafReport,
    Listing,
    OnEnd,
    Origin,
    Outcome,
    Policy,
    QuarantineEntry,
    Report,
    RerunRequest,
    Result,
    Run,
    RunReport,
    StopReply,
    StopReport,
    StopRoute,
    run_url,
)
from rerun_action.core.pace import pauses
from rerun_action.errors import (
    EXIT_CODES,
    ActionError,
    Cancelled,
    Contradiction,
    DeadlinePassed,
    EndAtOnce,
    ExitCode,
    InternalError,
    NotFound,
    Unclear,
    Unreachable,
)

SETTLE_SECONDS = 60.0
"""How long unfinished or unknown values of a finished run are looked at again."""
RECOVER_SECONDS = 30.0
"""How long a rerun is looked for after an unclear trigger."""
WATCH_SECONDS = 30.0
"""How long a failed run is watched for the plan's own rerun of it."""
UNKNOWN_SECONDS = 30.0
"""How long a run that was just started may be unknown to a part of the platform."""
FRESH_SECONDS = 2.0
"""What was seen this long ago still holds."""
OURS = (Origin.FRESH, Origin.TRIGGERED, Origin.RECOVERED)
"""Only these may be stopped."""
STOP_SECONDS = 30.0
"""How long a stop and its confirmation may take, beyond the deadline too."""


class Platform(Protocol):
    """Testsigma. Every `until` is a time on the clock that the story was given."""

    def run(self, run_id: int, until: float) -> Run: ...  # noqa: D102
    def listing(self, run_id: int, until: float) -> Listing: ...  # noqa: D102
    def start(self, fresh: FreshRun, until: float) -> Run: ...  # noqa: D102
    def preview(self, plan_id: int, parent_id: int, request: RerunRequest) -> str: ...  # noqa: D102
    def trigger(self, plan_id: int, parent_id: int, request: RerunRequest, until: float) -> Run: ...  # noqa: D102
    def stop(self, run_id: int, until: float, sent: Callable[[], None]) -> StopReply: ...  # noqa: D102


class Time(Protocol):
    """Clock and sleep, in seconds. After `ending` no signal cancels; after `stop_sent` another one ends at once."""

    def now(self) -> float: ...  # noqa: D102
    def sleep(self, seconds: float) -> None: ...  # noqa: D102
    def ending(self) -> None: ...  # noqa: D102
    def stop_sent(self) -> None: ...  # noqa: D102


class Account(Protocol):
    """What a person reads while it happens."""

    def note(self, text: str) -> None: ...  # noqa: D102
    def warning(self, text: str) -> None: ...  # noqa: D102
    def crashed(self, fault: Exception) -> None: ...  # noqa: D102
    def state(self, run: Run, origin: Origin) -> None: ...  # noqa: D102
    def decided(self, leaves: Sequence[LeafReport], decisions: Sequence[Decision], round_no: int) -> None: ...  # noqa: D102
    def previewed(self, leaves: Sequence[LeafReport], decisions: Sequence[Decision], payload: str | None) -> None: ...  # noqa: D102
    def triggered(self, run: Run, requested: int, url: str) -> None: ...  # noqa: D102


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
        self._platform = platform
        self._policy = policy
        self._fresh = execution_id if isinstance(execution_id, FreshRun) else None
        self._execution_id: int | str = "new" if isinstance(execution_id, FreshRun) else execution_id
        self._test_plan_id = test_plan_id
        self._server_url = server_url
        self._time = time
        self._account = account
        self._publish = publish
        self._deadline = time.now() + policy.timeout_minutes * 60
        self._look_until = self._deadline
        self._chain = Chain(self._look_at)
        self._ledger = Ledger()
        self._decisions: tuple[Decision, ...] = ()
        self._stop: StopReport | None = None
        self._stop_reported = False
        self._in_doubt: RerunRequest | None = None
        """What was asked for by a trigger that has not been answered."""
        self._looked_at = time.now()
        """When a run was looked at last."""

    def tell(self) -> Report:
        """Tell the story to its end, whatever that is; the report has been published when this returns."""
        try:
            outcome, message = self._live()
        except ActionError as ending:
            return self._end_early(self._cancelled_meanwhile(ending) or ending)
        except Exception as fault:  # noqa: BLE001 - whatever it is, a run that we started must not go on
            self._account.crashed(fault)
            return self._end_early(InternalError(f"a fault of the action itself ({type(fault).__name__})"))
        flaky = outcome is Outcome.FLAKY and self._policy.fail_on_flaky
        report = self._report(outcome, ExitCode.FLAKY if flaky else EXIT_CODES[outcome], message)
        self._publish(report)
        return report

    def _cancelled_meanwhile(self, ending: ActionError) -> Cancelled | None:
        """The first signal decides, even if the call that it interrupted came back with an error of its own."""
        try:
            self._time.sleep(0)
        except Cancelled as cancelled:
            cancelled.message = f"{cancelled.message} ({ending.message})"
            return cancelled
        return None

    # --- the story ------------------------------------------------------------------------------------------------

    def _live(self) -> tuple[Outcome, str]:
        if self._policy.dry_run and self._fresh is not None:
            return (
                Outcome.DRY_RUN,
                f"would start a fresh run of test plan {self._fresh.plan_id}, then rerun its failures",
            )
        self._gather()
        for text in (*policies.stale_entries(self._ledger, self._policy), *policies.hints(self._ledger)):
            self._account.warning(text)
        rounds = 0
        while True:
            request = self._decide(rounds)
            refusal = self._refusal(rounds) if request.picks else None
            if self._policy.dry_run:
                return Outcome.DRY_RUN, self._preview(request, refusal)
            if refusal is not None:
                return self._declined(refusal)
            if not request.picks:
                return self._verdict()
            self._pause(self._policy.rerun_delay_seconds, "during rerun-delay-seconds")
            if self._take_in_flight():
                continue
            rerun = self._trigger(request)
            rounds += 1
            self._follow(rerun)
            if rerun.run.result is Result.STOPPED:
                return Outcome.FAILED, f"somebody else stopped rerun {rerun.run.id}; {self._verdict()[1]}"

    def _decide(self, rounds: int) -> RerunRequest:
        if self._chain.newest.run.finished:
            self._refuse_contradiction()
        reruns = {link.run.id for link in self._chain if link.origin not in (Origin.EXECUTION, Origin.FRESH)}
        self._decisions = policies.decide(
            self._ledger, self._policy, self._quarantine(), reruns, rounds_left=self._policy.max_reruns - rounds
        )
        request = policies.request(self._ledger, self._decisions, self._policy)
        if request.picks or not rounds:
            self._account.decided(self._judge(), self._decisions, rounds + 1)
        return request

    def _refusal(self, rounds: int) -> str | None:
        reruns = len(self._chain) - 1
        if rounds:
            return policies.limit_reached(reruns)
        return policies.refusal(self._ledger, self._policy, self._quarantine(), reruns)

    def _declined(self, refusal: str) -> tuple[Outcome, str]:
        """Nothing is rerun any more: that is `declined` only if this step had nothing to do with a rerun before."""
        if all(link.origin in (Origin.EXECUTION, Origin.FRESH) for link in self._chain):
            return Outcome.DECLINED, refusal
        return Outcome.FAILED, f"{self._verdict()[1]}. No further rerun: {refusal}"

    def _preview(self, request: RerunRequest, refusal: str | None) -> str:
        payload: str | None = None
        if request.picks and self._chain.plan_id is not None:
            payload = self._platform.preview(self._chain.plan_id, self._chain.newest.run.id, request)
        self._account.previewed(self._judge(), self._decisions, payload)
        if refusal is not None:
            return f"would decline: {refusal}"
        if not request.picks:
            return f"would rerun nothing: {self._verdict()[1]}"
        return f"would rerun {len(request.covered)} of {len(self._ledger.histories)} tests"

    def _follow(self, rerun: Link) -> None:
        """Wait for a rerun and take in what it did."""
        self._wait(rerun)
        self._read([rerun])
        merged = any(history.unseen for history in self._ledger.histories)
        if merged:
            self._read_consolidated()
        self._settle([rerun], merged=merged)

    def _verdict(self) -> tuple[Outcome, str]:
        leaves = self._judge()
        outcome = verdicts.outcome(leaves)
        return outcome, verdicts.message(outcome, leaves)

    def _judge(self) -> tuple[LeafReport, ...]:
        return verdicts.judge(self._ledger, self._decisions, self._quarantine())

    def _quarantine(self) -> tuple[QuarantineEntry | None, ...]:
        return policies.quarantine(self._ledger, self._policy)

    def _refuse_contradiction(self) -> None:
        contradiction = verdicts.contradiction(self._chain.newest.run, self._ledger)
        if contradiction:
            raise Contradiction(f"{contradiction}. Look at {self._url(self._chain.newest.run)}")

    # --- the chain ------------------------------------------------------------------------------------------------

    def _gather(self) -> None:
        """Read the whole chain, up to its root and down to its tip; wait for what is still going."""
        if self._fresh is not None:
            self._chain.begin(self._start(self._fresh), Origin.FRESH)
        else:
            self._chain.begin(self._look_at_given(), Origin.EXECUTION)
        if self._policy.dry_run:
            self._chain.descend(arriving=True)
            self._read([*self._chain])
            return
        for link in self._chain:
            self._wait(link)
        self._chain.descend(arriving=True)
        self._read_all()
        self._settle([*self._chain])

    def _read_all(self) -> None:
        """Read the listings that are not in the ledger yet, and wait for reruns that are still going."""
        grown = True
        while grown:
            self._read([link for link in self._chain if link.run.finished and not link.listed])
            newest = self._chain.newest
            if not newest.run.finished:
                self._account.note(f"rerun {newest.run.id} of this execution is still going: waiting for it first")
                self._wait(newest)
            else:
                grown = False
            grown = self._chain.descend() or grown

    def _take_in_flight(self) -> bool:
        """Look for a rerun that somebody else started in the meantime; wait for it and read it.

        A plan may rerun its failures by itself, within seconds of the end of a run: such a plan's failed run is watched
        for a while (API page, "Chains, limits and races").
        """
        newest = self._chain.newest
        watch = newest.run.reruns_by_itself and newest.run.result is not Result.SUCCESS and not newest.watched
        if not watch and self._time.now() - self._looked_at < FRESH_SECONDS:
            return False
        newest.watched = True
        until = self._time.now() + (WATCH_SECONDS if watch else 0.0)
        if watch:
            self._account.note(f"test plan {self._chain.plan_id} reruns failures by itself: watching for such a rerun")
        before = len(self._chain)
        for pause in pauses(min(5.0, self._policy.poll_interval_seconds)):
            self._look_again(newest)
            if self._chain.descend():
                self._read_all()
                self._settle([*self._chain][before:])
                return True
            if self._time.now() >= until:
                return False
            self._pause(min(pause, until - self._time.now()), f"while run {newest.run.id} was watched for a rerun")
        raise AssertionError("pauses never end")

    def _look_at_given(self) -> Run:
        try:
            given = self._look_at(int(self._execution_id))
        except NotFound as error:
            raise NotFound(
                f"execution-id: there is no execution {self._execution_id} at {self._server_url}. Most often it is a "
                "test plan id (`executionId` in API bodies is one): give the number at the end of a run's address, "
                f"{self._server_url}/ui/td/runs/<number>. {error.message}"
            ) from None
        self._check_plan(given.plan_id)
        return given

    def _check_plan(self, plan_id: int | None) -> None:
        if None not in (plan_id, self._test_plan_id) and plan_id != self._test_plan_id:
            raise Contradiction(
                f"test-plan-id: execution {self._execution_id} belongs to test plan {plan_id}, not "
                f"{self._test_plan_id}; correct one of the two inputs. Nothing was triggered"
            )

    # --- looking and waiting --------------------------------------------------------------------------------------

    def _look_at(self, run_id: int) -> Run:
        run = self._platform.run(run_id, self._look_until)
        self._looked_at = self._time.now()
        return run

    def _look_again(self, link: Link) -> None:
        link.run = self._look_at(link.run.id)
        link.polls += 1

    def _wait(self, link: Link) -> None:
        """Look at a run until it has finished. One that was just started may not be known everywhere yet."""
        unknown_until = self._time.now() + (UNKNOWN_SECONDS if link.origin in OURS else 0.0)
        pace = pauses(self._policy.poll_interval_seconds)
        while not link.run.finished:
            self._tell_state(link)
            self._pause(next(pace), f"while run {link.run.id} was {link.run.status}")
            try:
                self._look_again(link)
            except NotFound:
                if self._time.now() >= unknown_until:
                    raise
        self._tell_state(link)

    def _tell_state(self, link: Link) -> None:
        state = (link.run.status, link.run.result, link.run.progress)
        if link.told is None or state != (link.told.status, link.told.result, link.told.progress):
            self._account.state(link.run, link.origin)
            link.told = link.run

    def _pause(self, seconds: float, when: str) -> None:
        remaining = self._deadline - self._time.now()
        self._time.sleep(max(0.0, min(seconds, remaining)))
        if seconds >= remaining:
            raise DeadlinePassed(f"the deadline (timeout-minutes: {self._policy.timeout_minutes:g}) passed {when}")

    # --- reading --------------------------------------------------------------------------------------------------

    def _read(self, links: list[Link]) -> None:
        """Read the listings of these runs into the ledger, as one batch."""
        if links:
            self._ledger.read([self._list(link) for link in links])

    def _list(self, link: Link) -> Listing:
        listing = self._platform.listing(link.run.id, self._deadline)
        self._chain.confirm_plan(f"run {link.run.id} lists results", listing.plan_id)
        self._check_plan(listing.plan_id)
        if listing.named_run_id is not None and not self._chain.knows(listing.named_run_id):
            raise Contradiction(
                f"the results of run {link.run.id} were asked for, those of {listing.named_run_id} came"
            )
        if listing.unknown_words and not link.listed:
            words = ", ".join(f'"{word}"' for word in sorted(listing.unknown_words))
            self._account.warning(f"run {link.run.id} lists results that this action does not know: {words}")
        leaves = sum(len(case.rows) or 1 for case in listing.cases)
        if link.run.progress.total is not None and link.run.progress.total > leaves and not link.listed:
            self._account.warning(
                f"run {link.run.id} counts {link.run.progress.total} results, but only {leaves} are listed"
            )
        link.listed = True
        return listing

    def _read_consolidated(self) -> None:
        """Look for what the newest run did in the first run's listing, which may be where the chain is merged."""
        if len(self._chain) > 1:
            self._ledger.read([replace(self._list(self._chain.root), run_id=self._chain.newest.run.id)])

    def _settle(self, links: Sequence[Link], *, merged: bool = False) -> None:
        """Look again at finished runs that show unfinished or unknown results, for a while.

        `merged`: at the first run's listing too, where the newest run's own did not show everything.
        """
        until = self._time.now() + SETTLE_SECONDS
        for pause in pauses(self._policy.poll_interval_seconds):
            unsettled = self._ledger.unsettled_runs()
            again = [link for link in links if link.run.id in unsettled or (None in unsettled and link is links[-1])]
            if not again or self._time.now() >= until:
                return
            self._pause(min(pause, until - self._time.now()), f"while run {again[-1].run.id} had unfinished results")
            self._read(again)
            if merged:
                self._read_consolidated()

    # --- the triggers ---------------------------------------------------------------------------------------------

    def _start(self, fresh: FreshRun) -> Run:
        look_first = f"Look for a new run of test plan {fresh.plan_id} before you run this job again"
        try:
            run = self._platform.start(fresh, self._deadline)
        except Unclear as error:
            raise Unclear(f"{error.message}. {look_first}") from None
        except Cancelled as error:
            error.message += f" while the run was being triggered, and no answer came. {look_first}"
            raise
        self._account.note(f"run {run.id} of test plan {fresh.plan_id} started: {self._url(run)}")
        return run

    def _trigger(self, request: RerunRequest) -> Link:
        """Trigger the rerun, at most once; one that was started by an unclear request is found and taken as ours."""
        parent = self._chain.newest
        last_run_id = parent.run.last_run_id
        link: Link | None
        try:
            link = self._send(request)
        except Unclear as unclear:
            self._account.warning(f"{unclear.message}. Looking for a rerun that it may have started")
            link = self._recover(self._time.now() + RECOVER_SECONDS)
            # the plan's last run is still the one from before: the gateway has kept the trigger to itself
            if link is None and unclear.gateway and last_run_id is not None and last_run_id == parent.run.last_run_id:
                link = self._send_again(request)
            if link is None:
                self._in_doubt = None
                raise Unclear(
                    f"{unclear.message}, and no rerun has shown for {RECOVER_SECONDS:.0f} seconds. Look for a rerun of "
                    f"{self._url(parent.run)} before you run this job again"
                ) from None
        if link.run.parent_id is None:
            self._look_again(link)  # the answer may be older than the run
        self._chain.fill_gap()
        self._read([other for other in self._chain if other.run.finished and not other.listed and other is not link])
        return link

    def _send(self, request: RerunRequest) -> Link:
        parent = self._chain.newest.run
        if self._chain.plan_id is None:
            raise Contradiction(f"the platform names no test plan for run {parent.id}: nothing can be triggered")
        self._in_doubt = request
        try:
            run = self._platform.trigger(self._chain.plan_id, parent.id, request, self._deadline)
        except (Cancelled, Unclear):
            raise
        except ActionError:
            self._in_doubt = None
            raise
        return self._take_as_ours(run, request, Origin.TRIGGERED)

    def _send_again(self, request: RerunRequest) -> Link | None:
        self._account.note("no rerun has shown and the plan has no new run: triggering once more")
        try:
            return self._send(request)
        except Unclear:
            return self._recover(self._time.now() + RECOVER_SECONDS)

    def _recover(self, until: float) -> Link | None:
        """Look for a child that was not known before the trigger (API page, "Chains, limits and races")."""
        parent = self._chain.newest
        request = self._in_doubt
        for pause in pauses(min(5.0, self._policy.poll_interval_seconds)):
            self._look_until = until  # what may have been started has to be found, deadline or not
            try:
                self._look_again(parent)
                below = self._chain.below(parent.run)
            except (Unreachable, DeadlinePassed):
                return None
            finally:
                self._look_until = self._deadline
            if below and request is not None:
                self._chain.take(below[:-1])
                return self._take_as_ours(below[-1], request, Origin.RECOVERED)
            remaining = until - self._time.now()
            if remaining <= 0:
                return None
            self._time.sleep(min(pause, remaining))
        raise AssertionError("pauses never end")

    def _take_as_ours(self, run: Run, request: RerunRequest, origin: Origin) -> Link:
        self._in_doubt = None
        link = self._chain.attach(run, len(request.covered), origin)
        self._ledger.ask(run.id, request)
        if origin is Origin.RECOVERED:
            self._account.note(f"run {run.id} has shown: it is the rerun that was triggered")
        self._account.triggered(run, len(request.covered), self._url(run))
        return link

    # --- the end --------------------------------------------------------------------------------------------------

    def _end_early(self, ending: ActionError) -> Report:
        """Stop what is ours and still going, and report: the stop request first, everything else after it."""
        self._time.ending()
        message = ending.message
        if self._in_doubt is not None:
            message = ending.message = self._resolve_doubt(ending)
        ours = next((link for link in self._chain if link.origin in OURS and not link.run.finished), None)
        if ours is not None and self._may_stop(ending):
            try:
                message = self._stop_ours(ours, ending)
            except EndAtOnce:
                message = f"{ending.message}; {self._by_hand(ours.run)}"
        elif ours is not None:
            message = f"{ending.message}; run {ours.run.id} was left running, as asked: {self._url(ours.run)}"
        elif len(self._chain) and not (newest := self._chain.newest.run).finished:
            message = f"{ending.message}; run {newest.id} goes on, this step did not start it: {self._url(newest)}"
        report = self._report(Outcome(ending.result), ending.exit_code, message)
        self._publish(report)
        return report

    def _resolve_doubt(self, ending: ActionError) -> str:
        """A trigger whose answer did not come may have started a run: find it, so that it can be stopped."""
        parent = self._chain.newest.run
        try:
            link = self._recover(self._time.now() + STOP_SECONDS)
        except (ActionError, EndAtOnce):
            link = None
        if link is not None:
            return ending.message
        return (
            f"{ending.message} while the rerun was being triggered, and none has shown since. Look for a rerun of "
            f"{self._url(parent)} before you run this job again"
        )

    def _may_stop(self, ending: ActionError) -> bool:
        if isinstance(ending, Cancelled):
            return self._policy.on_cancel is OnEnd.STOP
        if isinstance(ending, DeadlinePassed | Unreachable):
            return self._policy.on_timeout is OnEnd.STOP
        return True

    def _stop_ours(self, ours: Link, ending: ActionError) -> str:
        until = self._time.now() + STOP_SECONDS
        self._stop = StopReport(ours.run.id, StopRoute.RUN, None, confirmed=False)
        try:
            reply = self._platform.stop(ours.run.id, until, lambda: self._stop_has_left(ours, ending))
            self._stop = replace(self._stop, route=reply.route, status=reply.status)
            self._confirm_stop(ours, until)
        except ActionError as fault:
            return f"{ending.message}; the stop could not be confirmed ({fault.message}); {self._by_hand(ours.run)}"
        if reply.stopped_id not in (None, ours.run.id):
            fate = "which ended by itself" if ours.run.finished else f"stop not confirmed; {self._by_hand(ours.run)}"
            return f"{ending.message}; the platform stopped run {reply.stopped_id} instead of {ours.run.id}, {fate}"
        if ours.run.finished:
            self._stop = replace(self._stop, confirmed=True)
            by_itself = "" if ours.run.result is Result.STOPPED else f", it had ended with {ours.run.result} by then"
            return f"{ending.message}; run {ours.run.id}: stop confirmed{by_itself}"
        refusal = f" ({reply.refusal})" if reply.refusal else ""
        return f"{ending.message}; stop not confirmed{refusal}; {self._by_hand(ours.run)}"

    def _stop_has_left(self, ours: Link, ending: ActionError) -> None:
        """The stop request first, everything else after it: there may be no time for more."""
        if self._stop_reported:
            return
        self._stop_reported = True
        self._time.stop_sent()
        asked = f"{ending.message}; run {ours.run.id}: stop requested, not confirmed yet"
        self._publish(self._report(Outcome(ending.result), ending.exit_code, asked))
        self._account.note(f"{ending.message}; stopping run {ours.run.id}")

    def _confirm_stop(self, ours: Link, until: float) -> None:
        for pause in pauses(min(5.0, self._policy.poll_interval_seconds), first=0.25):
            ours.run = self._platform.run(ours.run.id, until)
            ours.polls += 1
            remaining = until - self._time.now()
            if ours.run.finished or remaining <= 0:
                return
            self._time.sleep(min(pause, remaining))

    def _by_hand(self, run: Run) -> str:
        return f"run {run.id} may still be going: stop it by hand at {self._url(run)}"

    def _url(self, run: Run) -> str:
        return run_url(self._server_url, run.id)

    def _report(self, outcome: Outcome, exit_code: int, message: str) -> Report:
        return Report(
            outcome=outcome,
            exit_code=exit_code,
            message=message,
            execution_id=self._execution_id,
            server_url=self._server_url,
            policy=self._policy,
            test_plan_id=self._chain.plan_id,
            runs=tuple(RunReport(link.run, link.origin, link.requested, link.polls) for link in self._chain),
            stop=self._stop,
            leaves=self._judge(),
        )
