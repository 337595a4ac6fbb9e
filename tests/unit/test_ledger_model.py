"""The ledger against a random platform that knows the truth: every habit of listing, read in time or late."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from rerun_action.core.ledger import Ledger
from rerun_action.core.model import CaseResult, Listing, Pick, RerunRequest, Result, RowResult

SUCCESS = Result.SUCCESS
HABITS = ("own", "rerun", "first", "both", "root and own")


@dataclass
class World:
    """The truth: which leaf got which result under which id in which run. A leaf is (case number, row or None)."""

    cases: list[int]
    """How many rows each case has, 0 for a plain case."""
    habit: str
    runs: list[dict[tuple[int, int | None], tuple[int, Result]]] = field(default_factory=list)
    case_ids: list[dict[int, int]] = field(default_factory=list)
    next_id: int = 100

    def leaves(self) -> list[tuple[int, int | None]]:
        return [(case, row) for case, rows in enumerate(self.cases) for row in (range(rows) if rows else [None])]

    def execute(self, results: dict[tuple[int, int | None], Result]) -> None:
        ran: dict[tuple[int, int | None], tuple[int, Result]] = {}
        case_ids: dict[int, int] = {}
        for leaf, result in results.items():
            if leaf[0] not in case_ids:
                case_ids[leaf[0]] = self.next_id
                self.next_id += 1
            ran[leaf] = (case_ids[leaf[0]] if leaf[1] is None else self.next_id, result)
            self.next_id += 1
        self.runs.append(ran)
        self.case_ids.append(case_ids)

    def history(self, leaf: tuple[int, int | None]) -> list[tuple[int, int, Result]]:
        return [(number + 1, *ran[leaf]) for number, ran in enumerate(self.runs) if leaf in ran]

    def listing(self, number: int) -> Listing:
        """What the platform shows now for a run, by its habit."""
        merged = self.habit in ("both", "first" if number == 0 else "rerun")
        sources: Iterable[int] = (
            range(len(self.runs)) if merged and number == 0 else range(number + 1) if merged else (number,)
        )
        if self.habit == "root and own":
            sources = (0, number)
        shown: dict[tuple[int, int | None], tuple[int, Result]] = {}
        case_ids: dict[int, int] = {}
        for source in sources:
            shown |= self.runs[source]
            case_ids |= self.case_ids[source]
        cases = []
        for case, result_id in sorted(case_ids.items()):
            rows = tuple(
                RowResult(shown[case, row][0], f"row {row}", shown[case, row][1])
                for row in range(self.cases[case])
                if (case, row) in shown
            )
            whole = shown.get((case, None))
            derived = SUCCESS if all(row.result is SUCCESS for row in rows) else Result.FAILURE
            cases.append(
                CaseResult(
                    result_id=whole[0] if whole else result_id,
                    result=whole[1] if whole else derived,
                    case_id=case + 1,
                    case=f"case {case}",
                    suite_id=1,
                    suite="suite",
                    machine_id=1,
                    machine="machine",
                    rows=rows,
                )
            )
        return Listing(number + 1, 7, tuple(cases))


results = st.sampled_from([SUCCESS, Result.FAILURE, Result.ABORTED, Result.NOT_EXECUTED])


@st.composite
def worlds(draw: st.DrawFn) -> tuple[World, int, Ledger]:
    """A world after some reruns, and the ledger of a client that arrived after `late` of them."""
    world = World(draw(st.lists(st.integers(0, 3), min_size=1, max_size=4)), draw(st.sampled_from(HABITS)))
    world.execute({leaf: draw(results) for leaf in world.leaves()})
    late = draw(st.integers(0, 3))
    ledger = Ledger()
    for number in range(draw(st.integers(late, 4))):
        if number == late:
            ledger.read([world.listing(run) for run in range(len(world.runs))])
        picked = [leaf for leaf in world.leaves() if draw(st.booleans())]
        world.execute({leaf: draw(results) for leaf in picked})
        if number >= late:
            names = {
                leaf: n for n, h in enumerate(ledger.histories) for leaf in world.leaves() if is_leaf(h.leaf, leaf)
            }
            wanted = tuple(sorted(names[leaf] for leaf in picked))
            ledger.ask(len(world.runs), RerunRequest((Pick(1),), wanted, wanted))
            ledger.read([world.listing(len(world.runs) - 1)])
    if not ledger.histories:
        ledger.read([world.listing(run) for run in range(len(world.runs))])
    return world, late, ledger


def is_leaf(leaf: object, truth: tuple[int, int | None]) -> bool:
    row = None if truth[1] is None else f"row {truth[1]}"
    return (getattr(leaf, "case", None), getattr(leaf, "iteration", 0)) == (f"case {truth[0]}", row)


@given(worlds())
def test_the_last_true_result_rules_in_every_habit(drawn: tuple[World, int, Ledger]) -> None:
    world, late, ledger = drawn
    assert len(ledger.histories) == len(world.leaves())
    for leaf in world.leaves():
        (history,) = [h for h in ledger.histories if is_leaf(h.leaf, leaf)]
        truth = world.history(leaf)
        known = [(o.result_id, o.result) for o in history.observations]
        assert history.latest is truth[-1][2]
        assert not history.unseen
        # nothing is invented, the order is the true one, and nothing is missed that was there to be seen
        ids = [(result_id, result) for _, result_id, result in truth]
        assert [entry for entry in ids if entry in known] == known
        assert all(entry in known for (run, *_), entry in zip(truth, ids, strict=True) if run > late + 1)
        # a run is named only where it is the true one
        runs = {result_id: run for run, result_id, _ in truth}
        assert all(o.run_id in (None, runs[o.result_id]) for o in history.observations)
        if late == 0:
            assert [(o.run_id, o.result_id, o.result) for o in history.observations] == truth
