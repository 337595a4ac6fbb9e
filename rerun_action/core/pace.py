"""When to look next, and how long it may still take."""

from collections.abc import Iterator

from rerun_action.core.model import Progress


def pauses(cap: float, *, first: float = 1.0) -> Iterator[float]:
    """Yield the pauses between two looks, in seconds: from `first`, growing by half, never beyond `cap`."""
    pause = first
    while pause < cap:
        yield pause
        pause *= 1.5
    while True:
        yield cap


def remaining(elapsed: float, progress: Progress, expected: float | None) -> float | None:
    """Return the seconds that a run may still take, None if there is nothing to go by.

    The counters are hints (API page, "Values"): good enough for a reader, never for a decision.
    """
    if progress.total and 0 < progress.done < progress.total:
        return elapsed * (progress.total - progress.done) / progress.done
    return expected - elapsed if expected is not None and expected > elapsed else None
