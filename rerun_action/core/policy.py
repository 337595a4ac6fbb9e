"""Which leaves are rerun, with a reason for each one taken or left, and what is asked of the platform for them."""

from collections.abc import Sequence

from rerun_action.core.ledger import History, Ledger
from rerun_action.core.model import Decision, Iterations, Pick, Policy, RerunRequest, Result


def decide(ledger: Ledger, policy: Policy) -> tuple[Decision, ...]:
    """Decide for each leaf, in the ledger's order."""
    return tuple(_decide(history, policy) for history in ledger.histories)


def _decide(history: History, policy: Policy) -> Decision:
    latest = history.latest
    if latest is Result.SUCCESS:
        return Decision(rerun=False, reason="it passed")
    if history.unseen:
        return Decision(rerun=False, reason="it was asked for and not seen again")
    if not latest.settled:
        return Decision(rerun=False, reason=f"its result is {_unsettled(latest)}")
    if latest not in policy.rerun_results:
        return Decision(rerun=False, reason=f"{latest} is not in rerun-results")
    return Decision(rerun=True, reason=f"it ended with {latest}")


def _unsettled(result: Result) -> str:
    return "none that is known" if result is Result.UNKNOWN else f"{result} in a finished run"


def request(ledger: Ledger, decisions: Sequence[Decision], policy: Policy) -> RerunRequest:
    """Build the request for the leaves that were taken: one entry for each case, in the ledger's order.

    A case and its rows are named by their newest result ids, as a merged listing would show them together. The whole
    case is asked for where `iterations` says so or it failed without a failed row (API page, "Trigger a rerun").
    """
    wanted = [history for history, decision in zip(ledger.histories, decisions, strict=True) if decision.rerun]
    covered = {history.number for history in wanted}
    by_case: dict[int, list[History]] = {}
    for history in wanted:
        by_case.setdefault(id(history.case), []).append(history)
    picks: list[Pick] = []
    for mine in by_case.values():
        case = mine[0].case
        if policy.iterations is Iterations.ALL or any(history.leaf.iteration is None for history in mine):
            picks.append(Pick(case.newest_result_id))
            covered.update(member.number for member in case.members)
        else:
            picks.append(Pick(case.newest_result_id, tuple(history.seen[-1].result_id for history in mine)))
    return RerunRequest(
        picks=tuple(picks),
        wanted=tuple(history.number for history in wanted),
        covered=tuple(sorted(covered)),
    )
