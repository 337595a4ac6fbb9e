"""An embedded Testsigma: real HTTP on the loopback interface, real state, a scripted world.

It imports nothing of the client, so that the two can't share a mistake.
"""

from rerun_action.simulator.demo import demo_scenario
from rerun_action.simulator.platform import Platform, Request
from rerun_action.simulator.replies import Refusal
from rerun_action.simulator.scenario import (
    Case,
    FirstIds,
    Machine,
    PastRun,
    Pick,
    Plan,
    Row,
    Scenario,
    ScenarioError,
    Seconds,
    Suite,
    from_dict,
    load,
)
from rerun_action.simulator.server import Simulator

__all__ = [
    "Case",
    "FirstIds",
    "Machine",
    "PastRun",
    "Pick",
    "Plan",
    "Platform",
    "Refusal",
    "Request",
    "Row",
    "Scenario",
    "ScenarioError",
    "Seconds",
    "Simulator",
    "Suite",
    "demo_scenario",
    "from_dict",
    "load",
]
