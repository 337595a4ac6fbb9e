"""`doctor` over sockets: the lines that it prints, and that nothing but GET is ever sent."""

import os
import re
import signal
import time
from collections.abc import Iterable
from pathlib import Path

import pytest

from rerun_action import __version__
from rerun_action.simulator import Fault, PastRun, Patch, Pick, Reply, Scenario, Simulator, just_json, redirect
from tests.support.doctor import Visit, VisitApart
from tests.support.processes import environment, started
from tests.support.scenarios import FAILS, FIRST, FLAKES, KEY, LONG, PASSES, PLAN, case, data_driven, scenario

HABITS = ("own", "rerun", "first", "both")
CASES = (case(1, *FLAKES), case(2, *PASSES), data_driven(3, ("a", *PASSES), ("b", *FLAKES), ("c", *FAILS)))
CHAIN = (PastRun(98, PLAN), PastRun(99, PLAN, 98, picked=(Pick(0), Pick(2, (1, 2)))))
FAR = 60.0


def paths(simulator: Simulator) -> list[str]:
    return [request.path.removeprefix("/api/v1/execution_results") for request in simulator.platform.requests]


def page_1(result_ids: Iterable[int]) -> Fault:
    """The second look at a listing shows other results."""
    cases = [{"testCaseResultId": result_id} for result_id in result_ids]
    return Fault("listing", Patch({"testCases": cases}), skip=1, times=None)


# --- all is well ------------------------------------------------------------------------------------------------------


def test_every_line_of_a_set_up_that_works(tmp_path: Path) -> None:
    with Simulator(scenario(*CASES)) as simulator:
        visit = VisitApart(simulator, tmp_path, test_plan_id=PLAN)
        host = simulator.url.removeprefix("http://")
        assert paths(simulator) == ["/100", "/100/test_case_results", "/100/test_case_results?page=1"]
    assert visit.text == (
        f"testsigma-rerun-action {__version__} doctor: execution 100 at http://{host}\n"
        "ok       inputs: no fault\n"
        f"ok       host: {host} answers; plain http and no proxy, as it is loopback\n"
        "ok       key: accepted\n"
        "ok       execution: 100 is there, its result is FAILURE\n"
        "ok       plan: the execution belongs to test plan 336, as test-plan-id says\n"
        "ok       finished: yes (STATUS_COMPLETED)\n"
        "ok       listing: as documented\n"
        "ok       pages: no page fields; one reply holds all of it (3 cases)\n"
        "ok       page 1: ?page=1 changes nothing\n"
        "ok       values: all results are known (4 FAILURE, 2 SUCCESS; cases and rows, each counted)\n"
        "note     merging: the execution has no rerun yet, so it can't be told\n"
        "note     parent and child: the execution has no rerun yet; childResult is null, "
        "the plan's lastRunId names the newest run of this chain\n"
        "ok       own rerun: the plan does not rerun by itself (reRunType NONE)\n"
        "ok       reruns: 0 of 10 are used\n"
        "ok       clock: within 60 s of the server's\n"
        "ok       decision: the action would rerun 3 of 5 tests\n"
        "The action could run. Sent: 3 x GET, nothing else.\n"
    )
    assert visit.code == 0


MERGING = {
    "own": "ok       merging: no, each run lists results of its own only",
    "rerun": "ok       merging: the newest run's listing holds results of earlier runs, too",
    "first": "ok       merging: the first run's listing holds the newest run's results, too",
    "both": "ok       merging: the first run and the newest list the same results, those of the whole chain",
}


@pytest.mark.parametrize("given", [98, 99])
@pytest.mark.parametrize("habit", HABITS)
def test_a_chain_in_each_habit(habit: str, given: int, tmp_path: Path) -> None:
    with Simulator(scenario(*CASES, runs=CHAIN, habit=habit)) as simulator:
        visit = Visit(simulator, tmp_path, execution_id=given)
        asked = paths(simulator)
    assert visit.line("merging") == MERGING[habit]
    assert visit.line("decision") == "ok       decision: the action would rerun 1 of 5 tests"
    assert visit.line("reruns") == "ok       reruns: 1 of 10 are used"
    assert visit.code == 0
    assert len(asked) == len(set(asked)) == 5


CHILD = {
    "object": "an object with the id of the rerun",
    "id": "a bare id of the rerun",
    "none": "null",
}


@pytest.mark.parametrize("child", CHILD)
def test_where_parent_and_child_show(child: str, tmp_path: Path) -> None:
    with Simulator(scenario(*CASES, runs=CHAIN, child=child)) as simulator:
        visit = Visit(simulator, tmp_path, execution_id=98)
    assert visit.line("parent and child") == (
        "ok       parent and child: a rerun names its parent in reRunParentId; the parent's childResult is "
        f"{CHILD[child]}, the plan's lastRunId names the newest run of this chain"
    )


def test_a_paged_listing_is_read_to_its_end(tmp_path: Path) -> None:
    cases = [case(number, *FLAKES) for number in range(1, 31)]
    with Simulator(scenario(*cases, page_size=1)) as simulator:
        visit = Visit(simulator, tmp_path)
        assert len(paths(simulator)) == 31
    assert visit.line("pages") == "ok       pages: page fields; 30 pages with 30 cases, read to the end"
    assert visit.line("page 1") == "ok       page 1: it holds other results than page 0, as it should"
    assert visit.line("decision") == "ok       decision: the action would rerun 30 of 30 tests"
    assert visit.lines[-1] == "The action could run. Sent: 31 x GET, nothing else."


def test_a_fresh_run_is_not_started(tmp_path: Path) -> None:
    with Simulator(scenario(*CASES)) as simulator:
        visit = Visit(simulator, tmp_path, execution_id="new", test_plan_id=PLAN)
        assert paths(simulator) == ["/0"]
    assert visit.lines[3:] == [
        "ok       key: accepted",
        "note     execution: new: a fresh run would be started, there is none to look at yet",
        (
            "note     plan, finished, listing, pages, page 1, values, merging, parent and child, own rerun, reruns: "
            "could not look: there is no execution yet"
        ),
        "ok       clock: within 60 s of the server's",
        "ok       decision: the action would start a fresh run of test plan 336, then rerun its failures",
        "The action could run. Sent: 1 x GET, nothing else.",
    ]
    assert visit.code == 0


def test_a_fresh_run_with_a_wrong_key(tmp_path: Path) -> None:
    with Simulator(scenario(*CASES)) as simulator:
        visit = Visit(simulator, tmp_path, execution_id="new", test_plan_id=PLAN, api_key="another-key")
    assert visit.line("key").startswith("problem  key: not accepted (HTTP 401)")
    assert visit.line("decision") == "note     decision: could not look: whether the key is accepted is not known"
    assert visit.code == 1


# --- worth knowing ----------------------------------------------------------------------------------------------------

NOTES: dict[str, tuple[Scenario, dict[str, object], str]] = {
    # what: the world, inputs, the line
    "still running": (
        scenario(*CASES, runs=(PastRun(FIRST, PLAN, finishes_in=FAR / 2),), seconds=LONG),
        {},
        "note     finished: no (STATUS_IN_PROGRESS); the action waits for it (timeout-minutes: 1)",
    ),
    "still running, so far": (
        scenario(*CASES, runs=(PastRun(FIRST, PLAN, finishes_in=FAR),)),
        {},
        (
            "ok       decision: the action would rerun nothing: 5 tests ended without a result that counts, as "
            "it stands; it waits for the end of run 100 first"
        ),
    ),
    "a status that nobody knows": (
        scenario(*CASES, faults=(Fault("run", Patch({"status": "STATUS_PAUSED"}), times=None),)),
        {},
        (
            "note     finished: no (STATUS_PAUSED, which this action does not know); the action waits for it "
            "(timeout-minutes: 1)"
        ),
    ),
    "an unknown result": (
        scenario(case(1, "MAYBE"), case(2, "Half-done, ask Bob"), case(3, *PASSES)),
        {},
        (
            "note     values: not all results are known (1 MAYBE, 1 SUCCESS, 1 a word in another form); what is "
            "not counts as not passed: MAYBE, a word in another form. Next: open an issue with what --save writes"
        ),
    ),
    "an unfinished result": (
        scenario(case(1, None), case(2, *PASSES)),
        {},
        (
            "note     values: some results are not final, though the execution is (1 SUCCESS, 1 null); "
            "the action looks again for 60 s"
        ),
    ),
    "the plan reruns by itself": (
        scenario(*CASES, rerun_type="ONLY_FAILED_TESTS", auto_rerun_after=FAR),
        {},
        (
            "note     own rerun: the plan reruns its failures by itself (reRunType ONLY_FAILED_TESTS); the "
            "action looks out for that for 30 s first. Next: switch one of the two off"
        ),
    ),
    "no plan in the reply": (
        scenario(*CASES, faults=(Fault("run", Patch({"execution": None}), times=None),)),
        {},
        "note     own rerun: the reply does not hold the plan, so it can't be told",
    ),
    "more results counted than listed": (
        scenario(*CASES, runs=(PastRun(FIRST, PLAN, total_count=40),)),
        {},
        (
            "note     listing: readable, but not quite as documented; the run counts 40 results, but only 5 are "
            "listed. Next: open an issue with what --save writes"
        ),
    ),
    "other fields": (
        scenario(*CASES, faults=(Fault("listing", Patch({"status": "__delete__", "verdict": 1}), times=None),)),
        {},
        (
            "note     listing: readable, but not quite as documented; undocumented fields: 1; missing: status. "
            "Next: open an issue with what --save writes"
        ),
    ),
    "a page 1 that is empty": (
        scenario(*CASES, faults=(page_1([]),)),
        {},
        (
            "note     page 1: ?page=1 gets an empty list, though no reply speaks of pages: a long listing may be "
            "cut off. Next: compare the number of cases with the run's page in Testsigma"
        ),
    ),
    "a page 1 that holds less": (
        scenario(*CASES, faults=(page_1([5001, 5002]),)),
        {},
        "note     page 1: ?page=1 gets some of the same results",
    ),
    "a page 1 of a run that goes on": (
        scenario(*CASES, runs=(PastRun(FIRST, PLAN, finishes_in=FAR),), faults=(page_1([9001]),)),
        {},
        "note     page 1: could not look: the execution goes on, and its listing with it",
    ),
    "a page 1 that is refused": (
        scenario(*CASES, faults=(Fault("listing", Reply(400), skip=1, times=None),)),
        {},
        "note     page 1: ?page=1 gets no list",
    ),
    "a breaker that would trip": (
        scenario(*CASES),
        {"max_failures": 2},
        (
            "note     decision: the action would decline: 3 of 5 tests (60.0 %) failed, more than max-failures "
            "allows (2). Look for a common cause, or raise the input"
        ),
    ),
}


@pytest.mark.parametrize("what", NOTES)
def test_a_note(what: str, tmp_path: Path) -> None:
    world, inputs, line = NOTES[what]
    with Simulator(world) as simulator:
        visit = Visit(simulator, tmp_path, **inputs)
    assert line in visit.lines, visit.text
    assert visit.problems() == []
    assert visit.code == 0


def test_the_clock_of_another_day(tmp_path: Path) -> None:
    headers = {"Date": "Tue, 01 Jan 2019 00:00:00 GMT"}
    with Simulator(scenario(*CASES, faults=(Fault("any", Reply(404, headers, {"error": "no"})),))) as simulator:
        visit = Visit(simulator, tmp_path)
    assert re.fullmatch(
        r"note     clock: [0-9]{9} s ahead of the server's; the expiry of quarantine entries goes by it. "
        "Next: set this machine's clock",
        visit.line("clock"),
    )


def test_an_input_that_is_misspelt(tmp_path: Path) -> None:
    with Simulator(scenario(*CASES)) as simulator:
        visit = Visit(simulator, tmp_path, more={"TESTSIGMA_MAX_RERUN": "2"})
    assert visit.lines[1] == (
        "note     inputs: TESTSIGMA_MAX_RERUN is not an input and has no effect; TESTSIGMA_MAX_RERUNS is one"
    )
    assert visit.code == 0


def chain_of(runs: int) -> tuple[PastRun, ...]:
    return tuple(PastRun(10 + n, PLAN, 9 + n if n else None, picked=(Pick(0),) if n else None) for n in range(runs))


@pytest.mark.parametrize(
    ("runs", "requests", "decision"),
    [
        (9, 19, "ok       decision: the action would rerun 1 of 1 tests"),
        (
            11,
            20,
            (
                "note     decision: could not look: the whole chain takes more than 20 requests. "
                "Next: set dry-run: true, it reads all of it"
            ),
        ),
    ],
)
def test_a_long_chain_takes_twenty_requests_at_most(runs: int, requests: int, decision: str, tmp_path: Path) -> None:
    with Simulator(scenario(case(1, *FAILS), runs=chain_of(runs))) as simulator:
        visit = Visit(simulator, tmp_path, execution_id=12)
        assert len(paths(simulator)) == requests
    assert visit.line("decision") == decision
    assert visit.line("merging") == MERGING["own"]
    assert visit.code == 0
    if runs == 11:
        assert visit.line("reruns") == (
            "note     reruns: 10 of 10 are used, the platform takes no more. Next: start a fresh run of the test plan"
        )


# --- in the way -------------------------------------------------------------------------------------------------------

PROBLEMS: dict[str, tuple[Scenario, dict[str, object], list[str]]] = {
    # what: the world, inputs, the lines that begin with `problem`
    "a wrong key": (
        scenario(*CASES),
        {"api_key": "another-key"},
        ["key: not accepted (HTTP 401). Next: check that api-key is complete, not revoked, and of this host"],
    ),
    "a key that may not": (
        scenario(*CASES, faults=(Fault("run", Reply(403, body={"error": "Forbidden"})),)),
        {},
        [
            (
                "key: it may not look at this execution (HTTP 403). "
                "Next: use the key of a user who can see and run the test plan"
            )
        ],
    ),
    "a wrong id": (
        scenario(*CASES),
        {"execution_id": 777},
        [
            (
                "execution: there is no execution 777 (HTTP 404); most often such a number is the id of a test plan "
                "(`executionId` in API bodies is one). Next: give the number at the end of a run's address, "
                "{url}/ui/td/runs/<number>"
            )
        ],
    ),
    "the plan's id as the execution's": (
        scenario(*CASES),
        {"execution_id": PLAN, "test_plan_id": PLAN},
        [
            (
                "execution: there is no execution 336 (HTTP 404); it is the number that test-plan-id has: the id of "
                "the test plan, not of a run of it. Next: give the number at the end of a run's address, "
                "{url}/ui/td/runs/<number>"
            )
        ],
    ),
    "another plan": (
        scenario(*CASES),
        {"test_plan_id": 777},
        [
            (
                "plan: the execution belongs to test plan 336, but test-plan-id is 777. Next: correct one of the two "
                "inputs"
            ),
            (
                "decision: the action would end with exit code 3: test-plan-id: execution 100 belongs to test plan "
                "336, not 777; correct one of the two inputs. Nothing was triggered"
            ),
        ],
    ),
    "no Testsigma": (
        scenario(*CASES, faults=(Fault("run", Reply(404, {"Content-Type": "text/html"}, "<html>Nothing</html>")),)),
        {},
        ["execution: HTTP 404 without JSON: this is not Testsigma's API. Next: check server-url"],
    ),
    "a reply that is no run": (
        scenario(*CASES, faults=(Fault("run", just_json({"status": "ok"})),)),
        {},
        [
            (
                "execution: the platform's reply is not a run as the API documents it; missing or wrong: id. "
                "Next: open an issue with what --save writes"
            )
        ],
    ),
    "a redirect": (
        scenario(*CASES, faults=(Fault("run", redirect("https://elsewhere.example/")),)),
        {},
        [
            (
                "host: {host} redirects elsewhere (HTTP 302), which is not followed: the key is for this host alone. "
                "Next: give the address that it redirects to as server-url, if you trust it"
            )
        ],
    ),
    "a listing of another shape": (
        scenario(*CASES, faults=(Fault("listing", just_json([])),)),
        {},
        [
            "listing: the platform's list of results is not a JSON object. Next: open an issue with what --save writes",
            "decision: the action would end with exit code 3: the platform's list of results is not a JSON object",
        ],
    ),
    "a listing that is refused": (
        scenario(*CASES, faults=(Fault("listing", Reply(403, body={"error": "Ask Bob"})),)),
        {},
        [
            "listing: refused (HTTP 403). Next: use the key of a user who can see the results of the test plan",
            (
                "decision: the action would end with exit code 3: api-key: the key may not do this (403). "
                "Use a key of a user who can run the test plan."
            ),
        ],
    ),
    "a failed run that lists only passes": (
        scenario(case(1, *PASSES), runs=(PastRun(FIRST, PLAN, result="FAILURE"),)),
        {},
        [
            (
                "decision: the action would end with exit code 3: run 100 ended with FAILURE, but every test case "
                "listed for it passed and no later rerun explains that. Look at {url}/ui/td/runs/100"
            )
        ],
    ),
    "a page 1 that holds everything and more": (
        scenario(*CASES, faults=(page_1(range(5001, 5008)),)),
        {},
        [
            (
                "page 1: ?page=1 gets other results, though no reply speaks of them: the action would overlook those. "
                "Next: don't rely on the action here; open an issue with what --save writes"
            )
        ],
    ),
    "pages that nobody speaks of": (
        scenario(
            *CASES,
            faults=(page_1([9001]),),
        ),
        {},
        [
            (
                "page 1: ?page=1 gets other results, though no reply speaks of them: the action would overlook those. "
                "Next: don't rely on the action here; open an issue with what --save writes"
            )
        ],
    ),
}


@pytest.mark.parametrize("what", PROBLEMS)
def test_a_problem(what: str, tmp_path: Path) -> None:
    world, inputs, lines = PROBLEMS[what]
    with Simulator(world) as simulator:
        visit = Visit(simulator, tmp_path, **inputs)
        url = simulator.url
    expected = [f"problem  {line}".replace("{url}", url).replace("{host}", url[7:]) for line in lines]
    assert visit.problems() == expected, visit.text
    topics = ", ".join(line.split(":")[0] for line in lines)
    assert visit.lines[-1].startswith(f"The action could not run: {topics}. Sent: ")
    assert visit.code == 1


def test_one_problem_hides_no_other_finding(tmp_path: Path) -> None:
    with Simulator(scenario(*CASES, faults=(Fault("listing", just_json([])),))) as simulator:
        visit = Visit(simulator, tmp_path)
    assert [line for line in visit.lines if "could not look" in line] == [
        "note     pages, page 1, values: could not look: the listing of run 100 can't be had"
    ]
    assert visit.line("reruns") == "ok       reruns: 0 of 10 are used"


def test_an_outage_takes_ten_seconds_and_is_named(tmp_path: Path) -> None:
    with Simulator(scenario(*CASES, faults=(Fault("any", Reply(503), times=None),))) as simulator:
        began = time.monotonic()
        visit = Visit(simulator, tmp_path)
        assert time.monotonic() - began < 20
        host = simulator.url.removeprefix("http://")
    assert visit.problems() == [
        (
            f"problem  host: {host} answers with HTTP 503. "
            "Next: it may be an outage of the platform or of a gateway: try again later"
        )
    ]
    assert visit.line("key") == ("note     key, execution: could not look: the host does not answer as Testsigma would")


# --- the configuration, the end ---------------------------------------------------------------------------------------


def test_all_faults_of_the_configuration_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with Simulator(scenario(*CASES)) as simulator:
        visit = VisitApart(
            simulator,
            tmp_path,
            "--save",
            str(tmp_path),
            execution_id="",
            max_reruns=11,
            report_dir=tmp_path / "file" / "reports",
            quarantine_file=tmp_path / "none.yml",
        )
        assert simulator.platform.requests == []
    assert visit.code == 2
    assert visit.lines == [
        "The configuration is wrong, nothing was sent:",
        (
            "  - execution-id (TESTSIGMA_EXECUTION_ID): is required and was empty or not given: if it comes from "
            "a step before, look whether that step gave it"
        ),
        "  - max-reruns (TESTSIGMA_MAX_RERUNS): must be a whole number from 1 to 10, not '11'",
        f"  - report-dir (TESTSIGMA_REPORT_DIR): {tmp_path}/file/reports can't be written to: Not a directory",
        f"  - --save: {tmp_path} can't be written to: it is a folder",
        (
            f"  - quarantine-file (TESTSIGMA_QUARANTINE_FILE): {tmp_path}/none.yml can't be read: No such file or "
            "directory"
        ),
        "Inputs are given as `with:` on GitHub and as TESTSIGMA_... variables elsewhere; --help lists them.",
    ]


def test_a_signal_ends_it_and_nothing_is_saved(tmp_path: Path) -> None:
    with Simulator(scenario(*CASES, faults=(Fault("listing", "hang", times=None),))) as simulator:
        environ = environment(simulator, tmp_path / "reports")
        with started(environ, "doctor", "--save", str(tmp_path / "record.json")) as process:
            while len(simulator.platform.requests) < 2:
                time.sleep(0.01)
            process.send_signal(signal.SIGINT)
            text, _ = process.communicate(timeout=5)
    assert process.returncode == 130
    assert text.splitlines()[-1] == "cancelled by SIGINT"
    assert list(tmp_path.iterdir()) == []


def test_a_signal_during_the_dry_run_is_heard(tmp_path: Path) -> None:
    hangs = Fault("listing", "hang", run=11, times=None)
    with Simulator(scenario(case(1, *FAILS), runs=chain_of(3), faults=(hangs,))) as simulator:
        environ = environment(simulator, tmp_path / "reports", execution_id=10)
        with started(environ, "doctor") as process:
            while "/11/test_case_results" not in paths(simulator):
                time.sleep(0.01)
            process.send_signal(signal.SIGTERM)
            text, _ = process.communicate(timeout=5)
    assert process.returncode == 143
    assert text.splitlines()[-1] == "cancelled by SIGTERM"


def test_on_github_the_key_is_masked_first(tmp_path: Path) -> None:
    with Simulator(scenario(*CASES)) as simulator:
        environ = environment(simulator, tmp_path) | {"GITHUB_ACTIONS": "true"}
        with started(environ, "doctor") as process:
            text, _ = process.communicate(timeout=20)
    first, rest = text.split("\n", 1)
    assert first == f"::add-mask::{KEY}"
    assert KEY not in rest


def test_help(tmp_path: Path) -> None:
    with started({"PATH": os.environ["PATH"]}, "doctor", "--help") as process:
        text, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    assert text.startswith("usage: python entrypoint.py doctor [-h] [--save FILE]\n")
    assert list(tmp_path.iterdir()) == []
