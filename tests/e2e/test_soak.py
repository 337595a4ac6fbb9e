"""Signals at random moments: no orphan, no double, no wrong code. `make soak` runs it with SOAK=100."""

import os
import random
import signal
import time
from pathlib import Path

import pytest

from rerun_action.simulator import Fault, Reply, Seconds, Simulator
from tests.support.processes import environment, started
from tests.support.scenarios import FLAKES, PASSES, case, data_driven, scenario

pytestmark = pytest.mark.usefixtures("uncounted")  # counting would move the moments

ROUNDS = int(os.environ.get("SOAK", "10"))
FAULTS = (
    (),
    (Fault("run", Reply(503), times=2),),
    (Fault("trigger", Reply(502), processed=True),),
    (Fault("trigger", "hang", processed=True),),
    (Fault("run", "hang", run=101, skip=1),),
    (Fault("stop", "reset"),),
)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("seed", range(ROUNDS))
def test_a_signal_at_a_random_moment(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)  # noqa: S311 - a seed makes it repeatable
    seconds = Seconds(created=0.1, queued=0.1, running=chance.choice([0.2, 60.0]))
    cases = (case(1, *FLAKES), case(2, *PASSES), data_driven(3, ("a", *FLAKES), ("b", *PASSES)))
    world = scenario(*cases, seconds=seconds, faults=FAULTS[seed % len(FAULTS)])
    signum, code = chance.choice([(signal.SIGTERM, 143), (signal.SIGINT, 130)])
    with Simulator(world) as simulator, started(environment(simulator, tmp_path, log_level="debug")) as process:
        time.sleep(chance.uniform(0.05, 2.0))
        process.send_signal(signum)
        text, _ = process.communicate(timeout=50)
        platform = simulator.platform
        assert len(platform.started) <= 1, text
        assert platform.live_runs() == [], text
        assert all(body == {"canStopAll": False, "result": "STOPPED"} for _, body in platform.stops)
        if process.returncode == -signum or "Fatal Python error: init" in text:  # it came before the handlers stood
            assert platform.requests == []
        elif process.returncode != code:  # it came after the verdict
            assert (process.returncode, len(platform.started)) == (0, 1), text
            assert "Verdict: flaky" in text
        else:
            assert '"result": "cancelled"' in (tmp_path / "report.json").read_text(encoding="utf-8")
