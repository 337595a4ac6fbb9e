"""A recorded look at somebody's tenant, served again: the replies that `doctor --save` kept, and nothing else."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from email.utils import formatdate
from threading import Lock
from typing import TYPE_CHECKING

from rerun_action.simulator.fields import FieldError, Fields, integer, list_of, nullable, number, one_of, text
from rerun_action.simulator.replies import Refusal
from rerun_action.simulator.scenario import Reply, Scenario, ScenarioError, from_dict, read

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

KIND = "testsigma-record"
VERSION = 1
NEW = "new"


@dataclass(frozen=True)
class Recorded:
    """One reply. Without `skew_seconds` the server's clock is not known."""

    path: str
    status: int
    content_type: str
    skew_seconds: float | None
    body: str


@dataclass(frozen=True)
class Record:
    """The replies of one look, in their order, and what was looked at."""

    execution_id: int | None
    """None where a fresh run would have been started."""
    test_plan_id: int | None
    replies: tuple[Recorded, ...]


def load(path: Path) -> Scenario | Record:
    """Read a JSON file that holds a scenario, or a record, which says so itself."""
    return read(path, lambda data: record_from(data) if _is_record(data) else from_dict(data))


def _is_record(data: object) -> bool:
    return isinstance(data, dict) and data.get("kind") == KIND


def record_from(data: object) -> Record:
    """Build a record from parsed JSON."""
    try:
        return _record(data)
    except FieldError as error:
        raise ScenarioError(str(error)) from None


def _record(data: object) -> Record:
    with Fields(data, "") as fields:
        fields.read("kind", one_of((KIND,)))
        fields.read("version", one_of((VERSION,)))
        return Record(
            execution_id=fields.read("execution_id", _execution),
            test_plan_id=fields.read("test_plan_id", nullable(integer)),
            replies=fields.read("replies", list_of(_recorded)),
        )


def _execution(value: object, place: str) -> int | None:
    return None if value == NEW else integer(value, place)


def _recorded(value: object, place: str) -> Recorded:
    with Fields(value, place) as fields:
        if fields.has("json") == fields.has("text"):
            raise FieldError(place, "needs exactly one of json and text")
        return Recorded(
            path=fields.read("path", text),
            status=fields.read("status", one_of(tuple(range(200, 600)))),
            content_type=fields.read("content_type", _media_type),
            skew_seconds=fields.read("skew_seconds", nullable(number)),
            body=fields.read("text", text) if fields.has("text") else fields.read("json", _dumped),
        )


def _dumped(value: object, _place: str) -> str:
    return json.dumps(value)


def _media_type(value: object, place: str) -> str:
    found = text(value, place)
    if not re.fullmatch(r"[\w.+-]+/[\w.+-]+", found, re.ASCII):
        raise FieldError(place, f"must be a media type, not {found!r}")
    return found


class Replay:
    """Answers with what was recorded: a path's replies in their order, the last of them for good. Thread-safe."""

    def __init__(self, record: Record, clock: Callable[[], float]) -> None:
        self._record = record
        self._clock = clock
        self._asked: Counter[str] = Counter()
        self._lock = Lock()

    def answer(self, method: str, path: str) -> Reply:
        """Answer a request; what wasn't recorded is 404, and nothing can be started or stopped."""
        if method != "GET":
            return _refusal(405, f"This is a record, to look at only: it answers no {method}")
        replies = [reply for reply in self._record.replies if reply.path == path]
        if not replies:
            return _refusal(404, f"The record has no reply to GET {path}")
        with self._lock:
            reply = replies[min(self._asked[path], len(replies) - 1)]
            self._asked[path] += 1
        skew = reply.skew_seconds
        date = "" if skew is None else formatdate(self._clock() + skew, usegmt=True)
        return Reply(reply.status, {"Content-Type": reply.content_type, "Date": date}, reply.body)


def _refusal(status: int, message: str) -> Reply:
    return Reply(status, body=Refusal(status, message).body)
