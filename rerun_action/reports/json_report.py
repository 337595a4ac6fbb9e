"""report.json (interface page, "What it writes")."""

import json
from collections.abc import Iterator
from typing import Any

from rerun_action.core.model import LeafReport, Report, RunReport

SCHEMA_VERSION = 1


def render(report: Report) -> str:
    """Return the report as JSON. What is not known is null."""
    return "".join(pieces(report))


def pieces(report: Report) -> Iterator[str]:
    """Yield the same piece by piece, so that it is never in memory as a whole: each leaf is a line."""
    around = json.dumps(_body(report), indent=2, ensure_ascii=False, allow_nan=False).removesuffix("]\n}")
    encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode
    yield around
    before = "\n    "
    for leaf in report.leaves:
        yield before + encode(_leaf(leaf))
        before = ",\n    "
    yield "\n  ]\n}\n" if report.leaves else "]\n}\n"


def _body(report: Report) -> dict[str, Any]:
    stop = report.stop
    return {
        "schema_version": SCHEMA_VERSION,
        "result": report.outcome.value,
        "exit_code": int(report.exit_code),
        "message": report.message,
        "execution_id": report.execution_id,
        "run_id": report.newest.id if report.newest else None,
        "test_plan_id": report.test_plan_id,
        "server_url": report.server_url,
        "run_url": report.run_url,
        "policy": report.policy.by_input_name() if report.policy else None,
        "counts": report.counts(),
        "runs": [_run(run) for run in report.runs],
        "stop": stop
        and {
            "run_id": stop.run_id,
            "route": stop.route.value,
            "status": stop.status,
            "confirmed": stop.confirmed,
        },
        "leaves": [],  # the last one, for `pieces` to fill
    }


def _run(report: RunReport) -> dict[str, Any]:
    run = report.run
    return {
        "run_id": run.id,
        "origin": report.origin.value,
        "requested": report.requested,
        "status": run.status or None,
        "result": run.result.value if run.result else None,
        "started_at": run.started_at,
        "ended_at": run.ended_at,
        "polls": report.polls,
    }


def _leaf(report: LeafReport) -> dict[str, Any]:
    return {
        "suite": report.leaf.suite,
        "case": report.leaf.case,
        "iteration": report.leaf.iteration,
        "machine": report.leaf.machine,
        "verdict": report.verdict.value,
        "reason": report.reason,
        "rerun": report.rerun,
        "observations": [
            {"run_id": seen.run_id, "result_id": seen.result_id, "result": seen.result.value}
            for seen in report.observations
        ],
    }
