"""What `doctor --save` writes is served again by the simulator, and looks the same to doctor."""

import json
import os
import re
from pathlib import Path

import pytest

from rerun_action.simulator import Fault, PastRun, Pick, Reply, Scenario, Simulator, load, redirect
from tests.support.doctor import Visit
from tests.support.processes import act, started
from tests.support.scenarios import FAILS, FLAKES, KEY, PASSES, PLAN, case, data_driven, scenario

HABITS = ("own", "rerun", "first", "both")
CASES = (case(1, *FLAKES), case(2, *PASSES), data_driven(3, ("a", *PASSES), ("b", *FLAKES), ("c", *FAILS)))
CHAIN = (PastRun(98, PLAN), PastRun(99, PLAN, 98, picked=(Pick(0), Pick(2, (1, 2)))))
FAR = 60.0


# --- the record -------------------------------------------------------------------------------------------------------


def normal(lines: list[str]) -> list[str]:
    """The lines without what a record has to change: the host, and the numbers of ids, in the order of their coming."""
    numbers: dict[str, str] = {}

    def stand_in(match: re.Match[str]) -> str:
        return numbers.setdefault(match[0], f"#{len(numbers)}")

    text = "\n".join(line for line in lines if not line.startswith("Saved"))
    text = re.sub(r"(http://)?127\.0\.0\.1:[0-9]+", "HOST", text)
    text = text.replace("(HTTP 401)", "(HTTP FOUR-O-ONE)").replace("(HTTP 404)", "(HTTP FOUR-O-FOUR)")
    return re.sub(r"(?<![.=\w])[0-9]{2,}(?! (s|requests|of|are))", stand_in, text).splitlines()


RECORDED: dict[str, tuple[Scenario, dict[str, object]]] = {
    **{f"a chain, {habit}": (scenario(*CASES, runs=CHAIN, habit=habit), {"execution_id": 98}) for habit in HABITS},
    **{f"no chain, {habit}": (scenario(*CASES, habit=habit), {"test_plan_id": PLAN}) for habit in HABITS},
    "pages": (scenario(*CASES, page_size=1), {}),
    "another plan": (scenario(*CASES), {"test_plan_id": 777}),
    "the plan's id": (scenario(*CASES), {"execution_id": PLAN, "test_plan_id": PLAN}),
    "a new run": (scenario(*CASES), {"execution_id": "new", "test_plan_id": PLAN}),
    "a wrong key": (scenario(*CASES), {"api_key": "another-key"}),
    "a redirect": (scenario(*CASES, faults=(Fault("run", redirect("https://elsewhere.example/")),)), {}),
    "a 503 at first": (scenario(*CASES, faults=(Fault("run", Reply(503)),)), {}),
    "unknown words": (scenario(case(1, "MAYBE"), case(2, "Ask Bob"), case(3, *PASSES)), {}),
    "a child that shows nowhere": (scenario(*CASES, runs=CHAIN, child="none"), {"execution_id": 99}),
    "an own rerun": (scenario(*CASES, rerun_type="ODDLY", auto_rerun_after=FAR), {}),
}


@pytest.mark.usefixtures("uncounted")
@pytest.mark.parametrize("what", RECORDED)
def test_a_record_that_is_served_again_gets_the_same_lines(what: str, tmp_path: Path) -> None:
    world, inputs = RECORDED[what]
    file = tmp_path / "new folder" / "record.json"
    with Simulator(world) as simulator:
        first = Visit(simulator, tmp_path, "--save", str(file), **inputs)
    assert first.lines[-1] == f"Saved, anonymised: {file}. Read it before you show it."
    text = file.read_text(encoding="utf-8")
    for secret in ("case 1", "suite", "machine 1", "Nightly", "team@example.com", "Ask Bob", "127.0.0.1", KEY, "5001"):
        assert secret not in text.replace('"testSuite', "").replace('"machine', "")
    record = json.loads(text)
    with Simulator(load(file)) as simulator:
        again = Visit(simulator, tmp_path, execution_id=record["execution_id"], test_plan_id=record["test_plan_id"])
    assert normal(again.lines) == normal(first.lines)
    assert again.code == first.code


def test_without_a_reply_nothing_is_saved(tmp_path: Path) -> None:
    visit = Visit("https://testsigma.invalid", tmp_path, "--save", str(tmp_path / "record.json"))
    assert visit.lines[-1] == "Nothing was saved: there was no reply."
    assert list(tmp_path.iterdir()) == []


def test_the_action_itself_can_look_at_a_record_and_start_nothing(tmp_path: Path) -> None:
    file = tmp_path / "record.json"
    with Simulator(scenario(*CASES)) as simulator:
        Visit(simulator, tmp_path, "--save", str(file))
    execution = json.loads(file.read_text(encoding="utf-8"))["execution_id"]
    with Simulator(load(file)) as simulator:
        outcome = act(simulator, tmp_path, execution_id=execution, dry_run="true")
        assert (outcome.code, outcome.report["message"]) == (0, "would rerun 3 of 5 tests")
        outcome = act(simulator, tmp_path, execution_id=execution)
    assert (outcome.code, outcome.report["message"]) == (
        3,
        (
            "the rerun was not triggered: the platform refused the request (405). "
            'It said: "This is a record, to look at only: it answers no POST". '
            "Nothing was started: look at the test plan in Testsigma."
        ),
    )


def test_the_simulator_serves_a_record_and_says_how_to_use_it(tmp_path: Path) -> None:
    file = tmp_path / "record.json"
    with Simulator(scenario(*CASES)) as simulator:
        Visit(simulator, tmp_path, "--save", str(file), test_plan_id=PLAN)
    with started({"PATH": os.environ["PATH"]}, "simulator", "--scenario", str(file)) as process:
        assert process.stdout is not None
        assert "listening" in process.stdout.readline()
        exports = dict(process.stdout.readline().split("export ")[1].strip().split("=", 1) for _ in range(4))
        inputs = {name.removeprefix("TESTSIGMA_").lower(): value for name, value in exports.items()}
        visit = Visit(inputs.pop("server_url"), tmp_path, **inputs)
    assert visit.line("decision") == "ok       decision: the action would rerun 3 of 5 tests"
    assert visit.line("plan").endswith(", as test-plan-id says")
