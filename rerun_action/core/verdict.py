"""What the observations add up to: the verdict of each leaf, of the whole, and the contradictions that forbid one."""

from collections import Counter
from collections.abc import Iterable, Sequence

from rerun_action.core.ledger import History, Ledger
from rerun_action.core.model import Decision, LeafReport, Outcome, Result, Run, Verdict


def judge(ledger: Ledger, decisions: Sequence[Decision] = ()) -> tuple[LeafReport, ...]:
    """Return each leaf's verdict with its reason, in the ledger's order.

    `decisions` are the last ones taken; leaves that joined the ledger after them have none.
    """
    return tuple(
        LeafReport(
            history.leaf,
            *_judge(history, decisions[history.number] if history.number < len(decisions) else None),
            rerun=history.rerun,
            observations=history.observations,
        )
        for history in ledger.histories
    )


def _judge(history: History, decision: Decision | None) -> tuple[Verdict, str]:
    latest = history.latest
    where = _where(history)
    failures = [seen for seen in history.seen if seen.result is not Result.SUCCESS]
    if latest is Result.SUCCESS and failures:
        return Verdict.FLAKY, f"{failures[0].result}{_in(failures[0].run_id)}, then passed{where}"
    if latest is Result.SUCCESS:
        return Verdict.PASSED, f"passed{where}"
    if history.unseen:
        return Verdict.UNRESOLVED, f"{latest}{where}; it was asked for again and no new result was listed"
    if latest is Result.UNKNOWN:
        return Verdict.UNRESOLVED, f"the platform gave a result that is not known{where}"
    if not latest.settled:
        return Verdict.UNRESOLVED, f"still {latest} when the run had finished{where}"
    if history.rerun:
        return Verdict.FAILED, f"{latest} again{where}"
    if decision is not None and not decision.rerun and decision.reason != "it passed":
        return Verdict.FAILED, f"{latest}{where}; left out: {decision.reason}"
    return Verdict.FAILED, f"{latest}{where}"


def _where(history: History) -> str:
    return _in(history.seen[-1].run_id)


def _in(run_id: int | None) -> str:
    return f" in run {run_id}" if run_id is not None else ""


def outcome(leaves: Iterable[LeafReport]) -> Outcome:
    """Return the result of the whole: a failed or unresolved leaf fails it, one that passed only later is flaky."""
    verdicts = {leaf.verdict for leaf in leaves}
    if verdicts & {Verdict.FAILED, Verdict.UNRESOLVED}:
        return Outcome.FAILED
    return Outcome.FLAKY if Verdict.FLAKY in verdicts else Outcome.CLEAN


def message(outcome: Outcome, leaves: Sequence[LeafReport]) -> str:
    """Say the outcome in one sentence."""
    counts = Counter(leaf.verdict for leaf in leaves)
    flaky, failed, unresolved = (counts[v] for v in (Verdict.FLAKY, Verdict.FAILED, Verdict.UNRESOLVED))
    passed_later = f"{_tests(flaky)} failed and passed in a later run"
    if outcome is Outcome.CLEAN:
        return f"nothing had failed: {_tests(len(leaves))} passed"
    if outcome is Outcome.FLAKY:
        return f"{passed_later}; nothing fails any more"
    parts = [f"{_tests(failed)} still fail{'s' if failed == 1 else ''}"] if failed else []
    parts += [f"{_tests(unresolved)} ended without a result that counts"] if unresolved else []
    parts += [passed_later] if flaky else []
    return "; ".join(parts)


def _tests(number: int) -> str:
    return f"{number} test" if number == 1 else f"{number} tests"


def contradiction(newest: Run, ledger: Ledger) -> str | None:
    """Return why no verdict can be given: nothing is listed, or a failed run without a later one lists only passes.

    A first run that failed and is all green is legal once the chain has a later run (API page, "Listings").
    """
    if not ledger.histories:
        return f"run {newest.id} has finished, but no test case results are listed for it"
    if newest.result is not Result.SUCCESS and all(h.latest is Result.SUCCESS for h in ledger.histories):
        return (
            f"run {newest.id} ended with {newest.result or 'no result'}, but every test case listed for it passed "
            "and no later rerun explains that"
        )
    return None
