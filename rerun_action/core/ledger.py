"""What was seen of each leaf over the chain of runs.

Every run gives its results new ids, and a listing may hold only the rows of its own run or the consolidated state of
the chain, on the first run, on the last, or on both (API page, "Listings merge the chain of reruns"). The ledger is
right in each case because it counts *observations*, and an observation is its result id: the same id seen again with
the same result is old news, wherever it is listed.

Listings are read in batches. Within a batch an observation is as new as the last run that lists it, because a
listing shows its own run or something newer; a later batch is newer than an earlier one.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence

from rerun_action.core.history import Case, History, Seen, Sight
from rerun_action.core.leaves import Leaves, Name, all_named_differently, is_simple, name_of
from rerun_action.core.model import FAILING, CaseResult, Leaf, Listing, Observation, RerunRequest, Result, RowResult


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
    """The histories of all leaves, numbered in the order of the first listing; its length is their number."""

    def __init__(self) -> None:
        self._leaves = Leaves()
        self._covered: dict[int, frozenset[int]] = {}
        self._batch = 0

    def __len__(self) -> int:
        return len(self._leaves)

    @property
    def histories(self) -> Sequence[History]:
        """All histories, by number."""
        return self._leaves.open_all()

    @property
    def opened(self) -> Sequence[History]:
        """The histories, by number, of all leaves but those that `passes` yields."""
        return self._leaves.opened

    @property
    def unpassed(self) -> Sequence[History]:
        """The histories, by number, of the leaves whose newest observation is no pass."""
        return [history for history in self.opened if history.latest is not Result.SUCCESS]

    def passes(self) -> Iterator[tuple[int, Leaf, Observation]]:
        """Yield number, leaf and only observation of leaves that passed at once and were not seen again."""
        return self._leaves.passes()

    def leaves(self) -> Iterator[tuple[int, Leaf]]:
        """Yield number and leaf of all, in no order."""
        for history in self.opened:
            yield history.number, history.leaf
        for number, leaf, _ in self.passes():
            yield number, leaf

    def places(self) -> Iterator[tuple[str, str]]:
        """Yield suite and machine of each case, of some more than once."""
        for history in self.opened:
            yield history.leaf.suite, history.leaf.machine
        for _, record in self._leaves.folded():
            yield record.suite, record.machine

    def ask(self, run_id: int, request: RerunRequest) -> None:
        """Take note that `run_id` was triggered with `request`."""
        self._covered[run_id] = frozenset(request.covered)
        for number in request.covered:
            self._leaves[number].rerun = True
        for number in request.wanted:
            self._leaves[number].asked_after = len(self._leaves[number].seen)

    @property
    def asked_runs(self) -> frozenset[int]:
        """The runs that `ask` was told of."""
        return frozenset(self._covered)

    def read(self, listings: Sequence[Listing]) -> None:
        """Read one batch of listings, in the order of the chain."""
        self._batch += 1
        first = self._batch == len(listings) == 1
        for place, listing in enumerate(listings):
            covered = self._covered.get(listing.run_id, frozenset())
            _Reading(self._leaves, covered, listing, Sight(listing.run_id, self._batch, 1 << place)).read(first=first)
        if len(listings) > 1:
            self._order([listing.run_id for listing in listings])

    def unsettled_runs(self) -> frozenset[int]:
        """Return the runs whose listings show an unfinished or unknown result as the newest of a leaf."""
        return frozenset(history.seen[-1].listed_by for history in self.opened if not history.latest.settled)

    def _order(self, run_ids: list[int]) -> None:
        """Sort the observations of this batch by age, and tell which run each belongs to as far as that is known.

        An id that several runs list belongs to one of them. It is the first, if that listing is known to keep to its
        own time (a later run shows something else for one of its leaves). Otherwise it is the last, if that listing
        is known to hold only its own rows (it lacks a leaf of an earlier run). Otherwise nobody can tell.
        """
        news = [[seen for seen in history.seen if seen.batch == self._batch] for history in self.opened]
        keeps_to_its_time: set[int] = set()
        own_rows_only: set[int] = set()
        for group in news:
            start = min((seen.first for seen in group), default=len(run_ids))
            for place in range(start, len(run_ids)):
                shown = [seen for seen in group if seen.places >> place & 1]
                if not shown and any(seen.last < place for seen in group):
                    own_rows_only.add(place)
                elif shown and max(seen.age for seen in shown) < max(seen.age for seen in group):
                    keeps_to_its_time.add(place)
        for group in news:
            carried = [seen.carried_past(group) for seen in group]
            for seen, places in zip(group, carried, strict=True):
                seen.places = seen.places & ~places or seen.places
        for history, group in zip(self.opened, news, strict=True):
            history.seen.sort(key=lambda seen: seen.age)
            for seen in group:
                # an earlier listing that shows something newer may hide that this was the earlier run's
                hidden = any(other.first < seen.first and other.age > seen.age for other in group)
                run_id: int | None
                if not hidden and (seen.first == seen.last or seen.first in keeps_to_its_time):
                    run_id = run_ids[seen.first]
                else:
                    run_id = run_ids[seen.last] if seen.last in own_rows_only else None
                seen.run_id = None if history.ended_before(run_id, seen.result_id, self._batch) else run_id


class _Reading:
    """One listing on its way into the ledger."""

    def __init__(self, leaves: Leaves, covered: Collection[int], listing: Listing, sight: Sight) -> None:
        self._leaves = leaves
        self._covered = covered
        self._records = listing.cases
        self._sight = sight

    def read(self, *, first: bool) -> None:
        """Read it. `first`: there are no leaves yet, and no other listing in the batch."""
        if first and all_named_differently(self._records):
            for record in self._leaves.fold(self._records, self._sight):
                self._read_group(name_of(record), [record])
            return
        groups: dict[Name, list[CaseResult]] = {}
        for record in self._records:
            groups.setdefault(name_of(record), []).append(record)
        for name, group in groups.items():
            self._read_group(name, group)

    def _read_group(self, name: Name, group: list[CaseResult]) -> None:
        """Read all that the listing has of one name; mostly that is one record of a case that is new, or as it was."""
        record, *others = group
        simple = not others and is_simple(record)
        if simple and not self._leaves.knows(name):
            self._leaves.begin(name, record, self._sight)
        elif not (simple and self._leaves.is_folded(name, record)):
            for case, matched in self._match_cases(self._leaves.cases(name), group):
                self._read_case(case, matched)

    def _match_cases(self, cases: list[Case], entries: list[CaseResult]) -> Iterable[tuple[Case, list[CaseResult]]]:
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
                cases.append(Case())
            for slot in slots or (len(cases) - 1,):
                matched.setdefault(slot, []).extend(group)
        return [(cases[slot], group) for slot, group in matched.items()]

    def _read_case(self, case: Case, entries: list[CaseResult]) -> None:
        rows: dict[str, list[tuple[RowResult, CaseResult]]] = {}
        for entry in entries:
            self._read_whole(case, entry)
            for row in entry.rows:
                rows.setdefault(row.set_name, []).append((row, entry))
        for name, group in rows.items():
            self._read_rows(case, case.rows.setdefault(name, []), group)

    def _read_whole(self, case: Case, entry: CaseResult) -> None:
        case.result_ids.add(entry.result_id)
        if any(row.result in FAILING for row in entry.rows):
            case.explained.add(entry.result_id)
        run_id, batch, place = self._sight
        unheeded = case.unheeded.get(entry.result_id)
        if unheeded is not None and unheeded.batch == batch:
            place |= unheeded.places
        if case.whole is None:
            rows_passed = all(row.result is Result.SUCCESS for row in entry.rows)
            if entry.rows and (entry.result is Result.SUCCESS or not rows_passed or entry.result_id in case.explained):
                case.unheeded[entry.result_id] = Seen(None, entry.result_id, entry.result, 0, batch, place, run_id)
                return  # its rows tell it all
            case.whole = self._new_leaf(case, entry, None)
        elif unheeded is not None and unheeded.batch < batch and unheeded.result is entry.result:
            return  # from before the case was a leaf of its own
        self._observe(case.whole, entry.result_id, entry.result, entry, place)

    def _read_rows(self, case: Case, histories: list[History], rows: list[tuple[RowResult, CaseResult]]) -> None:
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

    def _new_leaf(self, case: Case, entry: CaseResult, iteration: str | None) -> History:
        return self._leaves.add(Leaf(entry.suite, entry.case, entry.machine, iteration), case)

    def _observe(
        self, history: History, result_id: int, result: Result, entry: CaseResult, places: int | None = None
    ) -> None:
        run_id, batch, place = self._sight
        places = places or place
        same_id = [seen for seen in history.seen if seen.result_id == result_id]
        known = same_id[-1] if same_id else None
        if known is None or (known.result is not result and known.result.settled):
            late = known is None and history.ended_before(run_id, result_id, batch)
            known = Seen(None if late else run_id, result_id, result, entry.result_id, batch, places, run_id)
            history.seen.append(known)
            return
        if known.result is not result and any(seen.result is result for seen in same_id[:-1]):
            history.seen.remove(known)  # what was unfinished for a while has become what it was before
            return
        known.result = result
        known.case_result_id = entry.result_id
        known.listed_by = run_id
        if known.batch == batch:
            known.places |= places
        elif any(s.batch == batch and s.places < places and s.result_id < result_id for s in history.seen):
            known.batch, known.places = batch, places  # newer than what has only now come to light before it
