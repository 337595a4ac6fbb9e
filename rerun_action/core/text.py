"""Names from the platform are data: what they may hold before they are shown as text."""

import re

from rerun_action.core.model import Leaf

_BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_HARMFUL = re.compile(f"[\\x00-\\x1f\\x7f-\\x9f\u2028\u2029{_BIDI}\ud800-\udfff]")


def one_line(text: str) -> str:
    """Return the text as one line, with control characters and marks that turn the writing direction as escapes."""
    return _HARMFUL.sub(lambda match: _escape(match[0]), text)


def _escape(character: str) -> str:
    return " " if character.isspace() else ascii(character)[1:-1]


_STATES = {
    "STATUS_CREATED": "created",
    "STATUS_QUEUED": "queued",
    "QUEUED": "queued",
    "STATUS_PRE_FLIGHT": "getting ready",
    "STATUS_IN_PROGRESS": "in progress",
    "STATUS_COMPLETED": "finished",
}


def state(status: str) -> str:
    """Return what a run's status means in plain words; one that nobody knows as the platform gave it."""
    return _STATES.get(status, status or "no status")


def leaf_name(leaf: Leaf) -> str:
    """Name a leaf in one line."""
    row = "" if leaf.iteration is None else f" [{leaf.iteration}]"
    where = f" on {leaf.machine}" if leaf.machine else ""
    return f"{leaf.suite} / {leaf.case}{row}{where}" if leaf.suite else f"{leaf.case}{row}{where}"


def tests(number: int) -> str:
    """Return "1 test" or "2 tests"."""
    return f"{number} test" if number == 1 else f"{number} tests"
