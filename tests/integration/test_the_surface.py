"""action.yml, README.md, `--help` and the settings say the same."""

import re

import yaml

from rerun_action import cli, settings
from rerun_action.errors import EXIT_CODE_MEANINGS, ExitCode
from rerun_action.hosts import github
from tests.support.surface import ROOT, with_inputs, with_table


def test_action_yml_has_the_inputs_of_the_settings_and_no_defaults() -> None:
    text = (ROOT / "action.yml").read_text(encoding="utf-8")
    assert text == with_inputs(text), "run `make docs`"
    assert text.count("    description: >-\n") == len(settings.inputs())
    assert not re.search(r"^\s*default:", text, re.MULTILINE)


def test_action_yml_is_yaml_with_the_outputs_that_are_written() -> None:
    action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    assert list(action["inputs"]) == [entry.name for entry in settings.inputs()]
    assert {name: entry["description"] for name, entry in action["outputs"].items()} == github.OUTPUTS
    assert action["runs"] == {"using": "docker", "image": "Dockerfile"}


def test_the_table_of_the_readme_has_the_inputs_of_the_settings() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert text == with_table(text), "run `make docs`"
    table = text[text.index("| input | default") : text.index("## What it does")]
    assert re.findall(r"^\| `([a-z-]+)` \|", table, re.MULTILINE) == [entry.name for entry in settings.inputs()]


def test_help_has_every_input_with_its_variable_default_and_meaning() -> None:
    text = " ".join(cli.help_text().split())
    for entry in settings.inputs():
        state = "required" if entry.required else f"default: {entry.default or 'none'}"
        assert f"{entry.name} ({', '.join(entry.variables[1:])}; {state}) {entry.description}" in text
    assert set(EXIT_CODE_MEANINGS) == set(ExitCode)
