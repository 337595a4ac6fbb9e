"""What can go wrong between a platform and its client, by theme."""

from typing import Any

from hypothesis import strategies as st

from rerun_action.simulator import Answer, Fault, Patch, Reply, just_json, redirect
from tests.support.scenarios import FIRST
from tests.support.virtual import Signal

_SOMETIMES = st.integers(0, 3).map(lambda number: number == 3)

_BUSY: list[Answer] = [Reply(429), Reply(429, {"Retry-After": "40"}), Reply(503, {"Retry-After": "5"})]
_BROKEN: list[Answer] = [Reply(503), Reply(502), Reply(504), Reply(524), Reply(408), Reply(200, body="")]
_MISHAPS: list[Answer] = ["hang", "reset", "close", "truncate", "html", "drip"]
_SILENT: list[Answer] = ["hang"] * 4
_REFUSALS: list[Answer] = [Reply(400, body={"error": "No"}), Reply(401, body="Who?"), Reply(403), Reply(404)]
_LIES: list[Answer] = [
    just_json([1]),
    just_json({}),
    just_json(5),
    redirect("https://elsewhere.example/"),
    Patch({"id": 7}),
    Patch({"result": "FINE"}),
    Patch({"result": None}),
    Patch({"result": "FAILURE"}),
    Patch({"status": "STATUS_BREAKFAST"}),
    Patch({"testCases": []}),
    Patch({"testCases": None}),
    Patch({"executionId": 5}),
    Patch({"executionResultId": 5}),
    Patch({"execution": None}),
]
_HONEST = st.sampled_from([*_BROKEN, *_BUSY, *_MISHAPS, Reply(500)])
_ANY = st.sampled_from([*_REFUSALS, *_LIES])
# A refusal of what was carried out, or a lie about it that no look can find out, is more than a client can answer for.
_ACCEPTED = st.sampled_from(
    [*_BROKEN, *_MISHAPS, *_SILENT, just_json({}), Patch({"id": FIRST}), Patch({"executionId": 7})]
)
_NOT_ACCEPTED = st.sampled_from([*_BROKEN, *_BUSY, *_MISHAPS, *_SILENT, *_REFUSALS, Reply(500, body={"error": "Boom"})])
_RUNS = st.sampled_from([200, 201, FIRST, FIRST + 1])


@st.composite
def _line_faults(draw: st.DrawFn) -> Fault:
    on: Any = draw(st.sampled_from(["run", "listing", "any"]))
    answer = draw(_ANY if draw(_SOMETIMES) else _HONEST)
    run = draw(_RUNS) if on != "any" and draw(_SOMETIMES) else None
    return _lasting(draw, on, answer, run, draw(st.integers(0, 6)))


@st.composite
def _trigger_faults(draw: st.DrawFn) -> Fault:
    processed = draw(st.booleans())
    answer = draw(_ACCEPTED if processed else _NOT_ACCEPTED)
    return _lasting(draw, "trigger", answer, None, draw(st.sampled_from([0, 0, 1, 2])), processed=processed)


@st.composite
def _stop_faults(draw: st.DrawFn) -> Fault:
    on: Any = draw(st.sampled_from(["stop", "stop", "run"]))
    answer = draw(_ANY if on == "stop" and draw(st.booleans()) else _HONEST)
    processed = on == "stop" and draw(_SOMETIMES) and answer in (*_BROKEN, *_MISHAPS)
    if on == "stop" and draw(st.booleans()):
        return Fault(on, answer, times=None, processed=processed)
    skip = draw(st.integers(0, 4)) if on == "run" else 0
    return _lasting(draw, on, answer, draw(_RUNS) if on == "run" else None, skip, processed=processed)


def _lasting(draw: st.DrawFn, on: Any, answer: Answer, run: int | None, skip: int, *, processed: bool = False) -> Fault:
    if draw(_SOMETIMES):
        seconds = draw(st.sampled_from([5.0, 20.0, 40.0, 300.0]))
        return Fault(on, answer, run, skip, seconds=seconds, processed=processed)
    return Fault(on, answer, run, skip, draw(st.sampled_from([1, 1, 2, 4, None])), processed=processed)


_MOMENTS = st.sampled_from([0.0, 0.5, 1.0, 2.5, 5.0, 11.0, 24.0, 31.0, 45.0, 70.0, 130.0, 400.0])
_SOON = st.sampled_from([0.0, 0.5, 1.0, 2.5, 5.0, 11.0, 24.0])
_DEEDS: Any = st.tuples(_MOMENTS, st.sampled_from(["stop", "rerun", "fresh"]))
_LATENCIES = st.lists(st.sampled_from([0.0, 0.2, 2.0, 8.0, 20.0, 35.0]), min_size=1, max_size=4).map(tuple)


@st.composite
def _signals(draw: st.DrawFn, moments: st.SearchStrategy[float]) -> tuple[Signal, ...]:
    first = Signal(draw(moments), draw(st.sampled_from([15, 2])))
    if not draw(_SOMETIMES):
        return (first,)
    return first, Signal(first.at + draw(st.sampled_from([0.5, 1.5, 7.5])))


@st.composite
def troubles(draw: st.DrawFn, theme: str) -> dict[str, Any]:
    """The fields of a World that make its theme."""
    faults: list[Fault] = []
    found: dict[str, Any] = {}
    if theme not in ("calm", "rules") and draw(_SOMETIMES):
        found["latencies"] = draw(_LATENCIES)
    match theme:
        case "line":
            faults = draw(st.lists(_line_faults(), min_size=1, max_size=3))
        case "trigger":
            faults = draw(st.lists(_trigger_faults(), min_size=1, max_size=2))
            faults += draw(st.lists(_line_faults(), max_size=1))
            if draw(st.booleans()):
                found["signals"] = draw(_signals(_SOON))
            if draw(st.booleans()):
                found["late"] = draw(st.sampled_from([3.0, 20.0, 33.0, 55.0, 90.0]))
        case "end":
            faults = draw(st.lists(_stop_faults(), max_size=2))
            if not draw(_SOMETIMES):
                found["signals"] = draw(_signals(_MOMENTS))
        case "others":
            faults = draw(st.lists(_line_faults() | _trigger_faults(), max_size=1))
            found["others"] = tuple(draw(st.lists(_DEEDS, min_size=1, max_size=2)))
    return found | {"faults": tuple(faults)}
