"""What was seen of each leaf over the chain of runs.

Every run gives its results new ids, and a listing may hold only the rows of its own run or the consolidated state of
the chain, on the first run, on the last, or on both (API page, "Listings merge the chain of reruns"). The ledger is
right in each case because it counts *observations*, and an observation is its result id: the same id seen again with
the same result is old news, wherever it is listed.

Listings are read in batches. Within a batch an observation is as new as the last run that lists it, because a
listing shows its own run or something newer; a later batch is newer than an earlier one.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from rerun_action.core.model import FAILING, CaseResult, Leaf, Listing, Observation, RerunRequest, Result, RowResult

_Name = tuple[int | None, int, int | None]
"""By what a case is recognised in another run: suite id, case id, machine id."""


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
    case: "_Case"
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
        return self.ruling.result

    def seen_in(self, run_ids: Collection[int]) -> int:
        """Return in how many of these runs it was observed; where that is not known, it may have been one of them."""
        runs = {seen.run_id for seen in self.seen}
        return len(runs & set(run_ids)) + (None in runs and len(run_ids) > 0)

    @property
    def unseen(self) -> bool:
        """Whether it was asked for and there is no new observation of it since."""
        return self.asked_after is not None and len(self.seen) <= self.asked_after


@dataclass(slots=True)
class _Case:
    """A case of one suite on one machine; where the platform lists that twice, one of the two."""

    result_ids: set[int] = field(default_factory=set)
    whole: History | None = None
    """The leaf of the case as a whole: a plain case, or a data-driven one that failed without a failed row."""
    rows: dict[str, list[History]] = field(default_factory=dict)
    explained: set[int] = field(default_factory=set)
    """Case results whose failure a failed row explains."""

    @property
    def members(self) -> list[History]:
        """All its leaves."""
        rows = [history for histories in self.rows.values() for history in histories]
        return rows if self.whole is None else [self.whole, *rows]

    @property
    def newest_result_id(self) -> int:
        """The case result under which the newest ruling observation of its leaves was listed."""
        rulings = [member.ruling for member in self.members]
        return max(reversed(rulings), key=lambda seen: seen.age).case_result_id

    @property
    def known_ids(self) -> tuple[set[int], set[int]]:
        """The case result ids and the iteration result ids that were seen here."""
        rows = {seen.result_id for histories in self.rows.values() for h in histories for seen in h.seen}
        return self.result_ids, rows


def assign(slots: int, represented: set[int], covered: set[int], fresh: int) -> list[tuple[int, ...]]:
    """Match `fresh` new results of one name to the `slots` leaves known by that name, numbered from 0.

    `represented` are the leaves that the same listing shows by an id already known, `covered` those that were asked
    for. The answer holds for each new result the leaves it speaks for. None means that it can't be told, and the
    result becomes a leaf of its own: a pass that may be another leaf's is nobody's pass.
    """
    missing = [slot for slot in range(slots) if slot not in represented]
    if represented and len(missing) == fresh:
        return [(slot,) for slot in missing]
    candidates = sorted(covered) or list(range(slots))
    if fresh == len(candidates):
        return [(slot,) for slot in candidates]
    if fresh > len(candidates):
        return [tuple(candidates)] * fresh
    return [()] * fresh


class Ledger:
    """The histories of all leaves, in the order of the first listing."""

    def __init__(self) -> None:
        self.histories: list[History] = []
        self._cases: dict[_Name, list[_Case]] = {}
        self._covered: dict[int, frozenset[int]] = {}
        self._batch = 0

    def ask(self, run_id: int, request: RerunRequest) -> None:
        """Take note that `run_id` was triggered with `request`."""
        self._covered[run_id] = frozenset(request.covered)
        for number in request.covered:
            self.histories[number].rerun = True
        for number in request.wanted:
            self.histories[number].asked_after = len(self.histories[number].seen)

    def read(self, listings: Sequence[Listing]) -> None:
        """Read one batch of listings, in the order of the chain."""
        self._batch += 1
        for place, listing in enumerate(listings):
            _Reading(self, listing, place).read()
        if len(listings) > 1:
            self._order([listing.run_id for listing in listings])

    def unsettled_runs(self) -> frozenset[int | None]:
        """Return the runs that show an unfinished or unknown result as the newest of a leaf."""
        return frozenset(history.seen[-1].run_id for history in self.histories if not history.latest.settled)

    def _order(self, run_ids: list[int]) -> None:
        """Sort the observations of this batch by age, and tell which run each belongs to as far as that is known.

        An id that several runs list belongs to one of them. It is the first, if that listing is known to keep to its
        own time (a later run shows something else for one of its leaves). Otherwise it is the last, if that listing
        is known to hold only its own rows (it lacks a leaf of an earlier run). Otherwise nobody can tell.
        """
        news = [[seen for seen in history.seen if seen.batch == self._batch] for history in self.histories]
        keeps_to_its_time: set[int] = set()
        own_rows_only: set[int] = set()
        for group in news:
            start = min((seen.first for seen in group), default=len(run_ids))
            for place in range(start, len(run_ids)):
                shown = [seen for seen in group if seen.places >> place & 1]
                if not shown:
                    own_rows_only.add(place)
                elif max(seen.age for seen in shown) < max(seen.age for seen in group):
                    keeps_to_its_time.add(place)
        for group in news:
            carried = [seen.carried_past(group) for seen in group]
            for seen, places in zip(group, carried, strict=True):
                seen.places = seen.places & ~places or seen.places
        for history, group in zip(self.histories, news, strict=True):
            history.seen.sort(key=lambda seen: seen.age)
            for seen in group:
                # an earlier listing that shows something newer may hide that this was the earlier run's
                hidden = any(other.first < seen.first and other.age > seen.age for other in group)
                if not hidden and (seen.first == seen.last or seen.first in keeps_to_its_time):
                    seen.run_id = run_ids[seen.first]
                else:
                    seen.run_id = run_ids[seen.last] if seen.last in own_rows_only else None


class _Reading:
    """One listing on its way into the ledger."""

    def __init__(self, ledger: Ledger, listing: Listing, place: int) -> None:
        self._histories = ledger.histories
        self._cases = ledger._cases  # noqa: SLF001 - the reading is the ledger's own hand
        self._covered = ledger._covered.get(listing.run_id, frozenset())  # noqa: SLF001
        self._batch = ledger._batch  # noqa: SLF001
        self._listing = listing
        self._place = place

    def read(self) -> None:
        entries: dict[_Name, list[CaseResult]] = {}
        for entry in self._listing.cases:
            entries.setdefault((entry.suite_id, entry.case_id, entry.machine_id), []).append(entry)
        for name, group in entries.items():
            for case, matched in self._match_cases(self._cases.setdefault(name, []), group):
                self._read_case(case, matched)

    def _match_cases(self, cases: list[_Case], entries: list[CaseResult]) -> Iterable[tuple[_Case, list[CaseResult]]]:
        by_case_id: dict[int, int] = {}
        by_row_id: dict[int, int] = {}
        for slot, case in enumerate(cases):
            case_ids, row_ids = case.known_ids
            by_case_id |= dict.fromkeys(case_ids, slot)
            by_row_id |= dict.fromkeys(row_ids, slot)
        matched: dict[int, list[CaseResult]] = {}
        fresh: dict[int, list[CaseResult]] = {}  # by result id: an id that stands there twice is one result
        for entry in entries:
            known = by_case_id.get(entry.result_id)
            if known is None:
                known = next((by_row_id[row.result_id] for row in entry.rows if row.result_id in by_row_id), None)
            if known is None:
                fresh.setdefault(entry.result_id, []).append(entry)
            else:
                matched.setdefault(known, []).append(entry)
        asked = {slot for slot, case in enumerate(cases) if any(self._asked(history) for history in case.members)}
        targets = assign(len(cases), set(matched), asked, len(fresh))
        for group, slots in zip(fresh.values(), targets, strict=True):
            if not slots:
                cases.append(_Case())
            for slot in slots or (len(cases) - 1,):
                matched.setdefault(slot, []).extend(group)
        return [(cases[slot], group) for slot, group in matched.items()]

    def _read_case(self, case: _Case, entries: list[CaseResult]) -> None:
        rows: dict[str, list[tuple[RowResult, CaseResult]]] = {}
        for entry in entries:
            self._read_whole(case, entry)
            for row in entry.rows:
                rows.setdefault(row.set_name, []).append((row, entry))
        for name, group in rows.items():
            self._read_rows(case, case.rows.setdefault(name, []), group)

    def _read_whole(self, case: _Case, entry: CaseResult) -> None:
        case.result_ids.add(entry.result_id)
        if any(row.result in FAILING for row in entry.rows):
            case.explained.add(entry.result_id)
        if case.whole is None:
            rows_passed = all(row.result is Result.SUCCESS for row in entry.rows)
            if entry.rows and (entry.result is Result.SUCCESS or not rows_passed or entry.result_id in case.explained):
                return  # its rows tell it all
            case.whole = self._new_leaf(case, entry, None)
        self._observe(case.whole, entry.result_id, entry.result, entry)

    def _read_rows(self, case: _Case, histories: list[History], rows: list[tuple[RowResult, CaseResult]]) -> None:
        known = {seen.result_id: slot for slot, history in enumerate(histories) for seen in history.seen}
        fresh: dict[int, list[tuple[RowResult, CaseResult]]] = {}
        represented: set[int] = set()
        for row, entry in rows:
            if row.result_id in known:
                represented.add(known[row.result_id])
                self._observe(histories[known[row.result_id]], row.result_id, row.result, entry)
            else:
                fresh.setdefault(row.result_id, []).append((row, entry))
        asked = {slot for slot, history in enumerate(histories) if self._asked(history)}
        targets = assign(len(histories), represented, asked, len(fresh))
        for group, slots in zip(fresh.values(), targets, strict=True):
            if not slots:
                histories.append(self._new_leaf(case, group[0][1], group[0][0].set_name))
            for slot in slots or (len(histories) - 1,):
                for row, entry in group:
                    self._observe(histories[slot], row.result_id, row.result, entry)

    def _asked(self, history: History) -> bool:
        return history.number in self._covered

    def _new_leaf(self, case: _Case, entry: CaseResult, iteration: str | None) -> History:
        leaf = Leaf(entry.suite, entry.case, entry.machine, iteration)
        history = History(len(self._histories), leaf, case)
        self._histories.append(history)
        return history

    def _observe(self, history: History, result_id: int, result: Result, entry: CaseResult) -> None:
        same_id = [seen for seen in history.seen if seen.result_id == result_id]
        known = same_id[-1] if same_id else None
        if known is None or (known.result is not result and known.result.settled):
            known = Seen(self._listing.run_id, result_id, result, entry.result_id, self._batch, places=1 << self._place)
            history.seen.append(known)
            return
        if known.result is not result and any(seen.result is result for seen in same_id[:-1]):
            history.seen.remove(known)  # what was unfinished for a while has become what it was before
            return
        known.result = result
        known.case_result_id = entry.result_id
        if known.batch == self._batch:
            known.places |= 1 << self._place
