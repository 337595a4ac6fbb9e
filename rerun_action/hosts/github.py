"""GitHub Actions: workflow commands on stdout, and the files that its runner reads."""

import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from rerun_action.core.model import Origin, Outcome, Report, Verdict
from rerun_action.core.text import leaf_name, one_line, tests
from rerun_action.hosts.console import safe

OUTPUTS = {
    "result": "clean, flaky, failed, declined, timed-out, cancelled, error or dry-run",
    "exit-code": "The exit code",
    "run-id": "The newest run",
    "rerun-ids": "The reruns that this step triggered or waited for, by comma",
    "total-count": "Leaves in all (cases, and data rows of data-driven cases)",
    "passed-count": "Leaves that passed and never failed",
    "flaky-count": "Leaves that failed and were seen to pass in a later run",
    "failed-count": "Leaves that still fail",
    "unresolved-count": "Leaves without a result that counts",
    "rerun-count": "Leaves that were asked for at least once",
    "report-dir": "The folder with the reports",
    "run-url": "The page of the newest run",
}
"""The step outputs, as action.yml describes them."""
MAX_ANNOTATIONS = 10
"""Of a kind and step; GitHub drops those beyond."""


def is_host(environ: Mapping[str, str]) -> bool:
    """Return whether this is a step of a GitHub workflow."""
    return environ.get("GITHUB_ACTIONS") == "true"


def mask_command(secret: str) -> str:
    """Return the workflow command after which the runner shows *** for the secret. It has to be the first line."""
    return f"::add-mask::{_data(secret)}"


def group(title: str) -> tuple[str, str]:
    """Return the lines that open and close a group of the log."""
    return f"::group::{_data(one_line(title))}", "::endgroup::"


def outputs(report: Report, report_dir: Path | None) -> str:
    """Return the step outputs, as they are appended to GITHUB_OUTPUT."""
    counts = report.counts()
    reruns = [str(entry.run.id) for entry in report.runs if entry.origin not in (Origin.EXECUTION, Origin.FRESH)]
    values = {
        "result": report.outcome.value,
        "exit-code": str(int(report.exit_code)),
        "run-id": str(report.newest.id) if report.newest else "",
        "rerun-ids": ",".join(reruns),
        **{f"{key}-count": str(counts[key]) for key in ("total", "passed", "flaky", "failed", "unresolved", "rerun")},
        "report-dir": str(report_dir or ""),
        "run-url": report.run_url or "",
    }
    return "".join(_output(key, value) for key, value in values.items())


def _output(key: str, value: str) -> str:
    if not {"\n", "\r"} & set(value):
        return f"{key}={value}\n"
    end = f"end-{uuid.uuid4()}"
    return f"{key}<<{end}\n{value}\n{end}\n"


def annotations(report: Report, conceal: Callable[[str], str] = str) -> Iterator[str]:
    """Yield workflow commands: an error for what is wrong, a warning for each flake; the worst first, ten of a kind."""
    if report.outcome is Outcome.DRY_RUN:
        return
    by_verdict = {verdict: [leaf for leaf in report.leaves if leaf.verdict is verdict] for verdict in Verdict}
    if report.exit_code:
        yield _annotation("error", f"Testsigma rerun: {report.outcome}", conceal(report.message))
    wrong = by_verdict[Verdict.FAILED] + by_verdict[Verdict.UNRESOLVED]
    for kind, leaves, room in (
        ("error", wrong, MAX_ANNOTATIONS - bool(report.exit_code)),
        ("warning", by_verdict[Verdict.FLAKY], MAX_ANNOTATIONS),
    ):
        shown = leaves if len(leaves) <= room else leaves[: room - 1]
        for leaf in shown:
            yield _annotation(kind, conceal(f"{leaf.verdict}: {leaf_name(leaf.leaf)}"), conceal(leaf.reason))
        if len(leaves) > len(shown):
            rest = tests(len(leaves) - len(shown))
            yield _annotation(kind, "more", f"and {rest} more: see the job summary and the reports")


def _annotation(kind: str, title: str, text: str) -> str:
    title = _data(safe(title)).replace(":", "%3A").replace(",", "%2C")
    return f"::{kind} title={title}::{_data(safe(text))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
