"""What a newcomer copies out of the README works, and what it quotes is what the program says."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from rerun_action import __version__, quarantine, settings
from rerun_action.errors import ExitCode
from tests.support import readme
from tests.support.checked import by_schema
from tests.support.gitlab import component, spec
from tests.support.surface import ROOT
from tests.support.workflows import ACTION

OK = (0, "ok -- validation done\n")
GIVEN = {"TESTSIGMA_API_KEY": "made-up-key", "TESTSIGMA_EXECUTION_ID": "986"}
PACKAGE = sorted((ROOT / "rerun_action").rglob("*.py"))


def load(inputs: dict[str, Any]) -> None:
    """Take them as a step on GitHub would; an expression stands for what it will be."""
    texts = {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in inputs.items()}
    assert set(texts) <= {entry.name for entry in settings.inputs()}
    values = {f"INPUT_{name.upper()}": re.sub(r"^\$\{\{.*}}$", "986", value) for name, value in texts.items()}
    settings.load({**GIVEN, **values})


def take(inputs: dict[str, Any]) -> None:
    """Take them as the GitLab component would."""
    types: dict[str, type | tuple[type, ...]] = {"number": (int, float), "boolean": bool, "array": list}
    for name, value in inputs.items():
        entry = spec()[name]
        assert isinstance(value, types.get(entry.get("type", ""), str)), name
        assert value in entry.get("options", [value])
        assert re.fullmatch(entry.get("regex", ".*"), str(value))
    assert len(component(**{"execution-id": "986", **inputs})) == 1


def kind(block: str) -> str:
    if re.search(r"^jobs:", block, re.MULTILINE):
        return "workflow"
    if re.search(r"^include:$|^testsigma-rerun:", block, re.MULTILINE):
        return "pipeline"
    return "steps" if block.startswith("steps:") else "quarantine" if "- case:" in block else "inputs"


YAML = [(kind(block), block) for block in readme.blocks("yaml")]


def of_kind(wanted: str) -> list[str]:
    return [block for kind, block in YAML if kind == wanted]


def test_every_snippet_is_looked_at() -> None:
    assert [kind for kind, _ in YAML] == [
        *("workflow", "pipeline"),  # the first screen
        *("workflow", "steps", "pipeline", "pipeline"),
        *("inputs", "inputs", "inputs", "inputs", "quarantine", "inputs", "inputs", "inputs"),
    ]
    assert readme.text().count("```yaml") == len(YAML)
    assert readme.text().count("```groovy") == 1


def test_the_first_screen_has_the_picture_the_demo_and_three_snippets() -> None:
    first = readme.text().partition("\n## ")[0]
    places = [first.index(part) for part in ("docs/report.png", "$ make demo", "```yaml", "```groovy")]
    assert places == sorted(places)
    assert len(readme.blocks("yaml", first)) == 2


@pytest.mark.parametrize("block", of_kind("workflow"))
def test_githubs_schema_takes_a_workflow(block: str) -> None:
    assert by_schema("vendor.github-workflows", block) == OK


@pytest.mark.parametrize("block", of_kind("workflow") + of_kind("steps"))
def test_a_step_has_inputs_of_the_action(block: str) -> None:
    found = yaml.safe_load(block)
    steps = found["steps"] if "steps" in found else [step for job in found["jobs"].values() for step in job["steps"]]
    (own,) = [step for step in steps if step.get("uses", "").startswith(ACTION)]
    assert own["uses"] == f"{ACTION}@v{__version__}"
    assert own["with"]["api-key"] == "${{ secrets.TESTSIGMA_API_KEY }}"
    load(own["with"])


@pytest.mark.parametrize("block", of_kind("pipeline"))
def test_gitlabs_schema_takes_a_pipeline_and_the_component_its_inputs(block: str) -> None:
    assert by_schema("vendor.gitlab-ci", block) == OK
    for entry in yaml.safe_load(block).get("include", []):
        take(entry["inputs"])
        (address,) = {"component", "remote"} & set(entry)
        assert f"v{__version__}" in entry[address]
        assert "image" not in entry["inputs"]  # the template of a release names its own


@pytest.mark.parametrize("block", of_kind("inputs"))
def test_a_recipe_works_on_github_and_on_gitlab(block: str) -> None:
    inputs = yaml.safe_load(block)
    load(inputs)
    take(inputs)


def test_each_recipe_says_how() -> None:
    part = readme.section("## Recipes")
    assert len(re.findall(r"^### .*\n\n```yaml", part, re.MULTILINE)) == len(re.findall("^### ", part, re.MULTILINE))
    named = {name for block in readme.blocks("yaml", part) for name in re.findall(r"^([a-z-]+):", block, re.MULTILINE)}
    assert named > {
        "execution-id",
        "fail-on-flaky",
        "max-failures",
        "max-failure-percent",
        "quarantine-file",
        "dry-run",
    }


def test_the_quarantine_file_can_be_read(tmp_path: Path) -> None:
    file = tmp_path / "flakes.yml"
    file.write_text(of_kind("quarantine")[0], encoding="utf-8")
    (entry,) = quarantine.load(file)
    assert (entry.case, entry.machine, entry.owner) == ("Pay by card", "Safari on macOS 15", "team-checkout")


def test_the_jenkinsfile_starts_what_the_image_starts() -> None:
    (block,) = readme.blocks("groovy")
    assert re.findall(r"^ *image '(.*)'$", block, re.MULTILINE) == [f"ghcr.io/{ACTION}:v{__version__}"]
    entrypoint = re.search(r"^ENTRYPOINT (\[.*])$", (ROOT / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)
    assert entrypoint is not None
    assert re.findall(r"sh\('(.*?)'\)", block) == [f"exec {' '.join(yaml.safe_load(entrypoint[1]))}"]
    given = dict(re.findall(r"^ *(TESTSIGMA_\w+) = (.*)$", block, re.MULTILINE))
    assert given.pop("TESTSIGMA_API_KEY") == "credentials('testsigma-api-key')"
    settings.load({**GIVEN, **{name: value.strip("'") for name, value in given.items()}})
    assert set(given) <= {variable for entry in settings.inputs() for variable in entry.variables}


def test_what_names_a_version_names_this_one() -> None:
    assert set(re.findall(r"testsigma-rerun-action(?:/rerun)?[@:/](v[0-9.]+[0-9])", readme.text())) == {
        f"v{__version__}"
    }


def codes(rows: list[list[str]]) -> set[int]:
    return {int(code) for row in rows if row[0][0].isdigit() for code in row[0].split(", ")}


def test_every_exit_code_is_told_and_every_one_has_its_troubles() -> None:
    every = {code.value for code in ExitCode}
    assert codes(readme.rows(readme.section("## Result and exit code"))) == every
    assert codes(readme.rows(readme.section("## When it does not work"))) == every


def fragments(text: str) -> list[str]:
    """A message without what differs from case to case."""
    return [part.strip() for part in re.split(r"…|\.\.\.|[0-9]+", text) if part.strip()]


def test_what_the_troubleshooting_quotes_is_what_the_program_says() -> None:
    """Messages that are put together stand whole in the tests that hold them against literals."""
    sources = [path.read_text(encoding="utf-8") for path in [*PACKAGE, *ROOT.glob("tests/*/test_*.py")]]
    said = re.sub(r'"\s*f?"', "", " ".join(sources[: len(PACKAGE)]))  # a text may go on in the next line
    said += " ".join(source for source in sources[len(PACKAGE) :] if "def test_what_the_trouble" not in source)
    troubles = readme.rows(readme.section("## When it does not work"))
    quoted = [span for row in troubles for span in readme.spans(row[1] if row[0][0].isdigit() else row[0])]
    assert len(quoted) > 25
    assert [span for span in quoted if any(part not in said for part in fragments(span))] == []


@pytest.mark.parametrize("page", readme.PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_link_leads_somewhere(page: Path) -> None:
    for target in readme.links(page):
        path, _, anchor = target.partition("#")
        file = page.parent / path if path else page
        assert file.exists(), target
        assert not anchor or anchor in readme.anchors(file), target
