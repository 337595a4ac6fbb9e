"""What action.yml, the README and the component say of the inputs: `make docs` writes it, tests hold them to it."""

import json
import re
from enum import StrEnum
from pathlib import Path

from rerun_action import settings
from rerun_action.hosts import github

ROOT = Path(__file__).parents[2]


def action_inputs() -> str:
    return "".join(
        f"  {entry.name}:\n    description: >-\n      {entry.description}"
        + (f" Default: {entry.default}.\n" if entry.default else "\n")
        + f"    required: {'true' if entry.required else 'false'}\n"
        for entry in settings.inputs()
    )


def readme_table() -> str:
    rows = [
        f"| `{entry.name}` | {'required' if entry.required else f'`{entry.default}`' if entry.default else '-'} "
        f"| {entry.description} |\n"
        for entry in settings.inputs()
    ]
    return "| input | default | meaning |\n|---|---|---|\n" + "".join(rows)


def action_outputs() -> str:
    return "".join(f"  {name}:\n    description: {text}\n" for name, text in github.OUTPUTS.items())


def with_inputs(action: str) -> str:
    start = action.index("\ninputs:\n") + len("\ninputs:\n")
    end = re.compile(r"^(?=\S)|^\n(?=\S)", re.MULTILINE).search(action, start)
    assert end is not None
    rest = action[end.start() :]
    outputs, runs = rest.index("outputs:\n"), rest.index("\nruns:\n")
    return action[:start] + action_inputs() + rest[:outputs] + "outputs:\n" + action_outputs() + rest[runs:]


def with_table(readme: str) -> str:
    start = readme.index("| input | default | meaning |")
    end = readme.index("\n\n", start) + 1
    return readme[:start] + readme_table() + readme[end:]


# --- the GitLab component ---------------------------------------------------------------------------------------------

MARK = "# The action's inputs; `make docs` writes them.\n"
LINES = ("runtime-data", "include", "exclude")
A_RUN = r"^(new|[0-9]+|\$.+)$"
"""`$RUN_ID` is known only when the job runs."""


def component_inputs() -> str:
    """All inputs but the key, which is a masked variable: a pipeline's configuration is no place for a secret."""
    return "".join(
        f"    {entry.name}:\n      description: >-\n        {entry.description}{_more(entry)}\n"
        + "".join(f"      {key}: {json.dumps(value)}\n" for key, value in _component_spec(entry).items())
        for entry in settings.inputs()
        if entry.name != "api-key"
    )


def component_variables() -> str:
    """GitLab pastes a text as it is, so one of any content has to stand in a block, where no character is special."""
    return "".join(
        f"    {entry.variables[1]}: "
        + (f"|-\n      $[[ inputs.{entry.name} ]]\n" if _is_free_text(entry) else f'"$[[ inputs.{entry.name} ]]"\n')
        for entry in settings.inputs()
        if entry.name != "api-key"
    )


def _component_spec(entry: settings.Input) -> dict[str, object]:
    annotation = _annotation(entry)
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return {"options": list(annotation), "default": entry.default}
    if annotation is bool:
        return {"type": "boolean", "default": entry.default == "true"}
    if annotation in (int, float):
        return {"type": "number", "default": json.loads(entry.default)}
    return {"regex": A_RUN} if entry.required else {"default": entry.default}


def _more(entry: settings.Input) -> str:
    variable = entry.variables[1]
    return f" Here on one line; for several, give the job the variable {variable}." if entry.name in LINES else ""


def _is_free_text(entry: settings.Input) -> bool:
    return not {"type", "options"} & _component_spec(entry).keys()


def _annotation(entry: settings.Input) -> object:
    return settings.Settings.model_fields[entry.name.replace("-", "_")].annotation


def with_component(template: str) -> str:
    head, inputs, variables = template.split(MARK)
    inputs = inputs[inputs.index("---\n") :]
    end = re.compile(r"^  (?=\S)", re.MULTILINE).search(variables)
    assert end is not None
    return head + MARK + component_inputs() + inputs + MARK + component_variables() + variables[end.start() :]


def write() -> None:
    for name, render in (
        ("action.yml", with_inputs),
        ("README.md", with_table),
        ("templates/rerun.yml", with_component),
    ):
        path = ROOT / name
        path.write_text(render(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    write()
