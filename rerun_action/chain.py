"""The chain of reruns that an execution belongs to (API page, "Chains, limits and races").

Parents are named by `reRunParentId`. A child shows on its parent (`childResult`) or as the plan's last run, which may
be anything: only a run whose parents lead into the chain belongs to it.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from rerun_action.core.model import Origin, Run
from rerun_action.errors import Contradiction, NotFound, Refused

MAX_RUNS = 100
"""More than any chain has (ten reruns): a platform that goes on beyond contradicts itself."""


@dataclass(slots=True)
class Link:
    """A run of the chain, and what this process has to do with it."""

    run: Run
    origin: Origin
    requested: int | None = None
    polls: int = 1
    listed: bool = False
    """Whether its listing is in the ledger."""
    told: Run | None = None
    """The state of it that the account told last, and when."""
    told_at: float = 0.0
    waited_for: bool = False
    """Whether it was still going when it was looked at first."""


class Chain:
    """The runs from the root to the newest. `look` gets a run from the platform."""

    def __init__(self, look: Callable[[int], Run]) -> None:
        self._look = look
        self._links: list[Link] = []
        self._strangers: set[int] = set()
        """Runs of the plan that were looked at and are none of this chain."""
        self._childless: Run | None = None
        """The last look that showed no rerun below: it need not be gone into again."""
        self.plan_id: int | None = None

    def __iter__(self) -> Iterator[Link]:
        return iter(self._links)

    def __len__(self) -> int:
        return len(self._links)

    @property
    def root(self) -> Link:
        """The run that is no rerun."""
        return self._links[0]

    @property
    def rounds(self) -> frozenset[int]:
        """The reruns that this process triggered or waited for."""
        return frozenset(
            link.run.id
            for link in self._links[1:]
            if link.waited_for or link.origin not in (Origin.EXECUTION, Origin.FRESH)
        )

    @property
    def newest(self) -> Link:
        """The run that a rerun is attached to."""
        return self._links[-1]

    def knows(self, run_id: int) -> bool:
        """Return whether the run is in the chain."""
        return any(link.run.id == run_id for link in self._links)

    def confirm_plan(self, what: str, plan_id: int | None) -> None:
        """Take note of the test plan that a reply names; raises Contradiction if it is another one than before."""
        if plan_id is not None and self.plan_id not in (None, plan_id):
            raise Contradiction(f"{what} of test plan {self.plan_id}, but belongs to plan {plan_id}")
        self.plan_id = self.plan_id or plan_id

    def begin(self, run: Run, origin: Origin) -> None:
        """Begin with the given execution, or with the fresh run that this process started, and go up to its root."""
        self._insert(0, run, origin)
        while self.root.run.parent_id is not None:
            self._insert(0, self._look(self.root.run.parent_id), Origin.EXECUTION)

    def descend(self, *, arriving: bool = False) -> bool:
        """Add the reruns below the newest run, down to one that is still going; return whether there was one.

        `arriving`: a finished one was there before this process came.
        """
        before = len(self)
        while self.newest.run.finished and self.newest.run is not self._childless:
            below = self.below(newest := self.newest.run)
            if not below:
                self._childless = newest
            for run in below:
                self._insert(len(self), run, Origin.EXECUTION if arriving and run.finished else Origin.FOUND)
        return len(self) > before

    def attach(self, run: Run, requested: int, origin: Origin) -> Link:
        """Add a rerun that this process triggered; from here on it is this process's to stop."""
        link = Link(run, origin, requested, polls=0 if origin is Origin.TRIGGERED else 1)
        self._links.append(link)
        self.confirm_plan(f"run {run.id} is in the chain", run.plan_id)
        return link

    def take(self, runs: Iterable[Run]) -> None:
        """Add reruns that came while this process was at work, oldest first."""
        for run in runs:
            self._insert(len(self), run, Origin.FOUND)

    def fill_gap(self) -> None:
        """Add runs between the newest one and the chain: the platform attaches a rerun to the tip that it knows."""
        newest = self.newest.run
        gap = None if newest.parent_id == newest.id else self._path_up(newest.parent_id)
        if gap is None:
            raise Contradiction(
                f"the platform answered the trigger with run {newest.id}, which is no rerun of this execution "
                f"(its parent: {newest.parent_id or 'none'})"
            )
        for run in gap:
            self._insert(len(self) - 1, run, Origin.FOUND)

    def below(self, run: Run) -> list[Run]:
        """Return the reruns below a run that are not in the chain yet, oldest first.

        Where a child shows is only a hint: its parents have to lead into the chain.
        """
        for hint in (run.child_id, run.last_run_id):
            if hint is None or hint in self._strangers:
                continue
            try:
                path = self._path_up(hint)
            except Refused as refusal:
                if hint == run.child_id:
                    raise
                if isinstance(refusal, NotFound):
                    continue  # it may not be known everywhere yet
                path = None  # the plan's last run is nobody's promise
            if path:
                return path
            if path is None:
                self._strangers.add(hint)
        return []

    def _path_up(self, run_id: int | None) -> list[Run] | None:
        """Return the runs from the chain down to this one, which may be none; None if it is not of our chain."""
        path: list[Run] = []
        while run_id is not None and not self.knows(run_id):
            if len(path) == MAX_RUNS:
                raise Contradiction(f"the parents of run {path[-1].id} have no end")
            path.insert(0, self._look(run_id))
            run_id = path[0].parent_id
        return path if run_id is not None else None

    def _insert(self, place: int, run: Run, origin: Origin) -> None:
        if self.knows(run.id) or len(self) == MAX_RUNS:
            raise Contradiction(f"the chain of reruns has no end: run {run.id} follows itself")
        self._links.insert(place, Link(run, origin))
        self.confirm_plan(f"run {run.id} is in the chain", run.plan_id)
