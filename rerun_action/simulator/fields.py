"""Strict reading of JSON values: each key is asked for by name, and a fault says where it stands."""

from __future__ import annotations

import math
import reprlib
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias, TypeVar

if TYPE_CHECKING:
    from types import TracebackType

T = TypeVar("T")
Reader: TypeAlias = Callable[[object, str], T]
"""Turns a JSON value, found at a place, into a T, or raises FieldError."""


class FieldError(ValueError):
    """A value that is not what was wanted there; the message begins with its place."""

    def __init__(self, place: str, message: str) -> None:
        super().__init__(f"{place or 'top level'}: {message}")


def integer(value: object, place: str) -> int:
    """Read an integer; true and false are none."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise FieldError(place, f"must be an integer, not {reprlib.repr(value)}")
    return value


def positive(value: object, place: str) -> int:
    """Read an integer above zero."""
    found = integer(value, place)
    if found < 1:
        raise FieldError(place, f"must be above zero, not {found}")
    return found


def number(value: object, place: str) -> float:
    """Read a finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise FieldError(place, f"must be a number, not {reprlib.repr(value)}")
    return float(value)


def duration(value: object, place: str) -> float:
    """Read a number of seconds, zero or more."""
    found = number(value, place)
    if found < 0:
        raise FieldError(place, f"must not be negative: {found}")
    return found


def text(value: object, place: str) -> str:
    """Read a string."""
    if not isinstance(value, str):
        raise FieldError(place, f"must be a string, not {reprlib.repr(value)}")
    return value


def flag(value: object, place: str) -> bool:
    """Read true or false."""
    if not isinstance(value, bool):
        raise FieldError(place, f"must be true or false, not {reprlib.repr(value)}")
    return value


def mapping(value: object, place: str) -> dict[str, object]:
    """Read an object, whatever it holds."""
    if not isinstance(value, dict):
        raise FieldError(place, f"must be an object, not {reprlib.repr(value)}")
    return value


def one_of(choices: tuple[T, ...]) -> Reader[T]:
    """Make a reader of one of a few words."""

    def read(value: object, place: str) -> T:
        for choice in choices:
            if choice == value:
                return choice
        wanted = " or ".join(str(choice) for choice in choices)
        raise FieldError(place, f"must be {wanted}, not {reprlib.repr(value)}")

    return read


def nullable(reader: Reader[T]) -> Reader[T | None]:
    """Make a reader that lets null through."""

    def read(value: object, place: str) -> T | None:
        return None if value is None else reader(value, place)

    return read


def list_of(reader: Reader[T], *, at_least: int = 0) -> Reader[tuple[T, ...]]:
    """Make a reader of a list from the reader of its elements."""

    def read(value: object, place: str) -> tuple[T, ...]:
        if not isinstance(value, list):
            raise FieldError(place, f"must be a list, not {reprlib.repr(value)}")
        if len(value) < at_least:
            raise FieldError(place, "must not be empty")
        return tuple(reader(element, f"{place}[{index}]") for index, element in enumerate(value))

    return read


class Fields:
    """One JSON object. As a context manager it refuses, on leaving, every key that was not asked for."""

    def __init__(self, value: object, place: str) -> None:
        self._place = place
        self._values = mapping(value, place)
        self._asked: set[str] = set()

    def __enter__(self) -> Fields:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        unknown = sorted(self._values.keys() - self._asked)
        if error is None and unknown:
            raise FieldError(self.place(unknown[0]), "is not a known key")

    def place(self, name: str) -> str:
        """Where a key of this object stands."""
        return f"{self._place}.{name}" if self._place else name

    def has(self, name: str) -> bool:
        """Whether the key is there, be it with null."""
        return name in self._values

    def read(self, name: str, reader: Reader[T]) -> T:
        """Read a key that must be there."""
        self._asked.add(name)
        if name not in self._values:
            raise FieldError(self.place(name), "is missing")
        return reader(self._values[name], self.place(name))

    def get(self, name: str, reader: Reader[T], default: T) -> T:
        """Read a key that may be left out."""
        self._asked.add(name)
        return reader(self._values[name], self.place(name)) if name in self._values else default
