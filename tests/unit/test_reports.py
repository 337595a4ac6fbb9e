"""report.json and the folder it goes to."""

import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from rerun_action.core.model import (
    Leaf,
    LeafReport,
    Observation,
    Outcome,
    Report,
    Result,
    StopReport,
    StopRoute,
    Verdict,
)
from rerun_action.reports import json_report
from rerun_action.reports.folder import Folder


def test_what_is_not_known_is_null() -> None:
    report = Report(Outcome.ERROR, 2, "the configuration has a fault")
    assert json.loads(json_report.render(report)) == {
        "schema_version": 1,
        "result": "error",
        "exit_code": 2,
        "message": "the configuration has a fault",
        "execution_id": None,
        "run_id": None,
        "test_plan_id": None,
        "server_url": None,
        "run_url": None,
        "policy": None,
        "counts": {
            "total": 0,
            "passed": 0,
            "flaky": 0,
            "failed": 0,
            "unresolved": 0,
            "quarantined": 0,
            "rerun": 0,
        },
        "runs": [],
        "stop": None,
        "leaves": [],
    }


def test_stop_and_observations() -> None:
    report = Report(
        Outcome.CANCELLED,
        143,
        "cancelled",
        stop=StopReport(487, StopRoute.COLLECTION, 405, confirmed=False),
        leaves=(
            LeafReport(
                Leaf("s", "c", "m", "row"),
                Verdict.UNRESOLVED,
                "why",
                rerun=True,
                observations=(Observation(None, 11, Result.ABORTED),),
            ),
        ),
    )
    body = json.loads(json_report.render(report))
    assert body["stop"] == {"run_id": 487, "route": "collection", "status": 405, "confirmed": False}
    assert body["leaves"] == [
        {
            "suite": "s",
            "case": "c",
            "iteration": "row",
            "machine": "m",
            "verdict": "unresolved",
            "reason": "why",
            "rerun": True,
            "observations": [{"run_id": None, "result_id": 11, "result": "ABORTED"}],
        }
    ]
    assert body["counts"]["unresolved"] == body["counts"]["rerun"] == body["counts"]["total"] == 1


def test_a_file_is_replaced_whole_and_can_be_read_by_others(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "deep" / "down")
    folder.prepare()
    before = os.umask(0o022)
    try:
        folder.write("report.json", "one")
        folder.write("report.json", "zwei → \ud800")
    finally:
        os.umask(before)
    written = folder.path / "report.json"
    assert written.read_text(encoding="utf-8") == "zwei → \\ud800"
    assert stat.S_IMODE(written.stat().st_mode) == 0o644
    assert [path.name for path in folder.path.iterdir()] == ["report.json"]


def test_a_write_that_fails_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write("report.json", "old")

    def full() -> Iterator[str]:
        yield "half"
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        folder.write("report.json", full())
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]
    assert (tmp_path / "report.json").read_bytes() == b"old"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to somebody else")
def test_as_root_files_belong_to_the_owner_of_the_parent_folder(tmp_path: Path) -> None:
    os.chown(tmp_path, 12345, 12346)
    folder = Folder(tmp_path / "reports" / "rerun")
    folder.prepare()
    folder.write("report.json", "{}")
    for path in (folder.path.parent, folder.path, folder.path / "report.json"):
        assert (path.stat().st_uid, path.stat().st_gid) == (12345, 12346)


def test_root_that_may_not_give_files_away_writes_them_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "chown", refuse)
    folder = Folder(tmp_path / "reports")
    folder.prepare()
    folder.write("report.json", "{}")
    assert (folder.path / "report.json").read_bytes() == b"{}"
