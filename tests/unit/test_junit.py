"""junit.xml: literal, and read back by readers that others wrote."""

import tracemalloc
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import junitparser.xunit2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from rerun_action.core.model import Leaf, LeafReport, Observation, Outcome, Report, Result, Verdict
from rerun_action.reports import junit

SCHEMAS = Path(__file__).parents[1] / "support" / "schemas"
JENKINS = etree.RelaxNG(etree.parse(SCHEMAS / "jenkins.rng"))
SUREFIRE = etree.XMLSchema(etree.parse(SCHEMAS / "surefire.xsd"))

S, F, A, N, Q, U = (
    Result.SUCCESS,
    Result.FAILURE,
    Result.ABORTED,
    Result.NOT_EXECUTED,
    Result.QUEUED,
    Result.UNKNOWN,
)

CASE = Leaf("suite", "case", "machine")


def leaf(
    verdict: Verdict = Verdict.PASSED,
    *results: Result,
    name: Leaf = CASE,
    reason: str = "why",
) -> LeafReport:
    seen = tuple(Observation(100 + n, 5001 + n, result) for n, result in enumerate(results))
    return LeafReport(name, verdict, reason, rerun=len(results) > 1, observations=seen)


def report(*leaves: LeafReport) -> Report:
    return Report(Outcome.FAILED, 1, "the message", leaves=leaves)


def text(of: Report) -> str:
    return "".join(junit.pieces(of))


def read(of: Report) -> etree._Element:
    """Read it with lxml, by the rules of Jenkins and Surefire; what it counts must be what it holds."""
    root = etree.fromstring(text(of).encode("utf-8"))
    JENKINS.assertValid(root)
    for suite in root:
        SUREFIRE.assertValid(etree.ElementTree(suite))
    for counted in (root, *root):
        assert {name: int(counted.attrib[name]) for name in ("tests", "failures", "errors", "skipped")} == {
            "tests": len(counted.findall(".//testcase")),
            "failures": len(counted.findall(".//failure")),
            "errors": len(counted.findall(".//error")),
            "skipped": len(counted.findall(".//skipped")),
        }
    keys = [(case.attrib["classname"], case.attrib["name"]) for case in root.iter("testcase")]
    assert len(keys) == len(set(keys)), "GitLab would keep the first of two alike"
    assert len(root) == len({suite.attrib["name"] for suite in root})
    return root


def counts(root: etree._Element) -> dict[str, int]:
    cases = list(root.iter("testcase"))
    return {
        "total": len(cases),
        "passed": sum(len(case) == 0 for case in cases),
        "flaky": sum(case.find("flakyFailure") is not None for case in cases),
        "failed": sum(case.find("failure") is not None for case in cases),
        "unresolved": sum(case.find("error") is not None for case in cases),
        "quarantined": sum(case.find("skipped") is not None for case in cases),
    }


def attributes(element: etree._Element) -> dict[str, str]:
    return {str(name): str(value) for name, value in element.items()}


def names(*leaves: Leaf) -> list[str]:
    return [str(case.attrib["name"]) for case in read(report(*(leaf(name=one) for one in leaves))).iter("testcase")]


EACH = (
    leaf(Verdict.PASSED, S, name=Leaf("checkout", "pays", "Chrome")),
    leaf(
        Verdict.FLAKY, F, S, name=Leaf("checkout", "pays", "Chrome", "row 1"), reason="FAILURE in run 100, then passed"
    ),
    leaf(Verdict.FAILED, F, A, name=Leaf("checkout", "ships", ""), reason="ABORTED again in run 101"),
    leaf(Verdict.UNRESOLVED, F, name=Leaf("login", "enters", "Chrome"), reason="FAILURE in run 100; not seen again"),
    leaf(Verdict.QUARANTINED, F, S, F, name=Leaf("login", "leaves", "Chrome"), reason="FAILURE in run 102; by Ann"),
)


def test_each_verdict() -> None:
    assert text(report(*EACH)) == (
        """\
<?xml version="1.0" encoding="UTF-8"?>
<testsuites tests="5" failures="1" errors="1" skipped="1">
<testsuite name="checkout" tests="3" failures="1" errors="0" skipped="0">
<testcase name="pays on Chrome" classname="checkout"/>
<testcase name="pays [row 1] on Chrome" classname="checkout">
<flakyFailure message="FAILURE in run 100, then passed" type="FAILURE"><stackTrace/></flakyFailure>
</testcase>
<testcase name="ships" classname="checkout">
<failure message="FAILURE in run 100: ABORTED again in run 101" type="FAILURE">"""
        """FAILURE in run 100: ABORTED again in run 101</failure>
<rerunFailure message="ABORTED in run 101: ABORTED again in run 101" type="ABORTED"><stackTrace/></rerunFailure>
</testcase>
</testsuite>
<testsuite name="login" tests="2" failures="0" errors="1" skipped="1">
<testcase name="enters on Chrome" classname="login">
<error message="FAILURE in run 100; not seen again" type="FAILURE">FAILURE in run 100; not seen again</error>
</testcase>
<testcase name="leaves on Chrome" classname="login">
<skipped message="FAILURE in run 102; by Ann"/>
</testcase>
</testsuite>
</testsuites>
"""
    )


@pytest.mark.parametrize(
    ("verdict", "results", "elements"),
    [
        (Verdict.PASSED, (S,), []),
        (Verdict.PASSED, (S, S), []),
        (Verdict.FLAKY, (F, S), ["flakyFailure FAILURE 100"]),
        (Verdict.FLAKY, (F, A, S), ["flakyFailure FAILURE 100", "flakyFailure ABORTED 101"]),
        (Verdict.FLAKY, (S, F, S), ["flakyFailure FAILURE 101"]),
        (Verdict.FLAKY, (F, S, F, S), ["flakyFailure FAILURE 100", "flakyFailure FAILURE 102"]),
        (Verdict.FLAKY, (U, S), ["flakyFailure UNKNOWN 100"]),
        (Verdict.FAILED, (F,), ["failure FAILURE 100"]),
        (
            Verdict.FAILED,
            (F, N, F),
            ["failure FAILURE 100", "rerunFailure NOT_EXECUTED 101", "rerunFailure FAILURE 102"],
        ),
        (Verdict.FAILED, (S, F), ["failure FAILURE 101"]),
        (Verdict.FAILED, (F, S, A), ["failure FAILURE 100", "rerunFailure ABORTED 102"]),
        (Verdict.FAILED, (), ["failure FAILURE"]),
        (Verdict.UNRESOLVED, (F,), ["error FAILURE 100"]),
        (Verdict.UNRESOLVED, (F, Q), ["error QUEUED 101"]),
        (Verdict.UNRESOLVED, (), ["error UNKNOWN"]),
        (Verdict.QUARANTINED, (F, S, A), ["skipped 102"]),
    ],
)
def test_histories(verdict: Verdict, results: tuple[Result, ...], elements: list[str]) -> None:
    [case] = read(report(leaf(verdict, *results))).iter("testcase")
    assert [
        " ".join(
            (
                str(one.tag),
                *([str(one.attrib["type"])] if "type" in one.attrib else []),
                *_run(str(one.attrib["message"])),
            )
        )
        for one in case
    ] == elements
    assert all("why" in str(one.attrib["message"]) for one in case)
    assert all(one.text == one.attrib["message"] for one in case if one.tag in {"failure", "error"})


def _run(message: str) -> list[str]:
    before, _, after = message.partition(" in run ")
    return [after.split(":")[0]] if after and before in Result.__members__ else []


@pytest.mark.parametrize(
    ("run", "reason", "message"),
    [
        (48, "", "FAILURE in run 48"),
        (48, "FAILURE in run 48", "FAILURE in run 48"),
        (48, "FAILURE in run 48; left out", "FAILURE in run 48; left out"),
        (48, "FAILURE in run 48, then passed", "FAILURE in run 48, then passed"),
        (48, "FAILURE in run 486; left out", "FAILURE in run 48: FAILURE in run 486; left out"),
        (None, "FAILURE; left out", "FAILURE; left out"),
        (None, "because", "FAILURE: because"),
    ],
)
def test_a_message_says_nothing_twice(run: int | None, reason: str, message: str) -> None:
    one = LeafReport(Leaf("s", "c", "m"), Verdict.FAILED, reason, rerun=False, observations=(Observation(run, 1, F),))
    [failure] = read(report(one)).iter("failure")
    assert failure.attrib["message"] == message


def test_names_are_unique_and_nobody_loses_the_one_it_has() -> None:
    assert names(
        Leaf("s", "a", ""),
        Leaf("s", "a", ""),
        Leaf("s", "a (2)", ""),
        Leaf("other", "a", ""),
        Leaf("s", "a", ""),
        Leaf("s", "a (2)", ""),
    ) == ["a", "a (3)", "a (2)", "a (4)", "a (2) (2)", "a"]


def test_names_that_only_look_alike_once_written() -> None:
    assert names(Leaf("s", "a\nb", ""), Leaf("s", "a b", ""), Leaf("s", "a\tb", "")) == ["a b", "a b (2)", "a b (3)"]
    assert [
        suite.attrib["name"]
        for suite in read(report(*(leaf(name=Leaf(s, "c", "")) for s in ("a\n", "a", "", "b\tc", "b c"))))
    ] == [
        "a",
        "(no suite)",
        "b c",
    ]


def test_parts_that_are_missing() -> None:
    assert names(
        Leaf("", "", ""), Leaf("", "", "m"), Leaf("", "c", "m", ""), Leaf("", " \n", ""), Leaf("", "c\n", " ")
    ) == [
        "(no name)",
        "(no name) on m",
        "c [] on m",
        "(no name) (2)",
        "c",
    ]


def test_hostile_names_come_out_as_text() -> None:
    hostile = "<b>&amp;\"']]>\x00\x1b[31m\u202e\ud800\ufffe\uffff\x85|::error::"
    root = read(report(leaf(Verdict.FAILED, F, name=Leaf(hostile, hostile, "m", hostile), reason=hostile)))
    shown = "<b>&amp;\"']]>\\x00\\x1b[31m\\u202e\\ud800\\ufffe\\uffff |::error::"
    [case] = root.iter("testcase")
    assert attributes(case) == {"name": f"{shown} [{shown}] on m", "classname": shown}
    assert case[0].text == f"FAILURE in run 100: {shown}"


@pytest.mark.parametrize(("outcome", "code"), [(Outcome.ERROR, 2), (Outcome.CANCELLED, 143), (Outcome.TIMED_OUT, 4)])
def test_without_leaves_a_fault_is_seen(outcome: Outcome, code: int) -> None:
    of = Report(outcome, code, "the key is <wrong>\x1b")
    [case] = read(of).iter("testcase")
    assert attributes(case) == {"name": "testsigma-rerun", "classname": "testsigma-rerun"}
    [error] = case
    assert (error.tag, error.text) == ("error", "the key is <wrong>\\x1b")
    assert attributes(error) == {"message": error.text, "type": outcome.value}


def test_without_leaves_and_without_a_fault_it_is_empty() -> None:
    of = Report(Outcome.DRY_RUN, 0, "nothing to do")
    assert text(of) == (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<testsuites tests="0" failures="0" errors="0" skipped="0">\n</testsuites>\n'
    )
    assert len(read(of)) == 0


def test_no_time_is_made_up() -> None:
    assert not read(report(*EACH)).xpath("//@time")


# --- what others read -------------------------------------------------------------------------------------------


def test_junitparser_reads_the_same() -> None:
    of = report(*EACH)
    xml = junitparser.xunit2.JUnitXml.fromstring(text(of).encode())
    cases = [case for suite in xml for case in suite if isinstance(case, junitparser.xunit2.TestCase)]
    expected = of.counts()
    stated = {suite.name: (suite.tests, suite.failures, suite.errors, suite.skipped) for suite in xml}
    assert stated == {"checkout": (3, 1, 0, 0), "login": (2, 0, 1, 1)}
    assert len(cases) == expected["total"]
    assert sum(case.is_failure for case in cases) == expected["failed"]
    assert sum(case.is_error for case in cases) == expected["unresolved"]
    assert sum(case.is_skipped for case in cases) == expected["quarantined"]
    assert sum(bool(case.flaky_failures()) for case in cases) == expected["flaky"]
    assert sum(case.is_passed and not case.flaky_failures() for case in cases) == expected["passed"]
    assert [(one.message, one.type) for case in cases for one in case.rerun_failures()] == [
        ("ABORTED in run 101: ABORTED again in run 101", "ABORTED")
    ]


def test_the_schemas_refuse_what_they_should() -> None:
    """A schema that takes anything would prove nothing."""
    good = text(report(*EACH))
    for old, new in [
        ("<stackTrace/>", ""),
        ('type="ABORTED"', ""),
        ("flakyFailure", "flakyError"),
        ('skipped="1"', ""),
        (' classname="login"', ' classname="login" time="0"'),
    ]:
        root = etree.fromstring(good.replace(old, new).encode())
        assert not JENKINS.validate(root), new
        assert not all(SUREFIRE.validate(etree.ElementTree(suite)) for suite in root) or old == "flakyFailure", new


ANY_TEXT = (
    st.text(st.characters(exclude_categories=()))
    | st.text(st.sampled_from("a ()2\n<&]>\"'\x00\ud800\uffff.["))
    | st.just("a")
)
LEAVES = st.builds(Leaf, ANY_TEXT, ANY_TEXT, ANY_TEXT, st.none() | ANY_TEXT)


@st.composite
def leaf_reports(draw: st.DrawFn) -> LeafReport:
    verdict = draw(st.sampled_from(Verdict))
    results = draw(st.lists(st.sampled_from(Result), max_size=4))
    if verdict is Verdict.FLAKY:
        results = [F, *results, S]
    return leaf(verdict, *results, name=draw(LEAVES), reason=draw(ANY_TEXT))


@given(st.lists(leaf_reports(), min_size=1, max_size=12), st.integers(0, 3))
def test_whatever_the_names_hold(leaves: list[LeafReport], level: int) -> None:
    of = report(*leaves)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(junit, "_DETAILS", junit._DETAILS[level:])  # noqa: SLF001
        root = read(of)
        expected = dict(of.counts())
        del expected["rerun"]
        assert counts(root) == expected
        parsed = junitparser.xunit2.JUnitXml.fromstring(text(of).encode())
    assert sum(len(list(suite)) for suite in parsed) == len(leaves)


# --- size -------------------------------------------------------------------------------------------------------

MANY = 100_000
LONG = '\N{GRINNING FACE}"&' * 100


def many(
    verdict: Verdict, *results: Result, case: str = "pays with card", suite: str = "checkout", number: int = MANY
) -> Report:
    one = leaf(verdict, *results, reason="x" * 30)
    names = (Leaf(f"{suite} {n % 500}", f"{case} {n}", "Chrome on Linux") for n in range(number))
    return report(*(one._replace(leaf=name) for name in names))


@pytest.mark.usefixtures("uncounted")
@pytest.mark.parametrize(
    ("of", "failures", "told"),
    [
        pytest.param(lambda: many(Verdict.PASSED, S), 0, True, id="all passed"),
        pytest.param(lambda: many(Verdict.FAILED, F), 1, True, id="all failed"),
        pytest.param(lambda: many(Verdict.FAILED, F, F), 2, False, id="all failed again"),
        pytest.param(lambda: many(Verdict.FAILED, N, N, N, N), 1, False, id="all failed four times"),
        pytest.param(
            lambda: many(Verdict.FAILED, N, N, N, N, case=LONG, suite=LONG), 1, False, id="and have long names"
        ),
    ],
)
def test_a_hundred_thousand_leaves_stay_under_30_mb(of: Callable[[], Report], failures: int, *, told: bool) -> None:
    elements: Counter[str] = Counter()
    written = 0
    for piece in junit.pieces(of()):
        written += len(piece.encode())
        elements["testcase"] += piece.count("<testcase ")
        elements["failures"] += piece.count("ailure message=")
        elements["reasons"] += piece.count("x" * 30)
    assert written <= junit.LIMIT < 30_000_000
    assert elements["testcase"] == MANY
    assert elements["failures"] == MANY * failures
    assert bool(elements["reasons"]) is (told and failures > 0)


@pytest.mark.usefixtures("uncounted")
def test_it_is_never_in_memory_as_a_whole() -> None:
    big = many(Verdict.FLAKY, F, S, number=20_000)
    tracemalloc.start()
    try:
        written = sum(len(piece.encode()) for piece in junit.pieces(big))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < written / 4


def test_names_that_are_cut_stay_legal_and_unique(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(junit, "LIMIT", 1)
    for shift in range(12):
        long = "a" * shift + '&amp;\N{GRINNING FACE}"<' * 20
        root = read(report(*(leaf(Verdict.FAILED, F, F, name=Leaf(f"{long}{n}", long, str(n))) for n in (1, 1, 2))))
        assert [len(suite) for suite in root] == [2, 1]
        first, second, other = (str(case.attrib["name"]) for case in root.iter("testcase"))
        assert second == f"{first} (2)"
        assert other == first
        assert long.startswith(first)
        assert 50 <= len(junit._xml(first).encode()) <= 64  # noqa: SLF001
