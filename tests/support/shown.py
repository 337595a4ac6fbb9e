"""What a look at a run showed the client, true or not (`samples/run.json` beside the API page)."""

from typing import Any

from rerun_action.simulator import Reply
from tests.support.direct import Sent


def shown(look: Sent) -> dict[str, Any]:
    """The run as it was shown; empty if the look failed."""
    if look.fate not in ("right", "wrong") or not isinstance(look.answer, Reply):
        return {}
    return look.answer.body if isinstance(look.answer.body, dict) else {}


def is_finished(run: dict[str, Any]) -> bool:
    return bool(run["status"] == "STATUS_COMPLETED")


def child(run: dict[str, Any]) -> Any:
    """The id of the rerun that it names."""
    named = run.get("childResult")
    return named["id"] if isinstance(named, dict) else named


def last_run(run: dict[str, Any]) -> Any:
    """The id of its plan's last run."""
    execution = run.get("execution")
    return execution.get("lastRunId") if isinstance(execution, dict) else None
