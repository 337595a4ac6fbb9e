"""What the observations add up to: the verdict of each leaf, of the whole, and the contradictions that forbid one."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence

from rerun_action.core.history import History
from rerun_action.core.ledger import Ledger
from rerun_action.core.model import Decision, LeafReport, Outcome, QuarantineEntry, Result, Run, Verdict
from rerun_action.core.text import tests


def judge(
    ledger: Ledger,
    decisions: Sequence[Decision] = (),
    quarantined: Sequence[QuarantineEntry | None] = (),
    *,
    dry_run: bool = False,
) -> tuple[LeafReport, ...]:
    """Return each leaf's verdict with its reason, in the ledger's order.

    `decisions` are the last ones taken; a leaf that joined the ledger after them has none.
    """
    reports = judge_opened(ledger, decisions, quarantined, dry_run=dry_run)
    reason = ""
    for number, leaf, seen in ledger.passes():
        reason = reason or f"passed{_in(seen.run_id)}"
        counts = not quarantined or quarantined[number] is None
        reports[number] = LeafReport(leaf, Verdict.PASSED, reason, rerun=False, observations=(seen,), counts=counts)
    return tuple(reports[number] for number in range(len(ledger)))


def judge_opened(
    ledger: Ledger,
    decisions: Sequence[Decision] = (),
    quarantined: Sequence[QuarantineEntry | None] = (),
    *,
    dry_run: bool = False,
) -> dict[int, LeafReport]:
    """Return the same by number, of all leaves but those that passed at once and were not seen again."""
    reports: dict[int, LeafReport] = {}
    for history in ledger.opened:
        number = history.number
        decision = decisions[number] if number < len(decisions) else None
        entry = quarantined[number] if number < len(quarantined) else None
        verdict, reason = _judge(history, decision, entry, "would be rerun" if dry_run else "picked for a rerun")
        reports[number] = LeafReport(
            history.leaf,
            verdict,
            reason,
            rerun=history.rerun,
            observations=history.observations,
            counts=entry is None,
        )
    return reports


def _judge(
    history: History, decision: Decision | None, entry: QuarantineEntry | None, picked: str
) -> tuple[Verdict, str]:
    latest = history.latest
    where = _where(history)
    failures = [seen for seen in history.seen if seen.result is not Result.SUCCESS]
    if latest is Result.SUCCESS and history.unseen:
        return Verdict.UNRESOLVED, f"passed{where}, but it was asked for after that, and no new result of it was seen"
    if latest is Result.SUCCESS and failures:
        return Verdict.FLAKY, f"{failures[0].result}{_in(failures[0].run_id)}, then passed{where}"
    if latest is Result.SUCCESS:
        return Verdict.PASSED, f"passed{where}"
    if entry is not None:
        until = f"quarantined until {entry.expires} by {entry.owner}: {entry.reason}"
        return Verdict.QUARANTINED, f"{latest}{where}; {until}"
    if history.unseen:
        return Verdict.UNRESOLVED, f"{latest}{where}; it was asked for again, and no new result of it was seen"
    if latest is Result.UNKNOWN:
        return Verdict.UNRESOLVED, f"the platform gave a result that is not known{where}"
    if not latest.settled:
        return Verdict.UNRESOLVED, f"still {latest} when it was last looked at{where}"
    if history.rerun:
        again = (
            "again" if any(seen.result is not Result.SUCCESS for seen in history.seen[:-1]) else "after it had passed"
        )
        return Verdict.FAILED, f"{latest} {again}{where}"
    if decision is None:
        return Verdict.FAILED, f"{latest}{where}"
    return Verdict.FAILED, f"{latest}{where}; {picked if decision.rerun else f'left out: {decision.reason}'}"


def _where(history: History) -> str:
    return _in(history.seen[-1].run_id)


def _in(run_id: int | None) -> str:
    return f" in run {run_id}" if run_id is not None else ""


def outcome(leaves: Iterable[LeafReport]) -> Outcome:
    """Return the result of the whole: a failed or unresolved leaf fails it, one that passed only later is flaky."""
    verdicts = {leaf.verdict for leaf in leaves if leaf.counts}
    if verdicts & {Verdict.FAILED, Verdict.UNRESOLVED}:
        return Outcome.FAILED
    return Outcome.FLAKY if Verdict.FLAKY in verdicts else Outcome.CLEAN


def message(outcome: Outcome, leaves: Collection[LeafReport], more_passes: int = 0) -> str:
    """Say the outcome in one sentence; `more_passes` are leaves that passed at once and are not in `leaves`."""
    failed = Counter(leaf.rerun or len(leaf.observations) > 1 for leaf in leaves if leaf.verdict is Verdict.FAILED)
    unresolved = sum(leaf.verdict is Verdict.UNRESOLVED for leaf in leaves)
    flaky = sum(leaf.verdict is Verdict.FLAKY and leaf.counts for leaf in leaves)
    quarantined = sum(leaf.verdict is Verdict.QUARANTINED for leaf in leaves)
    parts: list[str] = []
    if failed[True]:
        parts.append(f"{tests(failed[True])} failed again")
    if failed[False]:
        parts.append(f"{tests(failed[False])} failed and {'was' if failed[False] == 1 else 'were'} not rerun")
    if unresolved:
        parts.append(f"{tests(unresolved)} ended without a result that counts")
    if flaky:
        parts.append(f"{tests(flaky)} failed and passed in a later run")
    if outcome is Outcome.FLAKY:
        parts.append(f"nothing {'that counts ' if quarantined else ''}fails any more")
    if outcome is Outcome.CLEAN:
        passed = more_passes + sum(leaf.verdict in (Verdict.PASSED, Verdict.FLAKY) for leaf in leaves)
        parts.append(f"nothing that counts failed; {passed} of {tests(more_passes + len(leaves))} passed")
    if quarantined:
        parts.append(f"{tests(quarantined)} failed in quarantine")
    return "; ".join(parts)


def contradiction(newest: Run, ledger: Ledger) -> str | None:
    """Return why no verdict can be given: nothing is listed, or a failed run without a later one lists only passes.

    A first run that failed and is all green is legal once the chain has a later run (API page, "Listings").
    """
    if not len(ledger):
        return f"run {newest.id} has finished, but no test case results are listed for it"
    if newest.result is not Result.SUCCESS and not ledger.unpassed:
        return (
            f"run {newest.id} ended with {newest.result or 'no result'}, but every test case listed for it passed "
            "and no later rerun explains that"
        )
    return None
