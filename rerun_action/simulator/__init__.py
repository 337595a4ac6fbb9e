"""An embedded Testsigma: real HTTP on the loopback interface, real state, a scripted world.

It imports nothing of the client, so that the two can't share a mistake.
"""

from rerun_action.simulator.demo import demo_scenario
from rerun_action.simulator.platform import Platform, Request
from rerun_action.simulator.replay import Record, load
from rerun_action.simulator.replies import Refusal
from rerun_action.simulator.scenario import (
    DELETED,
    Answer,
    Case,
    Fault,
    FirstIds,
    Machine,
    Mishap,
    PastRun,
    Patch,
    Pick,
    Plan,
    Reply,
    Row,
    Scenario,
    ScenarioError,
    Seconds,
    Suite,
    from_dict,
    just_json,
    redirect,
)
from rerun_action.simulator.server import Simulator

__all__ = [
    "DELETED",
    "Answer",
    "Case",
    "Fault",
    "FirstIds",
    "Machine",
    "Mishap",
    "PastRun",
    "Patch",
    "Pick",
    "Plan",
    "Platform",
    "Record",
    "Refusal",
    "Reply",
    "Request",
    "Row",
    "Scenario",
    "ScenarioError",
    "Seconds",
    "Simulator",
    "Suite",
    "demo_scenario",
    "from_dict",
    "just_json",
    "load",
    "redirect",
]
