"""What can be seen: the chain of runs, what they list, and the waiting for them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from rerun_action.chain import Chain, Link
from rerun_action.core import pace
from rerun_action.core.ledger import Ledger
from rerun_action.core.model import OURS, Listing, Policy, Result, Run, run_url
from rerun_action.core.pace import pauses
from rerun_action.core.text import state
from rerun_action.errors import Contradiction, DeadlinePassed, NotFound
from rerun_action.ports import Account, Platform, Time

SETTLE_SECONDS = 60.0
"""How long unfinished or unknown values of a finished run are looked at again."""
WATCH_SECONDS = 30.0
"""How long a failed run is watched for the plan's own rerun of it."""
UNKNOWN_SECONDS = 30.0
"""How long a run that was just started may be unknown to a part of the platform."""
ALIVE_SECONDS = 60.0
"""The account is never silent for longer while a run is waited for."""
LAST_LOOK_SECONDS = 5.0
"""So long before the deadline a run is looked at once more, whatever the rhythm: it may just have ended."""
FRESH_SECONDS = 2.0
"""What was seen this long ago still holds."""


class Scene:
    """The chain and the ledger, and how they are filled. `deadline` is a time on the given clock."""

    def __init__(
        self,
        platform: Platform,
        policy: Policy,
        *,
        execution_id: int | str,
        test_plan_id: int | None,
        server_url: str,
        time: Time,
        account: Account,
    ) -> None:
        self.platform = platform
        self.policy = policy
        self.execution_id = execution_id
        self.server_url = server_url
        self.time = time
        self.account = account
        self.deadline = time.now() + policy.timeout_minutes * 60
        self._look_until = self.deadline
        self.chain = Chain(self._look_at)
        self.ledger = Ledger()
        self._test_plan_id = test_plan_id
        self._asked_at: dict[int, float] = {}
        """When each run was looked at last: what was shown may be as old as that."""

    def url(self, run: Run) -> str:
        """Return where a person can look at a run."""
        return run_url(self.server_url, run.id)

    # --- the chain ------------------------------------------------------------------------------------------------

    def look_at_given(self) -> Run:
        """Look at the execution that was given, and make sure that it is one, and of the right plan."""
        try:
            given = self._look_at(int(self.execution_id))
        except NotFound as error:
            raise NotFound(
                f"execution-id: there is no execution {self.execution_id} at {self.server_url}. Most often it is a "
                "test plan id (`executionId` in API bodies is one): give the number at the end of a run's address, "
                f"{self.server_url}/ui/td/runs/<number>. {error.message}"
            ) from None
        self._check_plan(given.plan_id)
        return given

    def _check_plan(self, plan_id: int | None) -> None:
        if None not in (plan_id, self._test_plan_id) and plan_id != self._test_plan_id:
            raise Contradiction(
                f"test-plan-id: execution {self.execution_id} belongs to test plan {plan_id}, not "
                f"{self._test_plan_id}; correct one of the two inputs. Nothing was triggered"
            )

    def gather(self) -> None:
        """Read the whole chain down to its tip; wait for what is still going, unless this is a dry run."""
        if self.policy.dry_run:
            self.chain.descend(arriving=True)
            self._read([*self.chain])
            return
        arriving = all(link.run.finished for link in self.chain)
        for link in self.chain:
            self._wait(link)
        self.chain.descend(arriving=arriving)
        self._wait_for_newest()
        self._read([*self.chain])
        self._settle([*self.chain])

    def _wait_for_newest(self) -> None:
        """Wait for a rerun that is still going, and for one that follows it."""
        while not (newest := self.chain.newest).run.finished:
            self.account.note(f"rerun {newest.run.id} of this execution is still going: waiting for it first")
            self._wait(newest)
            self.chain.descend()

    def take_in_flight(self) -> bool:
        """Look for a rerun that somebody else started in the meantime; wait for it and read it.

        A plan may rerun its failures by itself, within seconds of the end of a run: such a plan's failed run is watched
        for a while (API page, "Chains, limits and races").
        """
        newest = self.chain.newest
        watch = newest.run.reruns_by_itself and newest.run.result is not Result.SUCCESS
        asked_at = self._asked_at.get(newest.run.id, -FRESH_SECONDS)
        fresh = not watch and self.time.now() - asked_at < FRESH_SECONDS
        until = self.time.now() + (WATCH_SECONDS if watch else 0.0)
        if watch:
            self.account.note(f"test plan {self.chain.plan_id} reruns failures by itself: watching for such a rerun")
        before = len(self.chain)
        for pause in pauses(min(5.0, self.policy.poll_interval_seconds)):
            asked_at = self.time.now()
            if not fresh:
                self.look_again(newest)
            if self.chain.descend():
                self._wait_for_newest()
                self._read([*self.chain][before:])
                self._settle([*self.chain][before:])
                return True
            if asked_at >= until:
                return False
            left = max(0.0, until - self.time.now())
            self.pause(min(pause, left), f"while run {newest.run.id} was watched for a rerun")
        raise AssertionError("pauses never end")

    def follow(self, rerun: Link) -> None:
        """Wait for a rerun and take in what it did."""
        self._wait(rerun)
        self._read([rerun])
        merged = any(history.unseen for history in self.ledger.opened)
        if merged:
            self._read_consolidated()
        self._settle([rerun], merged=merged)

    # --- looking and waiting --------------------------------------------------------------------------------------

    def _look_at(self, run_id: int) -> Run:
        asked_at = self.time.now()
        run = self.platform.run(run_id, self._look_until)
        self._asked_at[run_id] = asked_at
        return run

    @contextmanager
    def looking_until(self, until: float) -> Iterator[None]:
        """Let looks at runs take until then, the deadline or not: a run of ours has to be found, or seen stopped."""
        self._look_until = until
        try:
            yield
        finally:
            self._look_until = self.deadline

    def look_again(self, link: Link) -> None:
        """Look at a run of the chain."""
        link.run = self._look_at(link.run.id)
        link.polls += 1

    def _wait(self, link: Link) -> None:
        """Look at a run until it has finished. One that was just started may not be known everywhere yet."""
        link.waited_for |= not link.run.finished
        began = self.time.now()
        unknown_until = began + (UNKNOWN_SECONDS if link.origin in OURS else 0.0)
        rhythm = pace.Rhythm(self.policy.poll_interval_seconds, self._expected(link))
        while not link.run.finished:
            self._tell_state(link, began)
            pause = rhythm.pause(self.time.now() - began, link.run.progress)
            self._pause_alive(self._short_of_deadline(pause), link, began)
            try:
                self.look_again(link)
            except NotFound:
                if self.time.now() >= unknown_until:
                    raise
        self._tell_state(link, began)

    def _short_of_deadline(self, pause: float) -> float:
        """Return the pause, or a shorter one that leaves time for a last look before the deadline."""
        last_look = self.deadline - self.time.now() - min(LAST_LOOK_SECONDS, self.policy.poll_interval_seconds)
        return last_look if min(pace.LEAST_SECONDS, self.policy.poll_interval_seconds) <= last_look < pause else pause

    def _pause_alive(self, seconds: float, link: Link, began: float) -> None:
        """Sleep, with a sign of life now and then: CI systems end a job that is silent for long."""
        until = self.time.now() + seconds
        while (left := until - self.time.now()) > 0:
            silent = link.told_at + ALIVE_SECONDS - self.time.now()
            self.pause(min(left, max(silent, 0.1)), f"while run {link.run.id} was {state(link.run.status)}")
            self._tell_state(link, began)

    def _tell_state(self, link: Link, began: float) -> None:
        now = self.time.now()
        seen = (link.run.status, link.run.result, link.run.progress)
        changed = link.told is None or seen != (link.told.status, link.told.result, link.told.progress)
        if changed or now - link.told_at >= ALIVE_SECONDS:
            left = pace.remaining(now - began, link.run.progress, self._expected(link))
            self.account.state(link.run, link.origin, left)
            link.told, link.told_at = link.run, now

    def _expected(self, link: Link) -> float | None:
        """Return how long a rerun may take, by its share of the leaves and the times of the runs before."""
        leaves = len(self.ledger)
        if link.requested is None or not leaves:
            return None
        known = [
            (before.requested / leaves, before.run.seconds)
            for before in self.chain
            if before is not link and before.requested and before.run.seconds is not None
        ]
        return pace.expected(self.chain.root.run.seconds, link.requested / leaves, known[-1] if known else None)

    def pause(self, seconds: float, when: str) -> None:
        """Sleep; raises DeadlinePassed when the deadline comes first."""
        remaining = self.deadline - self.time.now()
        self.time.sleep(max(0.0, min(seconds, remaining)))
        if seconds >= remaining:
            raise DeadlinePassed(f"the deadline (timeout-minutes: {self.policy.timeout_minutes:g}) passed {when}")

    # --- reading --------------------------------------------------------------------------------------------------

    def read_finished(self, but: Link) -> None:
        """Read the listings of finished runs that are not in the ledger yet, but not of this one."""
        self._read([link for link in self.chain if link.run.finished and not link.listed and link is not but])

    def _read(self, links: list[Link]) -> None:
        """Read the listings of these runs into the ledger, as one batch."""
        if links:
            self.ledger.read([self._list(link) for link in links])

    def _list(self, link: Link) -> Listing:
        listing = self.platform.listing(link.run.id, self.deadline)
        self.chain.confirm_plan(f"run {link.run.id} lists results", listing.plan_id)
        self._check_plan(listing.plan_id)
        if listing.named_run_id is not None and not self.chain.knows(listing.named_run_id):
            raise Contradiction(
                f"the results of run {link.run.id} were asked for, those of {listing.named_run_id} came"
            )
        if listing.unknown_words and not link.listed:
            words = ", ".join(f'"{word}"' for word in sorted(listing.unknown_words))
            self.account.warning(f"run {link.run.id} lists results that this action does not know: {words}")
        announced = link.run.progress.total
        if announced is not None and not link.listed:
            leaves = sum(len(case.rows) or 1 for case in listing.cases)
            if announced > leaves:
                self.account.warning(f"run {link.run.id} counts {announced} results, but lists only {leaves}")
        link.listed = True
        return listing

    def _read_consolidated(self) -> None:
        """Look for what the newest run did in the first run's listing, which may be where the chain is merged."""
        self.ledger.read([replace(self._list(self.chain.root), run_id=self.chain.newest.run.id)])

    def _settle(self, links: Sequence[Link], *, merged: bool = False) -> None:
        """Look again at finished runs that show unfinished or unknown results, for a while.

        `merged`: at the first run's listing too, where the newest run's own did not show everything.
        """
        asked_at = self.time.now()
        until = asked_at + SETTLE_SECONDS
        for pause in pauses(self.policy.poll_interval_seconds):
            unsettled = self.ledger.unsettled_runs()
            again = [link for link in links if link.run.id in unsettled]
            if not again or asked_at >= until:
                return
            left = max(0.0, until - self.time.now())
            self.pause(min(pause, left), f"while run {again[-1].run.id} had unfinished results")
            asked_at = self.time.now()  # what a listing shows may be as old as this
            self._read(again)
            if merged:
                self._read_consolidated()
