"""templates/rerun.yml as GitLab reads it. That it runs is shown in tests/container/test_gitlab.py."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from rerun_action import __version__, settings
from tests.support.checked import by_schema
from tests.support.gitlab import TEMPLATE, component, parts, pasted, spec
from tests.support.surface import ROOT, with_component

OWN_INPUTS = ["job-name", "stage", "image", "command", "job-timeout", "allow-failure-exit-codes"]
EXAMPLES = sorted((ROOT / "examples/gitlab").glob("*gitlab-ci.yml"))


def test_the_component_has_the_inputs_of_the_settings_but_the_key() -> None:
    text = TEMPLATE.read_text(encoding="utf-8")
    assert text == with_component(text), "run `make docs`"
    names = [entry.name for entry in settings.inputs() if entry.name != "api-key"]
    assert list(spec()) == OWN_INPUTS + names
    assert "TESTSIGMA_API_KEY" not in parts()[1]


def test_the_defaults_are_those_of_the_settings() -> None:
    (job,) = component(**{"execution-id": "986"}).values()
    assert job["variables"] == {
        entry.variables[1]: entry.default or ("986" if entry.required else "")
        for entry in settings.inputs()
        if entry.name != "api-key"
    }


HOSTILE = """it's "quoted", #1: {a} [b] *c &d %e @f `g` \\n \\ ! | > ? - ~ é $$ 'x' ]] """


def test_a_text_of_any_content_arrives_as_it_was_written() -> None:
    texts = ["build-no", "runtime-data", "server-url", "include", "exclude", "quarantine-file"]
    (job,) = component(**{"execution-id": "new", **dict.fromkeys(texts, HOSTILE)}).values()
    for name in texts:
        assert job["variables"][f"TESTSIGMA_{name.upper().replace('-', '_')}"] == HOSTILE


def test_a_text_of_several_lines_is_refused_by_gitlab_and_not_mixed_up() -> None:
    with pytest.raises(yaml.YAMLError):
        component(**{"execution-id": "986", "include": "suite:A\nsuite:B"})


def test_the_job() -> None:
    jobs = component(
        **{"execution-id": "new", "test-plan-id": "336", "allow-failure-exit-codes": [6], "job-name": "rerun"}
    )
    job = jobs["rerun"]
    del job["variables"]
    assert jobs == {
        "rerun": {
            "stage": "test",
            "inherit": {"default": ["tags"]},
            "image": {"name": f"ghcr.io/OWNER/testsigma-rerun-action:v{__version__}", "entrypoint": [""]},
            "script": ["exec /usr/local/bin/python -Iu /entrypoint.py"],
            "timeout": "90 minutes",
            "allow_failure": {"exit_codes": [6]},
            "resource_group": "testsigma-plan-336",
            "interruptible": False,
            "retry": 0,
            "artifacts": {
                "when": "always",
                "paths": ["testsigma-rerun/"],
                "reports": {"junit": "testsigma-rerun/junit.xml", "dotenv": "testsigma-rerun/outputs.env"},
            },
        }
    }


def test_the_job_may_last_longer_than_the_action() -> None:
    assert spec()["job-timeout"]["default"] == "90 minutes"
    assert spec()["timeout-minutes"]["default"] == 60


def test_the_command_is_that_of_the_image() -> None:
    entrypoint = re.search(r"^ENTRYPOINT (\[.*])$", (ROOT / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)
    assert entrypoint is not None
    assert spec()["command"]["default"] == " ".join(yaml.safe_load(entrypoint[1]))


@pytest.mark.parametrize("given", ["new", "986", "$RUN_ID", "${RUN_ID}"])
def test_an_execution_is_a_number_or_new_or_a_variable(given: str) -> None:
    assert re.fullmatch(spec()["execution-id"]["regex"], given)


@pytest.mark.parametrize("given", ["", " ", "newest", "986 ", "latest"])
def test_anything_else_is_refused_before_the_pipeline_starts(given: str) -> None:
    assert not re.fullmatch(spec()["execution-id"]["regex"], given)


@pytest.mark.parametrize("path", [*EXAMPLES, TEMPLATE], ids=lambda path: str(path.relative_to(ROOT)))
def test_what_names_a_version_names_this_one(path: Path) -> None:
    named = re.findall(r"testsigma-rerun-action(?:/rerun@|:)(v[0-9.]+[0-9])", path.read_text(encoding="utf-8"))
    assert set(named) == {f"v{__version__}"}


# --- the schema that check-jsonschema carries -------------------------------------------------------------------------


def documents() -> dict[str, str]:
    pipeline: dict[str, Any] = {"execution-id": "new", "test-plan-id": "336"}
    examples = {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in EXAMPLES}
    return {**examples, "the header": parts()[0], "the jobs": pasted(**pipeline)}


@pytest.mark.parametrize("name", documents())
def test_gitlabs_schema_takes_it(name: str) -> None:
    assert by_schema("vendor.gitlab-ci", documents()[name]) == (0, "ok -- validation done\n")


def test_gitlabs_schema_refuses_what_is_none() -> None:
    code, _ = by_schema("vendor.gitlab-ci", pasted(**{"execution-id": "new", "allow-failure-exit-codes": "six"}))
    assert code == 1
