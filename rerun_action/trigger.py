"""The trigger: at most once, whatever becomes of its answer (API page, "Chains, limits and races" and "Errors")."""

from rerun_action.chain import Link
from rerun_action.core.model import FreshRun, Origin, RerunRequest, Run
from rerun_action.core.pace import pauses
from rerun_action.errors import ActionError, Cancelled, Contradiction, DeadlinePassed, Unclear, Unreachable
from rerun_action.scene import Scene

RECOVER_SECONDS = 30.0
"""How long a rerun is looked for after an unclear trigger."""


class Trigger:
    """Starts runs. A run that was started by an unclear request is found and taken as ours."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self.in_doubt: RerunRequest | None = None
        """What was asked for by a trigger that has not been answered."""

    def start(self, fresh: FreshRun) -> Run:
        """Start a fresh run of a plan."""
        look_first = f"Look for a new run of test plan {fresh.plan_id} before you run this job again"
        try:
            run = self._scene.platform.start(fresh, self._scene.deadline)
        except Unclear as error:
            raise Unclear(f"{error.message}. {look_first}") from None
        except Cancelled as error:
            error.message += f" while the run was being triggered, and no answer came. {look_first}"
            raise
        self._scene.account.note(f"run {run.id} of test plan {fresh.plan_id} started: {self._scene.url(run)}")
        return run

    def rerun(self, request: RerunRequest) -> Link:
        """Trigger the rerun, at most once; one that was started by an unclear request is found and taken as ours."""
        parent = self._scene.chain.newest
        last_run_id = parent.run.last_run_id
        link: Link | None
        try:
            link = self._send(request)
        except Unclear as unclear:
            self._scene.account.warning(f"{unclear.message}. Looking for a rerun that it may have started")
            link = self.recover(self._scene.time.now() + RECOVER_SECONDS)
            # the plan's last run is still the one from before: the gateway has kept the trigger to itself
            if link is None and unclear.gateway and last_run_id is not None and last_run_id == parent.run.last_run_id:
                link = self._send_again(request)
            if link is None:
                self.in_doubt = None
                raise Unclear(
                    f"{unclear.message}, and no rerun has shown for {RECOVER_SECONDS:.0f} seconds. Look for a rerun of "
                    f"{self._scene.url(parent.run)} before you run this job again"
                ) from None
        if link.run.parent_id is None:
            self._scene.look_again(link)  # the answer may be older than the run
        self._scene.chain.fill_gap()
        self._scene.read_finished(but=link)
        return link

    def _send(self, request: RerunRequest) -> Link:
        parent = self._scene.chain.newest.run
        if self._scene.chain.plan_id is None:
            raise Contradiction(f"the platform names no test plan for run {parent.id}: nothing can be triggered")
        self.in_doubt = request
        try:
            run = self._scene.platform.trigger(self._scene.chain.plan_id, parent.id, request, self._scene.deadline)
        except (Cancelled, Unclear):
            raise
        except ActionError:
            self.in_doubt = None
            raise
        return self._take_as_ours(run, request, Origin.TRIGGERED)

    def _send_again(self, request: RerunRequest) -> Link | None:
        self._scene.account.note("no rerun has shown and the plan has no new run: triggering once more")
        try:
            return self._send(request)
        except Unclear:
            return self.recover(self._scene.time.now() + RECOVER_SECONDS)

    def recover(self, until: float) -> Link | None:
        """Look for a child that was not known before the trigger (API page, "Chains, limits and races")."""
        parent = self._scene.chain.newest
        request = self.in_doubt
        for pause in pauses(min(5.0, self._scene.policy.poll_interval_seconds)):
            self._scene.look_until = until  # what may have been started has to be found, deadline or not
            try:
                self._scene.look_again(parent)
                below = self._scene.chain.below(parent.run)
            except (Unreachable, DeadlinePassed):
                return None
            finally:
                self._scene.look_until = self._scene.deadline
            if below and request is not None:
                self._scene.chain.take(below[:-1])
                return self._take_as_ours(below[-1], request, Origin.RECOVERED)
            remaining = until - self._scene.time.now()
            if remaining <= 0:
                return None
            self._scene.time.sleep(min(pause, remaining))
        raise AssertionError("pauses never end")

    def _take_as_ours(self, run: Run, request: RerunRequest, origin: Origin) -> Link:
        self.in_doubt = None
        link = self._scene.chain.attach(run, len(request.covered), origin)
        self._scene.ledger.ask(run.id, request)
        if origin is Origin.RECOVERED:
            self._scene.account.note(f"run {run.id} has shown: it is the rerun that was triggered")
        self._scene.account.triggered(run, len(request.covered), self._scene.url(run))
        return link
