"""Testsigma's calls: retries by verb, one trigger at most, the stop (API page, "Calls" and "Errors").

A GET is repeated until it has an answer or the time is over. A POST is sent once. A stop names its run and may be
repeated.
"""

import json
import random
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Protocol, TypeVar

import requests

from rerun_action.core.model import FreshRun, Listing, RerunRequest, Run, StopReply, StopRoute
from rerun_action.core.pace import pauses
from rerun_action.errors import (
    ActionError,
    Cancelled,
    Contradiction,
    DeadlinePassed,
    NotFound,
    Refused,
    Unclear,
    Unreachable,
)
from rerun_action.testsigma import line, refusals, wire
from rerun_action.testsigma.line import Reply, Transient
from rerun_action.testsigma.refusals import Answer

T = TypeVar("T")

PATH = "/api/v1/execution_results"
REPLY_SECONDS = 120.0
"""How long a whole reply may take, however steadily it drips."""
STOP_SECONDS = 10.0
"""The same for a stop, which is better sent again than waited for."""
MAX_QUOTE = 300
"""How much of a refusal is quoted."""
RETRY_CAP_SECONDS = 30.0
LINGER_SECONDS = 0.7
"""How long a trigger's answer is still waited for after a signal, so that the run it names can be stopped."""
UNANSWERED_SECONDS = 5.0
"""A request that has waited this long when the deadline comes counts as failed."""


class Time(Protocol):
    """The clock, the sleep and the guarded call that the client is given. All times are seconds."""

    def now(self) -> float: ...  # noqa: D102
    def sleep(self, seconds: float) -> None: ...  # noqa: D102
    def call(  # noqa: D102
        self, work: Callable[[], T], limit: float, linger: float = 0.0, left: Callable[[], None] | None = None
    ) -> T: ...


class Client:
    """The platform as the story sees it. Every `until` is a time on the given clock."""

    def __init__(
        self,
        server_url: str,
        api_key: str,
        time: Time,
        *,
        warn: Callable[[str], None],
        debug: Callable[[str], None],
        ca_bundle: str | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._server_url = server_url
        self._ca_bundle = ca_bundle
        self._key = api_key
        self._time = time
        self._warn = warn
        self._debug = debug
        self._jitter = jitter
        self._answered = False
        """Whether the last request that came to an end was answered."""
        self._session = self._new_session()

    def _new_session(self) -> requests.Session:
        return line.new_session(self._server_url, self._key, self._ca_bundle)

    # --- the calls ------------------------------------------------------------------------------------------------

    def run(self, run_id: int, until: float) -> Run:
        """Look at a run (API page, call 3)."""
        run = self._get(f"/{run_id}", until, wire.run_of)
        if run.id != run_id:
            raise Contradiction(f"asked for run {run_id}, the platform answered with run {run.id}")
        return run

    def listing(self, run_id: int, until: float) -> Listing:
        """List the test case results of a run, all pages of it (API page, call 1)."""
        path = f"/{run_id}/test_case_results"
        page = self._get(path, until, wire.page_of)
        if not page.paged:
            return page.listing(run_id)
        first, cases, words = page, list(page.cases), set(page.unknown_words)
        seen = {case.result_id for case in cases}
        number = 0
        while _another_page(page, number, len(cases)):
            number += 1
            page = self._get(f"{path}?page={number}&size={max(len(first.cases), 1)}", until, wire.page_of)
            ids = {case.result_id for case in page.cases}
            if ids & seen or page.number not in (None, number):
                raise Contradiction(f"page {number} of the results of run {run_id} repeats what another page held")
            seen |= ids
            cases += page.cases
            words |= page.unknown_words
        if (first.pages or 0) > number + 1 or (first.elements or 0) > len(cases):
            raise Contradiction(
                f"the results of run {run_id} ended after page {number + 1} with {len(cases)} cases, but "
                f"{first.pages or 'more'} pages with {first.elements or 'more'} cases were announced"
            )
        return Listing(run_id, first.plan_id, tuple(cases), frozenset(words), first.run_id)

    def preview(self, plan_id: int, parent_id: int, request: RerunRequest) -> str:
        """Return the body that `trigger` would send."""
        return json.dumps(wire.rerun_body(plan_id, parent_id, request))

    def trigger(self, plan_id: int, parent_id: int, request: RerunRequest, until: float) -> Run:
        """Trigger a rerun (API page, call 2). It reaches the platform once at most.

        Raises Refused if the platform said no, Unclear if it may or may not have started a run.
        """
        return self._post("rerun", wire.rerun_body(plan_id, parent_id, request), until)

    def start(self, fresh: FreshRun, until: float) -> Run:
        """Start a fresh run of a plan (API page, call 2, last line), at most once; it raises what `trigger` does."""
        return self._post("run", wire.fresh_body(fresh), until)

    def _post(self, what: str, body: dict[str, Any], until: float) -> Run:
        """Send a POST, and send it again only where the platform can't have acted on it."""

        def send() -> Run:
            self._session = self._new_session()  # a kept connection may just be closing, and a cut POST is unclear
            limit = min(REPLY_SECONDS, until - self._time.now())
            if limit <= 0:
                raise DeadlinePassed(f"the deadline passed before the {what} was triggered")
            self._time.sleep(0)  # a signal that has come by now keeps it from being sent: there is nothing in doubt
            try:
                return self._attempt("POST", "", limit, _json(wire.run_of), body=body, linger=LINGER_SECONDS)
            except Transient as fault:
                if fault.untouched:
                    raise
                raise Unclear(_unclear(what, fault.cause), gateway=fault.gateway) from None
            except TimeoutError:
                raise Unclear(_unclear(what, f"no answer within {limit:.0f} s")) from None
            except Contradiction as error:
                raise Unclear(_unclear(what, error.message)) from None
            except Cancelled as cancelled:
                cancelled.unanswered = True
                raise

        try:
            return self._persist(send, until, f"the {what} was not triggered")
        except Answer as answer:
            raise Refused(refusals.of_trigger(what, answer)) from None

    def stop(self, run_id: int, until: float, sent: Callable[[], None]) -> StopReply:
        """Stop one run, never all (API page, call 4). `sent` is called when the first request has left."""
        for pause in pauses(RETRY_CAP_SECONDS):
            try:
                return StopReply(StopRoute.RUN, *self._put_stop(f"/{run_id}", until, sent))
            except Answer as answer:
                if answer.status not in (HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED):
                    return StopReply(StopRoute.RUN, answer.status, refusal=refusals.of_request(answer))
                refused = answer
            except Unreachable as error:
                return StopReply(StopRoute.RUN, None, refusal=error.message)
            try:
                if self.run(run_id, until).finished:
                    return StopReply(StopRoute.RUN, refused.status)
                break
            except NotFound:  # it may have been started a moment ago
                if self._time.now() + pause >= until:
                    return StopReply(StopRoute.RUN, refused.status, refusal=refusals.of_request(refused))
                self._time.sleep(pause)
        try:
            return StopReply(StopRoute.COLLECTION, *self._put_stop("", until, sent))
        except Answer as answer:
            return StopReply(StopRoute.COLLECTION, answer.status, refusal=refusals.of_request(answer))
        except Unreachable as error:
            return StopReply(StopRoute.COLLECTION, None, refusal=error.message)

    def _put_stop(self, path: str, until: float, sent: Callable[[], None]) -> tuple[int, int | None]:
        def send() -> tuple[int, int | None]:
            limit = min(STOP_SECONDS, until - self._time.now())
            return self._attempt("PUT", path, limit, _read_stop, body=wire.STOP_BODY, left=sent)

        return self._persist(send, until)

    # --- the line -------------------------------------------------------------------------------------------------

    def _get(self, path: str, until: float, read: Callable[[Any], T]) -> T:
        def send() -> T:
            return self._attempt("GET", path, min(REPLY_SECONDS, until - self._time.now()), _json(read))

        try:
            return self._persist(send, until)
        except Answer as answer:
            if answer.status == HTTPStatus.NOT_FOUND:
                raise NotFound(f"run {path.split('/')[1]} is not known to the platform (404).{answer.quoted}") from None
            raise Refused(refusals.of_request(answer)) from None

    def _persist(self, send: Callable[[], T], until: float, failing: str = "") -> T:
        """Repeat `send` until it is answered or the time is over; one line when an outage starts and when it ends."""
        began: float | None = None
        for pause in pauses(RETRY_CAP_SECONDS):
            asked_at = self._time.now()
            try:
                answer = send()
            except Transient as fault:
                cause, retry_after = fault.cause, fault.retry_after
            except TimeoutError:
                waited = self._time.now() - asked_at
                if self._time.now() >= until and self._answered and waited < UNANSWERED_SECONDS:
                    raise DeadlinePassed("the deadline passed") from None
                cause, retry_after = f"no complete answer within {waited:.0f} s", 0.0
            else:
                self._answered = True
                if began is not None:
                    self._warn(f"the platform answers again after {self._time.now() - began:.0f} s")
                return answer
            self._answered = False
            if began is None:
                began = asked_at
                self._warn(
                    f"the platform does not answer: {cause}; trying again until the deadline (timeout-minutes); "
                    "if this goes on, check server-url"
                )
            # jitter, so that the jobs of a whole pipeline do not come back at the same moment
            wanted = max(pause * (1 - self._jitter() / 2), retry_after)
            self._time.sleep(max(0.0, min(wanted, until - self._time.now())))
            if self._time.now() >= until:
                prefix = f"{failing}: " if failing else ""
                raise Unreachable(f"{prefix}{self._server_url} could not be reached until the deadline: {cause}")
        raise AssertionError("pauses never end")

    def _attempt(
        self,
        method: str,
        path: str,
        limit: float,
        read: Callable[[Reply], T],
        *,
        body: dict[str, Any] | None = None,
        linger: float = 0.0,
        left: Callable[[], None] | None = None,
    ) -> T:
        """Send one request and read its reply, in a thread that a signal or the limit leaves behind."""
        if limit <= 0:
            raise TimeoutError
        session = self._session
        url = f"{self._server_url}{PATH}{path}"
        started = self._time.now()

        def work() -> T:
            reply = line.send(session, method, url, body, limit)
            self._debug(f"{method} {PATH}{path} -> {reply.status}, {len(reply.body)} bytes")
            return line.read(reply, method, read)

        try:
            return self._time.call(work, limit, linger, left)
        except Answer as answer:
            # first the key, then the length: a cut key is a key that nobody recognises
            answer.text = answer.text.replace(self._key, "***")[:MAX_QUOTE]
            raise
        except Transient as fault:
            self._debug(f"{method} {PATH}{path} failed after {self._time.now() - started:.1f} s: {fault.cause}")
            raise
        except (ActionError, TimeoutError):
            self._session = self._new_session()  # the old one may still be busy in its thread
            raise


def _json(read: Callable[[Any], T]) -> Callable[[Reply], T]:
    return lambda reply: read(wire.parse(reply.take()))


def _read_stop(reply: Reply) -> tuple[int, int | None]:
    """A stop that was accepted is not sent again because its reply can't be read: the run itself will tell."""
    try:
        return reply.status, wire.run_of(wire.parse(reply.take())).id
    except (wire.Garbled, Contradiction):
        return reply.status, None


def _another_page(page: wire.Page, number: int, listed: int) -> bool:
    """Return whether to ask for one more page: `last` alone is not trusted, an empty page ends it all."""
    if not page.cases:
        return False
    if page.pages is not None:
        return number + 1 < page.pages
    return page.elements is None or listed < page.elements


def _unclear(what: str, cause: str) -> str:
    return f"the {what} was triggered, but whether the platform took it is not clear: {cause}"
