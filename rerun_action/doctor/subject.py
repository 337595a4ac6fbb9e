"""What is looked at: the execution that was given, its listing, its chain. Each look is made when a check needs it."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from rerun_action.chain import Chain
from rerun_action.core.model import Origin, Run
from rerun_action.doctor.line import CouldNot
from rerun_action.doctor.looked import Looked
from rerun_action.errors import ActionError, Cancelled
from rerun_action.settings import NEW, Settings
from rerun_action.testsigma import wire
from rerun_action.testsigma.journal import BudgetSpent, Exchange, Journal
from rerun_action.testsigma.look import Route, listing_path, run_path

_NOBODY = 0
"""No run has this id: a look at it tells of host and key alone."""


class Subject:
    """The set-up under examination. What can't be had raises CouldNot, or BudgetSpent."""

    def __init__(
        self, inputs: Settings, journal: Journal, route: Route, looked: Looked, environ: Mapping[str, str]
    ) -> None:
        self.inputs = inputs
        self.journal = journal
        self.route = route
        self.looked = looked
        self.environ = environ
        self.new = inputs.execution_id == NEW
        self.id = _NOBODY if self.new else int(inputs.execution_id)
        self.host_is_well = False
        self.key_is_well = False
        self._pages: dict[int, list[Any]] = {}

    @cached_property
    def first_look(self) -> Run | ActionError:
        """What the first look at the execution got."""
        try:
            return self.looked.run(self.id)
        except Cancelled:
            raise
        except ActionError as error:
            return error

    @property
    def first_reply(self) -> Exchange:
        """The reply to it, if it is one of Testsigma's."""
        reply = self.journal.last(run_path(self.id))
        if reply is None or not self.host_is_well:
            raise CouldNot("the host does not answer as Testsigma would")
        return reply

    @property
    def given(self) -> Run:
        """The execution that was given."""
        if isinstance(self.first_look, Run) and self.key_is_well and not self.new:
            return self.first_look
        raise CouldNot("there is no execution yet" if self.new and self.key_is_well else "no execution was found")

    def body(self, run_id: int) -> Mapping[str, Any]:
        """Return a run that was looked at, as the platform wrote it."""
        reply = self.journal.last(run_path(run_id))
        body = wire.parse(reply.body) if reply else {}
        return body if isinstance(body, dict) else {}

    def pages(self, run_id: int) -> list[Any]:
        """Return the pages of a run's listing, as the platform wrote them."""
        try:
            self.looked.listing(run_id)
        except (BudgetSpent, Cancelled):
            raise
        except ActionError as error:
            raise CouldNot(f"the listing of run {run_id} can't be had") from error
        if run_id not in self._pages:
            self._pages[run_id] = [wire.parse(reply.body) for reply in self.journal.pages(listing_path(run_id))]
        return self._pages[run_id]

    @cached_property
    def chain(self) -> tuple[Run, ...]:
        """The runs of the chain that the execution is in, the first one first."""
        chain = Chain(self.looked.run)
        given = self.given
        try:
            chain.begin(given, Origin.EXECUTION)
            chain.descend(arriving=True)
        except (BudgetSpent, Cancelled):
            raise
        except ActionError:
            raise CouldNot("the chain of reruns can't be read to its end") from None
        return tuple(link.run for link in chain)
