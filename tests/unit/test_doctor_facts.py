"""What replies show of the things that the documentation leaves open."""

from typing import Any

import pytest

from rerun_action.doctor import facts


def case(result_id: object, result: object = "SUCCESS", *rows: tuple[object, object]) -> dict[str, Any]:
    return {
        "testCaseResultId": result_id,
        "result": result,
        "iterationResults": [{"iterationResultId": row_id, "result": row_result} for row_id, row_result in rows],
    }


def ids(*numbers: int) -> frozenset[int]:
    return frozenset(numbers)


@pytest.mark.parametrize(
    ("first", "newest", "said"),
    [
        (ids(1, 2), ids(3), "no, each run lists results of its own only"),
        (ids(1, 2), ids(), "no, each run lists results of its own only"),
        (ids(1, 3), ids(1, 3), "the first run and the newest list the same results, those of the whole chain"),
        (ids(1, 3), ids(3), "the first run's listing holds the newest run's results, too"),
        (ids(1, 2), ids(1, 3), "the newest run's listing holds results of earlier runs, too"),
        (ids(1, 2), ids(1, 2, 3), "the newest run's listing holds results of earlier runs, too"),
    ],
)
def test_which_listing_merges_the_chain(first: frozenset[int], newest: frozenset[int], said: str) -> None:
    assert facts.merging(first, newest) == said


@pytest.mark.parametrize("holder", ["testCases", "content", "both"])
def test_cases_are_found_wherever_they_are(holder: str) -> None:
    records = [case(1), case("2", "FAILURE", (3, None), (4, "SUCCESS")), "junk", case(None, "Ask Bob")]
    page: Any = {"testCases": {"content": records}} if holder == "both" else {holder: records}
    assert facts.result_ids([page]) == {1, 2, 3, 4}
    assert facts.words([page]) == {"SUCCESS": 2, "FAILURE": 1, "null": 1, "a word in another form": 1}
    assert facts.leaves([page]) == 4
    assert facts.is_listing(page)


@pytest.mark.parametrize("page", [None, [], {}, {"testCases": 5}, {"content": {"content": None}}, "text"])
def test_what_holds_no_list_is_no_listing(page: Any) -> None:
    assert not facts.is_listing(page)
    assert facts.result_ids([page]) == frozenset()
    assert not facts.has_page_fields(page) or page == {"content": {"content": None}}


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ({"testCases": []}, False),
        ({"testCases": [], "totalPages": 1}, True),
        ({"testCases": {"content": [], "last": True}}, True),
        ({"content": []}, True),
    ],
)
def test_page_fields(page: Any, expected: bool) -> None:
    assert facts.has_page_fields(page) is expected


@pytest.mark.parametrize(
    ("run", "said"),
    [
        ({"childResult": {"id": 7}}, "an object with the id of the rerun"),
        ({"childResult": {"id": "7"}}, "an object with the id of the rerun"),
        ({"childResult": 7}, "a bare id of the rerun"),
        ({"childResult": 8}, "a bare id of another run"),
        ({"childResult": {}}, "something without an id"),
        ({"childResult": None}, "null"),
        ({}, "missing"),
    ],
)
def test_where_a_child_shows(run: Any, said: str) -> None:
    assert facts.child_form(run, 7) == said


@pytest.mark.parametrize(
    ("run", "said"),
    [
        ({"execution": {"lastRunId": 7}}, "the newest run of this chain"),
        ({"execution": {"lastRunId": "7"}}, "the newest run of this chain"),
        ({"execution": {"lastRunId": 8}}, "another run"),
        ({"execution": {}}, "nobody"),
        ({"execution": None}, "nobody"),
    ],
)
def test_the_plans_last_run(run: Any, said: str) -> None:
    assert facts.last_run(run, 7) == said


@pytest.mark.parametrize(
    ("plan", "word"),
    [
        ({"reRunType": "NONE"}, "NONE"),
        ({"reRunType": None}, "NONE"),
        ({"reRunType": "ALL_TESTS"}, "ALL_TESTS"),
        ({"reRunType": "Bob's way"}, "in another word"),
        ({"reRunType": ["x"]}, "in another word"),
        ({}, None),
        (None, None),
        (5, None),
    ],
)
def test_how_a_plan_reruns_by_itself(plan: Any, word: str | None) -> None:
    assert facts.rerun_type({"execution": plan}) == word
