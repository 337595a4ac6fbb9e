"""Random platforms against the real program, in virtual time, judged by what really happened (`support/oracle.py`).

`make test` plays the same histories each time, so that what was green stays green until the program changes;
`make histories` plays 20,000 that nobody has seen. A failure shows the smallest history that fails, as a test.
"""

import os
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings

from rerun_action.core.model import Result
from tests.support.direct import World, tell_directly, tell_over_sockets
from tests.support.oracle import judge
from tests.support.pasting import as_test
from tests.support.worlds import worlds

pytestmark = pytest.mark.usefixtures("uncounted")

HISTORIES = int(os.environ.get("HISTORIES", "3000"))
SEED = int(os.environ.get("HISTORIES_SEED", "1"))
PARTS = 12
"""So that several processes can share them."""
OVER_SOCKETS = 80
SOCKET_PARTS = 4


def play(
    tell: Callable[[World], None], histories: int, part: str, *, theme: str | None = None, shrink: bool = True
) -> None:
    """Let hypothesis draw the worlds; of one that fails, the smallest is noted on the error."""
    phases = [Phase.generate, Phase.shrink] if shrink else [Phase.generate]
    options = settings(
        max_examples=histories,
        phases=phases,
        database=None,
        derandomize=False,
        deadline=None,
        report_multiple_bugs=False,
        print_blob=False,
        suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.quiet,
    )
    last: list[World] = []

    def tell_and_keep(world: World) -> None:
        last[:] = [world]
        tell(world)

    try:
        seed(f"{SEED} {part}")(options(given(worlds(theme))(tell_and_keep)))()
    except Exception as error:
        error.add_note(f"seen again with HISTORIES_SEED={SEED} HISTORIES={HISTORIES}, part {part}, or with this test:")
        error.add_note(f"\n{as_test(*last)}")
        raise


def tell_and_judge(world: World) -> None:
    judge(tell_directly(world))


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("part", range(PARTS))
def test_histories(part: int) -> None:
    play(tell_and_judge, HISTORIES // PARTS, str(part))


@pytest.mark.timeout(600)
@pytest.mark.parametrize("part", range(SOCKET_PARTS))
def test_over_sockets_it_is_the_same_history(part: int) -> None:
    def tell(world: World) -> None:
        faults = tuple(fault for fault in world.scenario.faults if fault.answer not in ("hang", "drip"))
        world = replace(world, scenario=replace(world.scenario, faults=faults), latencies=(0.0,))
        told = tell_directly(world)
        assert tell_over_sockets(world) == (told.body, told.ended_at)

    play(tell, OVER_SOCKETS // SOCKET_PARTS, f"sockets {part}")


def test_the_smallest_history_that_fails_is_shown_as_a_test_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Result, "of", classmethod(lambda *_: Result.SUCCESS))
    with pytest.raises(AssertionError) as shown:
        play(tell_and_judge, 100, "shown")
    test = shown.value.__notes__[-1]
    assert len(test.splitlines()) < 40
    pasted: dict[str, Callable[[], None]] = {}
    exec(test, pasted)  # noqa: S102 - it was made here
    with pytest.raises(AssertionError):
        pasted["test_history"]()


def test_what_is_shown_is_the_history_itself() -> None:
    def tell(world: World) -> None:
        test = as_test(world).replace("judge(tell_directly(world))", "return world")
        pasted: dict[str, Callable[[], World]] = {}
        exec(test, pasted)  # noqa: S102 - it was made here
        assert pasted["test_history"]() == world

    play(tell, 200, "written")
