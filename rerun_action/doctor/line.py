"""What the check-up says: one line for each check."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class State(StrEnum):
    """How bad it is: all well, worth knowing, or in the action's way."""

    OK = "ok"
    NOTE = "note"
    PROBLEM = "problem"


class Finding(NamedTuple):
    """What a check found, and what the user can do about it."""

    state: State
    text: str
    next_step: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A finding under the name of its check."""

    topic: str
    finding: Finding

    def __str__(self) -> str:
        state, text, step = self.finding
        return f"{state:<8} {self.topic}: {text}" + (f". Next: {step}" if step else "")


class CouldNot(Exception):
    """A check can't be made; the message says why."""


OPEN_AN_ISSUE = "open an issue with what --save writes"
