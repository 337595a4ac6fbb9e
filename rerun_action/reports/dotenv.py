"""outputs.env: what GitLab's `artifacts:reports:dotenv` hands on to later jobs."""

from rerun_action.core.model import Report
from rerun_action.core.text import one_line

PREFIX = "TESTSIGMA_RERUN_"


def render(report: Report) -> str:
    """Return the variables of the interface page; what is not known is empty."""
    counts = report.counts()
    values: dict[str, object] = {
        "RESULT": report.outcome.value,
        "EXIT_CODE": int(report.exit_code),
        "EXECUTION_ID": report.execution_id,
        "RUN_ID": report.newest.id if report.newest else None,
        "TOTAL": counts["total"],
        "PASSED": counts["passed"],
        "FLAKY": counts["flaky"],
        "FAILED": counts["failed"],
        "UNRESOLVED": counts["unresolved"],
        "RUN_URL": report.run_url,
    }
    texts = {name: "" if value is None else one_line(str(value)) for name, value in values.items()}
    return "".join(f"{PREFIX}{name}={text}\n" for name, text in texts.items())
