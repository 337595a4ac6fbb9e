"""The table that `make bench` prints and writes."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One figure: what was measured, beside what, and what it was to reach (None: nothing was promised)."""

    what: str
    reference: str
    figure: str
    target: str = ""
    reached: bool | None = None


def table(rows: Iterable[Row]) -> str:
    """Return the rows as a Markdown table."""
    lines = ["| what | reference in the same run | measured | to reach | reached |", "|---|---|---|---|---|"]
    for row in rows:
        reached = {True: "yes", False: "**no**", None: ""}[row.reached]
        lines.append(f"| {row.what} | {row.reference} | {row.figure} | {row.target} | {reached} |")
    return "\n".join(lines) + "\n"
