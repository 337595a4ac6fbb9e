"""Reading scenarios: everything that a file may say, and a clear word about everything that it may not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from rerun_action.simulator import (
    Case,
    Fault,
    FirstIds,
    Machine,
    PastRun,
    Patch,
    Pick,
    Plan,
    Reply,
    Row,
    Scenario,
    ScenarioError,
    Seconds,
    Suite,
    from_dict,
    just_json,
    load,
    redirect,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def full() -> Any:
    return {
        "api_key": "secret",
        "habit": "both",
        "child": "id",
        "stop_route": "run",
        "page_size": 3,
        "ids": {"run": 900, "result": 7000},
        "seconds": {"created": 1, "queued": 2, "running": 3.5},
        "plans": [
            {
                "id": 1,
                "name": "Nightly",
                "rerun_type": "ONLY_FAILED_TESTS",
                "auto_rerun_after": 4,
                "seconds": {"running": 10},
                "list_prerequisites": True,
                "cases": [
                    {
                        "id": 11,
                        "name": "Sign in",
                        "suite": {"id": 21, "name": "Account"},
                        "machine": {"id": 31, "title": "Chrome"},
                        "results": ["FAILURE", None],
                    },
                    {
                        "id": 12,
                        "name": "Ship",
                        "suite": {"id": 22, "name": "Checkout"},
                        "machine": {"id": 31, "title": "Chrome"},
                        "results": ["ABORTED"],
                        "rows": [{"set": "Poland", "results": ["GONE"]}],
                        "requires": 0,
                    },
                ],
            }
        ],
        "runs": [
            {"id": 800, "plan": 1, "result": "PASSED", "total_count": 9},
            {
                "id": 801,
                "plan": 1,
                "parent": 800,
                "picked": [{"case": 0, "rows": None}, {"case": 1, "rows": [0]}],
                "finishes_in": 5,
            },
        ],
        "faults": [
            {"on": "any", "answer": "reset"},
            {"on": "run", "run": 800, "skip": 2, "times": None, "processed": True, "answer": "hang"},
            {"on": "listing", "seconds": 7, "answer": {"status": 503, "headers": {"Retry-After": "7"}, "body": None}},
            {"on": "trigger", "times": 3, "answer": {"status": 502}},
            {"on": "stop", "answer": {"patch": {"id": 9}}},
            {"on": "run", "answer": {"json": "text"}},
            {"on": "run", "answer": {"redirect": "https://elsewhere.example/"}},
        ],
    }


FULL = Scenario(
    api_key="secret",
    habit="both",
    child="id",
    stop_route="run",
    page_size=3,
    ids=FirstIds(900, 7000),
    plans=(
        Plan(
            1,
            "Nightly",
            (
                Case(11, "Sign in", Suite(21, "Account"), Machine(31, "Chrome"), ("FAILURE", None)),
                Case(
                    12,
                    "Ship",
                    Suite(22, "Checkout"),
                    Machine(31, "Chrome"),
                    ("ABORTED",),
                    (Row("Poland", ("GONE",)),),
                    requires=0,
                ),
            ),
            "ONLY_FAILED_TESTS",
            4.0,
            Seconds(1.0, 2.0, 10.0),
            list_prerequisites=True,
        ),
    ),
    runs=(
        PastRun(800, 1, result="PASSED", total_count=9),
        PastRun(801, 1, 800, (Pick(0), Pick(1, (0,))), 5.0),
    ),
    faults=(
        Fault("any", "reset", run=None, skip=0, times=1, seconds=None, processed=False),
        Fault("run", "hang", run=800, skip=2, times=None, processed=True),
        Fault("listing", Reply(503, {"Retry-After": "7"}, None), seconds=7.0),
        Fault("trigger", Reply(502, {}, ""), times=3),
        Fault("stop", Patch({"id": 9})),
        Fault("run", just_json("text")),
        Fault("run", redirect("https://elsewhere.example/")),
    ),
)


def test_everything_that_a_file_may_say_is_read(tmp_path: Path) -> None:
    path = tmp_path / "scenario.json"
    path.write_text(json.dumps(full()), encoding="utf-8")

    assert load(path) == FULL


def test_what_is_left_out_has_a_default() -> None:
    scenario = from_dict({"plans": [{"id": 1, "name": "Nightly", "cases": []}]})

    assert scenario == Scenario(
        plans=(Plan(1, "Nightly", (), "NONE", 2.0, Seconds(0, 0, 0), list_prerequisites=False),),
        runs=(),
        api_key="simulator-key",
        habit="own",
        child="object",
        stop_route="both",
        page_size=None,
        ids=FirstIds(1001, 5001),
        faults=(),
    )


def put(*path: str | int, value: object) -> Callable[[Any], None]:
    def change(data: Any) -> None:
        for step in path[:-1]:
            data = data[step]
        data[path[-1]] = value

    return change


CASES: tuple[str | int, ...] = ("plans", 0, "cases")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (put("habbit", value="own"), "habbit: is not a known key"),
        (put("habit", value="all"), "habit: must be own or rerun or first or both, not 'all'"),
        (put("page_size", value=0), "page_size: must be above zero, not 0"),
        (put("seconds", "queued", value=-1), "seconds.queued: must not be negative: -1.0"),
        (put("seconds", "queued", value=float("inf")), "seconds.queued: must be a number, not inf"),
        (put("seconds", "queued", value=True), "seconds.queued: must be a number, not True"),
        (put("ids", value=None), "ids: must be an object, not None"),
        (put("api_key", value=5), "api_key: must be a string, not 5"),
        (put("plans", value=[]), "plans: must not be empty"),
        (put("plans", value={}), "plans: must be a list, not {}"),
        (put("plans", 0, "id", value=True), "plans[0].id: must be an integer, not True"),
        (put("plans", 0, "list_prerequisites", value=1), "plans[0].list_prerequisites: must be true or false, not 1"),
        (put(*CASES, 0, "results", 1, value=7), "plans[0].cases[0].results[1]: must be a string, not 7"),
        (put(*CASES, 0, "results", value=[]), "plans[0].cases[0].results: must not be empty"),
        (put(*CASES, 0, value={"id": 1}), "plans[0].cases[0].name: is missing"),
        (put(*CASES, 0, "suite", "title", value=""), "plans[0].cases[0].suite.title: is not a known key"),
        (put(*CASES, 1, "requires", value=2), "plans[0].cases[1].requires: the plan has no case 2"),
        (put("runs", 0, "plan", value=2), "runs[0].plan: 2 is not a plan"),
        (put("runs", 0, "id", value=900), "runs[0].id: 900 must be below ids.run, 900"),
        (put("runs", 1, "id", value=800), "runs[1].id: 800 is taken"),
        (put("runs", 1, "parent", value=801), "runs[1].parent: 801 is not an older run of plan 1"),
        (put("runs", 1, "picked", 0, "case", value=-1), "runs[1].picked[0].case: the plan has no case -1"),
        (put("runs", 1, "picked", 0, "rows", value=[0]), "runs[1].picked[0].rows: the case has no row 0"),
        (put("runs", 0, "finishes_in", value=1), "runs[1]: an older run of its plan is still live"),
        (put("faults", value={}), "faults: must be a list, not {}"),
        (put("faults", 0, "time", value=1), "faults[0].time: is not a known key"),
        (put("faults", 0, value={"answer": "hang"}), "faults[0].on: is missing"),
        (put("faults", 0, value={"on": "run"}), "faults[0].answer: is missing"),
        (
            put("faults", 0, "on", value="poll"),
            "faults[0].on: must be run or listing or trigger or stop or any, not 'poll'",
        ),
        (
            put("faults", 0, "answer", value="crash"),
            "faults[0].answer: must be reset or close or truncate or html or hang or drip, not 'crash'",
        ),
        (put("faults", 0, "answer", value=503), "faults[0].answer: must be an object, not 503"),
        (
            put("faults", 0, "answer", value={}),
            "faults[0].answer: needs exactly one of status, patch, json and redirect",
        ),
        (
            put("faults", 3, "answer", "json", value=1),
            "faults[3].answer: needs exactly one of status, patch, json and redirect",
        ),
        (put("faults", 5, "answer", "headers", value={}), "faults[5].answer.headers: is not a known key"),
        (put("faults", 3, "answer", "status", value=100), "faults[3].answer.status: must be 200 to 999, not 100"),
        (put("faults", 3, "answer", "headers", value={"A": 1}), "faults[3].answer.headers.A: must be a string, not 1"),
        (
            put("faults", 3, "answer", "headers", value={"A": "b\r\nC: d"}),
            "faults[3].answer: cannot be sent as a header: 'A': 'b\\r\\nC: d'",
        ),
        (
            put("faults", 6, "answer", "redirect", value="/\u0142"),
            "faults[6].answer: cannot be sent as a header: 'Location': '/\u0142'",
        ),
        (put("faults", 4, "answer", "patch", value=[]), "faults[4].answer.patch: must be an object, not []"),
        (put("faults", 0, "skip", value=-1), "faults[0].skip: must not be negative: -1"),
        (put("faults", 0, "times", value=0), "faults[0].times: must be above zero, not 0"),
        (put("faults", 0, "seconds", value=0), "faults[0].seconds: must be above zero, not 0.0"),
        (put("faults", 2, "times", value=1), "faults[2]: has times or seconds, not both"),
        (put("faults", 0, "run", value="800"), "faults[0].run: must be an integer, not '800'"),
        (put("faults", 3, "run", value=800), "faults[3].run: a trigger has no run in its path"),
        (put("faults", 0, "processed", value=None), "faults[0].processed: must be true or false, not None"),
    ],
)
def test_a_fault_is_named_with_its_place(change: Callable[[Any], None], message: str) -> None:
    data = full()
    change(data)

    with pytest.raises(ScenarioError) as caught:
        from_dict(data)
    assert str(caught.value) == message


def test_a_case_has_results_or_rows() -> None:
    data = full()
    del data["plans"][0]["cases"][0]["results"]

    with pytest.raises(ScenarioError, match=r"^plans\[0\].cases\[0\]: needs results or rows$"):
        from_dict(data)


def test_a_plan_id_is_not_used_twice() -> None:
    data = full()
    data["plans"] *= 2

    with pytest.raises(ScenarioError, match=r"^plans\[1\].id: 1 is taken$"):
        from_dict(data)


def test_a_run_has_one_rerun_at_most() -> None:
    data = full()
    data["runs"][1]["finishes_in"] = 0
    data["runs"].append({"id": 802, "plan": 1, "parent": 800})

    with pytest.raises(ScenarioError, match=r"^runs\[2\].parent: 800 has a rerun already$"):
        from_dict(data)


def test_a_scenario_built_in_python_is_checked_as_well() -> None:
    case = Case(1, "Ship", Suite(2, "Checkout"), Machine(3, "Chrome"), rows=(Row("Poland", ()),))

    with pytest.raises(ScenarioError, match=r"^plans\[0\].cases\[0\].rows\[0\].results: must not be empty$"):
        Scenario(plans=(Plan(1, "Nightly", (case,)),))


def test_a_fault_built_in_python_is_checked_as_well() -> None:
    with pytest.raises(ScenarioError, match=r"^faults\[0\]: has times or seconds, not both$"):
        Scenario(plans=(), faults=(Fault("any", "close", times=None, seconds=5),))


def test_a_file_that_is_no_scenario_is_named(tmp_path: Path) -> None:
    path = tmp_path / "scenario.json"
    with pytest.raises(ScenarioError, match=r"scenario\.json: cannot be read: No such file"):
        load(path)

    path.write_text("{", encoding="utf-8")
    with pytest.raises(ScenarioError, match=r"scenario\.json: is not JSON: "):
        load(path)

    path.write_text("[]", encoding="utf-8")
    with pytest.raises(ScenarioError, match=r"scenario\.json: top level: must be an object, not \[\]$"):
        load(path)
