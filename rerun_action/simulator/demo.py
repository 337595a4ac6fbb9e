"""The scenario of the demo: a web shop whose last run failed in seven places, five of them by bad luck."""

from __future__ import annotations

from rerun_action.simulator.scenario import (
    Case,
    FirstIds,
    Machine,
    PastRun,
    Plan,
    Row,
    Scenario,
    Script,
    Seconds,
    Suite,
)

PLAN_ID = 336
RUN_ID = 1001

_CHROME = Machine(301, "Chrome on Windows 11")
_SAFARI = Machine(302, "Safari on macOS 15")

_CHECKOUT = Suite(201, "Checkout")
_CATALOGUE = Suite(202, "Catalogue")
_ACCOUNT = Suite(203, "Account")

# Each stands in the plan once per machine; a case with data sets is data-driven.
_CASES: tuple[tuple[Suite, str, tuple[str, ...]], ...] = (
    (_CHECKOUT, "Pay by card", ()),
    (_CHECKOUT, "Pay by PayPal", ()),
    (_CHECKOUT, "Pay by invoice", ()),
    (_CHECKOUT, "Redeem a voucher", ()),
    (_CHECKOUT, "Ship abroad", ("Austria", "France", "Poland", "Sweden", "Switzerland")),
    (_CATALOGUE, "Search for a product", ()),
    (_CATALOGUE, "Filter by price", ()),
    (_CATALOGUE, "Sort by rating", ()),
    (_CATALOGUE, "Put a product into the cart", ()),
    (_CATALOGUE, "Switch the currency", ("EUR", "GBP", "SEK")),
    (_ACCOUNT, "Sign up", ()),
    (_ACCOUNT, "Sign in", ()),
    (_ACCOUNT, "Reset the password", ()),
    (_ACCOUNT, "Change the address", ()),
)
_FIRST_CASE_ID = 401

_PASSES: Script = ("SUCCESS",)
_SCRIPTS: dict[tuple[Machine, str, str | None], Script] = {
    (_CHROME, "Pay by PayPal", None): ("ABORTED", "SUCCESS"),
    (_CHROME, "Ship abroad", "Poland"): ("FAILURE", "SUCCESS"),
    (_SAFARI, "Search for a product", None): ("FAILURE", "SUCCESS"),
    (_SAFARI, "Switch the currency", "GBP"): ("FAILURE", "SUCCESS"),
    (_SAFARI, "Reset the password", None): ("NOT_EXECUTED", "SUCCESS"),
    (_CHROME, "Redeem a voucher", None): ("FAILURE",),
    (_SAFARI, "Pay by invoice", None): ("FAILURE",),
}


def demo_scenario() -> Scenario:
    """Build the scenario of the demo."""
    plan = Plan(
        id=PLAN_ID,
        name="Web shop: nightly regression",
        cases=tuple(
            _case(_FIRST_CASE_ID + index, machine, *case)
            for machine in (_CHROME, _SAFARI)
            for index, case in enumerate(_CASES)
        ),
        seconds=Seconds(created=0.5, queued=0.5, running=3.0),
    )
    return Scenario(
        plans=(plan,),
        runs=(PastRun(RUN_ID, PLAN_ID),),
        habit="rerun",
        ids=FirstIds(run=RUN_ID + 1),
    )


def _case(case_id: int, machine: Machine, suite: Suite, name: str, sets: tuple[str, ...]) -> Case:
    return Case(
        case_id,
        name,
        suite,
        machine,
        results=() if sets else _SCRIPTS.get((machine, name, None), _PASSES),
        rows=tuple(Row(data_set, _SCRIPTS.get((machine, name, data_set), _PASSES)) for data_set in sets),
    )
