"""What a simulated Testsigma account holds and how it behaves: plain data, read from JSON or built in Python."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias, TypeVar, get_args

from rerun_action.simulator.consistency import check
from rerun_action.simulator.fields import (
    FieldError,
    Fields,
    duration,
    flag,
    integer,
    list_of,
    mapping,
    nullable,
    number,
    one_of,
    positive,
    text,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

T = TypeVar("T")

Habit: TypeAlias = Literal["own", "rerun", "first", "both"]
ChildStyle: TypeAlias = Literal["object", "id", "none"]
StopRoute: TypeAlias = Literal["run", "collection", "both"]
Call: TypeAlias = Literal["run", "listing", "trigger", "stop"]
Target: TypeAlias = Literal["run", "listing", "trigger", "stop", "any"]
Mishap: TypeAlias = Literal["reset", "close", "truncate", "html", "hang", "drip"]

Script: TypeAlias = tuple[str | None, ...]
"""The outcomes of a leaf's executions, first to last; the last one repeats."""

GONE = "GONE"
"""A script's word for a leaf that was asked for but does not appear in that run."""

NO_RERUN = "NONE"

DELETED = "__delete__"
"""A patch's word for a key that is removed."""


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
class Reply:
    """An HTTP reply. A string is sent as it is, any other body as JSON; JSON is what it is said to be by default."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: object = ""


@dataclass(frozen=True)
class Patch:
    """The right answer, with these keys of its JSON object replaced; DELETED removes one."""

    patch: dict[str, object]


Answer: TypeAlias = Reply | Patch | Mishap


def just_json(value: object) -> Reply:
    """Make a reply of nothing but a JSON value, strings included."""
    return Reply(200, body=json.dumps(value))


def redirect(location: str) -> Reply:
    """Make a reply that sends the client elsewhere."""
    return Reply(302, {"Location": location})


@dataclass(frozen=True)
class Fault:
    """Requests that are answered wrongly, or not at all.

    `run` narrows `on` to requests with that run in their path. `skip` of them pass first; then `times` of them are
    disturbed (None: all), or, with `seconds`, all that come before so many seconds have passed since the first.
    """

    on: Target
    answer: Answer
    run: int | None = None
    skip: int = 0
    times: int | None = 1
    seconds: float | None = None
    processed: bool = False

    @property
    def is_processed(self) -> bool:
        """Whether the platform carries the request out all the same."""
        return self.processed or isinstance(self.answer, Patch) or self.answer in ("truncate", "drip")

    @property
    def needs_key(self) -> bool:
        """Whether a request without the key is refused before the fault can strike."""
        return self.is_processed or self.answer not in ("reset", "close", "hang")


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
    faults: tuple[Fault, ...] = ()

    def __post_init__(self) -> None:
        try:
            check(self)
        except FieldError as error:
            raise ScenarioError(str(error)) from None


def read(path: Path, build: Callable[[object], T]) -> T:
    """Read a JSON file and build something from it."""
    try:
        return build(json.loads(path.read_text(encoding="utf-8")))
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
            faults=fields.get("faults", list_of(_fault), Scenario.faults),
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


def _fault(value: object, place: str) -> Fault:
    with Fields(value, place) as fields:
        if fields.has("times") and fields.has("seconds"):
            raise FieldError(place, "has times or seconds, not both")
        return Fault(
            on=fields.read("on", one_of(get_args(Target))),
            answer=fields.read("answer", _answer),
            run=fields.get("run", nullable(positive), Fault.run),
            skip=fields.get("skip", integer, Fault.skip),
            times=fields.get("times", nullable(integer), Fault.times),
            seconds=fields.get("seconds", number, Fault.seconds),
            processed=fields.get("processed", flag, Fault.processed),
        )


def _answer(value: object, place: str) -> Answer:
    if isinstance(value, str):
        mishap: Mishap = one_of(get_args(Mishap))(value, place)
        return mishap
    with Fields(value, place) as fields:
        if [fields.has(kind) for kind in ("status", "patch", "json", "redirect")].count(True) != 1:
            raise FieldError(place, "needs exactly one of status, patch, json and redirect")
        if fields.has("patch"):
            return Patch(fields.read("patch", mapping))
        if fields.has("json"):
            return just_json(fields.read("json", _anything))
        if fields.has("redirect"):
            return redirect(fields.read("redirect", text))
        return Reply(
            status=fields.read("status", integer),
            headers=fields.get("headers", _headers, {}),
            body=fields.get("body", _anything, Reply.body),
        )


def _headers(value: object, place: str) -> dict[str, str]:
    return {name: text(content, f"{place}.{name}") for name, content in mapping(value, place).items()}


def _anything(value: object, _: str) -> object:
    return value
