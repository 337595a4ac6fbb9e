"""Replies → a record of them that can be shown to anybody: what it looks like stays, what it says does not.

Kept are documented field names, documented words, results and statuses in capitals, booleans, nulls, counters, and what
is the same as what: equal ids, names and texts stay equal all through the record, ids in their order. Everything else
is replaced; what is not known to be harmless counts as harmful.
"""

import json
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from rerun_action.testsigma import documented, wire
from rerun_action.testsigma.journal import Exchange

KIND = "testsigma-record"
VERSION = 1

_FIRST_ID = 1001
_DEPTH = 40
"""What lies deeper is left out: no documented reply does."""
_COUNTERS_END = 10**8
"""A larger number is no counter; in milliseconds it would be a day."""
_TIMES = range(10**11, 10**13)
_DAY = 86_400_000
_NEW_YEAR = 1_900_000_000_000
"""Where the oldest time of a record is put; all others keep their distance from it."""
_SMALLEST_RELATED = 100
"""A number in a field that nobody knows is taken for an id if it is one elsewhere, but not one that counts things."""
_STATE = re.compile(r"[A-Z_]{1,40}")
_HTTP_STATUSES = range(100, 600)
_MEDIA_TYPES = ("application/json", "text/html", "text/plain")


def record(exchanges: Sequence[Exchange], execution_id: int | str, test_plan_id: int | None) -> dict[str, Any]:
    """Return the record of replies, and of the two ids that were given; JSON values throughout."""
    bodies = [_Body.of(exchange.body) for exchange in exchanges]
    given = [number for number in (execution_id, test_plan_id) if isinstance(number, int)]
    paths = [int(number) for exchange in exchanges for number in _IDS_IN_PATH.findall(exchange.path)]
    disguise = _Disguise([*given, *paths], [body.value for body in bodies])
    return {
        "kind": KIND,
        "version": VERSION,
        "execution_id": disguise.id(execution_id) if isinstance(execution_id, int) else "new",
        "test_plan_id": None if test_plan_id is None else disguise.id(test_plan_id),
        "replies": [
            {
                "path": _IDS_IN_PATH.sub(lambda match: str(disguise.id(int(match[0]))), exchange.path),
                "status": exchange.status,
                "content_type": _media_type(exchange.content_type),
                "skew_seconds": None if exchange.skew is None else round(exchange.skew),
                **body.disguised(disguise),
            }
            for exchange, body in zip(exchanges, bodies, strict=True)
        ],
    }


_IDS_IN_PATH = re.compile(r"(?<=/)[0-9]+")


def _media_type(value: str) -> str:
    given = value.partition(";")[0].strip().lower()
    return given if given in _MEDIA_TYPES else "application/octet-stream"


@dataclass(frozen=True, slots=True)
class _Body:
    """A reply's body: a JSON value, or a text that is none."""

    value: Any
    is_json: bool

    @classmethod
    def of(cls, raw: bytes) -> "_Body":
        try:
            return cls(wire.parse(raw), is_json=True)
        except wire.Garbled:
            return cls(raw.decode(errors="replace"), is_json=False)

    def disguised(self, disguise: "_Disguise") -> dict[str, Any]:
        if self.is_json:
            return {"json": disguise.value(self.value)}
        text = disguise.text(self.value)
        page = self.value.lstrip().lower().startswith(("<!doctype html", "<html"))
        return {"text": f"<html>{text}</html>" if page else text}


class _Disguise:
    """Says what stands for what, the same everywhere. What is put in is never something that stood there before."""

    def __init__(self, ids: Iterable[int], bodies: Sequence[Any]) -> None:
        ids = set(ids)
        strings: set[str] = set()
        numbers: set[float] = set()
        times: set[int] = set()
        for name, value in _scalars(bodies):
            strings |= {name, value} if isinstance(value, str) else {name}
            if isinstance(value, int | float):
                numbers.add(value)
            if name in documented.IDS and (found := _id(value)) is not None:
                ids.add(found)
            if name in documented.TIMES and _is_time(value):
                times.add(value)
        numbers |= ids
        self._strings = strings
        free = (number for number in count(_FIRST_ID) if number not in numbers and str(number) not in strings)
        self._ids = {old: next(free) for old in sorted(ids - {0})}
        self._names: dict[str, str] = {}
        self._texts: dict[str, str] = {}
        self._new_names = self._unused("field")
        self._new_texts = self._unused("text")
        bases = (_NEW_YEAR + days * _DAY for days in count())
        self._shift = next(base - min(times, default=0) for base in bases if _moved(times, base).isdisjoint(numbers))

    def _unused(self, word: str) -> Iterator[str]:
        return (name for number in count(1) if (name := f"{word}-{number}") not in self._strings)

    def id(self, number: int) -> int:
        """Return what stands for an id; 0 is nobody's."""
        return self._ids.get(number, 0)

    def text(self, text: str) -> str:
        """Return what stands for a text."""
        if text and text not in self._texts:
            self._texts[text] = next(self._new_texts)
        return self._texts[text] if text else ""

    def name(self, name: str) -> str:
        """Return a documented field name as it is, what stands for another."""
        if name in documented.NAMES:
            return name
        if name not in self._names:
            self._names[name] = next(self._new_names)
        return self._names[name]

    def value(self, value: Any, name: str = "", depth: int = 0) -> Any:
        """Return what stands for a value; an element of a list goes by the name of the list."""
        if depth > _DEPTH:
            return None
        if isinstance(value, dict):
            return {self.name(key): self.value(inner, key, depth + 1) for key, inner in value.items()}
        if isinstance(value, list):
            return [self.value(element, name, depth + 1) for element in value]
        if value is None or isinstance(value, bool):
            return value
        if name in documented.IDS or name not in documented.NAMES:
            found = _id(value)
            if found in self._ids and (name in documented.IDS or found >= _SMALLEST_RELATED):
                return str(self._ids[found]) if isinstance(value, str) else self._ids[found]
        return self._word(value, name) if isinstance(value, str) else self._number(value, name)

    def _word(self, word: str, name: str) -> str:
        if name in documented.STATES:
            known = word.upper() in documented.RESULTS | documented.STATUSES
            return word if known or _STATE.fullmatch(word) else self.text(word)
        return word if word in documented.WORDS.get(name, ()) else self.text(word)

    def _number(self, number: float, name: str) -> float:
        if name in documented.TIMES and _is_time(number):
            return number + self._shift
        if name in documented.COUNTERS and isinstance(number, int) and 0 <= number < _COUNTERS_END:
            return number
        if name in documented.STATES and number in _HTTP_STATUSES:
            return number
        return _kind_of(number)


def _kind_of(number: float) -> float:
    """Return a number that tells of another only whether it is whole, and whether it is below, above or zero."""
    if isinstance(number, int):
        return (number > 0) - (number < 0)
    return 0.0 if number == 0 else math.copysign(0.5, number)


def _moved(times: set[int], base: int) -> set[int]:
    return {time - min(times) + base for time in times}


def _is_time(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value in _TIMES


def _id(value: object) -> int | None:
    try:
        return wire.id_of(value)
    except ValueError:
        return None


def _scalars(bodies: Sequence[Any]) -> Iterator[tuple[str, Any]]:
    """Yield every name with None, and every value with the name of its field, however deep."""
    waiting: list[tuple[str, Any]] = [("", body) for body in bodies]
    while waiting:
        name, value = waiting.pop()
        if isinstance(value, dict):
            yield from ((key, None) for key in value)
            waiting += value.items()
        elif isinstance(value, list):
            waiting += [(name, element) for element in value]
        else:
            yield name, value


def render(record: dict[str, Any]) -> str:
    """Return the record as the text of its file."""
    return json.dumps(record, indent=1, allow_nan=False) + "\n"
