"""Replies that nobody documented: whatever comes, no traceback, and no exit 0 that the truth does not allow.

The world is one in which the same test fails in every run, and no mutation makes a pass out of anything; so there is
no way to a 0. `make fuzz` runs it with FUZZ_STORIES=4000 (over 20,000 mutated replies), `make test` with a few.
"""

import gc
import io
import json
import os
import random
from typing import Any
from urllib.parse import urlsplit

import pytest

from rerun_action.core.model import Policy
from rerun_action.hosts.account import Account
from rerun_action.hosts.console import Console
from rerun_action.reports import json_report
from rerun_action.rerun import Story
from rerun_action.simulator import Platform, Refusal, Scenario, Seconds
from rerun_action.testsigma import line as http
from rerun_action.testsigma.client import Client
from rerun_action.testsigma.line import Reply
from tests.support.scenarios import FAILS, FIRST, KEY, PASSES, case, data_driven, scenario
from tests.support.virtual import VirtualTime

STORIES = int(os.environ.get("FUZZ_STORIES", "150"))
SHARE = 0.7
"""Of the replies that are mutated."""

JUNK: list[Any] = [
    None,
    True,
    -1,
    0,
    10**30,
    1.5,
    "",
    "x",
    "7",
    "FAILURE",
    "STOPPED",
    "STATUS_COMPLETED",
    "STATUS_SURPRISE",
    "QUEUED",
    "\ud800",
    "\x00\x1b[31m::error::",
    "é" * 5000,
    [],
    {},
    [[]],
    [None],
    {"id": 5},
    {"content": []},
    "@deep@",
    "@infinite@",
    "@digits@",
]
RAW = {'"@deep@"': "[" * 5000 + "]" * 5000, '"@infinite@"': "1e400", '"@digits@"': "9" * 5000}


def places(node: Any) -> list[tuple[Any, Any]]:
    """All containers with a key or an index in them."""
    keys: list[Any] = list(node) if isinstance(node, dict) else list(range(len(node))) if isinstance(node, list) else []
    return [place for key in keys for place in [(node, key), *places(node[key])]]


def mutated(body: Any, chance: random.Random) -> str:
    body = json.loads(json.dumps(body))
    for _ in range(chance.choice([1, 1, 1, 2, 5])):
        found = places(body)
        if not found:
            break
        container, key = chance.choice(found)
        match chance.randrange(5):
            case 0:
                del container[key]
            case 1 if isinstance(container, list):
                container.append(container[key])
            case 2 if isinstance(container, dict):
                container[chance.choice(["content", "last", "totalPages", "childResult", "x"])] = chance.choice(JUNK)
            case _:
                container[key] = chance.choice(JUNK)
    text = json.dumps(body)
    for mark, raw in RAW.items():
        text = text.replace(mark, raw)
    return text[: chance.randrange(len(text))] if chance.random() < 0.03 and text else text


class Line:
    """Stands where HTTP would be: the simulated platform answers, and most answers are mutated."""

    def __init__(self, platform: Platform, chance: random.Random) -> None:
        self.platform = platform
        self.chance = chance
        self.mutations = 0
        self.posts = 0

    def send(self, _session: Any, method: str, url: str, body: Any, _limit: float) -> Reply:
        status = 200
        try:
            answer = self._call(method, url, json.loads(json.dumps(body)))
        except Refusal as refusal:
            status, answer = refusal.status, refusal.body
        text = json.dumps(answer)
        if self.chance.random() < SHARE:
            text = mutated(answer, self.chance)
            self.mutations += 1
        return Reply(status, {}, text.encode("utf-8", "surrogatepass"))

    def _call(self, method: str, url: str, body: Any) -> Any:
        parts = urlsplit(url).path.removeprefix("/api/v1/execution_results").strip("/").split("/")
        run_id = int(parts[0]) if parts[0] else None
        if method == "POST":
            self.posts += 1
            return self.platform.trigger(body)
        if method == "PUT":
            return self.platform.stop(body, run_id)
        assert run_id is not None
        return self.platform.list_results(run_id) if len(parts) > 1 else self.platform.get_run(run_id)


def world() -> Scenario:
    cases = (case(1, *FAILS), case(2, *PASSES), data_driven(3, ("a", *PASSES), ("b", "FAILURE")))
    return scenario(*cases, seconds=Seconds(created=1, queued=1, running=5))


@pytest.mark.timeout(3600)
@pytest.mark.usefixtures("uncounted", "uncollected")
def test_mutated_replies(monkeypatch: pytest.MonkeyPatch) -> None:
    mutations = 0
    endings: set[int] = set()
    for seed in range(STORIES):
        gc.collect(0)
        time = VirtualTime()
        line = Line(Platform(world(), time.epoch), random.Random(seed))  # noqa: S311 - a seed makes it repeatable
        monkeypatch.setattr(http, "send", line.send)
        stream = io.StringIO()
        console = Console(stream, "debug", secret=KEY)
        policy = Policy(timeout_minutes=3.0, poll_interval_seconds=20.0, max_reruns=2)
        story = Story(
            Client("https://t.example", KEY, time, warn=console.warning, debug=console.debug, jitter=lambda: 0.0),
            policy,
            execution_id=FIRST,
            test_plan_id=None,
            server_url="https://t.example",
            time=time,
            account=Account(console),
            publish=lambda report: json.loads(json_report.render(report)),
        )
        report = story.tell()
        text = stream.getvalue()
        assert "a fault of the action itself" not in report.message, (seed, text)
        assert "Traceback" not in text, (seed, text)
        assert report.exit_code != 0, (seed, text)
        assert "\x1b" not in text, seed
        assert not any(entry.startswith("::") for entry in text.splitlines()), seed
        assert line.posts <= 2 * policy.max_reruns, (seed, text)
        mutations += line.mutations
        endings.add(int(report.exit_code))
    assert mutations > 4 * STORIES
    assert endings <= {1, 3, 4}
    print(f"{mutations} mutated replies in {STORIES} stories, endings {sorted(endings)}")  # noqa: T201 - for `make fuzz`
