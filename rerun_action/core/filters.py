"""Which leaves a pattern or a quarantine entry speaks of. Names are compared in NFC, case-sensitively."""

import fnmatch
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Literal

from rerun_action.core.model import Leaf, Pattern, QuarantineEntry

_ASPECTS: dict[str, Literal["case", "suite", "machine"]] = {"case": "case", "suite": "suite", "machine": "machine"}


def normal(name: str) -> str:
    """Return the form in which names are compared."""
    return unicodedata.normalize("NFC", name)


def pattern_of(text: str) -> Pattern:
    """Read `case:…`, `suite:…` or `machine:…`; without a prefix, or with one that nobody knows, it is a case name.

    Raises ValueError for a prefix without a name.
    """
    prefix, colon, rest = text.partition(":")
    aspect = _ASPECTS.get(prefix.strip()) if colon else None
    glob = normal(rest.strip() if aspect else text.strip())
    if not glob:
        raise ValueError(f"{text!r} names nothing after its prefix")
    return Pattern(text, aspect or "case", glob)


def first_match(patterns: Sequence[Pattern]) -> Callable[[Leaf], Pattern | None]:
    """Return a function that finds the first of the patterns that matches a leaf."""
    compiled = [(pattern, _compiled(pattern)) for pattern in patterns]

    def match(leaf: Leaf) -> Pattern | None:
        names = {"case": normal(leaf.case), "suite": normal(leaf.suite), "machine": normal(leaf.machine)}
        return next((pattern for pattern, regex in compiled if regex.match(names[pattern.aspect])), None)

    return match


def without_match(patterns: Iterable[Pattern], leaves: Sequence[Leaf]) -> Iterator[Pattern]:
    """Yield the patterns that match none of the leaves."""
    names: dict[str, set[str]] = {}
    for pattern in patterns:
        if pattern.aspect not in names:
            names[pattern.aspect] = {normal(getattr(leaf, pattern.aspect)) for leaf in leaves}
        if not any(map(_compiled(pattern).match, names[pattern.aspect])):
            yield pattern


def _compiled(pattern: Pattern) -> re.Pattern[str]:
    # fnmatch's [ is not special here; its expressions do not backtrack
    return re.compile(fnmatch.translate(pattern.glob.replace("[", "[[]")))


def speaks_of(entry: QuarantineEntry, leaf: Leaf) -> bool:
    """Return whether a quarantine entry matches a leaf; an entry without an iteration matches all rows of the case."""
    wanted = ((entry.case, leaf.case), (entry.suite, leaf.suite), (entry.machine, leaf.machine))
    return all(asked is None or normal(asked) == normal(name) for asked, name in wanted) and (
        entry.iteration is None or (leaf.iteration is not None and normal(entry.iteration) == normal(leaf.iteration))
    )
