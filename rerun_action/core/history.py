"""One leaf and all that was seen of it, and the case that it belongs to."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import NamedTuple

from rerun_action.core.model import Leaf, Observation, Result


class Sight(NamedTuple):
    """Where something was seen: the run whose listing it is, the batch of listings, and its position in it."""

    run_id: int
    batch: int
    places: int
    """One bit, set by position."""


@dataclass(slots=True)
class Seen:
    """An observation, with what is needed to order it and to ask for it again."""

    run_id: int | None
    result_id: int
    result: Result
    case_result_id: int
    """The case result under which it was listed last."""
    batch: int
    places: int
    """The listings of its batch that hold it, as a bit set by position."""
    listed_by: int = field(compare=False)
    """The run whose listing held it last; not kept up for a pass while its case is folded."""

    @property
    def first(self) -> int:
        """The position of the first listing of the batch that holds it."""
        return (self.places & -self.places).bit_length() - 1

    @property
    def last(self) -> int:
        """The position of the last listing of the batch that holds it."""
        return self.places.bit_length() - 1

    @property
    def age(self) -> tuple[int, int, int]:
        """What to sort by, oldest first."""
        return self.batch, self.last, self.first

    def carried_past(self, others: "list[Seen]") -> int:
        """Return the places where it is listed though a newer result, by its id, had been listed before.

        Such a listing carries an old result along beside its own rows, and says nothing about its age.
        """
        first_newer = min((other.first for other in others if other.result_id > self.result_id), default=None)
        return 0 if first_newer is None else self.places >> (first_newer + 1) << (first_newer + 1)


@dataclass(slots=True)
class History:
    """One leaf and all that was seen of it, oldest first."""

    number: int
    """Its position in the ledger."""
    leaf: Leaf
    case: "Case"
    seen: list[Seen] = field(default_factory=list)
    rerun: bool = False
    asked_after: int | None = None
    """How many observations there were when it was last asked for."""

    @property
    def observations(self) -> tuple[Observation, ...]:
        """All that was seen, oldest first."""
        return tuple(Observation(seen.run_id, seen.result_id, seen.result) for seen in self.seen)

    @property
    def ruling(self) -> Seen:
        """The observation that rules: the newest.

        Where several ids of the newest run fit this leaf, it passed only if all of them did: one that did not rules.
        """
        newest = self.seen[-1]
        if len(self.seen) == 1:
            return newest
        together = {
            seen.result_id: seen
            for seen in self.seen
            if seen.run_id == newest.run_id
            and (seen.run_id is not None or (seen.batch, seen.places) == (newest.batch, newest.places))
        }
        return next((seen for seen in reversed(together.values()) if seen.result is not Result.SUCCESS), newest)

    @property
    def latest(self) -> Result:
        """The result that rules."""
        return self.seen[0].result if len(self.seen) == 1 else self.ruling.result

    def seen_in(self, run_ids: Collection[int], *, unsure: bool = True) -> int:
        """Return in how many of these runs it was observed.

        `unsure`: an observation whose run is not known may have been in one of them.
        """
        if not run_ids:
            return 0
        runs = {seen.run_id for seen in self.seen}
        return len(runs & set(run_ids)) + (None in runs and unsure)

    def ended_before(self, run_id: int | None, result_id: int, batch: int) -> bool:
        """Return whether an earlier batch showed another result of this run.

        What its listing shows beside that is a later run's, which may not be known yet.
        """
        earlier = [seen.result_id for seen in self.seen if seen.run_id == run_id and seen.batch < batch]
        if self.leaf.iteration is None:  # its case results from before it was a leaf of its own are of that run, too
            unheeded = self.case.unheeded.values()
            earlier += [seen.result_id for seen in unheeded if seen.listed_by == run_id and seen.batch < batch]
        return any(earlier_id != result_id for earlier_id in earlier)

    @property
    def unseen(self) -> bool:
        """Whether it was asked for and there is no new observation of it since."""
        return self.asked_after is not None and len(self.seen) <= self.asked_after


@dataclass(slots=True)
class Case:
    """A case of one suite on one machine; where the platform lists that twice, one of the two."""

    result_ids: set[int] = field(default_factory=set)
    whole: History | None = None
    """The leaf of the case as a whole: a plain case, or a data-driven one that failed without a failed row."""
    rows: dict[str, list[History]] = field(default_factory=dict)
    explained: set[int] = field(default_factory=set)
    """Case results whose failure a failed row explains."""
    unheeded: dict[int, Seen] = field(default_factory=dict)
    """Case results that were seen when the rows told it all, and the case was no leaf of its own."""

    @property
    def members(self) -> list[History]:
        """All its leaves."""
        rows = [history for histories in self.rows.values() for history in histories]
        return rows if self.whole is None else [self.whole, *rows]

    @property
    def newest_result_id(self) -> int:
        """The case result under which the newest ruling observation of its leaves was listed."""
        if len(self.result_ids) == 1:
            return next(iter(self.result_ids))
        rulings = [member.ruling for member in self.members]
        return max(reversed(rulings), key=lambda seen: seen.age).case_result_id

    @property
    def known_ids(self) -> tuple[set[int], set[int]]:
        """The case result ids and the iteration result ids that were seen here."""
        rows = {seen.result_id for histories in self.rows.values() for h in histories for seen in h.seen}
        return self.result_ids, rows
