"""What was asked and what came back, as it was, and how much may still be asked."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from rerun_action.errors import ActionError

_FURTHER_PAGE = re.compile(r"[?&]size=")
"""Only the reading of a paged listing, which has to go on to its end, names a size."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One GET and its reply."""

    path: str
    """Path and query."""
    status: int
    content_type: str
    skew: float | None
    """The server's clock (its Date header) minus ours, in seconds; None without a Date that can be read."""
    body: bytes


class BudgetSpent(ActionError):
    """No more requests may be sent."""


@dataclass(slots=True)
class Journal:
    """Every reply, in order; a request that would be one too many raises BudgetSpent before it is sent."""

    budget: int
    """How many requests may be sent, further pages of a listing not counted."""
    sent: int = 0
    """How many were sent, further pages included."""
    spent: bool = False
    """Whether a request was refused here."""
    exchanges: list[Exchange] = field(default_factory=list)

    def ask(self, path: str) -> None:
        """Take note that a request is about to be sent."""
        if not _FURTHER_PAGE.search(path):
            if not self.budget:
                self.spent = True
                raise BudgetSpent("no more requests may be sent")
            self.budget -= 1
        self.sent += 1

    def last(self, path: str) -> Exchange | None:
        """Return the last reply to this path and query."""
        return next((taken for taken in reversed(self.exchanges) if taken.path == path), None)

    def pages(self, path: str) -> Iterator[Exchange]:
        """Yield the last good reply to this path, and those to its further pages, in the order of the first look."""
        for wanted in dict.fromkeys(taken.path for taken in self.exchanges):
            if wanted == path or (wanted.startswith(f"{path}?") and _FURTHER_PAGE.search(wanted)):
                yield from (taken for taken in [self.last(wanted)] if taken and taken.status == 200)  # noqa: PLR2004
