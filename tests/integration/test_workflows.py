"""The workflows and the examples: what they rely on exists, and they ask for no more than they need."""

import re
from pathlib import Path

import pytest

from rerun_action import __version__, settings
from rerun_action.hosts import github
from tests.support import workflows
from tests.support.workflows import ACTION, ALL, EXAMPLE

PINNED = re.compile(r"uses: ([\w./-]+)@([0-9a-f]{40}) # (v[0-9]+\.[0-9]+\.[0-9]+)$")


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.name)
def test_no_expression_gets_into_a_script(path: Path) -> None:
    scripts = [step["run"] for _, step in workflows.steps(path) if "run" in step]
    assert scripts
    assert [script for script in scripts if "${{" in script] == []


def test_an_action_has_one_pin_everywhere() -> None:
    pins: dict[Path, set[tuple[str, ...]]] = {path: set() for path in ALL}
    for path in ALL:
        for line in path.read_text(encoding="utf-8").splitlines():
            if "uses: " in line and not re.search(rf"uses: ({ACTION}@|\./|\$/)", line):
                pinned = PINNED.search(line)
                assert pinned, f"{path.name}: by commit, with its version: {line}"
                pins[path].add(pinned.groups())
    kept_up = set().union(*(pins[path] for path in workflows.OWN))  # dependabot.yml
    assert len({name for name, _, _ in kept_up}) == len(kept_up)
    assert set().union(*pins.values()) == kept_up, "put the commits of the workflows into the examples"


def test_each_job_has_its_own_permissions() -> None:
    jobs = {
        f"{path.name} {name}": job.get("permissions")
        for path in workflows.OWN
        for name, job in workflows.load(path)["jobs"].items()
    }
    assert [workflows.load(path)["permissions"] for path in ALL] == [{}] * len(ALL)
    assert {name: permissions for name, permissions in jobs.items() if permissions != {"contents": "read"}} == {
        "release.yml image": {"contents": "read", "packages": "write"},
        "release.yml attest": {"attestations": "write", "id-token": "write", "packages": "write"},
        "release.yml tag": {"contents": "write"},
        "release.yml notes": {"contents": "write"},
    }


# --- examples/github --------------------------------------------------------------------------------------------------


def test_the_example_uses_what_the_action_has() -> None:
    used = [step for _, step in workflows.steps(EXAMPLE) if step.get("uses", "").startswith(ACTION)]
    assert [step["uses"] for step in used] == [f"{ACTION}@v{__version__}"] * 2
    inputs = {name for step in used for name in step["with"]}
    assert inputs <= {entry.name for entry in settings.inputs()}
    outputs = set(re.findall(r"steps\.rerun\.outputs\.([\w-]+)", EXAMPLE.read_text(encoding="utf-8")))
    assert outputs == {"result", "flaky-count", "run-url"}
    assert outputs <= set(github.OUTPUTS)


def test_the_example_can_not_hurt() -> None:
    workflow = workflows.load(EXAMPLE)
    assert set(workflow["on"]) == {"push", "pull_request", "repository_dispatch", "workflow_dispatch"}
    assert workflow["permissions"] == {}
    for name in ("tests", "failures"):
        job = workflow["jobs"][name]
        assert job["concurrency"] == {
            "group": "testsigma-plan-${{ vars.TESTSIGMA_TEST_PLAN_ID }}",
            "cancel-in-progress": False,
        }
        action = workflows.step(EXAMPLE, name, uses=ACTION)
        assert job["timeout-minutes"] > action["with"]["timeout-minutes"]
        assert workflows.step(EXAMPLE, name, uses="actions/upload-artifact")["if"] == "${{ always() }}"


def test_the_example_tells_a_fork(tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    script = workflows.step(EXAMPLE, "fork", name="Say so")
    code, text = workflows.run(script, {"GITHUB_STEP_SUMMARY": str(summary)}, tmp_path)
    told = summary.read_text(encoding="utf-8").replace("\n", " ").strip()
    assert (code, text) == (0, f"::warning title=Not tested::{told}\n")
    assert told.startswith("The Testsigma tests did not run: a pull request from a fork gets no secrets. ")
