"""The trigger: one run at most, whatever becomes of its answer (API page, "Chains, limits and races" and "Errors")."""

from rerun_action.chain import Link
from rerun_action.core.model import FreshRun, Origin, RerunRequest, Run, run_url
from rerun_action.core.pace import pauses
from rerun_action.errors import (
    ActionError,
    Cancelled,
    Contradiction,
    DeadlinePassed,
    Refused,
    Unclear,
    Unreachable,
)
from rerun_action.scene import Scene

RECOVER_SECONDS = 30.0
"""How long a rerun is looked for after an unclear trigger."""

RUSH_SECONDS = 10.0
"""So shortly before the deadline nothing is triggered any more: it could only be stopped again."""

LAST_LOOK_SECONDS = 5.0
"""How long the last of these looks may take."""


class Trigger:
    """Starts runs. A run that was started by an unclear request is found and taken as ours."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self.in_doubt: RerunRequest | None = None
        """What was asked for by a trigger that has not been answered."""
        self._saw_no_child = False
        """Whether the last look since the trigger worked and showed no child."""

    def start(self, fresh: FreshRun) -> Run:
        """Start a fresh run of a plan."""
        look_first = f"Look for a new run of test plan {fresh.plan_id} before you run this job again"
        try:
            run = self._scene.platform.start(fresh, self._scene.deadline)
        except Unclear as error:
            raise Unclear(f"{error.message}. {look_first}") from None
        except Cancelled as cancelled:
            if cancelled.unanswered:
                cancelled.message += f" while the run was being triggered, and no answer came. {look_first}"
            raise
        self._scene.account.note(f"run {run.id} of test plan {fresh.plan_id} started: {self._scene.url(run)}")
        return run

    def rerun(self, request: RerunRequest) -> Link:
        """Trigger the rerun; one that an unclear request has started is found and taken as ours.

        It is sent a second time only where the first is known not to have started anything. Raises DeadlinePassed
        instead of sending it where the deadline is too near.
        """
        self._demand_time()
        parent = self._scene.chain.newest
        last_run_id = parent.run.last_run_id
        link: Link | None
        try:
            link = self._send(request)
        except Unclear as unclear:
            self._scene.account.warning(f"{unclear.message}. Looking for a rerun that it may have started")
            link = self.recover(self._scene.time.now() + RECOVER_SECONDS)
            if link is None and unclear.gateway and self._plan_has_no_new_run(parent, last_run_id):
                link = self._send_again(request)
            if link is None:
                self.in_doubt = None
                raise Unclear(f"{unclear.message}, and {self.what_is_known()}") from None
        if link.run.parent_id is None:
            self._scene.look_again(link)  # the answer may be older than the run
        self._scene.chain.fill_gap()
        self._scene.read_finished(but=link)
        self._scene.ledger.ask(link.run.id, request)  # what came between is no answer to it
        return link

    def _demand_time(self) -> None:
        minutes = self._scene.policy.timeout_minutes
        left = self._scene.deadline - self._scene.time.now()
        if left < min(RUSH_SECONDS, minutes * 60 / 10):
            raise DeadlinePassed(
                f"the deadline (timeout-minutes: {minutes:g}) is only {left:.0f} s away: too near for a rerun, none "
                "was triggered"
            )

    def _plan_has_no_new_run(self, parent: Link, last_run_id: int | None) -> bool:
        """The plan's last run was known before, and a look since shows it still: the gateway kept the trigger."""
        return self._saw_no_child and last_run_id is not None and parent.run.last_run_id == last_run_id

    def _send(self, request: RerunRequest) -> Link:
        chain = self._scene.chain
        parent = chain.newest.run
        if chain.plan_id is None:
            raise Contradiction(f"the platform names no test plan for run {parent.id}: nothing can be triggered")
        self.in_doubt = request
        try:
            run = self._scene.platform.trigger(chain.plan_id, parent.id, request, self._scene.deadline)
        except ActionError as error:
            if not error.unanswered:
                self.in_doubt = None
            raise
        if chain.knows(run.id) or run.id < parent.id:  # an older one, as far as ids tell: looked for, ours will show
            raise Unclear(f"the platform answered the trigger with run {run.id}, which was there before")
        if run.plan_id not in (None, chain.plan_id):
            raise Unclear(f"the platform answered the trigger with run {run.id} of another test plan ({run.plan_id})")
        return self._take_as_ours(run, request, Origin.TRIGGERED)

    def _send_again(self, request: RerunRequest) -> Link | None:
        self._scene.account.note("no rerun has shown and the plan has no new run: triggering once more")
        try:
            return self._send(request)
        except Unclear:
            return self.recover(self._scene.time.now() + RECOVER_SECONDS)
        except Refused as refusal:  # a plan that is busy now may be busy with the run of our first request
            self.in_doubt = request
            link = self.recover(self._scene.time.now() + RECOVER_SECONDS)
            if link is None:
                self.in_doubt = None
                raise refusal from None
            return link

    def recover(self, until: float) -> Link | None:
        """Look for a child that was not known before the trigger (API page, "Chains, limits and races")."""
        scene, request = self._scene, self.in_doubt
        parent = scene.chain.newest
        for pause in pauses(min(5.0, scene.policy.poll_interval_seconds)):
            try:
                with scene.looking_until(until + LAST_LOOK_SECONDS):
                    scene.look_again(parent)
                    below = scene.chain.below(parent.run)
            except Refused:
                below = []  # most often it shows on its parent, but is not known everywhere yet (404)
                self._saw_no_child = False
            except (Unreachable, DeadlinePassed):
                self._saw_no_child = False
                return None
            else:
                self._saw_no_child = not below
            if below and request is not None:
                scene.chain.take(below[:-1])
                return self._take_as_ours(below[-1], request, Origin.RECOVERED)
            remaining = until - scene.time.now()
            if remaining <= 0:
                return None
            scene.time.sleep(min(pause, remaining))
        raise AssertionError("pauses never end")

    def what_is_known(self) -> str:
        """Say what is known of a rerun that could not be taken as ours, and where to look for it."""
        parent = self._scene.chain.newest.run
        if parent.child_id is None or self._scene.chain.knows(parent.child_id):
            return (
                f"no rerun has shown since. Look for a rerun of {self._scene.url(parent)} before you run this job again"
            )
        child = run_url(self._scene.server_url, parent.child_id)
        return (
            f"run {parent.child_id} shows as a rerun, but could not be looked at. Look at {child} before you run this "
            "job again"
        )

    def _take_as_ours(self, run: Run, request: RerunRequest, origin: Origin) -> Link:
        self.in_doubt = None
        link = self._scene.chain.attach(run, len(request.covered), origin)
        self._scene.ledger.ask(run.id, request)
        if origin is Origin.RECOVERED:
            self._scene.account.note(f"run {run.id} has shown: it is the rerun that was triggered")
        self._scene.account.triggered(run, request, self._scene.url(run))
        return link
