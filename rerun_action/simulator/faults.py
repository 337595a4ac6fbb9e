"""Which fault of the scenario, if any, disturbs a request; and what it makes of the right answer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from threading import Lock
from typing import TYPE_CHECKING

from rerun_action.simulator.fields import mapping
from rerun_action.simulator.scenario import DELETED, Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from rerun_action.simulator.scenario import Call, Fault, Patch

HTML_PAGE = Reply(
    200,
    {"Content-Type": "text/html"},
    "<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body><h1>Please sign in</h1></body></html>\n",
)


@dataclass(slots=True)
class _Progress:
    """A fault, and how far it has come."""

    fault: Fault
    passed: int = 0
    disturbed: int = 0
    began_at: float = 0.0

    def matches(self, call: Call | None, run: int | None, *, has_key: bool) -> bool:
        """Whether the fault is about such a request at all."""
        fault = self.fault
        return fault.on in {call, "any"} and fault.run in {run, None} and (has_key or not fault.needs_key)

    def is_due(self, now: float) -> bool:
        """Whether the fault disturbs a matching request of this moment."""
        fault = self.fault
        if self.passed < fault.skip:
            return False
        if fault.seconds is not None:
            return self.disturbed == 0 or now < self.began_at + fault.seconds
        return fault.times is None or self.disturbed < fault.times

    def disturb(self, now: float) -> None:
        """Count a request that is disturbed."""
        if self.disturbed == 0:
            self.began_at = now
        self.disturbed += 1


class Faults:
    """The faults of a scenario, in their order. Thread-safe."""

    def __init__(self, faults: Iterable[Fault], clock: Callable[[], float]) -> None:
        self._progress = [_Progress(fault) for fault in faults]
        self._clock = clock
        self._lock = Lock()

    def due(self, call: Call | None, run: int | None, *, has_key: bool) -> Fault | None:
        """Find the fault that disturbs a request, and count it there only; one that passes counts as passed for all.

        `call` is None where method and path are no call, `run` is the run in the path. A request without the key
        matches only the faults that strike before the key is looked at.
        """
        with self._lock:
            matching = [progress for progress in self._progress if progress.matches(call, run, has_key=has_key)]
            if not matching:
                return None
            now = self._clock()
            for progress in matching:
                if progress.is_due(now):
                    progress.disturb(now)
                    return progress.fault
            for progress in matching:
                progress.passed += 1
            return None


def patched(right: Reply, patch: Patch) -> Reply:
    """Replace and remove keys of a JSON object."""
    body = mapping(right.body, "") | patch.patch
    return replace(right, body={name: value for name, value in body.items() if value != DELETED})
