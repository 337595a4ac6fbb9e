"""A large listing: from the bytes of the reply to the payload of the rerun, in processes of their own."""

import json
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from benchmarks.table import Row
from rerun_action.__main__ import COLLECT_AFTER

CASES, EACH_DATA_DRIVEN, ROWS = 100_000, 10, 10
FAILED_SHARE = 0.01
TIMES = 7
TO_REACH = 1.5

_BEGIN = """
import gc, json, resource, sys, time
if sys.argv[2] != "default":
    gc.set_threshold(int(sys.argv[2]))
body = open(sys.argv[1], "rb").read()
"""
_END = """
print(json.dumps([time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss]))
"""
REFERENCE = f"""{_BEGIN}
began = time.perf_counter()
json.loads(body, strict=False)
{_END}"""
OURS = f"""{_BEGIN}
from rerun_action.core import policy as policies
from rerun_action.core.ledger import Ledger
from rerun_action.core.model import Policy
from rerun_action.testsigma import wire
began = time.perf_counter()
parsed, body = wire.parse(body), b""
page, parsed = wire.page_of(parsed), None
listing = page.listing(986)
ledger, policy = Ledger(), Policy()
ledger.read([listing])
list(policies.warnings(ledger, policy))
decisions = policies.decide(ledger, policy, policies.quarantine(ledger, policy))
request = policies.request(ledger, decisions, policy)
assert json.dumps(wire.rerun_body(336, 986, request)).count('"id"') > 1000
{_END}"""


def body() -> bytes:
    """A listing as documented, a tenth of its cases data-driven."""
    dice = random.Random(1)
    ids = iter(range(5001, 10_000_000))

    def result() -> str:
        return "FAILURE" if dice.random() < FAILED_SHARE else "SUCCESS"

    cases = []
    for number in range(CASES):
        data_driven = number % EACH_DATA_DRIVEN == 0
        case_result_id = next(ids)
        rows = [
            {"iterationResultId": next(ids), "setName": f"data set {row}", "result": result()}
            for row in range(ROWS if data_driven else 0)
        ]
        failed = any(row["result"] == "FAILURE" for row in rows)
        cases.append(
            {
                "testCaseId": number + 1,
                "testCaseName": f"A case with a name of common length, number {number}",
                "testCaseResultId": case_result_id,
                "result": ("FAILURE" if failed else "SUCCESS") if rows else result(),
                "isDataDrivenCase": data_driven,
                "iterationResults": rows,
                "testSuiteId": number // 100 + 1,
                "testSuiteName": f"Suite {number // 100}",
                "testSuiteResultId": number // 100 + 900_001,
                "machineId": 31,
                "machineTitle": "Chrome on Windows 11",
                "machineResultId": 41,
            }
        )
    listing = {"executionId": 336, "executionResultId": 986, "result": "FAILURE", "status": "STATUS_COMPLETED"}
    return json.dumps({**listing, "testCases": cases}).encode()


def measured(program: str, path: Path, gc: str) -> tuple[float, float]:
    """Run it once: seconds, and peak RSS in MB."""
    done = subprocess.run(
        [sys.executable, "-c", program, str(path), gc], capture_output=True, text=True, check=True, env={**os.environ}
    )
    seconds, kilobytes = json.loads(done.stdout)
    return seconds, kilobytes / 1024


def rows() -> list[Row]:
    """Measure both in turn, with the garbage collector off, as the action reads a listing, and on."""
    made = []
    content = body()
    size = len(content) / 1e6
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "listing.json"
        path.write_bytes(content)
        for gc in (str(COLLECT_AFTER), "default"):
            theirs, ours = zip(
                *((measured(REFERENCE, path, gc), measured(OURS, path, gc)) for _ in range(TIMES)), strict=True
            )
            seconds, peak = (median(series) for series in zip(*ours, strict=True))
            their_seconds, their_peak = (median(series) for series in zip(*theirs, strict=True))
            time_reached, peak_reached = seconds <= TO_REACH * their_seconds, peak <= their_peak
            as_run = gc != "default"
            setting = "gc as the action sets it" if as_run else "gc as Python sets it"
            made += [
                Row(
                    f"listing of {CASES:,} cases ({size:.0f} MB), bytes to payload, {setting}",
                    f"`json.loads(strict=False)`: {their_seconds * 1000:.0f} ms",
                    f"{seconds / their_seconds:.2f} x ({seconds * 1000:.0f} ms, medians of {TIMES})",
                    f"<= {TO_REACH} x" if as_run else "",
                    time_reached if as_run else None,
                ),
                Row(
                    f"the same, peak RSS of the process, {setting}",
                    f"a process that only does `json.loads`: {their_peak:.0f} MB",
                    f"{peak / their_peak:.2f} x ({peak:.0f} MB)",
                    "<= 1 x" if as_run else "",
                    peak_reached if as_run else None,
                ),
            ]
    return made
