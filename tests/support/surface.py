"""What action.yml and the README say of the inputs: `make docs` writes it, a test holds them to it."""

import re
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


def write() -> None:
    for name, render in (("action.yml", with_inputs), ("README.md", with_table)):
        path = ROOT / name
        path.write_text(render(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    write()
