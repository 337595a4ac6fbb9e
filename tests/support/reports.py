"""Reports to render."""

from rerun_action.core.model import (
    Leaf,
    LeafReport,
    Observation,
    Origin,
    Outcome,
    Report,
    Result,
    Run,
    RunReport,
    Verdict,
)

F, P = Result.FAILURE, Result.SUCCESS
HOSTILE = "<script>x</script> ]]> | `a` *b* [c](d) ::error::e ##[error] \x1b[31m\n\r\t\u202e\ud800 @f &lt; \"'"


def leaf(number: int, verdict: Verdict, *results: Result, name: str | None = None, rerun: bool = True) -> LeafReport:
    """One that was observed in run 100, 101, …"""
    return LeafReport(
        Leaf("Suite", name or f"case {number}", "Chrome", None if number % 2 else f"row {number}"),
        verdict,
        f"because {name or number}",
        rerun=rerun,
        observations=tuple(Observation(100 + n, 5000 + 10 * number + n, result) for n, result in enumerate(results)),
    )


def report(*leaves: LeafReport, outcome: Outcome = Outcome.FAILED, exit_code: int = 1, message: str = "m") -> Report:
    runs = (
        RunReport(Run(100, 7, "STATUS_COMPLETED", F), Origin.EXECUTION, None, 1),
        RunReport(Run(101, 7, "STATUS_COMPLETED", F, 100), Origin.TRIGGERED, 3, 4),
    )
    return Report(outcome, exit_code, message, 100, "https://t.example", None, 7, runs, None, leaves)


MIXED = report(
    leaf(1, Verdict.PASSED, P, rerun=False),
    leaf(2, Verdict.FLAKY, F, P),
    leaf(3, Verdict.FAILED, F, F),
    leaf(4, Verdict.UNRESOLVED, F),
    leaf(5, Verdict.QUARANTINED, F, rerun=False),
)
