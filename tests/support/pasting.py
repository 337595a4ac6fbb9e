"""A failing history as Python that can be pasted into a test."""

import enum
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import date
from typing import Any

from tests.support.direct import World

TEST = """\
{imports}


def test_history() -> None:
    world = {world}
    judge(tell_directly(world))
"""
JUDGES = {("tests.support.direct", "tell_directly"), ("tests.support.oracle", "judge")}
WIDTH = 100


def as_test(world: World) -> str:
    """Write a test that plays this history."""
    writer = _Writer()
    code = writer.write(world, 1)
    modules: dict[str, set[str]] = {}
    for module, name in writer.used | JUDGES:
        modules.setdefault(module, set()).add(name)
    imports = [f"from {module} import {', '.join(sorted(names))}" for module, names in sorted(modules.items())]
    return TEST.format(imports="\n".join(imports), world=code)


class _Writer:
    """Writes values, without what they have by default, and knows what has to be imported for them."""

    def __init__(self) -> None:
        self.used: set[tuple[str, str]] = set()

    def write(self, value: Any, depth: int) -> str:
        match value:
            case enum.Enum():
                return f"{self._name(type(value))}.{value.name}"
            case date():
                return f"{self._name(date)}({value.year}, {value.month}, {value.day})"
            case frozenset():
                return self._call("frozenset", [self.write([*sorted(value)], depth)], depth)
            case tuple() if hasattr(value, "_fields"):
                given = [self.write(item, depth + 1) for item in value]
                return self._call(self._name(type(value)), given, depth)
            case tuple() | list():
                opening, closing = "()" if isinstance(value, tuple) else "[]"
                items = [self.write(item, depth + 1) for item in value]
                return self._lines(opening, items, closing, depth, comma=len(items) == 1 and opening == "(")
            case Mapping():
                items = [f"{self.write(key, 0)}: {self.write(item, depth + 1)}" for key, item in value.items()]
                return self._lines("{", items, "}", depth)
            case _ if is_dataclass(value):
                changed = [field for field in fields(value) if getattr(value, field.name) != _default(field)]
                given = [f"{field.name}={self.write(getattr(value, field.name), depth + 1)}" for field in changed]
                return self._call(self._name(type(value)), given, depth)
        return repr(value)

    def _name(self, kind: type) -> str:
        module = kind.__module__
        simulator = "rerun_action.simulator"
        self.used.add((simulator if module.startswith(simulator) else module, kind.__name__))
        return kind.__name__

    def _call(self, name: str, given: list[str], depth: int) -> str:
        return self._lines(f"{name}(", given, ")", depth)

    def _lines(self, opening: str, items: list[str], closing: str, depth: int, *, comma: bool = False) -> str:
        """Write it on one line if it fits, else with one item on each."""
        line = f"{opening}{', '.join(items)}{',' if comma else ''}{closing}"
        if len(line) + 4 * depth <= WIDTH and "\n" not in line:
            return line
        inner = "".join(f"{'    ' * (depth + 1)}{item},\n" for item in items)
        return f"{opening}\n{inner}{'    ' * depth}{closing}"


def _default(field: Any) -> Any:
    return field.default if field.default_factory is MISSING else field.default_factory()
