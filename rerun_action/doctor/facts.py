"""What raw replies show of the things that the documentation leaves open. Pure: JSON values in, words out."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from rerun_action.testsigma import documented, wire

_SHOWABLE = re.compile(r"[A-Z_]{1,40}")


def shown(word: object) -> str:
    """Return a result or a status if it looks like one: other texts are nobody's business but the tenant's."""
    if word is None:
        return "null"
    return word if isinstance(word, str) and _SHOWABLE.fullmatch(word) else "a word in another form"


# --- listings ---------------------------------------------------------------------------------------------------------


def cases(pages: Iterable[Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the case records of a listing, wherever its pages hold them."""
    for page in pages:
        records = _records(page)
        yield from (record for record in records or () if isinstance(record, dict))


def _records(page: object) -> list[Any] | None:
    if not isinstance(page, dict):
        return None
    records = page.get("testCases")
    if records is None:
        records = page.get("content")
    if isinstance(records, dict):
        records = records.get("content")
    return records if isinstance(records, list) else None


def is_listing(page: object) -> bool:
    """Whether it holds a list of cases at all."""
    return _records(page) is not None


def has_page_fields(page: object) -> bool:
    """Whether a listing speaks of pages."""
    holders = [page] if isinstance(page, dict) else []
    holders += [value for holder in holders for value in holder.values() if isinstance(value, dict)]
    return any(not documented.PAGE.isdisjoint(holder) for holder in holders)


def _rows(case: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    rows = case.get("iterationResults")
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def result_ids(pages: Iterable[Any]) -> frozenset[int]:
    """Return the result ids of all cases and rows."""
    found: set[int] = set()
    for case in cases(pages):
        for value in (case.get("testCaseResultId"), *(row.get("iterationResultId") for row in _rows(case))):
            try:
                found.add(wire.id_of(value))
            except ValueError:
                continue
    return frozenset(found)


def words(pages: Iterable[Any]) -> Counter[str]:
    """Count the results of all cases and rows by their words, as they can be shown."""
    return Counter(shown(record.get("result")) for case in cases(pages) for record in (case, *_rows(case)))


def leaves(pages: Iterable[Any]) -> int:
    """Count the cases, and the rows of those that have any."""
    return sum(len(_rows(case)) or 1 for case in cases(pages))


def other_fields(pages: Iterable[Any]) -> tuple[list[str], list[str]]:
    """Return the fields that a listing has and the documentation has not, and those that it lacks."""
    extra: set[str] = set()
    missing: set[str] = set()
    pages = list(pages)
    levels: tuple[tuple[Iterable[Mapping[str, Any]], frozenset[str]], ...] = (
        (pages, documented.LISTING),
        (cases(pages), documented.CASE),
        ((row for case in cases(pages) for row in _rows(case)), documented.ROW),
    )
    for records, names in levels:
        for record in records:
            extra |= record.keys() - names - documented.PAGE
            missing |= names - record.keys()
    return sorted(extra), sorted(missing)


def merging(first: frozenset[int], newest: frozenset[int]) -> str:
    """Say which of two listings of one chain holds results of the other run; its ids tell."""
    if first.isdisjoint(newest):
        return "no, each run lists results of its own only"
    if first == newest:
        return "the first run and the newest list the same results, those of the whole chain"
    if newest < first:
        return "the first run's listing holds the newest run's results, too"
    return "the newest run's listing holds results of earlier runs, too"


# --- runs -------------------------------------------------------------------------------------------------------------


def child_form(run: Mapping[str, Any], child_id: int | None) -> str:
    """Say what a run's `childResult` is, where its child has this id."""
    child = run.get("childResult")
    if child is None:
        return "null" if "childResult" in run else "missing"
    form = "an object with the id" if isinstance(child, dict) else "a bare id"
    try:
        named = wire.id_of(child.get("id") if isinstance(child, dict) else child)
    except ValueError:
        return "something without an id"
    return f"{form} of {'the rerun' if named == child_id else 'another run'}"


def last_run(run: Mapping[str, Any], newest_id: int) -> str:
    """Say whom the plan calls its last run."""
    plan = run.get("execution")
    last = plan.get("lastRunId") if isinstance(plan, dict) else None
    if last is None:
        return "nobody"
    return "the newest run of this chain" if str(last) == str(newest_id) else "another run"


def rerun_type(run: Mapping[str, Any]) -> str | None:
    """Return how the plan reruns by itself, as it can be shown; None where the reply does not hold the plan."""
    plan = run.get("execution")
    if not isinstance(plan, dict) or "reRunType" not in plan:
        return None
    word = plan["reRunType"] or "NONE"
    return word if isinstance(word, str) and word in documented.RERUN_TYPES else "in another word"
