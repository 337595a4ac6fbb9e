"""The early end: what was started here is stopped first, then reported, then seen stopped, then reported again."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from rerun_action.chain import Link
from rerun_action.core.model import OURS, OnEnd, Result, Run, StopReport, StopRoute
from rerun_action.core.pace import LEAST_SECONDS, pauses
from rerun_action.errors import ActionError, Cancelled, DeadlinePassed, EndAtOnce, NotFound, Unreachable
from rerun_action.scene import Scene
from rerun_action.trigger import Trigger

STOP_SECONDS = 30.0
"""How long a stop and its confirmation may take, beyond the deadline too."""


class Ending:
    """Brings one invocation to its early end. `publish` takes the message of a first report."""

    def __init__(self, scene: Scene, trigger: Trigger, cause: ActionError, publish: Callable[[str], None]) -> None:
        self._scene = scene
        self._trigger = trigger
        self._cause = cause
        self._publish = publish
        self._left = False
        self.stop: StopReport | None = None

    def bring_about(self) -> str:
        """Stop what is ours and still going; return the message."""
        self._scene.time.ending()
        if self._trigger.in_doubt is not None:
            self._publish(f"{self._said}; looking for a rerun that the trigger may have started")
            self._cause.message = self._resolve_doubt()
        said = self._said
        chain = self._scene.chain
        ours = next((link for link in chain if link.origin in OURS and not link.run.finished), None)
        if ours is not None and self._may_stop():
            try:
                return f"{said}; {self._stop(ours)}"
            except EndAtOnce:
                return f"{said}; {self._by_hand(ours.run)}"
        if ours is not None:
            return f"{said}; run {ours.run.id} was left running, as asked: {self._scene.url(ours.run)}"
        if len(chain) and not (newest := chain.newest.run).finished:
            return f"{said}; run {newest.id} goes on, this step did not start it: {self._scene.url(newest)}"
        return self._cause.message

    @property
    def _said(self) -> str:
        """The cause, for more to follow."""
        return self._cause.message.removesuffix(".")

    def _resolve_doubt(self) -> str:
        """A trigger whose answer did not come may have started a run: find it, so that it can be stopped."""
        try:
            link = self._trigger.recover(self._scene.time.now() + STOP_SECONDS)
        except (ActionError, EndAtOnce):
            link = None
        if link is not None:
            return self._cause.message
        return f"{self._said} while the rerun was being triggered, and {self._trigger.what_is_known()}"

    def _may_stop(self) -> bool:
        policy = self._scene.policy
        if isinstance(self._cause, Cancelled):
            return policy.on_cancel is OnEnd.STOP
        if isinstance(self._cause, DeadlinePassed | Unreachable):
            return policy.on_timeout is OnEnd.STOP
        return True

    def _stop(self, ours: Link) -> str:
        until = self._scene.time.now() + STOP_SECONDS
        self.stop = StopReport(ours.run.id, StopRoute.RUN, None, confirmed=False)
        try:
            reply = self._scene.platform.stop(ours.run.id, until, lambda: self._stop_has_left(ours.run))
            self.stop = replace(self.stop, route=reply.route, status=reply.status)
            self._confirm(ours, until)
        except ActionError as fault:
            return f"the stop could not be confirmed ({fault.message}); {self._by_hand(ours.run)}"
        if reply.stopped_id not in (None, ours.run.id):
            fate = "which ended by itself" if ours.run.finished else f"stop not confirmed; {self._by_hand(ours.run)}"
            return f"the platform stopped run {reply.stopped_id} instead of {ours.run.id}, {fate}"
        if ours.run.finished:
            self.stop = replace(self.stop, confirmed=True)
            by_itself = "" if ours.run.result is Result.STOPPED else f", it had ended with {ours.run.result} by then"
            return f"run {ours.run.id}: stop confirmed{by_itself}"
        refusal = f" ({reply.refusal})" if reply.refusal else ""
        return f"stop not confirmed{refusal}; {self._by_hand(ours.run)}"

    def _stop_has_left(self, run: Run) -> None:
        """The stop request first, everything else after it: there may be no time for more."""
        if self._left:
            return
        self._left = True
        self._scene.time.stop_sent()
        self._publish(f"{self._said}; run {run.id}: stop requested, not confirmed yet")
        self._scene.account.note(f"{self._said}; stopping run {run.id}")

    def _confirm(self, ours: Link, until: float) -> None:
        last_look = until - LEAST_SECONDS  # a look without any time left fails, and hides why the stop was refused
        for pause in pauses(min(5.0, self._scene.policy.poll_interval_seconds), first=0.25):
            with suppress(NotFound), self._scene.looking_until(until):  # it may have been started a moment ago
                self._scene.look_again(ours)
            remaining = last_look - self._scene.time.now()
            if ours.run.finished or remaining <= 0:
                return
            self._scene.time.sleep(min(pause, remaining))

    def _by_hand(self, run: Run) -> str:
        return f"run {run.id} may still be going: stop it by hand at {self._scene.url(run)}"
