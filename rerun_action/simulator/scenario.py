"""What a simulated Testsigma account holds and how it behaves: plain data, read from JSON or built in Python."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

from rerun_action.simulator.consistency import check
from rerun_action.simulator.fields import (
    FieldError,
    Fields,
    duration,
    flag,
    integer,
    list_of,
    nullable,
    number,
    one_of,
    positive,
    text,
)

if TYPE_CHECKING:
    from pathlib import Path

Habit: TypeAlias = Literal["own", "rerun", "first", "both"]
ChildStyle: TypeAlias = Literal["object", "id", "none"]
StopRoute: TypeAlias = Literal["run", "collection", "both"]

Script: TypeAlias = tuple[str | None, ...]
"""The outcomes of a leaf's executions, first to last; the last one repeats."""

GONE = "GONE"
"""A script's word for a leaf that was asked for but does not appear in that run."""

NO_RERUN = "NONE"


class ScenarioError(ValueError):
    """A scenario that makes no sense; the message names the place."""


@dataclass(frozen=True)
class Suite:
    """A test suite."""

    id: int
    name: str


@dataclass(frozen=True)
class Machine:
    """A test machine."""

    id: int
    title: str


@dataclass(frozen=True)
class Row:
    """One data set of a data-driven case."""

    set: str
    results: Script


@dataclass(frozen=True)
class Case:
    """A test case on one machine: plain with `results`, data-driven with `rows`.

    The `results` of a data-driven case override the result that its rows give. `requires` is the place, in the
    plan, of a case that the platform adds by itself when this one is picked.
    """

    id: int
    name: str
    suite: Suite
    machine: Machine
    results: Script = ()
    rows: tuple[Row, ...] = ()
    requires: int | None = None


@dataclass(frozen=True)
class Seconds:
    """How long a run stays in each of its states before it is complete."""

    created: float = 0.0
    queued: float = 0.0
    running: float = 0.0


@dataclass(frozen=True)
class Plan:
    """A test plan. With a `rerun_type` other than NONE the platform reruns what failed in a first run by itself."""

    id: int
    name: str
    cases: tuple[Case, ...]
    rerun_type: str = NO_RERUN
    auto_rerun_after: float = 2.0
    seconds: Seconds = Seconds()
    list_prerequisites: bool = False


@dataclass(frozen=True)
class Pick:
    """A case of the plan, by place, and the rows of it that are to run; None is all of it."""

    case: int
    rows: tuple[int, ...] | None = None


@dataclass(frozen=True)
class PastRun:
    """A run that exists when the simulator starts. With `finishes_in` above zero it is still live then."""

    id: int
    plan: int
    parent: int | None = None
    picked: tuple[Pick, ...] | None = None
    finishes_in: float = 0.0
    result: str | None = None
    total_count: int | None = None


@dataclass(frozen=True)
class FirstIds:
    """The first id that a new run, and the first that a result of any run, gets."""

    run: int = 1001
    result: int = 5001


@dataclass(frozen=True)
class Scenario:
    """An account of the platform. One that exists is consistent: what contradicts itself raises ScenarioError."""

    plans: tuple[Plan, ...]
    runs: tuple[PastRun, ...] = ()
    api_key: str = "simulator-key"
    habit: Habit = "own"
    child: ChildStyle = "object"
    stop_route: StopRoute = "both"
    page_size: int | None = None
    ids: FirstIds = FirstIds()

    def __post_init__(self) -> None:
        try:
            check(self)
        except FieldError as error:
            raise ScenarioError(str(error)) from None


def load(path: Path) -> Scenario:
    """Read a scenario from a JSON file."""
    try:
        return from_dict(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise ScenarioError(f"{path}: cannot be read: {error.strerror}") from error
    except ScenarioError as error:
        raise ScenarioError(f"{path}: {error}") from None
    except ValueError as error:
        raise ScenarioError(f"{path}: is not JSON: {error}") from error


def from_dict(data: object) -> Scenario:
    """Build a scenario from parsed JSON; its keys are those of the dataclasses here."""
    try:
        return _scenario(data)
    except FieldError as error:
        raise ScenarioError(str(error)) from None


def _scenario(data: object) -> Scenario:
    with Fields(data, "") as fields:
        seconds = fields.get("seconds", lambda value, place: _seconds(value, place, Seconds()), Seconds())
        return Scenario(
            plans=fields.read("plans", list_of(lambda value, place: _plan(value, place, seconds), at_least=1)),
            runs=fields.get("runs", list_of(_past_run), Scenario.runs),
            api_key=fields.get("api_key", text, Scenario.api_key),
            habit=fields.get("habit", one_of(get_args(Habit)), Scenario.habit),
            child=fields.get("child", one_of(get_args(ChildStyle)), Scenario.child),
            stop_route=fields.get("stop_route", one_of(get_args(StopRoute)), Scenario.stop_route),
            page_size=fields.get("page_size", nullable(positive), Scenario.page_size),
            ids=fields.get("ids", _first_ids, Scenario.ids),
        )


def _first_ids(value: object, place: str) -> FirstIds:
    with Fields(value, place) as fields:
        return FirstIds(
            run=fields.get("run", positive, FirstIds.run),
            result=fields.get("result", positive, FirstIds.result),
        )


def _seconds(value: object, place: str, default: Seconds) -> Seconds:
    with Fields(value, place) as fields:
        return Seconds(
            created=fields.get("created", duration, default.created),
            queued=fields.get("queued", duration, default.queued),
            running=fields.get("running", duration, default.running),
        )


def _plan(value: object, place: str, seconds: Seconds) -> Plan:
    with Fields(value, place) as fields:
        return Plan(
            id=fields.read("id", integer),
            name=fields.read("name", text),
            cases=fields.read("cases", list_of(_case)),
            rerun_type=fields.get("rerun_type", text, Plan.rerun_type),
            auto_rerun_after=fields.get("auto_rerun_after", duration, Plan.auto_rerun_after),
            seconds=fields.get("seconds", lambda value, place: _seconds(value, place, seconds), seconds),
            list_prerequisites=fields.get("list_prerequisites", flag, Plan.list_prerequisites),
        )


def _case(value: object, place: str) -> Case:
    with Fields(value, place) as fields:
        return Case(
            id=fields.read("id", integer),
            name=fields.read("name", text),
            suite=fields.read("suite", _suite),
            machine=fields.read("machine", _machine),
            results=fields.get("results", _script, Case.results),
            rows=fields.get("rows", list_of(_row, at_least=1), Case.rows),
            requires=fields.get("requires", nullable(integer), Case.requires),
        )


def _suite(value: object, place: str) -> Suite:
    with Fields(value, place) as fields:
        return Suite(id=fields.read("id", integer), name=fields.read("name", text))


def _machine(value: object, place: str) -> Machine:
    with Fields(value, place) as fields:
        return Machine(id=fields.read("id", integer), title=fields.read("title", text))


def _row(value: object, place: str) -> Row:
    with Fields(value, place) as fields:
        return Row(set=fields.read("set", text), results=fields.read("results", _script))


_script = list_of(nullable(text), at_least=1)


def _past_run(value: object, place: str) -> PastRun:
    with Fields(value, place) as fields:
        return PastRun(
            id=fields.read("id", positive),
            plan=fields.read("plan", integer),
            parent=fields.get("parent", nullable(integer), PastRun.parent),
            picked=fields.get("picked", nullable(list_of(_pick)), PastRun.picked),
            finishes_in=fields.get("finishes_in", number, PastRun.finishes_in),
            result=fields.get("result", nullable(text), PastRun.result),
            total_count=fields.get("total_count", nullable(integer), PastRun.total_count),
        )


def _pick(value: object, place: str) -> Pick:
    with Fields(value, place) as fields:
        return Pick(
            case=fields.read("case", integer),
            rows=fields.get("rows", nullable(list_of(integer, at_least=1)), Pick.rows),
        )
