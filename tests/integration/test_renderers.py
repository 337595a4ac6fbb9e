"""One report in all renderers: the counts agree, whatever the report holds."""

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from rerun_action.core.model import Leaf, LeafReport, Observation, Outcome, Report, Result, Verdict
from rerun_action.hosts import github
from rerun_action.reports import dotenv, html, json_report, junit, markdown
from tests.support.processes import SCHEMA
from tests.support.reports import HOSTILE, report

NAMES = st.sampled_from(["Pay", "Pay ", HOSTILE, "", "支付", "a|b"]) | st.text(
    "aé|<>&\"'`*_[]()#@:\n\x1b\u202e\ud800", max_size=12
)
RESULTS = {
    Verdict.PASSED: (Result.SUCCESS,),
    Verdict.FLAKY: (Result.ABORTED, Result.SUCCESS),
    Verdict.FAILED: (Result.FAILURE, Result.FAILURE),
    Verdict.UNRESOLVED: (Result.FAILURE, Result.UNKNOWN),
    Verdict.QUARANTINED: (Result.FAILURE,),
}


@st.composite
def leaves(draw: st.DrawFn) -> LeafReport:
    verdict = draw(st.sampled_from(Verdict))
    seen = tuple(Observation(100 + n, 5000 + n, result) for n, result in enumerate(RESULTS[verdict]))
    leaf = Leaf(draw(NAMES), draw(NAMES), draw(NAMES), draw(st.none() | NAMES))
    return LeafReport(leaf, verdict, draw(NAMES) or "why", rerun=draw(st.booleans()), observations=seen)


@given(
    st.lists(leaves(), max_size=12),
    st.sampled_from([(Outcome.FAILED, 1), (Outcome.FLAKY, 0), (Outcome.CANCELLED, 143)]),
)
def test_the_counts_agree(drawn: list[LeafReport], ending: tuple[Outcome, int]) -> None:
    told: Report = report(*drawn, outcome=ending[0], exit_code=ending[1])
    counts = told.counts()
    assert sum(counts[verdict] for verdict in Verdict) == counts["total"] == len(drawn)

    body = json.loads(json_report.render(told))
    SCHEMA.validate(body)
    assert body["counts"] == counts

    variables = dict(line.split("=", 1) for line in dotenv.render(told).splitlines())
    outputs = dict(line.split("=", 1) for line in github.outputs(told, Path("r")).splitlines())
    for name in ("total", "passed", "flaky", "failed", "unresolved"):
        assert variables[f"TESTSIGMA_RERUN_{name.upper()}"] == outputs[f"{name}-count"] == str(counts[name])
    assert outputs["rerun-count"] == str(counts["rerun"])
    assert variables["TESTSIGMA_RERUN_RESULT"] == outputs["result"] == body["result"]

    summary = markdown.render(told)
    if drawn:
        numbers = re.search(r"^\| ([0-9]+(?: \| [0-9]+)*) \|$", summary, re.MULTILINE)
        assert numbers is not None
        assert numbers[1].split(" | ") == [str(number) for number in counts.values()]

    suites = ET.fromstring("".join(junit.pieces(told)))  # noqa: S314 - our own text
    if drawn:
        # a step that ended badly though no test tells of it has a testcase of its own
        step = ending[0] is Outcome.CANCELLED and not counts["failed"] + counts["unresolved"]
        assert len(suites.findall(".//testcase")) == counts["total"] + step
        assert len(suites.findall(".//testcase/failure")) == counts["failed"]
        assert len(suites.findall(".//testcase/error")) == counts["unresolved"] + step
        assert len(suites.findall(".//testcase/skipped")) == counts["quarantined"]
        assert sum(case.find("flakyFailure") is not None for case in suites.iter("testcase")) == counts["flaky"]

    page = html.render(told)
    for verdict in Verdict:
        assert page.count(f'<tr role="row" data-v="{verdict}">') == counts[verdict]
