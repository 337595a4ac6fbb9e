"""Which leaves are rerun, with a reason for each one taken or left, and what is asked of the platform for them.

All of it is a function of the ledger and the policy.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from fractions import Fraction

from rerun_action.core import filters
from rerun_action.core.history import History
from rerun_action.core.ledger import Ledger
from rerun_action.core.model import Decision, Iterations, Leaf, Pick, Policy, QuarantineEntry, RerunRequest, Result
from rerun_action.core.text import tests

MAX_RERUNS_OF_A_RUN = 10
"""The platform's own limit (API page, "Chains, limits and races")."""


# --- quarantine -------------------------------------------------------------------------------------------------------


def quarantine(ledger: Ledger, policy: Policy) -> tuple[QuarantineEntry | None, ...]:
    """Return for each leaf, in the ledger's order, the valid entry that speaks of it."""
    valid: dict[str, list[QuarantineEntry]] = {}
    for entry in policy.quarantine:
        if entry.expires >= policy.today:
            valid.setdefault(filters.normal(entry.case), []).append(entry)

    def find(leaf: Leaf) -> QuarantineEntry | None:
        entries = valid.get(filters.normal(leaf.case), ())
        return next((entry for entry in entries if filters.speaks_of(entry, leaf)), None)

    found: list[QuarantineEntry | None] = [None] * len(ledger)
    for number, leaf in ledger.leaves() if valid else ():
        found[number] = find(leaf)
    return tuple(found)


def stale_entries(ledger: Ledger, policy: Policy) -> Iterator[str]:
    """Say which quarantine entries have expired, and which match nothing."""
    cases = {filters.normal(entry.case): list[Leaf]() for entry in policy.quarantine}
    for _, leaf in ledger.leaves() if cases else ():
        cases.get(filters.normal(leaf.case), []).append(leaf)
    for entry in policy.quarantine:
        name = f'quarantine of "{entry.case}" ({policy.quarantine_file}, line {entry.line}, owner {entry.owner})'
        if entry.expires < policy.today:
            yield f"the {name} expired on {entry.expires}: the test counts again"
        if not any(filters.speaks_of(entry, leaf) for leaf in cases[filters.normal(entry.case)]):
            yield f"the {name} matches no test of this execution"


def idle_patterns(ledger: Ledger, policy: Policy) -> Iterator[str]:
    """Say which patterns of include and exclude match nothing."""
    if not policy.include and not policy.exclude:
        return
    leaves = [leaf for _, leaf in ledger.leaves()]
    for name, patterns in (("include", policy.include), ("exclude", policy.exclude)):
        for pattern in filters.without_match(patterns, leaves):
            yield f'{name} "{pattern.text}" matches no test of this execution (patterns are case-sensitive)'


# --- decisions --------------------------------------------------------------------------------------------------------


def decide(
    ledger: Ledger,
    policy: Policy,
    quarantined: Sequence[QuarantineEntry | None] = (),
    reruns: Collection[int] = (),
    rounds_left: int = 1,
) -> tuple[Decision, ...]:
    """Decide for each leaf, in the ledger's order.

    `reruns` are the runs that this step triggered or waited for: a leaf is seen in `max-reruns` of them at most.
    """
    included, excluded = filters.first_match(policy.include), filters.first_match(policy.exclude)

    def left_out(leaf: Leaf) -> str | None:
        if policy.exclude and (pattern := excluded(leaf)):
            return f"exclude names it ({pattern.text})"
        return "include does not name it" if policy.include and not included(leaf) else None

    entries = quarantined or [None] * len(ledger)
    decisions = [_PASSED] * len(ledger)
    unsure = not ledger.asked_runs.issuperset(reruns)  # what was asked for is listed alone: it is known by its run
    for history in ledger.unpassed:
        times = history.seen_in(reruns, unsure=unsure) if rounds_left else policy.max_reruns
        decisions[history.number] = _decide(history, policy, entries[history.number], left_out, times)
    return tuple(decisions)


_PASSED = Decision(rerun=False, reason="it passed")


def _decide(
    history: History,
    policy: Policy,
    entry: QuarantineEntry | None,
    left_out: Callable[[Leaf], str | None],
    times: int,
) -> Decision:
    latest = history.latest
    if entry is not None:
        return Decision(rerun=False, reason=f"quarantined until {entry.expires} by {entry.owner}: {entry.reason}")
    if history.unseen:
        return Decision(rerun=False, reason="it was asked for and not seen again")
    if not latest.settled:
        known = "none that is known" if latest is Result.UNKNOWN else f"{latest}, not a final one"
        return Decision(rerun=False, reason=f"its result is {known}")
    if reason := left_out(history.leaf):
        return Decision(rerun=False, reason=reason)
    if latest not in policy.rerun_results:
        return Decision(rerun=False, reason=f"{latest} is not in rerun-results")
    if times >= policy.max_reruns:
        return Decision(rerun=False, reason=f"max-reruns allows {policy.max_reruns}, and they are used up")
    return Decision(rerun=True, reason=f"it ended with {latest}")


def request(ledger: Ledger, decisions: Sequence[Decision], policy: Policy) -> RerunRequest:
    """Build the request for the leaves that were taken: one entry for each case, in the ledger's order.

    A case and its rows are named by their newest result ids, as a merged listing would show them together. The whole
    case is asked for where `iterations` says so or it failed without a failed row (API page, "Trigger a rerun").
    """
    wanted = [history for history in ledger.opened if decisions[history.number].rerun]
    covered = {history.number for history in wanted}
    by_case: dict[int, list[History]] = {}
    for history in wanted:
        by_case.setdefault(id(history.case), []).append(history)
    rows: dict[int, dict[int, None]] = {}
    whole: set[int] = set()
    for mine in by_case.values():
        case = mine[0].case
        newest = case.newest_result_id
        # a result that may speak for several cases of one name is asked for once
        ids = rows.setdefault(newest, {})
        if policy.iterations is Iterations.ALL or any(history.leaf.iteration is None for history in mine):
            whole.add(newest)
            covered.update(member.number for member in case.members)
        else:
            ids.update(dict.fromkeys(history.ruling.result_id for history in mine))
    return RerunRequest(
        picks=tuple(Pick(result_id, () if result_id in whole else tuple(ids)) for result_id, ids in rows.items()),
        wanted=tuple(history.number for history in wanted),
        covered=tuple(sorted(covered)),
    )


# --- breakers and hints -----------------------------------------------------------------------------------------------


def refusal(
    ledger: Ledger, policy: Policy, quarantined: Sequence[QuarantineEntry | None], reruns_before: int
) -> str | None:
    """Return why nothing may be triggered, None if it may. Looked at once, before the first trigger.

    Counted are the leaves that have not passed, left-out ones included, quarantined ones not; the share is of all.
    """
    entries = quarantined or [None] * len(ledger)
    total = len(ledger)
    failing = sum(entries[history.number] is None for history in ledger.unpassed)
    percent = 100 * failing / total if total else 0.0
    figures = f"{failing} of {total} tests ({percent:.1f} %) failed"
    remedy = "Look for a common cause, or raise the input"
    if policy.max_failures is not None and failing > policy.max_failures:
        return f"{figures}, more than max-failures allows ({policy.max_failures}). {remedy}"
    if policy.max_failure_percent is not None and 100 * failing > exact(policy.max_failure_percent) * total:
        return f"{figures}, more than max-failure-percent allows ({policy.max_failure_percent:g} %). {remedy}"
    return limit_reached(reruns_before)


def declined(decisions: Sequence[Decision]) -> tuple[Decision, ...]:
    """Return what becomes of decisions that may not be carried out: nothing is rerun."""
    declined = Decision(rerun=False, reason="the rerun was declined")
    return tuple(declined if decision.rerun else decision for decision in decisions)


def exact(percent: float) -> Fraction:
    """Return what the user wrote: 18.4, not the nearest binary number."""
    return Fraction(repr(percent))


def limit_reached(reruns_before: int) -> str | None:
    """Return that the platform reruns no more, None if it does."""
    if reruns_before < MAX_RERUNS_OF_A_RUN:
        return None
    return f"Testsigma reruns a run {MAX_RERUNS_OF_A_RUN} times at most, and this one has had {reruns_before} reruns"


def warnings(ledger: Ledger, policy: Policy) -> Iterator[str]:
    """Say, before anything is triggered, what looks wrong with the policy, and what the failures have in common."""
    yield from stale_entries(ledger, policy)
    yield from idle_patterns(ledger, policy)
    yield from hints(ledger)


def hints(ledger: Ledger) -> Iterator[str]:
    """Say where all failures have something in common that most tests don't: a hint, not a refusal."""
    failed = ledger.unpassed
    passed = len(ledger) - len(failed)
    if len(failed) < 2:  # noqa: PLR2004 - one failure has everything in common with itself
        return
    for where, aspect in (("on machine", 1), ("in suite", 0)):
        (place, *others) = {_place(history)[aspect] for history in failed}
        if not others and any(other[aspect] != place for other in ledger.places()):
            yield f'all {len(failed)} failures are {where} "{place}"'
    if passed and all(history.latest in (Result.ABORTED, Result.NOT_EXECUTED) for history in failed):
        yield f"all {len(failed)} failures are ABORTED or NOT_EXECUTED while {tests(passed)} passed"


def _place(history: History) -> tuple[str, str]:
    return history.leaf.suite, history.leaf.machine
