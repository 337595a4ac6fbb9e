"""When to look next."""

from collections.abc import Iterator


def pauses(cap: float, *, first: float = 1.0, growth: float = 1.5) -> Iterator[float]:
    """Yield the pauses between two looks, in seconds: from `first`, growing by half, never beyond `cap`."""
    pause = first
    while pause < cap:
        yield pause
        pause *= growth
    while True:
        yield cap
