"""What the story needs of the world: the platform, the time, the account."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from rerun_action.core.model import (
    Decision,
    FreshRun,
    LeafReport,
    Listing,
    Origin,
    RerunRequest,
    Run,
    StopReply,
    Verdict,
)


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
    def state(self, run: Run, origin: Origin, remaining: float | None = None) -> None: ...  # noqa: D102
    def decided(  # noqa: D102
        self,
        counts: Mapping[Verdict, int],
        failed: Sequence[tuple[LeafReport, Decision]],
        round_no: int,
        refusal: str | None,
    ) -> None: ...
    def previewed(self, leaves: Sequence[LeafReport], decisions: Sequence[Decision], payload: str | None) -> None: ...  # noqa: D102
    def triggered(self, run: Run, request: RerunRequest, url: str) -> None: ...  # noqa: D102
