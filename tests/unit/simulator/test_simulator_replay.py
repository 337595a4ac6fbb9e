"""A record that is served: what was recorded, and nothing else."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

from rerun_action.simulator import Record, ScenarioError, Simulator, load

if TYPE_CHECKING:
    from pathlib import Path

RUNS = "/api/v1/execution_results"
NOON = 1_900_000_000.0  # Sun, 17 Mar 2030 17:46:40 GMT


def reply(path: str, **fields: Any) -> dict[str, Any]:
    given = {"path": f"{RUNS}{path}", "status": 200, "content_type": "application/json", "skew_seconds": 0, **fields}
    return given if "text" in given else {"json": {}, **given}


def recorded(*replies: dict[str, Any], **fields: Any) -> dict[str, Any]:
    given = {"kind": "testsigma-record", "version": 1, "execution_id": 1001, "test_plan_id": None}
    return {**given, "replies": [*replies], **fields}


def served(tmp_path: Path, *replies: dict[str, Any]) -> Simulator:
    path = tmp_path / "record.json"
    path.write_text(json.dumps(recorded(*replies)), encoding="utf-8")
    world = load(path)
    assert isinstance(world, Record)
    return Simulator(world, clock=lambda: NOON)


def ask(simulator: Simulator, path: str, method: str = "GET") -> tuple[int, str, str | None]:
    body = b"{}" if method != "GET" else None
    request = urllib.request.Request(f"{simulator.url}{RUNS}{path}", method=method, data=body)  # noqa: S310 - ours
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - ours
            return answer.status, answer.read().decode(), answer.headers["Date"]
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(), error.headers["Date"]


def test_what_was_recorded_is_served_by_path_and_query(tmp_path: Path) -> None:
    replies = (
        reply("/1001", json={"id": 1001}, skew_seconds=-3600),
        reply("/1001/test_case_results", json=[]),
        reply("/1001/test_case_results?page=1", status=401, text="text-1", content_type="text/plain"),
    )
    with served(tmp_path, *replies) as simulator:
        assert ask(simulator, "/1001") == (200, '{"id": 1001}', "Sun, 17 Mar 2030 16:46:40 GMT")
        assert ask(simulator, "/1001/test_case_results")[:2] == (200, "[]")
        assert ask(simulator, "/1001/test_case_results?page=1")[:2] == (401, "text-1")


def test_replies_to_one_path_come_in_their_order_and_the_last_one_stays(tmp_path: Path) -> None:
    replies = (reply("/1001", status=503, text=""), reply("/1001", json=1), reply("/1001", json=2))
    with served(tmp_path, *replies) as simulator:
        assert [ask(simulator, "/1001")[:2] for _ in range(4)] == [(503, ""), (200, "1"), (200, "2"), (200, "2")]


def test_a_clock_that_was_not_known_stays_unknown(tmp_path: Path) -> None:
    with served(tmp_path, reply("/1001", skew_seconds=None)) as simulator:
        assert ask(simulator, "/1001")[2] == ""


def test_what_was_not_recorded_is_not_found(tmp_path: Path) -> None:
    with served(tmp_path, reply("/1001")) as simulator:
        status, body, _ = ask(simulator, "/1002")
    assert (status, json.loads(body)["error"]) == (404, f"The record has no reply to GET {RUNS}/1002")


@pytest.mark.parametrize("method", ["POST", "PUT"])
@pytest.mark.parametrize("path", ["", "/1001"])
def test_nothing_can_be_started_or_stopped(method: str, path: str, tmp_path: Path) -> None:
    with served(tmp_path, reply("/1001")) as simulator:
        status, body, _ = ask(simulator, path, method)
    assert (status, json.loads(body)) == (
        405,
        {
            "timeStamp": None,
            "error": f"This is a record, to look at only: it answers no {method}",
            "code": None,
            "fieldErrors": None,
            "objectErrors": None,
        },
    )


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (recorded(version=2), "version: must be 1, not 2"),
        (recorded(execution_id="old"), "execution_id: must be an integer, not 'old'"),
        (recorded(reply("/1", status=99)), "replies[0].status: must be"),
        (recorded(reply("/1", content_type="a/b\r\nX: y")), "replies[0].content_type: must be a media type"),
        (recorded({**reply("/1"), "text": ""}), "replies[0]: needs exactly one of json and text"),
        (recorded(reply("/1", more=1)), "replies[0].more: is not a known key"),
    ],
)
def test_a_record_that_makes_no_sense(record: dict[str, Any], said: str, tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    path.write_text(json.dumps(record), encoding="utf-8")
    with pytest.raises(ScenarioError) as caught:
        load(path)
    assert str(caught.value).startswith(f"{path}: {said}")
