"""Reports for the tests of the page: an ordinary one, a hostile one, a big one."""

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
    StopReport,
    StopRoute,
    Verdict,
)

HOSTILE = (
    "<script>window.hacked=1;alert(1)</script><img src=x onerror=window.hacked=2>\"'>]]>--></style></title>"
    "|\n::error::\x1b[31m\u202eevil\u2066\u200b{{7*7}}&lt;\0\ud800"
)
SHOWN = (
    "<script>window.hacked=1;alert(1)</script><img src=x onerror=window.hacked=2>\"'>]]>--></style></title>"
    "|\\n::error::\\x1b[31m\\u202eevil\\u2066\\u200b{{7*7}}&lt;\\x00\\ud800"
)
"""How a person reads it."""


def leaf(
    verdict: Verdict,
    name: Leaf,
    *seen: tuple[int | None, Result],
    reason: str = "why",
    rerun: bool = False,
) -> LeafReport:
    observations = tuple(Observation(run_id, 5001 + place, result) for place, (run_id, result) in enumerate(seen))
    return LeafReport(name, verdict, reason, rerun=rerun, observations=observations)


def ordinary() -> Report:
    """One leaf of each verdict, in the order in which a platform might list them, and one of an unknown run."""
    first = Run(
        41, 336, "STATUS_COMPLETED", Result.FAILURE, started_at="2026-11-23T23:10:03Z", ended_at="2026-11-24T00:12:05Z"
    )
    second = Run(42, 336, "STATUS_IN_PROGRESS", None, started_at="2026-11-24T00:13:00Z")
    return Report(
        Outcome.FAILED,
        1,
        "1 test failed again",
        execution_id=41,
        server_url="https://app.testsigma.com",
        test_plan_id=336,
        runs=(RunReport(first, Origin.EXECUTION, None, 1), RunReport(second, Origin.TRIGGERED, 3, 7)),
        stop=StopReport(42, StopRoute.RUN, 200, confirmed=False),
        leaves=(
            leaf(Verdict.PASSED, Leaf("Checkout", "Pay by card", "Chrome"), (41, Result.SUCCESS)),
            leaf(
                Verdict.FLAKY,
                Leaf("Checkout", "Ship abroad", "Chrome", "Poland"),
                (41, Result.ABORTED),
                (42, Result.SUCCESS),
                reason="ABORTED in run 41, then passed in run 42",
                rerun=True,
            ),
            leaf(Verdict.QUARANTINED, Leaf("Account", "Mail", "Safari"), (41, Result.STOPPED)),
            leaf(
                Verdict.FAILED,
                Leaf("Checkout", "Pay by invoice", "Safari"),
                (41, Result.FAILURE),
                (42, Result.NOT_EXECUTED),
                (42, Result.FAILURE),
                reason="FAILURE again in run 42",
                rerun=True,
            ),
            leaf(Verdict.UNRESOLVED, Leaf("Account", "Log in", "Safari"), (None, Result.UNKNOWN), rerun=True),
            leaf(Verdict.PASSED, Leaf("Account", "Log out", "Chrome"), (41, Result.SUCCESS)),
        ),
    )


def hostile() -> Report:
    """A report that holds nothing but HOSTILE wherever a text of others can stand."""
    run = Run(41, 336, HOSTILE, None, started_at=HOSTILE, ended_at=HOSTILE)
    return Report(
        Outcome.ERROR,
        3,
        HOSTILE,
        execution_id=HOSTILE,
        server_url=f"javascript:window.hacked=3//{HOSTILE}",
        runs=(RunReport(run, Origin.FOUND, None, 1),),
        leaves=(
            leaf(Verdict.FAILED, Leaf(HOSTILE, HOSTILE, HOSTILE, HOSTILE), (41, Result.FAILURE), reason=HOSTILE),
            leaf(Verdict.PASSED, Leaf("Suite", "Case", "Machine"), (41, Result.SUCCESS)),
        ),
    )


def big(size: int = 10_000) -> Report:
    """A thousand suites of ten cases, the first of each flaky."""
    runs = tuple(
        RunReport(Run(100 + number, 336, "STATUS_COMPLETED", Result.FAILURE), Origin.TRIGGERED, size // 10, 1)
        for number in range(3)
    )
    return Report(
        Outcome.FLAKY,
        0,
        f"{size // 10} tests failed and passed in a later run",
        execution_id=100,
        server_url="https://app.testsigma.com",
        runs=runs,
        leaves=tuple(
            leaf(
                Verdict.PASSED if number % 10 else Verdict.FLAKY,
                Leaf(f"Suite {number // 10:04}", f"Case {number:05}", "Chrome on Windows 11"),
                *([] if number % 10 else [(100, Result.FAILURE), (101, Result.ABORTED)]),
                (102, Result.SUCCESS),
                rerun=not number % 10,
            )
            for number in range(size)
        ),
    )
