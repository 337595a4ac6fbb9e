"""All leaves of an execution by number, and its cases by name.

Most cases pass at once and are never heard of again. Where the first listing shows nothing but passes of a case, its
record stays *folded* here, as it is: histories are made of it when something else is seen of it, or when all are asked
for.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import repeat
from operator import attrgetter, itemgetter

from rerun_action.core.history import Case, History, Seen, Sight
from rerun_action.core.model import FAILING, CaseResult, Leaf, Observation, Result, RowResult

Name = tuple[int | None, int, int | None]
"""By what a case is recognised in another run: suite id, case id, machine id."""
name_of: Callable[[CaseResult], Name] = itemgetter(
    *(CaseResult._fields.index(field) for field in ("suite_id", "case_id", "machine_id"))
)
_case_id: Callable[[CaseResult], int] = itemgetter(CaseResult._fields.index("case_id"))
_row_name: Callable[[RowResult], str] = itemgetter(RowResult._fields.index("set_name"))
_row_result: Callable[[RowResult], Result] = itemgetter(RowResult._fields.index("result"))


class Leaves:
    """The leaves, numbered as they come; its length is their number."""

    def __init__(self) -> None:
        self._by_number: list[History | CaseResult | None] = []
        """A folded case stands in the place of its first leaf, None in those of its others."""
        self._opened: list[History] = []
        self._cases: dict[Name, list[Case]] = {}
        self._folded: dict[Name, int] | None = {}
        """Where the folded cases stand; None: to be looked up."""
        self._first = Sight(0, 0, 0)
        """Where the folded cases were seen."""

    def __len__(self) -> int:
        return len(self._by_number)

    def __getitem__(self, number: int) -> History:
        leaf = self._by_number[number]
        return leaf if isinstance(leaf, History) else self.open_all()[number]

    @property
    def opened(self) -> Sequence[History]:
        """The histories of all leaves that are not folded, by number."""
        self._opened.sort(key=attrgetter("number"))
        return self._opened

    def open_all(self) -> Sequence[History]:
        """Return the histories of all leaves, by number."""
        for name in tuple(self._places()):
            self._open(name)
        return self.opened

    def folded(self) -> Iterator[tuple[int, CaseResult]]:
        """Yield the folded cases with the number of their first leaf."""
        for start, record in enumerate(self._by_number):
            if isinstance(record, CaseResult):
                yield start, record

    def passes(self) -> Iterator[tuple[int, Leaf, Observation]]:
        """Yield number, leaf and observation of each leaf that is folded, by number."""
        for start, record in self.folded():
            for number, (result_id, iteration, result) in enumerate(_shown(record), start):
                leaf = Leaf(record.suite, record.case, record.machine, iteration)
                yield number, leaf, Observation(self._first.run_id, result_id, result)

    def add(self, leaf: Leaf, case: Case) -> History:
        """Begin the history of one more leaf."""
        history = History(len(self), leaf, case)
        self._by_number.append(history)
        self._opened.append(history)
        return history

    def cases(self, name: Name) -> list[Case]:
        """Return the cases of that name, for a listing to add to; none of them stays folded."""
        if name in self._places():
            self._open(name)
        return self._cases.setdefault(name, [])

    def knows(self, name: Name) -> bool:
        """Return whether there is a case of that name."""
        return name in self._cases or name in self._places()

    def begin(self, name: Name, record: CaseResult, sight: Sight) -> None:
        """Take in a new, simple case."""
        start = len(self)
        self._by_number += [None] * len(_shown(record))
        self._make_histories(name, record, start, sight)

    # --- folding --------------------------------------------------------------------------------------------------

    def fold(self, records: Iterable[CaseResult], sight: Sight) -> Iterator[CaseResult]:
        """Take in the first listing: fold what shows nothing but passes, yield what the caller has to take in itself.

        The leaves are numbered in the listing's order because the two happen in turn.
        """
        self._first = sight
        leaves = self._by_number
        for record in records:
            rows = record.rows
            if record.result is not Result.SUCCESS:
                yield record
            elif not rows:
                leaves.append(record)
            elif list(map(_row_result, rows)).count(Result.SUCCESS) == len(rows) and is_simple(record):
                leaves += [record, *repeat(None, len(rows) - 1)]
            else:
                yield record
        self._folded = None

    def is_folded(self, name: Name, record: CaseResult) -> bool:
        """Return whether the case is folded and a later listing shows it as the first one did."""
        start = self._places().get(name)
        known = None if start is None else self._by_number[start]
        return isinstance(known, CaseResult) and (
            (known.result_id, known.result, known.rows) == (record.result_id, record.result, record.rows)
        )

    def _places(self) -> dict[Name, int]:
        if self._folded is None:  # nobody asks before the second listing, which many an execution never has
            self._folded = {name_of(record): start for start, record in self.folded()}
        return self._folded

    def _open(self, name: Name) -> None:
        start = self._places().pop(name)
        record = self._by_number[start]
        if isinstance(record, CaseResult):
            self._make_histories(name, record, start, self._first)

    def _make_histories(self, name: Name, record: CaseResult, start: int, sight: Sight) -> None:
        case = Case({record.result_id})
        self._cases[name] = [case]
        if any(row.result in FAILING for row in record.rows):
            case.explained.add(record.result_id)
        run_id, batch, places = sight
        if record.rows:
            case.unheeded[record.result_id] = Seen(None, record.result_id, record.result, 0, batch, places, run_id)
        case_result_id, _, _, case_name, _, suite, _, machine, _ = record
        for number, (result_id, iteration, result) in enumerate(_shown(record), start):
            seen = Seen(run_id, result_id, result, case_result_id, batch, places, run_id)
            history = History(number, Leaf(suite, case_name, machine, iteration), case, [seen])
            self._by_number[number] = history
            self._opened.append(history)
            if iteration is None:
                case.whole = history
            else:
                case.rows[iteration] = [history]


def all_named_differently(records: Sequence[CaseResult]) -> bool:
    """Return whether no two cases of a listing have the same name; mostly their own ids tell."""
    return len(set(map(_case_id, records))) == len(records) or len(set(map(name_of, records))) == len(records)


def is_simple(record: CaseResult) -> bool:
    """Return whether each row of the case has a name of its own."""
    return len(record.rows) < 2 or len(set(map(_row_name, record.rows))) == len(record.rows)  # noqa: PLR2004


def has_whole(record: CaseResult) -> bool:
    """Return whether a new case is a leaf as a whole: a plain one, or one that ended badly with all its rows passed."""
    return not record.rows or (
        record.result is not Result.SUCCESS and all(row.result is Result.SUCCESS for row in record.rows)
    )


def _shown(record: CaseResult) -> Sequence[tuple[int, str | None, Result]]:
    """Return result id, row name and result of each leaf of a new case."""
    return ((record.result_id, None, record.result), *record.rows) if has_whole(record) else record.rows
