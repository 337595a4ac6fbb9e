"""The platform as the check-up and its dry run see it: each thing is looked at once, and nothing can be started."""

from collections.abc import Callable
from typing import Any, NoReturn, TypeVar

from rerun_action.core.model import FreshRun, Listing, RerunRequest, Run, StopReply
from rerun_action.errors import ActionError, Cancelled, DeadlinePassed
from rerun_action.ports import Time
from rerun_action.testsigma.look import Look

T = TypeVar("T")

RUN_SECONDS = 10.0
"""How long one look at a run may take, retries included."""
WHOLE_SECONDS = 120.0
"""How long all looks together may take."""


class Looked:
    """A platform that remembers its answers, refusals included."""

    def __init__(self, look: Look, time: Time) -> None:
        self._look = look
        self._time = time
        self._deadline = time.now() + WHOLE_SECONDS
        self._answers: dict[tuple[str, int], Any] = {}

    def run(self, run_id: int, until: float = 0.0) -> Run:  # noqa: ARG002 - the check-up has its own limits
        """Look at a run."""
        return self._once("run", run_id, lambda limit: self._look.run(run_id, min(limit, self._soon())))

    def listing(self, run_id: int, until: float = 0.0) -> Listing:  # noqa: ARG002
        """List the results of a run."""
        return self._once("listing", run_id, lambda limit: self._look.listing(run_id, limit))

    def second_page(self, run_id: int) -> object:
        """Ask for a further page of a listing that names none."""
        return self._once("page", run_id, lambda limit: self._look.second_page(run_id, min(limit, self._soon())))

    def preview(self, plan_id: int, parent_id: int, request: RerunRequest) -> str:
        """Return the body that a trigger would send."""
        return self._look.preview(plan_id, parent_id, request)

    def start(self, fresh: FreshRun, until: float) -> NoReturn:  # noqa: ARG002
        """Refuse."""
        raise AssertionError("a check-up starts nothing")

    def trigger(self, plan_id: int, parent_id: int, request: RerunRequest, until: float) -> NoReturn:  # noqa: ARG002
        """Refuse."""
        raise AssertionError("a check-up triggers nothing")

    def stop(self, run_id: int, until: float, sent: Callable[[], None]) -> StopReply:  # noqa: ARG002
        """Refuse."""
        raise AssertionError("a check-up stops nothing")

    def _soon(self) -> float:
        return self._time.now() + RUN_SECONDS

    def _once(self, what: str, run_id: int, ask: Callable[[float], T]) -> T:
        if (what, run_id) not in self._answers:
            self._answers[what, run_id] = self._outcome(ask)
        answer = self._answers[what, run_id]
        if isinstance(answer, ActionError):
            raise answer
        known: T = answer
        return known

    def _outcome(self, ask: Callable[[float], T]) -> T | ActionError:
        if self._time.now() >= self._deadline:
            return DeadlinePassed(f"the {WHOLE_SECONDS:.0f} seconds that a check-up may take are over")
        try:
            return ask(self._deadline)
        except Cancelled:
            raise
        except ActionError as error:
            return error
